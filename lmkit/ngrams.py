"""Counting n-grams: the honest baseline that a trained model has to beat.

The probability of a token after its last n-1 tokens is what was counted there, mixed with the same after n-2 tokens,
and so on down to equal shares. Each history keeps as many votes for the shorter one as it has seen different tokens
(Witten & Bell 1991): P(w | h) = (count(h w) + kinds(h) P(w | shorter h)) / (count(h) + kinds(h)).
"""

import numpy as np


def fit(ids, order, vocab_size=None):
    """Count `ids`, a sequence of integers; without `vocab_size`, as if the largest of them were the last there is."""
    if len(ids) == 0:
        raise ValueError("there are no ids to count")
    return NGrams(ids, order, int(np.max(ids)) + 1 if vocab_size is None else vocab_size)


class NGrams:
    """Counts of all n-grams of up to `order` tokens in `ids` (integers in 0..vocab_size-1)."""

    def __init__(self, ids, order, vocab_size):
        if order < 1:
            raise ValueError(f"order is {order}; expected at least 1 (1 counts single tokens)")
        ids = checked(ids, vocab_size)
        if len(ids) < order:
            raise ValueError(f"there are {len(ids)} ids, too few for n-grams of {order}")
        self.order, self.vocab_size = order, vocab_size
        self.grams, self.counts, self.totals, self.kinds = [], [], [], []
        history, histories = np.zeros(len(ids), dtype=np.int64), 1  # number of the n-gram that ends before each token
        for _ in range(order):
            seen = history >= 0
            codes = history[seen] * vocab_size + ids[seen]
            grams, here, counts = np.unique(codes, return_inverse=True, return_counts=True)
            self.grams.append(grams)  # sorted; an n-gram's number is its index here
            self.counts.append(counts)
            self.totals.append(np.bincount(grams // vocab_size, weights=counts, minlength=histories))
            self.kinds.append(np.bincount(grams // vocab_size, minlength=histories))
            number = np.full(len(ids), -1)
            number[seen] = here
            history, histories = shifted(number), len(grams)

    def losses(self, ids):
        """Return -log P in nats of each id given those before it (as many as there are, at most order - 1): (len,)."""
        ids = checked(ids, self.vocab_size)
        probs = np.full(len(ids), 1 / self.vocab_size)
        history = np.zeros(len(ids), dtype=np.int64)
        for level in range(self.order):
            probs, number = self.mix(level, history, ids, probs)
            history = shifted(number)
        return -np.log(probs)

    def loss(self, ids):
        """Return the mean of `losses`, nats per token."""
        if len(ids) == 0:
            raise ValueError("there are no ids to take the mean loss of")
        return float(self.losses(ids).mean())

    def probs(self, context):
        """Return the distribution of the token after the ids `context`, which may be none: (vocab_size,)."""
        context = checked(context, self.vocab_size)[max(0, len(context) - self.order + 1) :]
        words = np.arange(self.vocab_size)
        probs = np.full(self.vocab_size, 1 / self.vocab_size)
        for length in range(len(context) + 1):
            history = 0
            for level, token in enumerate(context[len(context) - length :]):
                history = self.find(level, np.array([history]), np.array([token]))[0]
            probs, _ = self.mix(length, np.full(self.vocab_size, history), words, probs)
        return probs

    def mix(self, level, history, ids, shorter):
        """One step of the formula above: (probabilities, numbers of the n-grams); arrays of the same length."""
        number = self.find(level, history, ids)
        known = history >= 0
        totals = np.where(known, self.totals[level][history], 0)
        kinds = np.where(known, self.kinds[level][history], 0)
        counts = np.where(number >= 0, self.counts[level][number], 0)
        with np.errstate(invalid="ignore"):
            mixed = (counts + kinds * shorter) / (totals + kinds)
        return np.where(totals > 0, mixed, shorter), number  # a history never seen has nothing to add

    def find(self, level, history, ids):
        """Numbers of the n-grams `history` + id, -1 where they were never counted."""
        grams, code = self.grams[level], history * self.vocab_size + ids
        at = np.minimum(np.searchsorted(grams, code), len(grams) - 1)
        return np.where((history >= 0) & (grams[at] == code), at, -1)


def shifted(number):
    """What stands at i moves to i + 1; nothing ends before the first token."""
    return np.concatenate([[-1], number[:-1]])


def checked(ids, vocab_size):
    """Return ids as an int64 array; ValueError unless all are in 0..vocab_size-1."""
    ids = np.asarray(ids, dtype=np.int64)
    if ids.ndim != 1:
        raise ValueError(f"ids have the shape {ids.shape}; expected one sequence")
    if len(ids) and not (0 <= ids.min() and ids.max() < vocab_size):
        raise ValueError(f"ids lie in {ids.min()}..{ids.max()}; expected 0..{vocab_size - 1}")
    return ids
