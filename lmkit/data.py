"""Chapter 9. Batches: a pure function of (seed, step, rank), so that resuming a run costs nothing."""

from collections.abc import Iterator
from itertools import count

import numpy as np
import torch
from torch import Tensor


def batch_at(step: int, ids, batch_size: int, seq_len: int, starts=None, seed: int = 0, rank: int = 0) -> Tensor:
    """The batch of training step `step`: random windows of `ids`, (batch_size, seq_len + 1) int64.

    `ids` may be `corpora.shards`, of which only the windows are read. `starts` are the indices where a window may begin
    (default: anywhere). Windows that begin where a text begins have no missing past, so their loss can be held against
    an exact floor. Each `rank` of a distributed run draws windows of its own.
    """
    ids = on_disk_or_array(ids)
    last = len(ids) - seq_len - 1
    if last < 0:
        raise ValueError(f"a window of {seq_len + 1} tokens does not fit into a text of {len(ids)}")
    random = np.random.default_rng([seed, step, rank] if rank else [seed, step])
    if starts is None:
        chosen = random.integers(last + 1, size=batch_size)
    else:
        starts = np.asarray(starts)
        starts = starts[starts <= last]
        if len(starts) == 0:
            raise ValueError(f"no start leaves room for a window of {seq_len + 1} tokens")
        chosen = random.choice(starts, size=batch_size)
    return torch.from_numpy(windows(ids, chosen, seq_len).astype(np.int64))  # (B, T + 1)


def windows(values, starts, seq_len: int) -> np.ndarray:
    """Cut (n, seq_len + 1) windows at those `starts` that leave room, from what runs along a text: ids, logprobs."""
    values, starts = on_disk_or_array(values), np.asarray(starts)
    starts = starts[starts + seq_len < len(values)]
    return values[starts[:, None] + np.arange(seq_len + 1)]


def on_disk_or_array(values):
    """Shards as they are, for an array of them could be larger than the memory; all else as an array."""
    return values if getattr(values, "mapped", False) else np.asarray(values)


def batches(
    ids, batch_size: int, seq_len: int, starts=None, seed: int = 0, device: str = "cpu", rank: int = 0
) -> Iterator[Tensor]:
    """All batches of a run, one after the other, without end."""
    for step in count():
        yield batch_at(step, ids, batch_size, seq_len, starts, seed, rank).to(device)
