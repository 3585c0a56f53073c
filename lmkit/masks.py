"""Chapter 3. Masks: who may look at whom.

A mask is boolean and broadcasts to (B, n_heads, T, S). True means "may attend", so masks combine with `&`.
They are functions of positions, which makes the same function right with and without a cache.
"""

import torch
from torch import Tensor


def causal_mask(pos_q: Tensor, pos_k: Tensor) -> Tensor:
    """Allow a position to see itself and what came before."""
    return pos_q[:, None] >= pos_k[None, :]  # (T, S)


def window_mask(pos_q: Tensor, pos_k: Tensor, window: int) -> Tensor:
    """Allow a position to see those fewer than `window` steps away, itself included (Beltagy et al. 2020)."""
    if window < 1:
        raise ValueError(f"a window is at least 1 (a position sees itself), not {window}")
    return (pos_q[:, None] - pos_k[None, :]).abs() < window  # (T, S)


def padding_mask(real: Tensor) -> Tensor:
    """Allow every position to see the tokens of its sequence and none of the padding.

    `real` (B, S) is True for a token, False for padding.
    """
    return real[:, None, None, :]  # (B, 1, 1, S)


def check_mask(mask: Tensor, scores_shape: torch.Size) -> None:
    """Raise unless `mask` is boolean and broadcasts to the scores: a float mask would be added, not obeyed."""
    if mask.dtype != torch.bool:
        raise TypeError(f"a mask is boolean, True = may attend; this one is {mask.dtype}")
    try:
        fits = torch.broadcast_shapes(mask.shape, scores_shape) == scores_shape
    except RuntimeError:
        fits = False
    if not fits:
        raise ValueError(
            f"a mask of shape {tuple(mask.shape)} does not fit scores of shape (B, n_heads, T, S) = "
            f"{tuple(scores_shape)}"
        )
