"""The n-gram counter against a case worked by hand, and against a slow transcript of the formula."""

from collections import Counter
from math import log
from pathlib import Path

import numpy as np
import pytest

from lmkit.ngrams import NGrams, fit
from lmkit.tokenizers import Characters

SHAKESPEARE = Path(__file__).parents[2] / "shared" / "data" / "tinyshakespeare.txt"


def test_by_hand():
    """a b a a c over the alphabet a b c d, bigrams."""
    model = NGrams([0, 1, 0, 0, 2], order=2, vocab_size=4)
    # single tokens: 5 seen, 3 kinds, shorter = 1/4: P(a) = (3 + 3/4) / 8, P(b) = P(c) = (1 + 3/4) / 8, ...
    single = np.array([3.75, 1.75, 1.75, 0.75]) / 8
    assert model.probs([]) == pytest.approx(single)
    # after a: followed by b, a, c, so 3 seen, 3 kinds
    assert model.probs([0]) == pytest.approx((np.array([1, 1, 1, 0]) + 3 * single) / 6)
    # after b: followed by a once, so 1 seen, 1 kind
    assert model.probs([1]) == pytest.approx((np.array([1, 0, 0, 0]) + single) / 2)
    # after d, never seen, and after c, which nothing follows: single tokens
    assert model.probs([3]) == pytest.approx(single)
    assert model.probs([2]) == pytest.approx(single)
    assert np.exp(-model.losses([1, 0, 3])) == pytest.approx([single[1], (1 + single[0]) / 2, 3 * single[3] / 6])


def transcript(train, order, vocab_size, context, word):
    """The formula of the module's docstring, read aloud: counts in dictionaries, recursion down to equal shares."""
    context = tuple(context)[max(0, len(context) - order + 1) :]
    shorter = transcript(train, order, vocab_size, context[1:], word) if context else 1 / vocab_size
    n = len(context)
    after = Counter(train[i + n] for i in range(len(train) - n) if tuple(train[i : i + n]) == context)
    if not after:
        return shorter
    return (after[word] + len(after) * shorter) / (after.total() + len(after))


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_against_the_slow_transcript(order):
    rng = np.random.default_rng(order)
    train, held_out = rng.integers(0, 5, 200).tolist(), rng.integers(0, 6, 60).tolist()
    model = NGrams(train, order, vocab_size=6)  # token 5 was never seen
    slow = [-log(transcript(train, order, 6, held_out[:i], word)) for i, word in enumerate(held_out)]
    assert model.losses(held_out) == pytest.approx(slow, abs=1e-12)
    for i in range(0, 60, 7):
        probs = model.probs(held_out[:i])
        assert probs.sum() == pytest.approx(1, abs=1e-12) and (probs > 0).all()
        assert -log(probs[held_out[i]]) == pytest.approx(slow[i], abs=1e-12)


@pytest.mark.skipif(not SHAKESPEARE.is_file(), reason="shared/data/tinyshakespeare.txt is not beside the repository")
def test_tiny_shakespeare():
    """A 5-gram counter of nine tenths has 1.669 nats per character on the last tenth (so another program found)."""
    text = SHAKESPEARE.read_bytes().decode("utf-8")
    tok = Characters(text)
    ids = np.array(tok.encode(text))
    cut = int(0.9 * len(ids))
    assert fit(ids[:cut], 5, len(tok)).loss(ids[cut:]) == pytest.approx(1.669, abs=1e-3)


@pytest.mark.parametrize(
    ("build", "says"),
    [
        (lambda: NGrams([0, 1], 0, 2), "order is 0; expected at least 1"),
        (lambda: NGrams([0, 1], 3, 2), "there are 2 ids, too few for n-grams of 3"),
        (lambda: NGrams([0, 2], 1, 2), r"ids lie in 0\.\.2; expected 0\.\.1"),
        (lambda: NGrams([0, 1], 1, 2).loss([-1]), r"ids lie in -1\.\.-1; expected 0\.\.1"),
        (lambda: NGrams([0, 1], 1, 2).loss([]), "there are no ids to take the mean loss of"),
        (lambda: NGrams([[0, 1]], 1, 2), r"ids have the shape \(1, 2\); expected one sequence"),
        (lambda: fit([], 1), "there are no ids to count"),
    ],
)
def test_bad_input_is_named(build, says):
    with pytest.raises(ValueError, match=says):
        build()
