"""Chapter 3. Attention: each position asks all others, and takes a weighted average of what they answer.

Shapes: capital letters change with the data, names come from the Config.
    B  sequences in the batch     T  positions asking (queries)     S  positions asked (keys, values),
                                                                    N  those of them new in this call
"""

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .cache import KVCache
from .masks import causal_mask, check_mask
from .norms import RMSNorm


def attention_weights(
    q: Tensor,
    k: Tensor,
    mask: Tensor | None = None,
    score_bias: Tensor | None = None,
    causal: bool = False,
    scale: float | None = None,
    soft_cap: float | None = None,
) -> Tensor:
    """softmax(q kᵀ / √d_head + score_bias): who looks at whom. Spelled out, for reading and for maps.

    q (B, n_heads, T, d_head), k (B, n_kv_heads, S, d_head) -> (B, n_heads, T, S), each row summing to 1, or to 0
    where a query may attend to nothing. `scale` stands in for 1/√d_head, and c tanh(scores / c) keeps scores below a
    `soft_cap` of c. Vaswani et al. 2017, arXiv:1706.03762.
    """
    k = k.repeat_interleave(q.shape[1] // k.shape[1], dim=1)  # (B, n_heads, S, d_head)
    scores = q @ k.mT * (1 / math.sqrt(q.shape[-1]) if scale is None else scale)  # (B, n_heads, T, S)
    if soft_cap is not None:
        scores = soft_cap * torch.tanh(scores / soft_cap)  # (B, n_heads, T, S)
    if score_bias is not None:
        scores = scores + score_bias  # (B, n_heads, T, S)
    if causal:
        mask = whole_causal_mask(*scores.shape[-2:], mask, scores.device)  # (T, S)
    if mask is None:
        return scores.softmax(dim=-1)  # (B, n_heads, T, S)
    check_mask(mask, scores.shape)
    weights = scores.masked_fill(~mask, -torch.inf).softmax(dim=-1)  # (B, n_heads, T, S)
    return weights.masked_fill(~mask, 0.0)  # (B, n_heads, T, S); a query that may attend to nothing had 0/0


def whole_causal_mask(T: int, S: int, mask: Tensor | None, device: torch.device) -> Tensor:
    """The mask that `causal=True` stands for: a whole sequence at once, T = S, and no mask beside it."""
    if T != S or mask is not None:
        raise ValueError(
            f"causal=True is for a whole sequence, T = S, without another mask, not for T={T}, S={S}, mask "
            f"{'given' if mask is not None else 'none'}; use lmkit.masks.causal_mask(pos_q, pos_k), and & to combine"
        )
    pos = torch.arange(T, device=device)  # (T)
    return causal_mask(pos, pos)  # (T, S)


def head_width(d_model: int, n_heads: int, d_head: int | None = None) -> int:
    """The width of a head: d_head if it is given, else an equal share of d_model."""
    if d_head is not None and d_head < 1:
        raise ValueError(f"d_head must be at least 1, not {d_head}")
    if n_heads < 1 or (d_head is None and d_model % n_heads):
        raise ValueError(f"n_heads ({n_heads}) must divide d_model ({d_model}), or d_head must be given")
    return d_head or d_model // n_heads


SHORT = 512  # keys, up to which `attend_short` trains faster


def attend_short(q: Tensor, k: Tensor, v: Tensor, causal: bool, scale: float | None) -> Tensor:
    """attention_weights(q, k, causal=causal) @ v in three products, for training in bfloat16 on a processor.

    PyTorch's fused kernel is made for long texts and for float32 there: its backward takes 5 times as long as this at
    64 keys, and twice as long at 256 (torch 2.13, a processor with AVX-512; benchmarks/training_step.py).
    """
    (B, H, T, _), S = q.shape, k.shape[-2]
    q, k, v = q.bfloat16(), k.bfloat16(), v.bfloat16()
    k, v = (part.repeat_interleave(H // part.shape[1], dim=1).flatten(0, 1) for part in (k, v))
    shut = torch.zeros(T, S, dtype=torch.bfloat16)
    if causal:
        shut = shut.masked_fill(~whole_causal_mask(T, S, None, q.device), -torch.inf)
    scale = 1 / math.sqrt(q.shape[-1]) if scale is None else scale
    with torch.autocast("cpu", enabled=False):  # it would keep the weights once more, in float32
        scores = torch.baddbmm(shut, q.flatten(0, 1), k.mT, alpha=scale)  # a matrix per sequence and head
        out = torch.bmm(scores.softmax(dim=-1), v)
    return out.unflatten(0, (B, H))  # (B, n_heads, T, d_head)


def is_bfloat16(x: Tensor) -> bool:
    """Whether a product with x will be computed in bfloat16 on a processor."""
    return (torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else x.dtype) == torch.bfloat16


class Attend(nn.Module):
    """attention_weights(q, k) @ v by PyTorch's fused kernel, which need not form the weights.

    A module of its own, so that `lmkit.record` can look at what passes through it from outside. No fused kernel knows
    a soft cap, so with one the definition itself is run.
    """

    def __init__(self, scale: float | None = None, soft_cap: float | None = None):
        super().__init__()
        self.scale, self.soft_cap = scale, soft_cap

    def forward(
        self,
        q: Tensor,
        k: Tensor,
        v: Tensor,
        mask: Tensor | None = None,
        score_bias: Tensor | None = None,
        causal: bool = False,
    ) -> Tensor:
        T, S = q.shape[-2], k.shape[-2]
        if self.soft_cap is not None:
            weights = attention_weights(q, k, mask, score_bias, causal, self.scale, self.soft_cap)
            return weights @ v.repeat_interleave(q.shape[1] // v.shape[1], dim=1)
        if causal and (score_bias is not None or mask is not None or T != S):  # what the kernel's flag cannot do
            mask, causal = whole_causal_mask(T, S, mask, q.device), False
        if mask is not None:
            check_mask(mask, torch.Size((*q.shape[:-1], S)))
        if score_bias is not None:  # the kernel adds a float mask to the scores
            mask = score_bias if mask is None else torch.where(mask, score_bias, -torch.inf)
            mask = (mask[None] if mask.ndim == 3 else mask).to(q.dtype)  # of 3 dimensions it would take the slow kernel
        if mask is None and S <= SHORT and q.requires_grad and q.device.type == "cpu" and is_bfloat16(q):
            return attend_short(q, k, v, causal, self.scale)
        grouped = k.shape[1] != q.shape[1]
        return F.scaled_dot_product_attention(
            q, k, v, attn_mask=mask, is_causal=causal, scale=self.scale, enable_gqa=grouped
        )


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


# An attention is built by attention(d_model, n_heads, n_kv_heads, d_head, bias, qk_norm) and called as Attention is.
ATTENTIONS = {"dot_product": Attention, "latent": LatentAttention}
