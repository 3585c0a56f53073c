"""Latent attention: keys and values are made again from one narrow vector per position."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from ..norms import RMSNorm
from .attend import Attend
from .multi_head import Attention, head_width


class LatentAttention(Attention):
    """Multi-head latent attention (MLA): the cache keeps one narrow vector per position, from which every head's keys
    and values are made again, and one key part of width d_rope that carries the position and is shared by all heads.

    DeepSeek-AI 2024, arXiv:2405.04434, without their compression of the queries. The cache holds d_latent + d_rope
    numbers per position and layer instead of 2 n_kv_heads d_head. Defaults as there: d_latent = 4 d_head, d_rope =
    d_head / 2 (rounded to even, at least 2).
    """

    def __init__(
        self,
        d_model: int,
        n_heads: int,
        n_kv_heads: int | None = None,
        d_head: int | None = None,
        bias: bool = True,
        qk_norm: Callable | None = None,
        *,
        d_latent: int | None = None,
        d_rope: int | None = None,
    ):
        if n_kv_heads not in (None, n_heads) or qk_norm is not None:
            raise ValueError(
                "latent attention makes keys and values for every head from its latent, which it normalizes itself: "
                f"n_kv_heads and qk_norm must be None, not {n_kv_heads} and {qk_norm}"
            )
        nn.Module.__init__(self)
        self.n_heads, self.n_kv_heads, self.d_head = n_heads, n_heads, head_width(d_model, n_heads, d_head)
        self.d_latent = 4 * self.d_head if d_latent is None else d_latent
        self.d_rope = max(2, self.d_head // 4 * 2) if d_rope is None else d_rope
        if self.d_latent < 1 or self.d_rope < 2 or self.d_rope % 2:
            raise ValueError(
                f"d_latent ({d_latent}) must be at least 1, and d_rope ({d_rope}), which is turned in pairs, even"
            )
        self.q_proj = nn.Linear(d_model, n_heads * (self.d_head + self.d_rope), bias=bias)
        self.latent_proj = nn.Linear(d_model, self.d_latent + self.d_rope, bias=bias)
        self.latent_norm = RMSNorm(self.d_latent)
        self.k_proj = nn.Linear(self.d_latent, n_heads * self.d_head, bias=bias)
        self.v_proj = nn.Linear(self.d_latent, n_heads * self.d_head, bias=bias)
        self.o_proj = nn.Linear(n_heads * self.d_head, d_model, bias=bias)
        self.attend = Attend()

    def queries(self, x: Tensor, rotate: Callable) -> Tensor:
        q = self.q_proj(x).view(*x.shape[:2], self.n_heads, self.d_head + self.d_rope).transpose(1, 2)
        plain, turned = q.split([self.d_head, self.d_rope], dim=-1)
        return torch.cat([plain, rotate(turned)], dim=-1)

    def keys_and_values(self, source: Tensor, rotate: Callable) -> tuple[Tensor, Tensor]:
        latent, k_rope = self.latent_proj(source)[:, None].split([self.d_latent, self.d_rope], dim=-1)
        return self.latent_norm(latent), rotate(k_rope)  # one "head" each, (B, 1, N, d_latent) and (B, 1, N, d_rope)

    def expand(self, latent: Tensor, k_rope: Tensor) -> tuple[Tensor, Tensor]:
        by_head = (len(latent), latent.shape[2], self.n_heads, self.d_head)
        k = self.k_proj(latent[:, 0]).view(by_head).transpose(1, 2)  # (B, n_heads, S, d_head)
        v = self.v_proj(latent[:, 0]).view(by_head).transpose(1, 2)  # (B, n_heads, S, d_head)
        return torch.cat([k, k_rope.expand(-1, self.n_heads, -1, -1)], dim=-1), v
