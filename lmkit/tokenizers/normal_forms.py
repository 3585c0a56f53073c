"""Unicode's normal forms as the Rust library has them, and where each character of the new text came from."""

import re
import unicodedata
from itertools import groupby

from .rust_unicode import CLASSES, DECOMPOSITIONS, combining, decompose

# Python knows of later Unicode than the Rust library; a text with none of these is the same to both.
DOUBTFUL = re.compile(f"[{''.join(sorted(CLASSES | DECOMPOSITIONS))}]")


def moved(changes):
    """[(character, change)] -> (new text, for each of its characters the index of the old one that it stands for).

    A change of 0 is a character in the place of the next old one, 1 one that is added after it, -n one in the place of
    the next and of n more. It is the Rust library's account: where marks change places, their indices do not.
    """
    sources, place = [], 0
    for _, change in changes:
        sources.append(place - 1 if change > 0 else place)
        place += 0 if change > 0 else 1 - change
    return "".join(c for c, _ in changes), sources


def normal_form(text, form):
    """(the text in "NFC", "NFD", "NFKC" or "NFKD", the index that each of its characters came from, or None if all)."""
    if not DOUBTFUL.search(text) and unicodedata.is_normalized(form, text):
        return text, None
    parts = [(combining(d), d, int(n > 0)) for c in text for n, d in enumerate(decompose(c, form.replace("C", "D")))]
    runs = groupby(parts, key=lambda part: part[0] > 0)  # marks behind one another stand by their class
    ordered = [part for _, run in runs for part in sorted(run, key=lambda part: part[0])]
    return moved(composed(ordered) if "C" in form else [(c, change) for _, c, change in ordered])


def composed(parts):
    """[(combining class, character, change)] -> [(character, change)], marks joined with the letters before them."""
    made, base, last = [], None, None
    for rank, c, change in parts:
        if base is not None and (last is None or last < rank):
            both = unicodedata.normalize("NFC", made[base][0] + c)
            if len(both) == 1 and both not in DECOMPOSITIONS:
                made[base] = both, made[base][1] + change - 1
                continue
        made.append((c, change))
        base, last = (len(made) - 1, None) if rank == 0 else (base, rank)
    return made
