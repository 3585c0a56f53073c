"""Google's way to a WordPiece vocabulary: join the pair of neighbours whose being together is least by chance."""

import heapq
from collections import defaultdict

SCORES = ("count", "likelihood")


def symbols(word, prefix="##"):
    """"cat" -> ["c", "##a", "##t"]."""
    return [word[0], *(prefix + c for c in word[1:])]


def likelihood(together, left, right):
    """count(ab) / (count(a) count(b)): how much more often a and b are neighbours than chance would have them."""
    return together / (left * right)


class Pairs:
    """The words of a corpus as lists of pieces, and how often each piece and each two neighbours stand in them."""

    def __init__(self, words):
        words = list(words)
        self.words, self.counts = [list(symbols) for symbols, _ in words], [count for _, count in words]
        self.pieces = defaultdict(int)  # piece: how often
        self.pairs = defaultdict(int)  # (a, b): how often
        self.where = defaultdict(set)  # (a, b): indices of the words that hold it, or held it
        self.partners = defaultdict(set)  # piece: the pairs that it is part of
        for index in range(len(self.words)):
            self.count(index, 1)

    def count(self, index, sign):
        """Add a word to the counts, or take it out; returns its pairs."""
        word, count = self.words[index], self.counts[index] * sign
        for piece in word:
            self.pieces[piece] += count
        pairs = list(zip(word, word[1:]))
        for pair in pairs:
            self.pairs[pair] += count
            self.where[pair].add(index)
            self.partners[pair[0]].add(pair)
            self.partners[pair[1]].add(pair)
        return pairs

    def score(self, pair):
        return likelihood(self.pairs[pair], self.pieces[pair[0]], self.pieces[pair[1]])

    def join(self, pair, new):
        """Write `new` for each `pair`, from the left; returns the pairs whose scores may have changed."""
        changed = set()
        for index in self.where.pop(pair):
            changed.update(self.count(index, -1))
            self.words[index] = replaced(self.words[index], pair, new)
            changed.update(self.count(index, 1))
        return changed.union(*(self.partners[piece] for piece in (*pair, new)))


def replaced(word, pair, new):
    """A list of pieces with `new` for each `pair`, from the left."""
    result, i = [], 0
    while i < len(word):
        here = (word[i], *word[i + 1 : i + 2]) == pair
        result.append(new if here else word[i])
        i += 2 if here else 1
    return result


def learn_by_likelihood(words, tokens, vocab_size, *, prefix="##", special=()):
    """The pieces `tokens`, all characters among them, and then joined pairs, the one with the highest score first.

    Of pairs with equal scores the one with the smallest ids (left, then right) is joined, as in `merges.learn`. The
    score of a pair also rises when its pieces grow rare by other joins: all pairs of a joined piece are offered anew.
    """
    vocab, pairs, heap = {piece: i for i, piece in enumerate(tokens)}, Pairs(words), []

    def offer(pair):
        if pairs.pairs[pair] and pair[0] + pair[1].removeprefix(prefix) not in special:
            heapq.heappush(heap, (-pairs.score(pair), vocab[pair[0]], vocab[pair[1]], pair))

    for pair in pairs.pairs:
        offer(pair)
    while heap and len(vocab) < vocab_size:
        value, _, _, pair = heapq.heappop(heap)
        if not pairs.pairs[pair] or -value != pairs.score(pair):  # an older offer; the newest one has the right score
            continue
        new = pair[0] + pair[1].removeprefix(prefix)
        vocab.setdefault(new, len(vocab))  # "ab" + "##c" may be there as "a" + "##bc"
        for other in pairs.join(pair, new):
            offer(other)
    return list(vocab)
