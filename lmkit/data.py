"""Chapter 9. Batches: a pure function of (seed, step), so that resuming a run costs nothing.

In a distributed run each rank takes its share of the rows. So the batch of a step is the same on one machine and on
many, and a run may go on with more ranks or fewer.
"""

from collections.abc import Iterator
from itertools import count

import numpy as np
import torch
from torch import Tensor


def batch_at(
    step: int, ids, batch_size: int, seq_len: int, starts=None, seed: int = 0, rank: int = 0, world_size: int = 1
) -> Tensor:
    """The batch of training step `step`: random windows of `ids`, (batch_size / world_size, seq_len + 1) int64.

    `ids` may be `corpora.shards`, of which only the windows are read. `starts` are the indices where a window may begin
    (default: anywhere). Windows that begin where a text begins have no missing past, so their loss can be held against
    an exact floor. `batch_size` counts the rows of all ranks together.
    """
    ids = on_disk_or_array(ids)
    if batch_size % world_size:
        raise ValueError(f"a batch of {batch_size} cannot be shared evenly by {world_size} ranks")
    last = len(ids) - seq_len - 1
    if last < 0:
        raise ValueError(f"a window of {seq_len + 1} tokens does not fit into a text of {len(ids)}")
    random = np.random.default_rng([seed, step])
    if starts is None:
        chosen = random.integers(last + 1, size=batch_size)
    else:
        starts = np.asarray(starts)
        starts = starts[starts <= last]
        if len(starts) == 0:
            raise ValueError(f"no start leaves room for a window of {seq_len + 1} tokens")
        chosen = random.choice(starts, size=batch_size)
    mine = np.array_split(chosen, world_size)[rank]
    return torch.from_numpy(windows(ids, mine, seq_len).astype(np.int64))  # (B, T + 1)


def windows(values, starts, seq_len: int) -> np.ndarray:
    """Cut (n, seq_len + 1) windows at those `starts` that leave room, from what runs along a text: ids, logprobs."""
    values, starts = on_disk_or_array(values), np.asarray(starts)
    starts = starts[starts + seq_len < len(values)]
    return values[starts[:, None] + np.arange(seq_len + 1)]


def on_disk_or_array(values):
    """Shards as they are, for an array of them could be larger than the memory; all else as an array."""
    return values if getattr(values, "mapped", False) else np.asarray(values)


def batches(
    ids, batch_size: int, seq_len: int, starts=None, seed: int = 0, device: str = "cpu", start: int = 0,
    documents=None, **share,
) -> Iterator[Tensor | dict[str, Tensor]]:  # fmt: skip
    """All batches of a run from step `start` on, without end. `share` is this process's: rank and world_size.

    Where the number of each token's document is given, too (`packed`), a batch is a dict: ids and documents.
    """
    for step in count(start):
        batch = batch_at(step, ids, batch_size, seq_len, starts, seed, **share).to(device)
        if documents is None:
            yield batch
        else:
            numbers = batch_at(step, documents, batch_size, seq_len, starts, seed, **share).to(device)
            yield {"ids": batch, "documents": numbers}


def packed(documents, seq_len: int, end: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows of whole documents, each followed by `end`: ids and numbers of the documents, both (n, seq_len + 1).

    A document goes into the fullest row that still has room for it (best fit, Ding et al. 2024, arXiv:2404.10830); one
    that is longer than a row is cut into rows first. What is left of a row is `end`, numbered -1. All rows are held in
    memory. A model keeps the documents apart:

    >>> starts = np.arange(len(ids)) * (seq_len + 1)
    >>> stream = batches(ids.ravel(), 32, seq_len, starts, documents=numbers.ravel())
    >>> train(model, stream, next_token_loss, steps=1000)
    """
    width, pieces = seq_len + 1, []
    for number, document in enumerate(documents):
        whole = np.append(np.asarray(document, dtype=np.int64), end)
        pieces += [(whole[at : at + width], number) for at in range(0, len(whole), width)]
    rows, room = [], {}  # room: tokens left -> rows with so many
    for piece, number in sorted(pieces, key=lambda pair: -len(pair[0])):
        left = min((size for size in room if size >= len(piece) and room[size]), default=None)
        row = room[left].pop() if left is not None else len(rows)
        if left is None:
            rows.append([])
        rows[row].append((piece, number))
        room.setdefault((width if left is None else left) - len(piece), []).append(row)
    ids, numbers = np.full((len(rows), width), end), np.full((len(rows), width), -1)
    for row, inside in enumerate(rows):
        at = 0
        for piece, number in inside:
            ids[row, at : at + len(piece)], numbers[row, at : at + len(piece)] = piece, number
            at += len(piece)
    return ids, numbers
