"""Chapter 10. What to begin with: a Config for a budget, a length and a purpose, each choice with its reasons."""

import math
from dataclasses import dataclass, replace
from pathlib import Path

from ..config import Config
from ..count import Count, count
from ..hardware import ACCELERATORS
from . import ledger
from .evidence import PAPERS
from .findings import Findings, value_name

# Peak FLOP/s, of which training reaches a part; a core of a processor: what `watch.peak_flops` measured (float32).
PEAK = {name.lower(): card.peak for name, card in ACCELERATORS.items()} | {"cpu core": 0.1e12}
REACHED = 0.4
LONG = 8192  # tokens, beyond which rope's usual base turns too fast
PURPOSES = {  # how it looks, and what it is trained to do
    "generate": ("decoder", "causal"),
    "classify": ("encoder", "masked"),
    "tag": ("encoder", "masked"),
    "translate": ("encoder-decoder", "spans"),
}
ROOMS = (512, 1024, 4096, 16_384, 32_768, 50_304, 131_072)  # vocabularies


@dataclass(frozen=True)
class Choice:
    """One field, its value, and why: `here` says what the ledger has on it, `published` what others found."""

    name: str
    value: object
    why: str
    published: tuple[str, ...] = ()
    here: tuple[str, ...] = ()
    caution: str = ""


@dataclass(frozen=True, repr=False)
class Recommendation:
    """A Config that builds, settings of a run, and the reasons. Printed, it is a table."""

    config: Config
    settings: dict
    choices: list[Choice]
    count: Count

    def __repr__(self) -> str:
        lines = [self._heading()]
        for c in self.choices:
            lines.append(f"\n{c.name} = {c.value!r}: {c.why}")
            lines += [f"    here: {line}" for line in c.here]
            lines += [f"    {PAPERS[name]!r}" for name in c.published]
            lines += [f"    caution: {c.caution}"] if c.caution else []
        return "\n".join(lines)

    def _repr_markdown_(self) -> str:
        lines = [self._heading(), "", "| choice | why | in the ledger | published | caution |", "|---|---|---|---|---|"]
        for c in self.choices:
            published = "; ".join(PAPERS[name]._repr_markdown_() for name in c.published)
            lines.append(f"| `{c.name} = {c.value!r}` | {c.why} | {'; '.join(c.here)} | {published} | {c.caution} |")
        return "\n".join(lines)

    def _heading(self) -> str:
        tokens = self.settings["steps"] * self.settings["batch_size"] * self.settings["seq_len"]
        flops = tokens * self.count.training_flops
        return f"{self.count.total_parameters:,} parameters, {tokens:,} tokens, {flops:.3g} FLOPs"


def recommend(
    *,
    flops: float | None = None,
    gpu_hours: float | None = None,
    hardware: str = "h100",
    tokens: float = math.inf,
    seq_len: int = 1024,
    purpose: str = "generate",
    folder: str | Path = ledger.FOLDER,
) -> Recommendation:
    """A Config and settings to begin with, for so many training FLOPs (or hours on so many accelerators together).

    `tokens` are those of the text at hand, `purpose` is one of PURPOSES. Small models, up to ten times those of the
    ledger, follow the ledger where it can tell variants apart on every corpus; larger ones follow what was published.
    """
    check(flops, gpu_hours, hardware, purpose)
    budget = flops or gpu_hours * 3600 * PEAK[hardware] * REACHED
    kind, objective = PURPOSES[purpose]
    wanted = math.sqrt(budget / 120)  # 6 N D FLOPs, D = 20 N
    repeated = 20 * wanted > 4 * tokens
    wanted = min(wanted, 4 * tokens / 20)
    vocab_size = max((v for v in ROOMS if v * width(wanted) <= 0.2 * wanted), default=ROOMS[0])
    n_layers, d_model = shape(max(wanted - vocab_size * width(wanted), wanted / 2))
    heads = d_model // (128 if d_model >= 2048 else 64) if d_model >= 128 else 2
    found = Findings(folder, wanted)
    tied = wanted < 1e9
    positions = {"name": "rope", "theta": 5e5} if seq_len > LONG else found.pick("positions", "positions", "rope")
    grouped = kind == "decoder" and heads % 4 == 0 and (wanted >= 3e8 or seq_len >= 4096)
    config = Config(
        vocab_size, d_model=d_model, n_layers=n_layers, n_heads=heads, n_kv_heads=heads // 4 if grouped else None,
        max_seq_len=seq_len, norm="rmsnorm", positions=positions,
        qk_norm="rmsnorm" if n_layers >= 24 or wanted >= 1e9 else None,
        ffn=found.pick("ffn", "ffn", "swiglu"), residual="pre", init="gpt2" if d_model >= 768 else "fan_in", bias=False,
        causal=kind != "encoder", n_encoder_layers=n_layers if kind == "encoder-decoder" else 0, tied=tied,
    )  # fmt: skip
    if kind == "encoder-decoder":  # two stacks share the parameters
        config = replace(config, n_layers=max(1, n_layers // 2), n_encoder_layers=max(1, n_layers // 2))
    batch_tokens = min(max(2 ** round(math.log2(20 * wanted / 5000)), 2048), 2**22)
    batch_size = max(1, batch_tokens // seq_len)
    spent = min(budget, 6 * wanted * 20 * wanted) if repeated else budget
    counted = count(config)
    steps = max(1, round(spent / (batch_size * seq_len * counted.training_flops)))
    optimizer = found.pick("optimizers", "optimizer", "adamw")
    lr = found.rate(optimizer) or float(f"{max(0.003239 - 0.0001395 * math.log(wanted), 1e-4):.2g}")
    settings = dict(
        tokenizer={"name": "byte_bpe", "vocab_size": vocab_size}, objective=objective,
        optimizer=optimizer, schedule=found.pick("schedules", "schedule", "linear"),
        steps=steps, batch_size=batch_size, seq_len=seq_len, lr=lr, warmup=min(2000, max(1, steps // 50)),
        weight_decay=0.1, clip=1.0, precision="float32" if hardware == "cpu core" else "bfloat16",
    )  # fmt: skip
    return Recommendation(config, settings, reasons(config, settings, found, kind, repeated, budget), counted)


def check(flops: float | None, gpu_hours: float | None, hardware: str, purpose: str) -> None:
    if (flops is None) == (gpu_hours is None):
        raise ValueError("give either flops or gpu_hours")
    if not (flops or gpu_hours) > 0:
        raise ValueError(f"a budget is above 0, not {flops or gpu_hours}")
    for value, known in ((hardware, PEAK), (purpose, PURPOSES)):
        if value not in known:
            raise ValueError(f"{value!r} is not one of {sorted(known)}")


def width(n: float) -> float:
    """64 per layer, as in GPT-2: n = 12 L d² with d = 64 L."""
    return 64 * (n / (12 * 64**2)) ** (1 / 3)


def shape(n: float) -> tuple[int, int]:
    """(n_layers, d_model) of about n parameters in blocks: d_model a multiple of 256, 64 or 32."""
    n_layers = max(2, round(width(n) / 64))
    by = 256 if n > 3e8 else 64 if n > 1e6 else 32
    return n_layers, max(by, by * round(math.sqrt(n / 12 / n_layers) / by))


def reasons(config: Config, settings: dict, found: Findings, kind: str, repeated: bool, budget: float) -> list[Choice]:
    """Every choice with what speaks for it."""
    c, s, long = config, settings, config.max_seq_len > LONG

    def here(study: str, name: str, value) -> tuple[str, ...]:
        return found.lines(study, value_name(study, name, value))

    def whose(value, usual) -> str:
        if not found.decides:
            return "no model of the ledger is near this size"
        if value != usual:
            return f"beats {usual} throughout the ledger, whose models are near this size"
        return "nothing in the ledger, whose models are near this size, beats it throughout"

    return [
        Choice(
            "n_layers, d_model", (c.n_layers, c.d_model),
            f"{budget:.3g} FLOPs are best spent on about {math.sqrt(budget / 120):.3g} parameters, 20 tokens for each"
            + (", but there is not so much text, so the model is smaller" if repeated else ""),
            ("chinchilla", "kaplan", *(["repeated"] if repeated else [])), (),
            "a model that will be used much should be smaller and trained for longer",
        ),
        Choice(
            "kind, objective", (kind, s["objective"]), "what suits the purpose",
            {"decoder": ("zero_shot",), "encoder": ("bert",), "encoder-decoder": ("t5",)}[kind], found.objectives(),
            "objectives that ask for a part of the tokens want more steps than small runs give them",
        ),
        Choice(
            "vocab_size", c.vocab_size, "an embedding of at most a fifth of the parameters", ("vocabulary",),
            found.lines("tokens", f"byte-level BPE {c.vocab_size}"),
            "the best vocabulary grows with the model: what small ones prefer does not transfer",
        ),
        Choice(
            "positions", c.positions, "a larger base for long texts" if long else whose(c.positions, "rope"),
            ("rope", "alibi", *(["long"] if long else [])),
            here("positions", "positions", c.positions),
            f"ranks at the trained length do not tell which reads beyond {c.max_seq_len}; {PAPERS['lengths'].link}",
        ),
        Choice(
            "n_kv_heads", c.n_kv_heads, "a cache a quarter as large" if c.n_kv_heads else "the cache is small",
            ("gqa", "mqa"),
            found.lines("attention", "grouped, 2" if c.n_kv_heads else "multi-head"),
            "what it saves shows in generation with long caches, which loss at equal FLOPs does not see",
        ),
        Choice("ffn", c.ffn, whose(c.ffn, "swiglu"), ("glu", "transfer"), here("ffn", "ffn", c.ffn)),
        Choice(
            "norm, residual", (c.norm, c.residual), "trains deep stacks with an ordinary warm-up",
            ("pre", "rmsnorm", "transfer"), found.lines("norms", f"{c.norm}, {c.residual}"),
            "placements that train well with two layers can fail with fifty: ranks of shallow models do not transfer",
        ),
        Choice(
            "qk_norm", c.qk_norm, "holds attention's scores where many layers or a high rate would let them grow"
            if c.qk_norm else "not yet needed at this depth", ("proxies",),
        ),
        Choice(
            "tied", c.tied, f"the embedding is a {'large' if c.tied else 'small'} share of the parameters",
            ("tied",), found.lines("heads", "tied" if c.tied else "untied"),
            "what tying saves counts for less the larger the model is",
        ),
        Choice(
            "optimizer", s["optimizer"], whose(s["optimizer"], "adamw"), ("adamw", "muon", "optimizers"),
            here("optimizers", "optimizer", s["optimizer"]), "gains over AdamW in small models shrink with scale",
        ),
        Choice(
            "schedule", s["schedule"], whose(s["schedule"], "linear"), ("linear", "wsd"),
            here("schedules", "schedule", s["schedule"]),
            "how a run of a few hundred steps should end says little of longer ones",
        ),
        Choice(
            "lr", s["lr"],
            f"{'the median of sweeps' if found.rate(s['optimizer']) else 'a rule of thumb'}; try half and twice of it",
            ("kaplan", "mup"), caution="the best rate falls with the width: a small model's does not transfer",
        ),
        Choice(
            "steps", s["steps"], "what the budget allows", ("ranks",),
            caution="all ranks above come from models of one size; with scale they can cross",
        ),
    ]  # fmt: skip
