"""What objectives draw from: ids, where documents, sentences and words begin, and the ids that mark places."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count

import numpy as np
import torch

NOT_ASKED = -100  #: The target of a position whose token is not to be predicted, as in torch's cross_entropy


@dataclass(frozen=True)
class Marks:
    """The ids that mark a place; tokens are 0 .. n_tokens - 1 without them."""

    n_tokens: int
    pad: int
    cls: int  #: begins a pair of sentences, and lends its vector to what is said of both
    sep: int  #: ends each of them
    mask: int  #: stands where a token is hidden
    sentinels: tuple[int, ...] = ()  #: stand where a span is taken out, the first for the first; T5's <extra_id_0> ...

    @classmethod
    def after(cls, n_tokens: int, n_sentinels: int = 0) -> "Marks":
        """Marks with the ids after those of the tokens; `vocab_size` counts both."""
        return cls(n_tokens, *range(n_tokens, n_tokens + 4), tuple(range(n_tokens + 4, n_tokens + 4 + n_sentinels)))

    @property
    def vocab_size(self) -> int:
        return max(self.n_tokens - 1, self.pad, self.cls, self.sep, self.mask, *self.sentinels) + 1


@dataclass(frozen=True)
class Text:
    """Token ids (N), and the indices where documents and sentences begin; `words` (N) is True where a word begins."""

    ids: np.ndarray
    documents: np.ndarray | None = None
    sentences: np.ndarray | None = None
    words: np.ndarray | None = None


def stream(
    make: Callable, text: Text, batch_size: int, seq_len: int, marks: Marks, seed: int = 0, start: int = 0, device="cpu"
) -> Iterator[dict]:
    """The batches of a run: make(text, random, batch_size, seq_len, marks), a function of the seed and the step alone.

    So what is hidden of a text is drawn anew each time it is read: RoBERTa's "dynamic masking" (Liu et al. 2019,
    arXiv:1907.11692).
    """
    for step in count(start):
        batch = make(text, np.random.default_rng([seed, step]), batch_size, seq_len, marks)
        yield {name: torch.as_tensor(value).to(device) for name, value in batch.items()}


def rows(text: Text, random: np.random.Generator, batch_size: int, seq_len: int) -> np.ndarray:
    """The indices of random windows, (batch_size, seq_len), each beginning where a document does if `text` says so."""
    last = len(text.ids) - seq_len
    if last < 0:
        raise ValueError(f"a window of {seq_len} tokens does not fit into a text of {len(text.ids)}")
    if text.documents is None:
        starts = random.integers(last + 1, size=batch_size)
    else:
        starts = text.documents[text.documents <= last]
        if len(starts) == 0:
            raise ValueError(f"no document begins where a window of {seq_len} tokens fits: give a shorter seq_len")
        starts = random.choice(starts, size=batch_size)
    return starts[:, None] + np.arange(seq_len)
