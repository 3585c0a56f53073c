"""Normal form C: a letter and its marks become one character where there is one, as the Rust library has it."""

import re
import unicodedata
from itertools import groupby

from .rust_unicode import CLASSES, DECOMPOSITIONS, combining, decompose

# Python knows of later Unicode than the Rust library; a text with none of these is the same to both.
DOUBTFUL = re.compile(f"[{''.join(sorted(CLASSES | DECOMPOSITIONS))}]")


def composed(text: str):
    """Text -> (its normal form C, (start, end) in `text` of each character of that; None if nothing has changed).

    The spans are the Rust library's: what is composed has the span of its first part alone, and where marks change
    places their spans do not.
    """
    if not DOUBTFUL.search(text) and unicodedata.is_normalized("NFC", text):
        return text, None
    parts = [(combining(d), d, int(n > 0)) for c in text for n, d in enumerate(decompose(c))]
    runs = groupby(parts, key=lambda part: part[0] > 0)  # marks behind one another stand by their class
    ordered = [part for _, run in runs for part in sorted(run, key=lambda part: part[0])]
    made, base, last = [], None, None  # made: [character, 1 if it was added, -n if it took up n others]
    for rank, c, change in ordered:
        if base is not None and (last is None or last < rank):
            both = unicodedata.normalize("NFC", made[base][0] + c)
            if len(both) == 1 and both not in DECOMPOSITIONS:
                made[base] = [both, made[base][1] + change - 1]
                continue
        made.append([c, change])
        base, last = (len(made) - 1, None) if rank == 0 else (base, rank)
    spans, place = [], 0
    for _, change in made:
        at = place - 1 if change > 0 else place
        spans.append((at, at + 1))
        place += 0 if change > 0 else 1 - change
    return "".join(c for c, _ in made), spans
