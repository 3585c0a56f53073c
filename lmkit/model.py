"""Chapter 8. The Transformer: one choice from each menu, assembled."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import partial

import torch
from torch import Tensor, nn

from .attention import ATTENTIONS, KVCache
from .choose import choose
from .ffn import FFNS
from .init import INITS
from .masks import causal_mask, padding_mask, window_mask
from .norms import NORMS
from .positions import POSITIONS
from .residual import RESIDUALS

MENUS = {
    "norm": NORMS,
    "positions": POSITIONS,
    "attention": ATTENTIONS,
    "ffn": FFNS,
    "residual": RESIDUALS,
    "init": INITS,
}


@dataclass(frozen=True)
class Config:
    """Sizes, and for each kind of component a name from its menu or a callable of your own."""

    vocab_size: int
    d_model: int = 768
    n_layers: int = 12
    n_heads: int = 12
    n_kv_heads: int | None = None  # None: n_heads, plain multi-head; 1: multi-query
    d_head: int | None = None  # None: d_model // n_heads
    d_ff: int | None = None  # None: what the feed-forward network thinks usual
    max_seq_len: int = 1024
    norm: str | Callable = "layernorm"
    positions: str | Callable = "learned"
    attention: str | Callable = "dot_product"
    ffn: str | Callable = "gelu"
    residual: str | Callable = "pre"
    init: str | Callable = "gpt2"
    causal: bool = True
    window: int | None = None  # None: look back to the start
    bias: bool = True
    eps: float = 1e-5
    final_norm: bool = True  # post-norm models have none: their last block ends in one
    tied: bool = True  # the language-model head reads with the embedding matrix

    def to_dict(self) -> dict:
        """Plain values only; a component of your own must first be given a name in its menu."""
        return {f.name: self._plain(f.name, getattr(self, f.name)) for f in fields(self)}

    @staticmethod
    def _plain(field: str, value):
        if not callable(value):
            return value
        for name, option in MENUS[field].items():
            if option is value:
                return name
        raise ValueError(f"{field}={value!r} has no name; add it to the menu to save this Config")


class Block(nn.Module):
    """Attention moves information between positions; the feed-forward network works on each."""

    def __init__(self, config: Config):
        super().__init__()
        c, norm = config, choose(config.norm, NORMS)
        self.attn_norm = norm(c.d_model, eps=c.eps)
        self.attn = choose(c.attention, ATTENTIONS)(c.d_model, c.n_heads, c.n_kv_heads, c.d_head, c.bias)
        self.ffn_norm = norm(c.d_model, eps=c.eps)
        self.ffn = choose(c.ffn, FFNS)(c.d_model, c.d_ff, bias=c.bias)
        self.connect = choose(c.residual, RESIDUALS)

    def forward(self, x: Tensor, *, positions, pos, mask=None, causal=False, cache=None) -> Tensor:
        attn = partial(self.attn, positions=positions, pos=pos, mask=mask, causal=causal, cache=cache)
        x = self.connect(x, attn, self.attn_norm)  # (B, T, d_model)
        return self.connect(x, self.ffn, self.ffn_norm)  # (B, T, d_model)


class Transformer(nn.Module):
    """Token ids in, one vector per position out. Heads (heads.py) turn the vectors into answers."""

    def __init__(self, config: Config):
        super().__init__()
        self.config = c = config
        norm = choose(c.norm, NORMS)
        self.embed = nn.Embedding(c.vocab_size, c.d_model)
        if c.d_head is None and (c.n_heads < 1 or c.d_model % c.n_heads):
            raise ValueError(f"n_heads ({c.n_heads}) must divide d_model ({c.d_model}), or d_head must be given")
        d_head = c.d_head or c.d_model // c.n_heads
        self.positions = choose(c.positions, POSITIONS)(c.d_model, c.n_heads, d_head, c.max_seq_len)
        self.blocks = nn.ModuleList(Block(c) for _ in range(c.n_layers))
        self.final_norm = norm(c.d_model, eps=c.eps) if c.final_norm else nn.Identity()
        choose(c.init, INITS)(self)

    def forward(self, ids: Tensor, *, real: Tensor | None = None, caches: list[KVCache] | None = None) -> Tensor:
        """ids (B, T) -> (B, T, d_model). `real` (B, S) is True for tokens, False for padding; one cache per layer."""
        if caches is not None and len(caches) != len(self.blocks):
            raise ValueError(f"{len(caches)} caches for {len(self.blocks)} blocks; give one KVCache per block")
        past = len(caches[0]) if caches else 0
        total, limit = past + ids.shape[1], self.positions.limit
        if real is not None and real.shape != (len(ids), total):
            raise ValueError(f"real has the shape {tuple(real.shape)}; expected (B, S) = {(len(ids), total)}")
        if limit is not None and total > limit:
            raise ValueError(f"{total} positions, but max_seq_len={limit} of them were trained")
        pos = torch.arange(past, total, device=ids.device)  # (T)
        x = self.positions.embed(self.embed(ids), pos)  # (B, T, d_model)
        mask, causal = self.mask(pos, total, real)
        for block, cache in zip(self.blocks, caches or [None] * len(self.blocks), strict=True):
            x = block(x, positions=self.positions, pos=pos, mask=mask, causal=causal, cache=cache)  # (B, T, d_model)
        return self.final_norm(x)  # (B, T, d_model)

    def mask(self, pos: Tensor, total: int, real: Tensor | None) -> tuple[Tensor | None, bool]:
        """Who may look at whom: (mask, causal). Plain causal attention needs no tensor, only the flag."""
        c = self.config
        if real is None and c.window is None and (len(pos) == total or not c.causal):
            return None, c.causal
        pos_k = torch.arange(total, device=pos.device)  # (S)
        allowed = torch.ones(1, 1, dtype=torch.bool, device=pos.device)
        if c.causal:
            allowed = allowed & causal_mask(pos, pos_k)
        if c.window is not None:
            allowed = allowed & window_mask(pos, pos_k, c.window)
        if real is not None:
            allowed = allowed & padding_mask(real)
        return allowed, False
