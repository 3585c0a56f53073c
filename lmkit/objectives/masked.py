"""Masked language modelling: hide some tokens, and ask for them given all others.

What chooses them gives each position a number, (B, T): 0 if it is not chosen; those of one number are hidden alike.
"""

from collections.abc import Callable

import numpy as np
from torch import Tensor, nn

from .losses import cross_entropy
from .text import NOT_ASKED, Marks, Text, rows


def by_token(words: np.ndarray, random: np.random.Generator, rate: float) -> np.ndarray:
    """Choose each position with probability `rate`. Devlin et al. 2018, arXiv:1810.04805."""
    return numbered(random.random(words.shape) < rate)


def numbered(chosen: np.ndarray) -> np.ndarray:
    """Each position that is chosen is hidden in its own way."""
    return chosen * np.arange(1, chosen.shape[1] + 1)


def by_word(words: np.ndarray, random: np.random.Generator, rate: float) -> np.ndarray:
    """Choose whole words: all tokens of each with probability `rate` (BERT's later "whole word masking").

    words (B, T) is True where a word begins; what stands before the first beginning is the rest of a word. As in BERT,
    what becomes of a token of the word is still drawn for itself.
    """
    word = words.cumsum(axis=1)
    return numbered(np.take_along_axis(random.random((len(words), word.max() + 1)), word, axis=1) < rate)


def by_span(
    words: np.ndarray, random: np.random.Generator, rate: float, p: float = 0.2, longest: int = 10
) -> np.ndarray:
    """Choose spans of whole words, 3.8 on average, until `rate` of the tokens is chosen.

    Joshi et al. 2019, "SpanBERT", arXiv:1907.10529: lengths from a geometric distribution with parameter `p`, drawn
    again beyond `longest`; a span begins where a word does, and is masked, replaced or left as a whole.
    """
    B, T = words.shape
    chosen, wanted = np.zeros((B, T), dtype=np.int64), round(rate * T)
    shares = (1 - p) ** np.arange(longest)
    for row in range(B):
        bounds = np.append(np.flatnonzero(words[row]), T)
        for _ in range(10 * T):  # spans that meet are one; a row that is nearly full is left at last
            if len(bounds) < 2 or np.count_nonzero(chosen[row]) >= wanted:
                break
            first = random.integers(len(bounds) - 1)
            length = 1 + random.choice(longest, p=shares / shares.sum())
            chosen[row, bounds[first] : bounds[min(first + length, len(bounds) - 1)]] = bounds[first] + 1
    return chosen


def mask(
    ids: np.ndarray,
    random: np.random.Generator,
    marks: Marks,
    words: np.ndarray | None = None,
    rate: float = 0.15,
    choose: Callable = by_token,
    shares: tuple[float, float] = (0.8, 0.1),
) -> dict:
    """Hide tokens: of those chosen 80 % become the mask, 10 % another token, 10 % stay; all are asked for.

    ids (B, T), with marks that are never chosen -> {"ids", "targets"}, both (B, T). Devlin et al. 2018,
    arXiv:1810.04805: the 20 % are there because the mask is never met in use. Other tokens are drawn from all.
    """
    number = choose(np.ones_like(ids, dtype=bool) if words is None else words, random, rate)
    chosen, (masked, replaced) = (number > 0) & (ids < marks.n_tokens), shares
    u = np.take_along_axis(random.random((len(ids), ids.shape[1] + 1)), number, axis=1)
    other = random.integers(marks.n_tokens, size=ids.shape)
    hidden = np.where(u < masked, marks.mask, np.where(u < masked + replaced, other, ids))
    return {"ids": np.where(chosen, hidden, ids), "targets": np.where(chosen, ids, NOT_ASKED)}


def masked(text: Text, random: np.random.Generator, batch_size: int, seq_len: int, marks: Marks, **how) -> dict:
    """A batch of masked windows; `how` is told to `mask`."""
    at = rows(text, random, batch_size, seq_len)
    words = None if text.words is None else text.words[at]
    return mask(text.ids[at].astype(np.int64), random, marks, words, **how)


def masked_loss(model: nn.Module, batch: dict[str, Tensor]) -> Tensor:
    """Mean cross-entropy, in nats per hidden token: -log p(token | all that is not hidden).

    batch: ids and targets (B, T), and segments and real if there are any. Devlin et al. 2018, arXiv:1810.04805.
    """
    return cross_entropy(model(batch["ids"], **beside(batch)), batch["targets"])


def beside(batch: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: batch[name] for name in ("segments", "real") if name in batch}
