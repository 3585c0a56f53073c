"""Chapter 2. Positions: without them, attention cannot tell "dog bites man" from "man bites dog".

A position scheme can act in three places. It overrides the one it uses; the model calls all three and has no `if`.
"""

import torch
from torch import Tensor, nn


class NoPositions(nn.Module):
    """Let order enter by the causal mask alone (Haviv et al. 2022, arXiv:2203.16634)."""

    limit: int | None = None  # the longest sequence that the scheme can place; None: any

    def __init__(self, d_model: int, n_heads: int, d_head: int, max_seq_len: int):
        super().__init__()

    def embed(self, x: Tensor, pos: Tensor) -> Tensor:
        """Change the embeddings before the first block."""
        return x  # (B, T, d_model)

    def rotate(self, q_or_k: Tensor, pos: Tensor) -> Tensor:
        """Change queries and keys in every layer, before they meet."""
        return q_or_k  # (B, H, T, d_head), where H is n_heads for queries and n_kv_heads for keys

    def score_bias(self, pos_q: Tensor, pos_k: Tensor) -> Tensor | None:
        """Give what is to be added to the scores in every layer, broadcasting to (B, n_heads, T, S)."""
        return None


class Learned(NoPositions):
    """Add a trained vector per position to the token embedding (GPT-2, BERT)."""

    def __init__(self, d_model: int, n_heads: int, d_head: int, max_seq_len: int):
        super().__init__(d_model, n_heads, d_head, max_seq_len)
        self.limit = max_seq_len
        self.table = nn.Embedding(max_seq_len, d_model)

    def embed(self, x: Tensor, pos: Tensor) -> Tensor:
        return x + self.table(pos)  # (B, T, d_model)


class Rope(NoPositions):
    """Turn each pair of query and key features by an angle that grows with position.

    Su et al. 2021, arXiv:2104.09864. Feature i is paired with feature i + d_head/2, the layout of
    Hugging Face checkpoints; the paper pairs neighbours. The two differ by a fixed permutation.
    """

    def __init__(self, d_model: int, n_heads: int, d_head: int, max_seq_len: int, theta: float = 10_000.0):
        super().__init__(d_model, n_heads, d_head, max_seq_len)
        if d_head % 2:
            raise ValueError(f"rope turns features in pairs, so d_head must be even, not {d_head}")
        self.d_head, self.theta = d_head, theta

    def rotate(self, q_or_k: Tensor, pos: Tensor) -> Tensor:
        # Computed here, in float32: as a buffer they would be rounded by model.bfloat16(), and angles would be wrong.
        freq = self.theta ** (-torch.arange(0, self.d_head, 2, device=pos.device) / self.d_head)
        angle = pos[:, None] * freq  # (T, d_head / 2)
        cos, sin = angle.cos(), angle.sin()
        a, b = q_or_k.float().chunk(2, dim=-1)
        return torch.cat([a * cos - b * sin, b * cos + a * sin], dim=-1).type_as(q_or_k)


# A position scheme is built by scheme(d_model, n_heads, d_head, max_seq_len).
POSITIONS = {"none": NoPositions, "learned": Learned, "rope": Rope}
