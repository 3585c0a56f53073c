"""What a run is: the settings, as JSON in run.json, in --config files and in lmkit.recipes, and as flags."""

import argparse
import json
import math
from dataclasses import MISSING, asdict, dataclass, field, fields
from pathlib import Path

from .. import presets
from ..choose import choose
from ..config import MENUS, Config
from ..objectives import HEADS, OBJECTIVES
from ..optimizers import OPTIMIZERS
from ..presets.format import on_paper
from ..recipes import RECIPES
from ..schedules import SCHEDULES

#: What the body of a run is unless it says otherwise.
BODY = dict(norm="rmsnorm", positions="rope", init="fan_in", bias=False)
#: How large it is then, for the tales and for other text.
SIZES = {"tales": dict(d_model=96, n_layers=2, n_heads=3), "text": dict(d_model=128, n_layers=4, n_heads=4)}
CHOICES = {"objective": OBJECTIVES, "optimizer": OPTIMIZERS, "schedule": SCHEDULES}
PAIRS = ("next_sentence", "sentence_order")
BOTH_WAYS = ("masked", "masked_words", "masked_spans", "replaced", *PAIRS)
MODELS = {
    "back": ("look back only", "looks back only"),
    "both": ("look both ways", "looks both ways"),
    "encoder": ("have an encoder and a decoder", "has an encoder"),
}
LEAST = dict(steps=1, batch_size=1, seq_len=1, accumulate=1, warmup=0, weight_decay=0.0)


@dataclass(frozen=True)
class Settings:
    """All that decides what a run computes; ValueError in one sentence for what cannot be."""

    corpus: str = field(
        default="tales", metadata={"help": "tales, tinyshakespeare, excerpt, a text file, or a folder of shards"}
    )
    tokenizer: str | None = field(
        default=None, metadata={"help": "characters, bytes, byte_bpe:4096, ..., or a tokenizer.json"}
    )
    model: dict = field(default_factory=dict)  #: fields of a Config; the vocabulary's size comes from the tokenizer
    objective: str = field(default="causal", metadata={"help": f"one of {', '.join(OBJECTIVES)}"})
    optimizer: str | dict = field(default="muon", metadata={"help": f"one of {', '.join(OPTIMIZERS)}"})
    schedule: str | dict = field(default="cosine", metadata={"help": f"one of {', '.join(SCHEDULES)}"})
    steps: int = field(default=2000, metadata={"help": "updates"})
    batch_size: int = field(default=16, metadata={"help": "sequences per update, on all machines together"})
    seq_len: int = field(default=128, metadata={"help": "tokens per sequence"})
    lr: float = field(default=1e-2, metadata={"help": "peak learning rate"})
    warmup: int = field(default=20, metadata={"help": "steps until the peak"})
    weight_decay: float = field(default=0.0, metadata={"help": "of matrices, times the rate"})
    clip: float | None = field(default=1.0, metadata={"help": "largest norm of the gradient; none: any"})
    accumulate: int = field(
        default=1, metadata={"help": "parts that a batch is read in, one after the other: less memory"}
    )
    precision: str = field(
        default="auto", metadata={"help": "float32, bfloat16 (autocast), or auto: bfloat16 on a GPU"}
    )
    pack: bool = field(default=False, metadata={"help": "whole documents in each row, kept apart, instead of windows"})
    compile: bool = field(default=False, metadata={"help": "torch.compile: a minute at first, then faster steps"})
    seed: int = field(default=0, metadata={"help": "of weights and batches"})

    def __post_init__(self):
        for name, menu in CHOICES.items():
            try:
                choose(getattr(self, name), menu)
            except ValueError as problem:
                raise ValueError(f"{name}: {problem}") from None
        for name, least in LEAST.items():
            value = getattr(self, name)
            if not isinstance(value, int | float) or value < least:
                raise ValueError(f"{name} must be at least {least}, not {value!r}")
        if self.clip == math.inf:  # which JSON has no word for
            object.__setattr__(self, "clip", None)
        for name in ("lr", "clip"):
            value = getattr(self, name)
            if not (value is None and name == "clip") and not (isinstance(value, int | float) and value > 0):
                raise ValueError(f"{name} must be above 0, not {value!r}")
        if self.precision not in ("auto", "float32", "bfloat16"):
            raise ValueError(f"precision must be auto, float32 or bfloat16, not {self.precision!r}")
        c = self.config(2)
        wanted = "encoder" if self.objective == "spans" else "both" if self.objective in BOTH_WAYS else "back"
        there = "encoder" if c.n_encoder_layers else "back" if c.causal else "both"
        if wanted != there:
            ours, this = MODELS[wanted][0], MODELS[there][1]
            raise ValueError(f"the objective {self.objective} is for models that {ours}, and this one {this}")
        if self.pack and self.objective != "causal":
            raise ValueError(f"packing is for the objective causal, not for {self.objective}")
        on_paper(HEADS[self.objective], c)  # a model that cannot be says so now

    def config(self, vocab_size: int) -> Config:
        """The Config of the model: this book's usual choices, where `model` says nothing."""
        usual = SIZES["tales" if self.corpus == "tales" else "text"] | BODY
        chosen = {**({} if "norm" in self.model and "init" in self.model else usual), **self.model}
        trained = chosen.get("positions") == "learned"  # position by position: none beyond the longest row
        longest = {"max_seq_len": self.seq_len if trained else 2 * self.seq_len}
        shape = {"causal": self.objective not in BOTH_WAYS, "n_segments": 2 * (self.objective in PAIRS)}
        if self.objective == "spans":
            shape["n_encoder_layers"] = chosen.get("n_layers", 12)
        return Config.from_dict(longest | shape | chosen | {"vocab_size": vocab_size})

    def to_dict(self) -> dict:
        return asdict(self)

    @classmethod
    def from_dict(cls, plain: dict, where: str = "settings") -> "Settings":
        """ValueError for a name that there is not."""
        known = {f.name for f in fields(cls)}
        if not isinstance(plain, dict) or set(plain) - known:
            extra = sorted(set(plain) - known) if isinstance(plain, dict) else repr(plain)[:40]
            raise ValueError(f"{where}: {extra} is unknown; the settings are {sorted(known)}")
        return cls(**plain)

    def differences(self, other: "Settings") -> dict[str, str]:
        """What differs, by name, as "lr (0.01 there, 0.02 here)"."""
        ours, theirs = self.to_dict(), other.to_dict()
        differ = [name for name in ours if ours[name] != theirs[name]]
        return {name: f"{name} ({theirs[name]!r} there, {ours[name]!r} here)" for name in differ}


def plain_or_json(text: str):
    """A name, or a name with options: '{"name": "rope", "theta": 5e5}'."""
    if not text.startswith("{"):
        return text
    try:
        return json.loads(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f'{text!r} is no JSON; write \'{{"name": "rope", "theta": 5e5}}\'') from None


def number_or_none(text: str) -> float | None:
    return None if text == "none" else float(text)


MODEL_SIZES = dict(
    d_model="width of the residual stream",
    n_layers="blocks",
    n_heads="query heads",
    n_kv_heads="key/value heads (default: as many; 1: multi-query)",
    d_head="width of a head (default: d_model / n_heads)",
    d_ff="inner width of the feed-forward network (default: what it thinks usual)",
    window="reach of sliding-window attention (default: to the start)",
    max_seq_len="longest input (default: twice --seq-len; with learned positions, as long)",
)


SWITCHES = dict(
    tied="head and embedding share a matrix", bias="maps have biases", causal="positions see what stands before, only"
)


def add_flags(parser: argparse.ArgumentParser) -> None:
    """A flag for each setting and for each choice of the model."""
    model = parser.add_argument_group(
        "the model",
        'a preset, or sizes and one name from each menu, which may have options: \'{"name": "rope", "theta": 5e5}\'',
    )
    model.add_argument(
        "--preset",
        metavar="NAME",
        help="a published architecture, as in lmkit.presets.table()"
        "; where nothing else is said, with its context (1024 at most) and a rate for its width",
    )
    for name, meaning in MODEL_SIZES.items():
        model.add_argument(flag(name), type=int, metavar="N", help=meaning)
    for name, menu in MENUS.items():
        usual = f" (default: {BODY[name]})" if name in BODY else ""
        model.add_argument(flag(name), type=plain_or_json, metavar="NAME", help=", ".join(menu) + usual)
    for name, meaning in SWITCHES.items():
        model.add_argument(flag(name), action=argparse.BooleanOptionalAction, default=None, help=meaning)
    group = parser.add_argument_group("the run")
    for f in fields(Settings):
        if f.name == "model":
            continue
        default = None if f.default is MISSING else f.default
        how = dict(help=f"{f.metadata['help']} (default: {default})", default=None)
        if default is False:
            group.add_argument(flag(f.name), action="store_true", **how)
        else:
            kind = {"optimizer": plain_or_json, "schedule": plain_or_json, "clip": number_or_none}.get(f.name)
            group.add_argument(
                flag(f.name), type=kind or (type(default) if default is not None else str), metavar="X", **how
            )


def flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def from_flags(options: argparse.Namespace, before: dict | None = None) -> Settings:
    """Settings: the defaults, or those of `before`, under a recipe, under a file, under the flags that were given."""
    plain = dict(before or {})
    if options.recipe is not None:
        if options.recipe not in RECIPES:
            raise ValueError(f"--recipe {options.recipe!r} is not one of {sorted(RECIPES)}")
        plain |= RECIPES[options.recipe]
    if options.config is not None:
        plain |= read_settings(Path(options.config))
    model = dict(plain.get("model", {}))
    if options.preset is not None:
        published = presets.get(options.preset)
        model |= {k: v for k, v in published.to_dict().items() if k != "vocab_size"}
        usual = dict(seq_len=min(published.max_seq_len, 1024), lr=rate_for(published.d_model), weight_decay=0.1)
        plain = usual | plain
    given = {name: value for name, value in vars(options).items() if value is not None}
    model |= {name: given[name] for name in (*MODEL_SIZES, *MENUS, *SWITCHES) if name in given}
    plain |= {f.name: given[f.name] for f in fields(Settings) if f.name in given and f.name != "model"}
    return Settings.from_dict(plain | {"model": model})


def rate_for(d_model: int) -> float:
    """A peak rate to begin with: 6e-4 for GPT-2's width, and in inverse proportion to the width, 1e-2 at most.

    That is 0.6 to 1.5 times the rates of GPT-3's eight sizes (Brown et al. 2020, arXiv:2005.14165, table 2.1).
    """
    return min(1e-2, 6e-4 * 768 / d_model)


def settings_file(path: Path) -> Path:
    """The file itself, or the one in a checkpoint's or run's folder."""
    of_checkpoint = path / "settings.json"
    return of_checkpoint if of_checkpoint.is_file() else path / "run.json" if path.is_dir() else path


def read_settings(path: Path) -> dict:
    """The settings in a JSON file, or in the folder of a run or of a checkpoint."""
    path = settings_file(path)
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as problem:
        raise ValueError(f"{path} is no JSON: {problem}") from None
    return plain.get("settings", plain) if isinstance(plain, dict) else plain
