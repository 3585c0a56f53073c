"""Byte-pair encoding's two loops: learning merges from the words of a corpus, and replaying them on a text."""

import heapq
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence

Words = Iterable[tuple[Sequence[str], int]]  # (symbols, how often the word occurs)
SHIFT = 32  # a pair of ids is one number, left << SHIFT | right: it sorts as (left, right) does, and hashes faster


def recount(words: Words, tokens: Iterable[str], vocab_size: int, *, prefix="", special=()):
    """Learn merges as the textbook has it: count all pairs of neighbours, merge the most frequent, count anew.

    tokens: what there is before the first merge, in the order of ids. Of
    pairs that occur equally often the one with the smallest ids (left, then right) is merged. Merging stops at
    `vocab_size` tokens, or when no pair is left. `prefix` is dropped from the right one of a pair ("##" of WordPiece).
    No merge makes a token in `special`. Returns (tokens, merges); time grows with len(text) * number of merges.
    """
    words = [(list(symbols), count) for symbols, count in words]
    tokens, merges = list(tokens), []
    ids = {token: i for i, token in enumerate(tokens)}
    while len(tokens) < vocab_size:
        counts = Counter()
        for symbols, count in words:
            for pair in zip(symbols, symbols[1:]):
                counts[pair] += count
        joined = {pair: pair[0] + pair[1].removeprefix(prefix) for pair in counts}
        counts = {pair: count for pair, count in counts.items() if joined[pair] not in special}
        if not counts:
            break
        left, right = min(counts, key=lambda pair: (-counts[pair], ids[pair[0]], ids[pair[1]]))
        token = joined[left, right]
        if token not in ids:
            ids[token] = len(tokens)
            tokens.append(token)
        if (left, right) not in merges:  # a pair comes back if its left or right one is made in a second way
            merges.append((left, right))
        for symbols, _ in words:
            p = 0
            while p < len(symbols) - 1:
                if symbols[p] == left and symbols[p + 1] == right:
                    symbols[p : p + 2] = [token]
                p += 1
    return tokens, merges


def learn(words: Words, tokens: Iterable[str], vocab_size: int, *, prefix="", special=()):
    """The same merges as `recount`, in time that grows with the number of replacements made, not of merges times text.

    All words stand in one row. For each pair it is known how often it occurs and where; a merge changes only what lies
    beside its places. The heap may hold counts that have fallen since; a pair is put back with its true count when it
    comes to the top. This is the plan of Sennrich's subword-nmt and of Hugging Face's trainer, and merges and ties are
    those of the latter. Only where a corpus holds the mark of a prefix or end itself, so that a token can come about in
    two ways, does that one go on with counts of before, and may learn other merges than a recount.
    """
    tokens, merges = list(tokens), {}
    ids = {token: i for i, token in enumerate(tokens)}
    row, weight, sizes = [], [], []
    for symbols, count in words:
        first = len(row)
        row += [ids[symbol] for symbol in symbols]
        sizes.append(len(row) - first)
        weight += [count] * (len(row) - first)
    before, after = neighbours(sizes)
    counts, where = defaultdict(int), defaultdict(list)
    for p, q in enumerate(after):
        if q >= 0:
            pair = row[p] << SHIFT | row[q]
            counts[pair] += weight[p]
            where[pair].append(p)
    heap = [(-count, pair) for pair, count in counts.items()]
    heapq.heapify(heap)
    while heap and len(tokens) < vocab_size:
        count, pair = heapq.heappop(heap)
        if counts[pair] != -count:
            if counts[pair] > 0:
                heapq.heappush(heap, (-counts[pair], pair))
            continue
        left, right = pair >> SHIFT, pair & (1 << SHIFT) - 1
        token = tokens[left] + tokens[right].removeprefix(prefix)
        if token in special or not count:
            continue
        new = ids.setdefault(token, len(tokens))
        if new == len(tokens):
            tokens.append(token)
        merges[tokens[left], tokens[right]] = None
        places = where.pop(pair)
        grown = set()
        for p in sorted(places) if left == right else places:  # in "aaa" the pair on the left is the one
            q = after[p]
            if row[p] != left or q < 0 or row[q] != right:
                continue  # an earlier merge took one of them
            times, l, r = weight[p], before[p], after[q]
            if l >= 0:
                counts[row[l] << SHIFT | left] -= times
                made = row[l] << SHIFT | new
                counts[made] += times
                where[made].append(l)
                grown.add(made)
            if r >= 0:
                counts[right << SHIFT | row[r]] -= times
                made = new << SHIFT | row[r]
                counts[made] += times
                where[made].append(p)
                grown.add(made)
                before[r] = p
            row[p], row[q], after[p] = new, -1, r
        counts[pair] = 0
        for made in grown:
            heapq.heappush(heap, (-counts[made], made))
    return tokens, list(merges)


def replay(row: list[int], before: list[int], after: list[int], pairs: dict) -> Iterator[tuple[int, int]]:
    """Merge in place what can be merged: always the pair of the lowest rank, of these the leftmost.

    row: ids of symbols. before, after: the indices of the neighbours of each, -1 at the edge of a word. pairs: (left,
    right) -> (rank, merged), all ids. Gives (rank, index) of each merge when it is done; ids taken up by a merge are -1
    in `row` then. A heap makes a word of n symbols cost n log n steps.
    """
    heap = []
    for p, q in enumerate(after):
        if q >= 0 and (found := pairs.get((row[p], row[q]))):
            heap.append((found[0], p, found[1]))
    heapq.heapify(heap)
    while heap:
        _, p, new = heapq.heappop(heap)
        q = after[p]
        if row[p] < 0 or q < 0:
            continue
        found = pairs.get((row[p], row[q]))
        if not found or found[1] != new:
            continue  # an earlier merge took one of them
        r, l = after[q], before[p]
        row[p], row[q], after[p] = new, -1, r
        if r >= 0:
            before[r] = p
            if nearby := pairs.get((new, row[r])):
                heapq.heappush(heap, (nearby[0], p, nearby[1]))
        if l >= 0 and (nearby := pairs.get((row[l], new))):
            heapq.heappush(heap, (nearby[0], l, nearby[1]))
        yield found[0], p


def neighbours(sizes: Iterable[int]) -> tuple[list[int], list[int]]:
    """(before, after) for `replay`: words of these sizes, one behind the other."""
    before, after, first = [], [], 0
    for size in sizes:
        if size:
            before += [-1, *range(first, first + size - 1)]
            after += [*range(first + 1, first + size), -1]
            first += size
    return before, after


def standing(row: list[int], places: list[tuple[int, int]]) -> tuple[list[int], list[tuple[int, int]]]:
    """(ids, places) of what is left of a row after `replay`, each from the place of its first symbol to its last's."""
    at = [p for p, i in enumerate(row) if i >= 0]
    ends = [*at[1:], len(row)]
    return [row[p] for p in at], [(places[p][0], places[end - 1][1]) for p, end in zip(at, ends)]
