"""Exercises of chapter 1, tokenization."""

import math
from collections import Counter
from functools import cache

from .engine import Exercise


def _pairs(words: dict, weighted=True) -> Counter:
    found = Counter()
    for symbols, count in words.items():
        for pair in zip(symbols, symbols[1:]):
            found[pair] += count if weighted else 1
    return found


def _best_pair(words, weighted=True, of_equals=min, rare=False):
    pairs = _pairs(words, weighted)
    most = (min if rare else max)(pairs.values())
    return of_equals(pair for pair, count in pairs.items() if count == most)


def _merge(symbols, pair, times=10**6):
    out, i = [], 0
    while i < len(symbols):
        if times and tuple(symbols[i : i + 2]) == tuple(pair):
            out.append(symbols[i] + symbols[i + 1])
            i, times = i + 2, times - 1
        else:
            out.append(symbols[i])
            i += 1
    return out


def _merge_from_the_right(symbols, pair):
    return [s[::-1] for s in _merge([s[::-1] for s in symbols[::-1]], [s[::-1] for s in pair[::-1]])][::-1]


def _merge_as_text(symbols, pair):
    return " ".join(symbols).replace(" ".join(pair), "".join(pair)).split(" ")


def _replay(word, merges, rounds=10**6):
    symbols, rank = list(word), {tuple(pair): i for i, pair in enumerate(merges)}
    for _ in range(rounds):
        here = [pair for pair in zip(symbols, symbols[1:]) if pair in rank]
        if not here:
            break
        symbols = _merge(symbols, min(here, key=rank.get))
    return symbols


def _left_to_right(word, merges):
    symbols, known = list(word), {tuple(pair) for pair in merges}
    while here := [pair for pair in zip(symbols, symbols[1:]) if pair in known]:
        symbols = _merge(symbols, here[0], times=1)
    return symbols


def _longest_of_merges(word, merges):
    pieces, out = {"".join(pair) for pair in merges} | set(word), []
    while word:
        end = next(e for e in range(len(word), 0, -1) if word[:e] in pieces)
        out, word = [*out, word[:end]], word[end:]
    return out


def _longest_match(word, vocab, mark="##", shortest=False, keep=False):
    out, start = [], 0
    while start < len(word):
        ends = range(start + 1, len(word) + 1) if shortest else range(len(word), start, -1)
        tried = ((mark if start else "") + word[start:end] for end in ends)
        piece = next((piece for piece in tried if piece in vocab), None)
        if piece is None:
            return [*out, "[UNK]"] if keep else ["[UNK]"]
        out.append(piece)
        start += len(piece) - (len(mark) if start else 0)
    return out


def _cuts(word, scores):
    @cache
    def cuts(start):
        if start == len(word):
            return [[]]
        ends = (end for end in range(start + 1, len(word) + 1) if word[start:end] in scores)
        return [[word[start:end], *rest] for end in ends for rest in cuts(end)]

    return cuts(0)


def _best_cut(word, scores, worth=sum):
    return max(_cuts(word, scores), key=lambda cut: worth([scores[piece] for piece in cut]))


def _greedy_cut(word, scores, by):
    """From left to right, the best next piece after which the rest can still be cut."""
    out = []
    while word:
        pieces = [word[:end] for end in range(1, len(word) + 1) if word[:end] in scores and _cuts(word[end:], scores)]
        out.append(max(pieces, key=by))
        word = word[len(out[-1]) :]
    return out


_WORDS = {("l", "o", "w"): 5, ("l", "o", "w", "e", "r"): 2, ("n", "e", "w", "e", "s", "t"): 6, tuple("widest"): 3}
_TIED = {("b", "a"): 3, ("a", "b"): 3, ("c", "a", "b"): 2, ("d", "b", "a"): 2}
_RARE = {("x", "y"): 9, ("a", "b"): 1, ("a", "b", "c"): 1, ("c", "a", "b"): 1}
_MERGES = [("u", "g"), ("h", "ug"), ("g", "s"), ("p", "u"), ("b", "u"), ("n", "g"), ("l", "o"), ("o", "w"), ("l", "ow")]
_VOCAB = {"em", "embed", "e", "un", "ding", "##bed", "##b", "##ed", "##d", "##ding", "##g", "##s", "##em", "##m"}
_SCORES = {
    piece: math.log(p)
    for piece, p in {
        "h": 0.05, "u": 0.05, "g": 0.05, "s": 0.05, "hu": 0.02, "ug": 0.2, "gs": 0.2, "hug": 0.06, "ugs": 0.008,
    }.items()
}  # fmt: skip
_MILLION = 10**6

EXERCISES = {
    "bits_per_byte": Exercise(
        right=(1.3 / math.log(2), 3.9 * 0.27 / math.log(2)),
        mistakes={
            "those are nats per byte; a bit is ln 2 nats, so divide by ln 2": (1.3, 3.9 * 0.27),
            "B's loss is still per token: it has 270,000 tokens for 1,000,000 bytes": (
                1.3 / math.log(2),
                3.9 / math.log(2),
            ),
            "B has fewer tokens than bytes: multiply its loss by tokens per byte, do not divide": (
                1.3 / math.log(2),
                3.9 / 0.27 / math.log(2),
            ),
            "the wrong way between nats and bits: a nat is more than a bit, so divide by ln 2": (
                1.3 * math.log(2),
                3.9 * 0.27 * math.log(2),
            ),
            "the other way round: the answer is (A, B)": (3.9 * 0.27 / math.log(2), 1.3 / math.log(2)),
        },
    ),
    "more_tokens": Exercise(
        right=(128_256 - 50_257) * 768 / _MILLION,
        mistakes={
            "that is the whole new embedding; the question is what it has more than before": 128_256 * 768 / _MILLION,
            "twice too much: the embedding is tied, so the output needs no matrix of its own": (
                2 * (128_256 - 50_257) * 768 / _MILLION
            ),
            "that is in parameters; the question asks for millions": (128_256 - 50_257) * 768,
            "those are the new tokens; each of them has 768 numbers": (128_256 - 50_257) / _MILLION,
            "that is in bytes of 4; the question asks for parameters": 4 * (128_256 - 50_257) * 768 / _MILLION,
        },
    ),
    "best_pair": Exercise(
        right=_best_pair,
        inputs=[(_WORDS,), (_TIED,), (_RARE,)],
        mistakes={
            "every word counts once: its pairs must count as often as the word occurs": (
                lambda words: _best_pair(words, weighted=False)
            ),
            "of equally frequent pairs it takes the last in the order of the alphabet, not the first": (
                lambda words: _best_pair(words, of_equals=max)
            ),
            "it takes the rarest pair; it is the most frequent one that saves most": (
                lambda words: _best_pair(words, rare=True)
            ),
        },
    ),
    "merge": Exercise(
        right=_merge,
        inputs=[
            (["l", "o", "w", "l", "o"], ("l", "o")),
            (["a", "a", "a"], ("a", "a")),
            (["ab", "c", "b", "c"], ("b", "c")),
            (["x"], ("x", "x")),
        ],
        mistakes={
            "only the first occurrence is merged": lambda symbols, pair: _merge(symbols, pair, times=1),
            "it looks from the right: of three equal symbols the first two are merged": _merge_from_the_right,
            "it replaces text, not symbols: in ['ab', 'c'] there is no symbol 'b' to merge with 'c'": _merge_as_text,
        },
    ),
    "replay": Exercise(
        right=_replay,
        inputs=[(word, _MERGES) for word in ("hugs", "pugs", "bungs", "hughug", "low", "q")],
        mistakes={
            "merges are applied from left to right as they are met; the one learned first must go first": (
                _left_to_right
            ),
            "that is longest match (WordPiece's rule): BPE never looks at whole tokens, it replays merges": (
                _longest_of_merges
            ),
            "it stops after the first merge; go on until no pair is left that was learned": (
                lambda word, merges: _replay(word, merges, rounds=1)
            ),
        },
    ),
    "longest_match": Exercise(
        right=_longest_match,
        inputs=[("embeddings", _VOCAB), ("unembed", _VOCAB), ("emx", _VOCAB), ("ding", _VOCAB), ("embed", _VOCAB)],
        mistakes={
            "inside a word a token is written with ##: look those up from the second piece on": (
                lambda word, vocab: _longest_match(word, vocab, mark="")
            ),
            "it takes the shortest match; take the longest": lambda word, vocab: _longest_match(
                word, vocab, shortest=True
            ),
            "where nothing fits, the whole word becomes one [UNK], also the pieces found before": (
                lambda word, vocab: _longest_match(word, vocab, keep=True)
            ),
        },
    ),
    "best_cut": Exercise(
        right=_best_cut,
        inputs=[("hugs", _SCORES), ("hug", _SCORES), ("ugs", _SCORES), ("hugugs", _SCORES)],
        mistakes={
            "that is the longest match; a longer first piece can cost more than it saves": (
                lambda word, scores: _greedy_cut(word, scores, by=len)
            ),
            "it takes the likeliest next piece each time; what counts is the sum over the whole word": (
                lambda word, scores: _greedy_cut(word, scores, by=scores.get)
            ),
            "it takes the mean of the scores; the log of a product is their sum": (
                lambda word, scores: _best_cut(word, scores, worth=lambda s: sum(s) / len(s))
            ),
            "it takes the least likely cut: scores are logarithms, so nearer to 0 is better": (
                lambda word, scores: _best_cut(word, scores, worth=lambda s: -sum(s))
            ),
        },
    ),
}
