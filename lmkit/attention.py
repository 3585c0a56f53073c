"""Chapter 3. Attention: each position asks all others, and takes a weighted average of what they answer.

Shapes: capital letters change with the data, names come from the Config.
    B  sequences in the batch     T  positions asking (queries)     S  positions asked (keys, values),
                                                                    N  those of them new in this call
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .masks import causal_mask, check_mask
from .positions import NoPositions


def attention_weights(
    q: Tensor, k: Tensor, mask: Tensor | None = None, score_bias: Tensor | None = None, causal: bool = False
) -> Tensor:
    """softmax(q kᵀ / √d_head + score_bias): who looks at whom. Spelled out, for reading and for maps.

    q (B, n_heads, T, d_head), k (B, n_kv_heads, S, d_head) -> (B, n_heads, T, S), each row summing to 1, or to 0
    where a query may attend to nothing. Vaswani et al. 2017, arXiv:1706.03762.
    """
    k = k.repeat_interleave(q.shape[1] // k.shape[1], dim=1)  # (B, n_heads, S, d_head)
    scores = q @ k.mT / math.sqrt(q.shape[-1])  # (B, n_heads, T, S)
    if score_bias is not None:
        scores = scores + score_bias  # (B, n_heads, T, S)
    if causal:
        mask = whole_causal_mask(*scores.shape[-2:], mask, scores.device)  # (T, S)
    if mask is not None:
        check_mask(mask, scores.shape)
        scores = scores.masked_fill(~mask, -torch.inf)  # (B, n_heads, T, S)
    return scores.softmax(dim=-1).nan_to_num()  # (B, n_heads, T, S)


def whole_causal_mask(T: int, S: int, mask: Tensor | None, device: torch.device) -> Tensor:
    """The mask that `causal=True` stands for: a whole sequence at once, T = S, and no mask beside it."""
    if T != S or mask is not None:
        raise ValueError(
            f"causal=True is for a whole sequence, T = S, without another mask, not for T={T}, S={S}, mask "
            f"{'given' if mask is not None else 'none'}; use lmkit.masks.causal_mask(pos_q, pos_k), and & to combine"
        )
    pos = torch.arange(T, device=device)  # (T)
    return causal_mask(pos, pos)  # (T, S)


class Attend(nn.Module):
    """attention_weights(q, k) @ v by PyTorch's fused kernel, which need not form the weights.

    A module of its own, so that `lmkit.record` can look at what passes through it from outside.
    """

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
        if causal and (score_bias is not None or mask is not None or T != S):  # what the kernel's flag cannot do
            mask, causal = whole_causal_mask(T, S, mask, q.device), False
        if mask is not None:
            check_mask(mask, torch.Size((*q.shape[:-1], S)))
        if score_bias is not None:  # the kernel adds a float mask to the scores
            mask = score_bias if mask is None else score_bias.masked_fill(~mask, -torch.inf)
            mask = mask.to(q.dtype)
        grouped = k.shape[1] != q.shape[1]
        return F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=causal, enable_gqa=grouped)


class KVCache:
    """The keys and values one layer has already computed. The caller owns it; the layer only appends."""

    def __init__(self):
        self.k: Tensor | None = None
        self.v: Tensor | None = None

    def __len__(self) -> int:
        return 0 if self.k is None else self.k.shape[2]

    @property
    def nbytes(self) -> int:
        return 0 if self.k is None else self.k.nbytes + self.v.nbytes

    def append(self, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Add the new keys and values, (B, n_kv_heads, N, d_head) each; return all, (B, n_kv_heads, S, d_head)."""
        if self.k is None:
            self.k, self.v = k, v
        elif self.k.shape[0] != k.shape[0]:
            raise ValueError(
                f"this cache holds a batch of {self.k.shape[0]}, not {k.shape[0]}; use a new KVCache for a new batch"
            )
        else:
            self.k, self.v = torch.cat([self.k, k], dim=2), torch.cat([self.v, v], dim=2)
        return self.k, self.v


class Attention(nn.Module):
    """Multi-head attention; grouped-query when n_kv_heads < n_heads, multi-query when n_kv_heads = 1.

    Vaswani et al. 2017, arXiv:1706.03762; Shazeer 2019, arXiv:1911.02150; Ainslie et al. 2023, arXiv:2305.13245.
    Query head h uses key/value head h // (n_heads // n_kv_heads), as in Llama's checkpoints.
    """

    def __init__(
        self, d_model: int, n_heads: int, n_kv_heads: int | None = None, d_head: int | None = None, bias: bool = True
    ):
        super().__init__()
        self.n_heads, self.n_kv_heads = n_heads, n_heads if n_kv_heads is None else n_kv_heads
        if self.n_heads < 1 or self.n_kv_heads < 1:
            raise ValueError(f"n_heads ({n_heads}) and n_kv_heads ({n_kv_heads}) must be at least 1")
        if d_head is None and d_model % n_heads:
            raise ValueError(f"n_heads ({n_heads}) must divide d_model ({d_model}), or d_head must be given")
        if self.n_heads % self.n_kv_heads:
            raise ValueError(f"n_kv_heads ({n_kv_heads}) must divide n_heads ({n_heads})")
        self.d_head = d_head or d_model // n_heads
        self.q_proj = nn.Linear(d_model, self.n_heads * self.d_head, bias=bias)
        self.k_proj = nn.Linear(d_model, self.n_kv_heads * self.d_head, bias=bias)
        self.v_proj = nn.Linear(d_model, self.n_kv_heads * self.d_head, bias=bias)
        self.o_proj = nn.Linear(self.n_heads * self.d_head, d_model, bias=bias)
        self.attend = Attend()

    def forward(
        self,
        x: Tensor,
        memory: Tensor | None = None,
        *,
        positions: NoPositions | None = None,
        pos: Tensor | None = None,
        mask: Tensor | None = None,
        causal: bool = False,
        cache: KVCache | None = None,
    ) -> Tensor:
        """x (B, T, d_model) asks itself, or `memory` (B, S, d_model) in cross-attention -> (B, T, d_model)."""
        if memory is not None and (cache is not None or positions is not None):
            raise ValueError("cross-attention takes neither cache nor positions: its memory does not grow with x")
        source = x if memory is None else memory
        by_head, by_kv_head = (self.n_heads, self.d_head), (self.n_kv_heads, self.d_head)
        q = self.q_proj(x).unflatten(-1, by_head).transpose(1, 2)  # (B, n_heads, T, d_head)
        k = self.k_proj(source).unflatten(-1, by_kv_head).transpose(1, 2)  # (B, n_kv_heads, N, d_head)
        v = self.v_proj(source).unflatten(-1, by_kv_head).transpose(1, 2)  # (B, n_kv_heads, N, d_head)
        if positions is not None:
            q, k = positions.rotate(q, pos), positions.rotate(k, pos)
        if cache is not None:
            if mask is not None:  # before the cache grows
                check_mask(mask, torch.Size((*q.shape[:-1], len(cache) + k.shape[2])))
            k, v = cache.append(k, v)
        score_bias = None
        if positions is not None:
            score_bias = positions.score_bias(pos, torch.arange(k.shape[2], device=x.device))
        out = self.attend(q, k, v, mask=mask, score_bias=score_bias, causal=causal)  # (B, n_heads, T, d_head)
        return self.o_proj(out.transpose(1, 2).flatten(-2))  # (B, T, d_model)


# An attention is built by attention(d_model, n_heads, n_kv_heads, d_head, bias) and called as Attention is.
ATTENTIONS = {"dot_product": Attention}
