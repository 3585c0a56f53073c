"""What a family file is written with: a reader of config.json that forgets nothing, and rows of its tensor table."""

import inspect
import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from ..choose import choose
from ..config import Config
from ..ffn import FFNS

REQUIRED = object()  # in place of a default: the key must be there
MOST = 2**31 - 1  # of any size, far beyond every model

# What config.json may say without changing a single output of the network, here or there.
HARMLESS = re.compile(
    r"_.*|.*_token_id|.*drop(out)?(_rate)?|.*_pdrop|.*_dropout_prob|summary_.*|pooler_.*|output_.*|.*_version|torch.*"
    r"|architectures|model_type|dtype|return_dict|use_cache|gradient_checkpointing|initializer_(range|factor)"
    r"|id2label|label2id|num_labels|problem_type|task_specific_params|finetuning_task|tokenizer_class|model_max_length"
    r"|chunk_size_feed_forward|is_encoder_decoder|pretraining_tp|language|name|directionality|transformers\.js_config"
    r"|n_special|predict_special_tokens|pruned_heads|use_bfloat16|max_length|min_length|do_sample|unsloth_.*"
    r"|cache_implementation|.*_softmax_in_fp32"
)


class Settings:
    """The keys of a config.json, checked as they are read; what nobody read can be named afterwards."""

    def __init__(self, said: dict, where: str = "config.json"):
        if not isinstance(said, dict):
            raise ValueError(f"{where} must hold an object of settings, not {type(said).__name__}")
        self.said, self.where, self.read = said, where, set()
        self.tensors: Collection[str] = ()  # their names, where config.json alone leaves a question open

    def get(self, name: str, default: Any = None) -> Any:
        """The value as it stands there; null counts as unsaid."""
        self.read.add(name)
        value = self.said.get(name)
        if value is None and default is REQUIRED:
            raise ValueError(f"{self.where} does not say {name!r}")
        return default if value is None else value

    def size(self, name: str, default: Any = REQUIRED, least: int = 1) -> int | None:
        """A whole number."""
        value = self.get(name, default)
        if value is not default and (type(value) is not int or not least <= value <= MOST):
            raise ValueError(f"{self.where} says {name}={value!r}; expected a whole number from {least} to {MOST}")
        return value

    def layers(self, name: str, default: Any = REQUIRED) -> int:
        """A whole number that is at most that of the tensors in the file, if there is one."""
        value = self.size(name, default)
        if self.tensors and value > len(self.tensors):
            raise ValueError(f"{self.where} says {name}={value}, but there are only {len(self.tensors)} tensors")
        return value

    def number(self, name: str, default: Any = REQUIRED) -> float | None:
        """A number above 0, and one that a float can hold."""
        value = self.get(name, default)
        if value is not default and (type(value) not in (int, float) or not 0 < value < 1e300):
            raise ValueError(f"{self.where} says {name}={value!r}; expected a number above 0")
        return value

    def flag(self, name: str, default: bool) -> bool:
        value = self.get(name, default)
        if type(value) is not bool:
            raise ValueError(f"{self.where} says {name}={value!r}; expected true or false")
        return value

    def choice(self, name: str, menu: dict[str, Any], default: Any = REQUIRED) -> Any:
        """What `menu` has for the name that stands there."""
        value = self.get(name, default)
        if not isinstance(value, str) or value not in menu:
            raise ValueError(f"{self.where} says {name}={value!r}, which lmkit has not; it has {sorted(menu)}")
        return menu[value]

    def fixed(self, **expected: Any) -> None:
        """Refuse any other value than these, where one is said."""
        for name, value in expected.items():
            if (said := self.get(name, value)) != value:
                raise ValueError(f"{self.where} says {name}={said!r}; lmkit has this family with {value!r} only")

    def unread(self) -> list[str]:
        """The keys that nobody read, that say something, and that could matter."""
        rest = {name for name, value in self.said.items() if value} - self.read
        return sorted(name for name in rest if not HARMLESS.fullmatch(name))

    def misspelt(self) -> Iterator[tuple[str, str]]:
        """Pairs (key that nobody read, key that it may have been): too near to be a key of its own."""
        unsaid = sorted(name for name in self.read if name not in self.said)
        for name in self.said.keys() - self.read:
            if near := get_close_matches(name, unsaid, n=1, cutoff=0.85):
                yield name, near[0]


@dataclass(frozen=True)
class Part:
    """A stored tensor in another layout than ours: transposed, `parts` of ours, of equal size, in a row, or with
    rows before ours that are skipped here and zero in a file that lmkit writes.
    """

    name: str
    transposed: bool = False
    part: int = 0
    parts: int = 1
    skipped: int = 0


def weight_and_bias(names: dict[str, str]) -> dict[str, str]:
    """Spell out the two tensors of each linear map or LayerNorm."""
    return {f"{ours}.{leaf}": f"{theirs}.{leaf}" for ours, theirs in names.items() for leaf in ("weight", "bias")}


def component_of(choice: Any, menu: dict) -> tuple[Any, dict]:
    """The class or function that a choice comes down to, and all its options, those by default included."""
    component, how = choose(choice, menu), {}
    if isinstance(component, partial):
        component, how = component.func, component.keywords
    makers = [kind.__init__ for kind in reversed(component.__mro__)] if isinstance(component, type) else [component]
    parameters = [p for maker in makers for p in inspect.signature(maker).parameters.values()]
    return component, {p.name: p.default for p in parameters if p.default is not p.empty} | how


def word_for(choice: Any, menu: dict, words: dict[str, str]) -> str:
    """Their word for a choice, from `words` {theirs: ours}; any of them if there is none, as the exporter will see."""
    same = (theirs for theirs, ours in words.items() if component_of(ours, menu) == component_of(choice, menu))
    return next(same, next(iter(words)))


def width_of(config: Config) -> int:
    """The d_ff of a Config, also where it is left to the feed-forward network."""
    ffn = on_paper(choose(config.ffn, FFNS), config.d_model, config.d_ff, bias=config.bias)
    return ffn.up_proj.out_features if hasattr(ffn, "up_proj") else 4 * config.d_model


class _Undrawn(TorchFunctionMode):
    """Leave out what only fills new weights: on the meta device there is nothing to fill, and it takes its time."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        if getattr(func, "__name__", "") in {"normal_", "uniform_", "kaiming_uniform_", "zero_", "fill_"}:
            return args[0] if args else kwargs["tensor"]
        return func(*args, **(kwargs or {}))


def on_paper(build: Callable, *args: Any, **how: Any) -> nn.Module:
    """Build a module on the meta device: names and shapes of everything, and no memory for it."""
    with torch.device("meta"), _Undrawn():
        return build(*args, **how)
