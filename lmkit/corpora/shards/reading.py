"""Prepared shards as one long array that stays on disk."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from .format import INDEX, NO_END, read_index, read_shards, vocabulary_hash


class Shards:
    """The token ids of a corpus: `len`, slices, and arrays of indices, as of a one-dimensional numpy array.

    Only what is asked for is read. A slice within one shard is a view of the file; others are copies. `end` is the id
    that ends each document, or None.
    """

    mapped = True  # data.batch_at: not to be made an array of

    def __init__(self, parts: list[np.ndarray], end: int | None = None, name: str = ""):
        self.parts, self.end, self.name = parts, end, name
        self.bounds = np.cumsum([0, *map(len, parts)])  # part i has the ids bounds[i] .. bounds[i + 1]
        self.dtype, self.shape, self.ndim = parts[0].dtype, (int(self.bounds[-1]),), 1

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index):
        if isinstance(index, slice):
            start, stop, step = index.indices(len(self))
            return self.stretch(start, stop) if step == 1 else self[np.arange(start, stop, step)]
        index = np.asarray(index)
        if index.dtype.kind not in "iu":
            raise IndexError(f"an index of kind {index.dtype}; expected whole numbers or a slice")
        if index.size and not -len(self) <= int(index.min()) <= int(index.max()) < len(self):
            raise IndexError(f"an index from {index.min()} to {index.max()} among {len(self)} tokens")
        index = np.where(index < 0, index + len(self), index)
        which = np.searchsorted(self.bounds, index, side="right") - 1
        ids = np.empty(index.shape, self.dtype)
        for i in np.unique(which):
            here = which == i
            ids[here] = self.parts[i][index[here] - self.bounds[i]]
        return ids[()]

    def stretch(self, start: int, stop: int) -> np.ndarray:
        """The ids start .. stop."""
        first = int(np.searchsorted(self.bounds, start, side="right")) - 1
        pieces = []
        for i in range(first, len(self.parts)):
            if self.bounds[i] >= stop:
                break
            pieces.append(self.parts[i][max(0, start - self.bounds[i]) : stop - self.bounds[i]])
        return pieces[0] if len(pieces) == 1 else np.concatenate(pieces or [np.empty(0, self.dtype)])

    def __iter__(self) -> Iterator:
        for part in self.parts:
            yield from part

    @property
    def starts(self) -> np.ndarray:
        """Where documents begin, for windows with no missing past. Reads the whole corpus; ValueError without `end`."""
        if self.end is None:
            raise ValueError(f"{self.name or 'this corpus'} was prepared without an id that ends a document")
        ends = [np.flatnonzero(part == self.end) + start for part, start in zip(self.parts, self.bounds)]
        starts = np.concatenate([[0], *[end + 1 for end in ends]])
        return starts[starts < len(self)]

    def __reduce__(self):
        """What a worker process is sent: the name of the folder, not the tokens."""
        return open, (self.name, None, False)

    def __repr__(self):
        return f"<{len(self):,} tokens in {len(self.parts)} shards{f' of {self.name}' if self.name else ''}>"


def open(folder, tokenizer=None, check: bool = True) -> Shards:
    """The shards that `prepare` wrote into a folder, mapped into memory.

    Every byte is held against its checksum first, about 2 GB a second; `check=False` looks at headers and sizes alone.
    ValueError if the preparation is not finished, a shard is missing, cut or damaged, or was made by another tokenizer.
    """
    folder = Path(folder)
    if not (folder / INDEX).is_file():
        raise FileNotFoundError(f"{folder} holds no token shards (no {INDEX}); prepare them first")
    index = read_index(folder)
    if tokenizer is not None and (hash := vocabulary_hash(tokenizer)) != index["vocabulary"]:
        raise ValueError(
            f"{folder} was prepared with another tokenizer: the vocabulary there has sha256 "
            f"{index['vocabulary'][:12]}…, this one {hash[:12]}…"
        )
    if not index["finished"]:
        raise ValueError(f"the preparation of {folder} is not finished; the same call of prepare goes on with it")
    headers, parts = read_shards(folder, index["shards"], check)
    tokens, vocabularies = sum(map(len, parts)), {header.vocabulary.hex() for header in headers}
    if not parts or tokens != index["tokens"] or vocabularies != {index["vocabulary"]}:
        raise ValueError(
            f"{folder / INDEX} tells of {index['tokens']} tokens; the shards beside it hold {tokens}, or are others"
        )
    end = headers[0].end
    return Shards(parts, None if end == NO_END else end, str(folder))
