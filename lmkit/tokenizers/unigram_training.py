"""How Unigram's pieces are learned: expectation-maximization on all ways to cut a corpus, while pieces are dropped.

Kudo (2018), as SentencePiece does it: begin with many substrings of the corpus; estimate each one's probability from
how often it is expected to be used; drop those whose loss hurts least; again, until the vocabulary is small enough.
"""

import re
import unicodedata
from collections import Counter
from functools import cache

import numpy as np
import torch

from .spaces import SPACE

# As in SentencePiece, a piece holds letters or other characters, not both; and a line's end stands apart.
PART = re.compile(f"{SPACE}?a+|{SPACE}?[.]+|{SPACE}|\n+")
LONGEST = 16  # characters of a piece
LONGEST_WORD = 128  # longer words are learned from in parts
KEPT = 0.75  # of the pieces, in each round of dropping
LEAST = 0.5  # expected uses: a piece with fewer goes at the first occasion
ROUNDS = 2  # of expectation and maximization between two rounds of dropping


def count_words(words_of, texts):
    """{part of a word: how often}: what no piece goes beyond. words_of: what cuts a text into words."""
    words, counts = Counter(), Counter()
    for text in texts:
        words.update(words_of(text))
    for word, count in words.items():
        for match in PART.finditer("".join(map(kind, word))):
            for start in range(match.start(), match.end(), LONGEST_WORD):
                counts[word[start : min(start + LONGEST_WORD, match.end())]] += count
    return counts


@cache
def kind(c):
    """A letter and the marks on it are "a"; the sign for a space and the line's end are themselves; the rest is "."."""
    return c if c in (SPACE, "\n") else "a" if unicodedata.category(c)[0] in "LM" else "."


def seed_pieces(word_counts, most=1_000_000):
    """All characters, and the substrings that occur at least twice, as {piece: its occurrences times its length}.

    A substring that is always followed by the same character is left out: the longer one is there in its stead.
    """
    counts = Counter()
    for word, count in word_counts.items():
        for start in range(len(word)):
            for end in range(start + 1, min(start + LONGEST, len(word)) + 1):
                counts[word[start:end]] += count
    always = {piece[:-1] for piece, count in counts.items() if counts[piece[:-1]] == count}
    found = {piece: count * len(piece) for piece, count in counts.items() if len(piece) > 1 and count > 1}
    longer = sorted((piece for piece in found if piece not in always), key=lambda piece: (-found[piece], piece))
    characters = {piece: count for piece, count in counts.items() if len(piece) == 1}
    return {**characters, **{piece: found[piece] for piece in longer[:most]}}


class Lattices:
    """The lattices of many words at once, in arrays: an edge for each piece that fits somewhere in a word.

    A word of n characters has n + 1 nodes. Edges are sorted by how far from the word's beginning they end, so that all
    words advance together, character by character.
    """

    def __init__(self, words, pieces):
        ids = {piece: i for i, piece in enumerate(pieces)}
        longest = max(map(len, ids))
        starts, ends, used, levels, owners = [], [], [], [], []
        node, firsts, lasts = 0, [], []
        for number, word in enumerate(words):
            size = len(word)
            firsts.append(node)
            for end in range(1, size + 1):
                for start in range(max(0, end - longest), end):
                    piece = ids.get(word[start:end])
                    if piece is not None:
                        starts.append(node + start)
                        ends.append(node + end)
                        used.append(piece)
                        levels.append(end)
                        owners.append(number)
            node += size + 1
            lasts.append(node - 1)
        order = np.argsort(levels, kind="stable")
        self.starts, self.ends, self.pieces, self.levels, self.owners = (
            np.array(values, dtype=np.int64)[order] for values in (starts, ends, used, levels, owners)
        )
        self.firsts, self.lasts, self.n_nodes = np.array(firsts), np.array(lasts), node
        self.index()

    def index(self):
        """Find where levels begin, and within them nodes."""
        bounds = np.flatnonzero(np.diff(self.levels, prepend=-1, append=-1))
        groups = np.flatnonzero(np.diff(self.ends, prepend=-1))
        inside = np.searchsorted(groups, bounds)
        self.slices = [
            (lo, hi, groups[a:b] - lo, self.ends[groups[a:b]], np.repeat(np.arange(b - a), np.diff([*groups[a:b], hi])))
            for lo, hi, a, b in zip(bounds, bounds[1:], inside, inside[1:])
        ]

    def keep(self, edges):
        """Drop the other edges; `edges` is a mask."""
        self.starts, self.ends, self.pieces, self.levels, self.owners = (
            values[edges] for values in (self.starts, self.ends, self.pieces, self.levels, self.owners)
        )
        self.index()

    def forward(self, scores):
        """Log of the summed probability of all paths to each node."""
        sums = np.full(self.n_nodes, -np.inf)
        sums[self.firsts] = 0
        for lo, hi, groups, nodes, group in self.slices:
            values = sums[self.starts[lo:hi]] + scores[self.pieces[lo:hi]]
            top = np.maximum.reduceat(values, groups)
            top = np.where(np.isfinite(top), top, 0)
            with np.errstate(divide="ignore"):
                sums[nodes] = top + np.log(np.add.reduceat(np.exp(values - top[group]), groups))
        return sums

    def expected(self, scores, counts):
        """(log-likelihood of the words, expected uses of each piece), each word counted counts[word] times.

        Forward, then back: what flows through a node is divided among the edges that lead to it, by their shares in the
        node's sum. This gives the same numbers as the forward-backward algorithm (Baum 1972), with one pass of logs.
        """
        sums = self.forward(scores)
        flow = np.zeros(self.n_nodes)
        flow[self.lasts] = counts
        share = np.exp(sums[self.starts] + scores[self.pieces] - sums[self.ends])
        for lo, hi, *_ in reversed(self.slices):
            share[lo:hi] *= flow[self.ends[lo:hi]]
            np.add.at(flow, self.starts[lo:hi], share[lo:hi])
        uses = np.bincount(self.pieces, share, minlength=len(scores))
        return float(sums[self.lasts] @ counts), uses

    def best(self, scores):
        """Each word's score on its best path, -inf if there is none."""
        sums = np.full(self.n_nodes, -np.inf)
        sums[self.firsts] = 0
        for lo, hi, groups, nodes, _ in self.slices:
            sums[nodes] = np.maximum.reduceat(sums[self.starts[lo:hi]] + scores[self.pieces[lo:hi]], groups)
        return sums[self.lasts]


def maximize(uses, bayes=True):
    """Expected uses -> log-probabilities: those with the highest likelihood, or SentencePiece's, which punish the rare.

    bayes: exp(digamma(uses)) in place of the uses, the variational estimate under a sparse prior.
    """
    both = np.append(uses, uses.sum())
    with np.errstate(divide="ignore"):
        logs = torch.digamma(torch.from_numpy(both)).numpy() if bayes else np.log(both)
    return logs[:-1] - logs[-1]


def other_ways(pieces):
    """The lattices of the pieces themselves, without the edge that is the whole piece."""
    inside = Lattices(pieces, pieces)
    inside.keep(inside.ends - inside.starts < (inside.lasts - inside.firsts)[inside.owners])
    return inside


def losses(inside, scores, uses):
    """What each piece is good for: its uses, times what the best other way to cut it has less of log-probability.

    inf for a piece that cannot be cut.
    """
    with np.errstate(invalid="ignore"):  # of pieces that are dropped already, no matter what
        return np.nan_to_num(uses * (scores - inside.best(scores)), nan=0, posinf=np.inf, neginf=-np.inf)


def kept(losses, uses, alive, single, size):
    """Which pieces stay: all characters, and those whose loss would hurt most, at most KEPT of all or `size`."""
    used = int((alive & ((uses >= LEAST) | single)).sum())
    most = max(size, min(int(KEPT * alive.sum()), used)) - int(single.sum())
    order = np.flatnonzero(alive & ~single)
    order = order[np.argsort(-losses[order], kind="stable")]
    result = single.copy()
    result[order[:most]] = True
    return result


def learn(word_counts, size, *, special=()):
    """{word: count} -> [(piece, log-probability)], the most probable first; at most `size`, all characters among them.

    No piece is one of `special`.
    """
    seeds = {piece: count for piece, count in seed_pieces(word_counts).items() if piece not in special}
    names, start = list(seeds), np.array(list(seeds.values()), dtype=float)
    lengths = np.array([len(name) for name in names])
    counts = np.array(list(word_counts.values()), dtype=float)
    words, inside = Lattices(word_counts, names), other_ways(names)
    scores, alive = np.log(start / start.sum()), np.ones(len(names), dtype=bool)
    while True:
        last = alive.sum() <= size
        for _ in range(ROUNDS):
            _, uses = words.expected(scores, counts)
            scores = np.full(len(names), -np.inf)
            scores[alive] = maximize(np.maximum(uses[alive], LEAST), bayes=not last)
        if last:
            break
        alive = kept(losses(inside, scores, uses), uses, alive, lengths == 1, size)
        words.keep(alive[words.pieces])
        inside.keep(alive[inside.pieces] & alive[inside.owners])
        scores[~alive] = -np.inf
    order = sorted(np.flatnonzero(alive), key=lambda i: (-scores[i], names[i]))
    return [(names[i], round(float(scores[i]), 12)) for i in order]  # as many digits as all read alike
