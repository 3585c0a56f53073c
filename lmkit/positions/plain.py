"""No positions, which is the frame of all schemes, and those that are added to the embeddings."""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn


class NoPositions(nn.Module):
    """Let order enter by the causal mask alone (Haviv et al. 2022, arXiv:2203.16634)."""

    limit: int | None = None  # the longest sequence that the scheme can place; None: any

    def __init__(self, d_model: int, n_heads: int, d_head: int, max_seq_len: int, causal: bool = True):
        super().__init__()

    def embed(self, x: Tensor, pos: Tensor) -> Tensor:
        """Change the embeddings before the first block."""
        return x  # (B, T, d_model)

    def rotate(self, q_or_k: Tensor, pos: Tensor) -> Tensor:
        """Change queries and keys in every layer, before they meet."""
        return q_or_k  # (B, H, T, d_head), where H is n_heads for queries and n_kv_heads for keys

    def rotation(self, pos: Tensor) -> Callable[[Tensor], Tensor]:
        """`rotate` at these positions, for all layers of a forward."""
        return partial(self.rotate, pos=pos)

    def score_bias(self, pos_q: Tensor, pos_k: Tensor) -> Tensor | None:
        """Give what is to be added to the scores in every layer, (n_heads, T, S) or (B, n_heads, T, S)."""
        return None


class Sinusoidal(NoPositions):
    """Add sin(t w_i) to feature 2i and cos(t w_i) to feature 2i + 1, with w_i = 10000^(-2i / d_model).

    Vaswani et al. 2017, arXiv:1706.03762, whose formula this is; their code put all sines before all cosines, which
    is the same up to a fixed permutation of the features. An odd d_model ends in a sine without its cosine. The paper
    multiplies token embeddings by √d_model first: Config(embed_scale=d_model**0.5).
    """

    def embed(self, x: Tensor, pos: Tensor) -> Tensor:
        d_model = x.shape[-1]
        angle = pos[..., None] / 10_000.0 ** (torch.arange(0, d_model, 2, device=pos.device) / d_model)
        waves = torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(-2)[..., :d_model]
        return x + waves.type_as(x)  # (B, T, d_model)


class Learned(NoPositions):
    """Add a trained vector per position to the token embedding (GPT-2, BERT). Gehring et al. 2017, arXiv:1705.03122."""

    def __init__(self, d_model: int, n_heads: int, d_head: int, max_seq_len: int, causal: bool = True):
        super().__init__(d_model, n_heads, d_head, max_seq_len)
        self.limit = max_seq_len
        self.table = nn.Embedding(max_seq_len, d_model)

    def embed(self, x: Tensor, pos: Tensor) -> Tensor:
        return x + self.table(pos)  # (B, T, d_model)
