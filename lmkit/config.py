"""Chapter 8. The Config: sizes, and one choice from each menu."""

import json
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path

from . import atomic
from .attention import ATTENTIONS
from .block import BLOCKS
from .choose import name_of
from .ffn import FFNS
from .init import INITS
from .norms import NORMS
from .positions import POSITIONS
from .residual import RESIDUALS

#: The menu of each field of a Config that has one.
MENUS = {
    "norm": NORMS,
    "positions": POSITIONS,
    "attention": ATTENTIONS,
    "qk_norm": NORMS,
    "ffn": FFNS,
    "residual": RESIDUALS,
    "block": BLOCKS,
    "init": INITS,
}


# The least that each size may be, where it is not None.
LEAST = dict.fromkeys(
    ("vocab_size", "d_model", "n_layers", "n_heads", "n_kv_heads", "d_head", "d_ff", "max_seq_len"), 1
) | dict.fromkeys(("n_segments", "n_encoder_layers"), 0)


@dataclass(frozen=True)
class Config:
    """Sizes, and for each kind of component a name from its menu, a name with options, or a callable of your own.

    >>> Config(vocab_size=50_257, positions={"name": "rope", "theta": 5e5}, norm="rmsnorm")
    """

    vocab_size: int
    d_model: int = 768
    n_layers: int = 12
    n_heads: int = 12
    n_kv_heads: int | None = None  #: None: n_heads, plain multi-head; 1: multi-query
    d_head: int | None = None  #: None: d_model // n_heads
    d_ff: int | None = None  #: None: what the feed-forward network thinks usual
    max_seq_len: int = 1024
    norm: str | dict | Callable = "layernorm"
    positions: str | dict | Callable = "learned"
    attention: str | dict | Callable = "dot_product"
    qk_norm: str | dict | Callable | None = None  #: a norm for each head's queries and keys
    ffn: str | dict | Callable = "gelu"
    residual: str | dict | Callable = "pre"
    block: str | dict | Callable = "sequential"
    init: str | dict | Callable = "gpt2"
    causal: bool = True
    window: int | tuple[int | None, ...] | None = None  #: None: look back to the start; a tuple repeats over the layers
    bias: bool = True
    eps: float = 1e-5
    final_norm: bool = True  #: post-norm models have none: their last block ends in one
    tied: bool = True  #: the language-model head reads with the embedding matrix
    n_segments: int = 0  #: kinds of segments, such as BERT's two sentences; 0: none
    embed_norm: bool = False  #: BERT normalizes the embeddings
    embed_scale: float = 1.0  #: √d_model in the 2017 Transformer and Gemma
    n_encoder_layers: int = 0  #: more than 0: an encoder-decoder, whose decoder has n_layers
    logit_scale: float = 1.0  #: 1/√d_model in T5
    logit_soft_cap: float | None = None  #: Gemma 2

    def __post_init__(self):
        for name, least in LEAST.items():
            size = getattr(self, name)
            if size is not None and (not isinstance(size, int) or size < least):
                raise ValueError(f"{name} must be a whole number of at least {least}, not {size!r}")
        windows = self.window if isinstance(self.window, tuple) else (self.window,)
        if not windows or not all(w is None or (isinstance(w, int) and w >= 1) for w in windows):
            raise ValueError(
                f"a window is a whole number of at least 1 (a position sees itself) or None, or a tuple of such, not "
                f"{self.window!r}"
            )

    @property
    def windows(self) -> list[int | None]:
        """The window of each layer."""
        pattern = self.window if isinstance(self.window, tuple) else (self.window,)
        return [pattern[layer % len(pattern)] for layer in range(self.n_layers)]

    def to_dict(self) -> dict:
        """Plain values only; a component of your own must first be given a name in its menu."""
        plain = {}
        for f in fields(self):
            value = getattr(self, f.name)
            if f.name in MENUS and value is not None:
                try:
                    value = name_of(value, MENUS[f.name])
                except ValueError as error:
                    raise ValueError(f"{f.name}: {error}") from None
            plain[f.name] = list(value) if isinstance(value, tuple) else value
        return plain

    @classmethod
    def from_dict(cls, plain: dict) -> "Config":
        """The inverse of `to_dict`; ValueError for a field that there is not or that is missing."""
        unknown = set(plain) - {f.name for f in fields(cls)}
        if unknown or "vocab_size" not in plain:
            raise ValueError(f"a Config has a vocab_size and no {sorted(unknown)}")
        return cls(**{key: tuple(value) if isinstance(value, list) else value for key, value in plain.items()})

    def save(self, path: str | Path) -> None:
        """Write the Config as JSON."""
        atomic.write(path, json.dumps(self.to_dict(), indent=1) + "\n")

    @classmethod
    def load(cls, path: str | Path) -> "Config":
        """Read what `save` wrote; ValueError if it is no Config."""
        try:
            return cls.from_dict(json.loads(Path(path).read_text(encoding="utf-8")))
        except (ValueError, TypeError) as error:
            raise ValueError(f"{path} holds no Config: {error}") from None
