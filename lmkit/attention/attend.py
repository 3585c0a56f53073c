"""Who looks at whom, and what they get: the definition, spelled out, and the kernels that compute the same faster."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..masks import causal_mask, check_mask


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


SHORT = 512  # keys, up to which `attend_short` trains faster


def attend_short(q: Tensor, k: Tensor, v: Tensor, causal: bool, scale: float | None) -> Tensor:
    """attention_weights(q, k, causal=causal) @ v in three products, for training in bfloat16 on a processor.

    PyTorch's fused kernel is made for long texts and for float32 there: it takes 4 times as long as this at 64 keys and
    nearly twice as long at 256 (torch 2.13, a processor with AVX-512; benchmarks/short_attention.py).
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
