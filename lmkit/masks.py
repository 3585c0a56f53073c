"""Chapter 3. Masks: who may look at whom.

A mask is boolean and broadcasts to (B, n_heads, T, S). True means "may attend", so masks combine with `&`. Causal and
window masks are functions of positions, which makes the same function right with and without a cache; the padding
mask is a function of which tokens are real.
"""

import torch
from torch import Tensor


def offsets(pos_q: Tensor, pos_k: Tensor) -> Tensor:
    """How far each key lies before each query, in positions; negative for what comes after.

    Positions shared by all rows, (T) and (S), give (T, S); positions per row, (B, T) and (B, S), give (B, 1, T, S).
    """
    apart = pos_q[..., :, None] - pos_k[..., None, :]
    return apart if apart.ndim == 2 else apart[:, None]


def causal_mask(pos_q: Tensor, pos_k: Tensor) -> Tensor:
    """Allow a position to see itself and what came before."""
    return offsets(pos_q, pos_k) >= 0


def window_mask(pos_q: Tensor, pos_k: Tensor, window: int) -> Tensor:
    """Allow a position to see those fewer than `window` steps away, itself included (Beltagy et al. 2020)."""
    if window < 1:
        raise ValueError(f"a window is at least 1 (a position sees itself), not {window}")
    return offsets(pos_q, pos_k).abs() < window


def padding_mask(real: Tensor) -> Tensor:
    """Allow every position to see the tokens of its sequence and none of the padding.

    `real` (B, S) is True for a token, False for padding, which may stand on either side.
    """
    return real[:, None, None, :]  # (B, 1, 1, S)


def positions_of(real: Tensor) -> Tensor:
    """The position of each token in its own row: how many real ones came before it. Padding gets its neighbour's."""
    return (real.cumsum(dim=1) - 1).clamp(min=0)  # (B, S)


def prefix_mask(pos_k: Tensor, prefix: Tensor) -> Tensor:
    """Allow every position to see the first `prefix` (B) tokens of its row, those that come after it, too."""
    return pos_k < prefix[:, None, None, None]  # (B, 1, 1, S)


def document_mask(documents: Tensor) -> Tensor:
    """Allow every position to see its own document, and no other in the same row. documents (B, S): their numbers."""
    return documents[:, None, :, None] == documents[:, None, None, :]  # (B, 1, S, S)


def positions_within(documents: Tensor) -> Tensor:
    """The position of each token in its own document: how far the document's first token lies behind. (B, S)."""
    at = torch.arange(documents.shape[1], device=documents.device)
    begins = documents != documents.roll(1, dims=1)
    begins[:, 0] = True
    return at - torch.where(begins, at, 0).cummax(dim=1).values


def check_mask(mask: Tensor, scores_shape: torch.Size) -> None:
    """Raise unless `mask` is boolean and broadcasts to the scores: a float mask would be added, not obeyed."""
    if mask.dtype != torch.bool:
        raise TypeError(f"a mask is boolean, True = may attend; this one is {mask.dtype}")
    pairs = zip(reversed(mask.shape), reversed(scores_shape))
    if mask.ndim > len(scores_shape) or any(ours not in (1, theirs) for ours, theirs in pairs):
        raise ValueError(
            f"a mask of shape {tuple(mask.shape)} does not fit scores of shape (B, n_heads, T, S) = "
            f"{tuple(scores_shape)}"
        )
