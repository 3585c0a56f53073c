"""Chapter 3. KV caches: the keys and values that one layer has already computed. The caller owns them, one per layer.

All three keep the same promise: `append` takes what is new and returns everything held, the most recent S positions.
"""

import torch
from torch import Tensor


class KVCache:
    """The simple cache, which grows by concatenation.

    k and v are (B, n_kv_heads, S, width); what an attention stores there is its own affair.
    """

    def __init__(self):
        self.k: Tensor | None = None
        self.v: Tensor | None = None
        self.cross: tuple[Tensor, Tensor] | None = None  # of cross-attention: the memory, projected once
        self.seen = 0

    def __len__(self) -> int:
        """The number of positions that have passed; the next one has this index."""
        return self.seen

    def __bool__(self) -> bool:
        return True  # an empty cache is a cache

    @property
    def held(self) -> int:
        """The number of positions that are still kept."""
        return 0 if self.k is None else self.k.shape[2]

    @property
    def nbytes(self) -> int:
        """The memory taken, in bytes, without the memory of cross-attention."""
        return 0 if self.k is None else self.k.nbytes + self.v.nbytes

    def append(self, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Add the new keys and values, (B, n_kv_heads, N, width) each; return all, (B, n_kv_heads, S, width)."""
        self._check(k)
        self.seen += k.shape[2]
        if self.k is not None:
            k, v = torch.cat([self.k, k], dim=2), torch.cat([self.v, v], dim=2)
        self.k, self.v = k, v
        return k, v

    def select(self, rows: Tensor) -> None:
        """Keep these rows of the batch, in this order, repeated if repeated: what beam search does at every step."""
        self.k, self.v = self.k[rows], self.v[rows]
        if self.cross is not None:
            self.cross = tuple(part[rows] for part in self.cross)

    def _check(self, k: Tensor) -> None:
        if self.k is not None and self.k.shape[0] != k.shape[0]:
            raise ValueError(
                f"this cache holds a batch of {self.k.shape[0]}, not {k.shape[0]}; use a new {type(self).__name__} "
                "for a new batch"
            )


class PreallocatedCache(KVCache):
    """Room for `max_len` positions, taken at once: a step writes one row and moves nothing."""

    def __init__(self, max_len: int):
        super().__init__()
        self.max_len = max_len
        self.room: tuple[Tensor, Tensor] | None = None

    @property
    def nbytes(self) -> int:
        return 0 if self.room is None else sum(part.nbytes for part in self.room)

    def append(self, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        self._check(k)
        start, end = self.seen, self.seen + k.shape[2]
        if end > self.max_len:
            raise ValueError(f"{end} positions do not fit into a PreallocatedCache({self.max_len})")
        if self.room is None:
            self.room = tuple(part.new_empty(*part.shape[:2], self.max_len, part.shape[3]) for part in (k, v))
        for room, new in zip(self.room, (k, v), strict=True):
            room[:, :, start:end] = new
        self.seen = end
        self.k, self.v = (room[:, :, :end] for room in self.room)
        return self.k, self.v

    def select(self, rows: Tensor) -> None:
        self.room = tuple(part[rows] for part in self.room)
        super().select(rows)
        self.k, self.v = (room[:, :, : self.seen] for room in self.room)


class RollingCache(KVCache):
    """The last positions only, as many as a window of `window` positions can still see from the next one on."""

    def __init__(self, window: int):
        super().__init__()
        self.window = window

    def append(self, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        k, v = super().append(k, v)
        first = max(k.shape[2] - (self.window - 1), 0)
        self.k, self.v = k[:, :, first:].clone(), v[:, :, first:].clone()  # a view would keep the whole alive
        return k, v
