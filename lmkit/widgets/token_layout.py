"""A Work as data for a page: each step as what changes in it, and where the candidates of a lattice are drawn."""

from ..tokenizers.base import SHOWN
from ..tokenizers.work import Work
from .attention_map import visible

LONGEST_WORD = 16  # characters of one block of the lattice, unless a candidate is longer


def packed(work: Work) -> dict:
    """A work as JSON: each piece and candidate once, and each step as what changes in two lists of their indices."""
    pieces, candidates, steps, before, fits = {}, {}, [], [], [[]]
    for step in work.steps:
        now = [index(pieces, (seen(p.label), p.start, p.end, None if p.id is None else int(p.id))) for p in step.pieces]
        fits.append(
            [
                2 * index(candidates, (seen(c.label), c.start, c.end, round(float(c.score), 2))) + bool(c.best)
                for c in step.candidates
            ]
        )
        steps.append([readable(step.say), splice(before, now), list(step.changed), splice(*fits[-2:])])
        before = now
    fitting = lattice(work, candidates, [{code >> 1 for code in codes} for codes in fits])
    return {"pieces": list(pieces), "candidates": list(candidates), "lattice": fitting, "steps": steps}


def lattice(work: Work, candidates, steps: list[set[int]]) -> list:
    """Where candidates are drawn: drawings, each a list of blocks [first, last, [[candidate, row]...]].

    Steps that share a candidate are one drawing, so that nothing moves between them. A block is text[first:last], a
    word if it can be; in it each candidate takes the first row that is free where it stands.
    """
    drawings = []
    for mine in filter(None, steps):
        touched = [drawing for drawing in drawings if drawing & mine]
        drawings = [drawing for drawing in drawings if not drawing & mine] + [mine.union(*touched)]
    spans = [(start, end) for _, start, end, _ in candidates]
    return [blocks(work.text, sorted((*spans[key], key) for key in drawing)) for drawing in drawings]


def blocks(text: str, spans: list[tuple[int, int, int]]) -> list:
    found = []
    for start, end, key in spans:
        if start == end:
            continue
        first, last, _ = found[-1] if found else (0, -1, [])
        in_word = not text[start].isspace() and end - first <= LONGEST_WORD
        if start < last or (start == last and in_word):
            found[-1][1] = max(last, end)
        else:
            found.append([start, end, []])
        found[-1][2].append((end - start, start, key))
    for block in found:
        rows, placed = [], []  # of each row, the places that are taken
        for length, start, key in sorted(block[2]):
            places = set(range(start, start + length))
            row = next((r for r, taken in enumerate(rows) if not taken & places), len(rows))
            if row == len(rows):
                rows.append(set())
            rows[row] |= places
            placed.append([key, row])
        block[2] = placed
    return found


def index(table: dict, key) -> int:
    return table.setdefault(key, len(table))


def splice(before: list, now: list) -> list:
    """[head, tail, middle], such that now == before[:head] + middle + before[len(before) - tail:]."""
    shorter, head, tail = min(len(before), len(now)), 0, 0
    while head < shorter and before[head] == now[head]:
        head += 1
    while tail < shorter - head and before[-1 - tail] == now[-1 - tail]:
        tail += 1
    return [head, tail, now[head : len(now) - tail]]


def seen(text: str, keep: str = "") -> str:
    """`visible`, with the signs that the labels of tokens have."""
    return visible("".join(c if c in keep else SHOWN.get(c, c) for c in text), keep)


def readable(text: str) -> str:
    """A name or a sentence: its spaces stay, nothing in it acts, and it is not longer than a line or two."""
    return seen(text if len(text) <= 400 else text[:399] + "…", keep=" ")
