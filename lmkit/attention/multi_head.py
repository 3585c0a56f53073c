"""Multi-head attention: queries, keys and values by head, and the cache between."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from ..cache import KVCache
from ..masks import check_mask
from .attend import Attend


def head_width(d_model: int, n_heads: int, d_head: int | None = None) -> int:
    """The width of a head: d_head if it is given, else an equal share of d_model."""
    if d_head is not None and d_head < 1:
        raise ValueError(f"d_head must be at least 1, not {d_head}")
    if n_heads < 1 or (d_head is None and d_model % n_heads):
        raise ValueError(f"n_heads ({n_heads}) must divide d_model ({d_model}), or d_head must be given")
    return d_head or d_model // n_heads


class Attention(nn.Module):
    """Multi-head attention; grouped-query when n_kv_heads < n_heads, multi-query when n_kv_heads = 1.

    Vaswani et al. 2017, arXiv:1706.03762; Shazeer 2019, arXiv:1911.02150; Ainslie et al. 2023, arXiv:2305.13245.
    Query head h uses key/value head h // (n_heads // n_kv_heads), as in Llama's checkpoints. qk_norm(d_head) builds
    what normalizes each head's queries and keys, before positions turn them as in Qwen3 (Henry et al. 2020,
    arXiv:2010.04245). `scale` stands in for 1/√d_head; `soft_cap` holds scores below it (Gemma 2, arXiv:2408.00118).
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
        scale: float | None = None,
        soft_cap: float | None = None,
    ):
        super().__init__()
        self.n_heads, self.n_kv_heads = n_heads, n_heads if n_kv_heads is None else n_kv_heads
        self.d_head = head_width(d_model, n_heads, d_head)
        if self.n_kv_heads < 1 or self.n_heads % self.n_kv_heads:
            raise ValueError(f"n_kv_heads ({n_kv_heads}) must be at least 1 and divide n_heads ({n_heads})")
        self.q_proj = nn.Linear(d_model, self.n_heads * self.d_head, bias=bias)
        self.k_proj = nn.Linear(d_model, self.n_kv_heads * self.d_head, bias=bias)
        self.v_proj = nn.Linear(d_model, self.n_kv_heads * self.d_head, bias=bias)
        self.o_proj = nn.Linear(self.n_heads * self.d_head, d_model, bias=bias)
        self.q_norm, self.k_norm = (nn.Identity() if qk_norm is None else qk_norm(self.d_head) for _ in "qk")
        self.attend = Attend(scale, soft_cap)

    def forward(
        self,
        x: Tensor,
        memory: Tensor | None = None,
        *,
        rotate: Callable[[Tensor], Tensor] | None = None,
        mask: Tensor | None = None,
        score_bias: Tensor | None = None,
        causal: bool = False,
        cache: KVCache | None = None,
    ) -> Tensor:
        """x (B, T, d_model) asks itself, or `memory` (B, S, d_model) in cross-attention -> (B, T, d_model).

        `rotate` and `score_bias` are where positions come in. Cross-attention projects its memory once per cache.
        """
        if memory is not None and (rotate is not None or causal):
            raise ValueError("cross-attention takes no rotate and no causal: x and memory do not share their positions")
        rotate = rotate or (lambda q_or_k: q_or_k)
        q = self.queries(x, rotate)
        if memory is None:
            stored = self.keys_and_values(x, rotate)
            if cache is not None:
                if mask is not None:  # before the cache grows
                    check_mask(mask, torch.Size((*q.shape[:-1], cache.held + x.shape[1])))
                stored = cache.append(*stored)
        else:
            stored = (cache and cache.cross) or self.keys_and_values(memory, rotate)
            if cache is not None:
                cache.cross = stored
        k, v = self.expand(*stored)
        out = self.attend(q, k, v, mask=mask, score_bias=score_bias, causal=causal)  # (B, n_heads, T, d_head)
        return self.o_proj(out.transpose(1, 2).flatten(-2))  # (B, T, d_model)

    def queries(self, x: Tensor, rotate: Callable) -> Tensor:
        q = self.q_proj(x).view(*x.shape[:2], self.n_heads, self.d_head).transpose(1, 2)  # (B, n_heads, T, d_head)
        return rotate(self.q_norm(q))  # (B, n_heads, T, d_head)

    def keys_and_values(self, source: Tensor, rotate: Callable) -> tuple[Tensor, Tensor]:
        """What a cache keeps."""
        by_head = (*source.shape[:2], self.n_kv_heads, self.d_head)
        k = self.k_proj(source).view(by_head).transpose(1, 2)  # (B, n_kv_heads, N, d_head)
        v = self.v_proj(source).view(by_head).transpose(1, 2)  # (B, n_kv_heads, N, d_head)
        return rotate(self.k_norm(k)), v

    def expand(self, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """What the queries meet, made from what the cache kept: here the same."""
        return k, v
