"""Biases on the scores that grow with distance, given or trained."""

import math

import torch
from torch import Tensor, nn

from ..masks import offsets
from .plain import NoPositions


class Alibi(NoPositions):
    """Lower each score by slope * distance, in some heads more steeply than in others.

    Press et al. 2021, arXiv:2108.12409. For n_heads = 2^k the slopes are 2^(-8/n_heads), 2^(-16/n_heads), ... to 2^-8;
    for other counts, as in the paper's code, those of the power of two below, then every other one of the next power.
    """

    def __init__(self, d_model: int, n_heads: int, d_head: int, max_seq_len: int, causal: bool = True):
        super().__init__(d_model, n_heads, d_head, max_seq_len)
        self.n_heads = n_heads

    def slopes(self, device: torch.device | None = None) -> Tensor:
        """The slope of each head, (n_heads)."""
        power = 2 ** int(math.log2(self.n_heads))
        steps, between = (torch.arange(1, 2 * power + 1, by, device=device) for by in (1, 2))
        return torch.cat([2.0 ** (-8 / power * steps[:power]), 2.0 ** (-4 / power * between)])[: self.n_heads]

    def score_bias(self, pos_q: Tensor, pos_k: Tensor) -> Tensor:
        return -self.slopes(pos_q.device)[:, None, None] * offsets(pos_q, pos_k).abs()


class RelativeBias(NoPositions):
    """Add to each score a trained number per head and distance, with far distances sharing buckets (T5).

    Raffel et al. 2019, arXiv:1910.10683. Half of the buckets hold one distance each, the others grow as powers up to
    `max_distance`, and the last holds all beyond. A model that looks both ways splits them between past and future.
    """

    def __init__(
        self,
        d_model: int,
        n_heads: int,
        d_head: int,
        max_seq_len: int,
        causal: bool = True,
        n_buckets: int = 32,
        max_distance: int = 128,
    ):
        super().__init__(d_model, n_heads, d_head, max_seq_len)
        one_way = n_buckets if causal else n_buckets // 2
        if one_way < 2 or max_distance <= one_way // 2 or n_buckets % 2:
            raise ValueError(
                f"n_buckets ({n_buckets}) must be even and at least {2 if causal else 4}, and max_distance "
                f"({max_distance}) beyond the {one_way // 2} distances that have a bucket of their own"
            )
        self.causal, self.max_distance = causal, max_distance
        self.table = nn.Embedding(n_buckets, n_heads)

    def bucket(self, apart: Tensor) -> Tensor:
        """The bucket of each distance pos_q - pos_k, int64 of the same shape."""
        n = self.table.num_embeddings
        future = torch.zeros_like(apart)
        if self.causal:
            apart = apart.clamp(min=0)
        else:
            n //= 2
            future, apart = (apart < 0) * n, apart.abs()
        exact = n // 2  # so many distances have a bucket of their own
        grown = (apart.clamp(min=1) / exact).log() / math.log(self.max_distance / exact) * (n - exact)
        return future + torch.where(apart < exact, apart, (exact + grown.long()).clamp(max=n - 1))

    def score_bias(self, pos_q: Tensor, pos_k: Tensor) -> Tensor:
        heads = torch.arange(self.table.embedding_dim, device=pos_q.device)[:, None, None]
        return self.table.weight.T[heads, self.bucket(offsets(pos_q, pos_k))]
