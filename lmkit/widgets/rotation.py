"""Hands that turn with position, as rotary positions turn queries and keys: to move along a text and see what stays.

A custom element that holds the speeds and a plain table of angles, and a script that brings it to life where scripts
run. The page needs one copy of the script.
"""

import html
import math
from collections.abc import Sequence

from . import page

LONGEST = 100_000  # positions that the sliders reach
FIGURES = 12  # digits of a speed: more than an angle at that position shows


def rotation(
    speeds: Sequence[float], query: int = 6, key: int = 2, *, longest: int = 64, title: str | None = None
) -> "Rotation":
    """Show a query and a key as hands on one dial per pair, turned by position * speed (radians per position).

    Query and key begin as the same hand, upright in every pair, so that their score, the mean over pairs of the cosine
    between the hands, is 1 at distance 0. `query` and `key` are where the sliders stand at first, `longest` is where
    they end. Raises ValueError.
    """
    speeds = [float(speed) for speed in speeds]
    if not 1 <= len(speeds) <= 8 or not all(math.isfinite(speed) and speed > 0 for speed in speeds):
        raise ValueError(f"speeds are 1 to 8 numbers above 0, in radians per position, not {speeds}")
    if not 1 <= longest <= LONGEST:
        raise ValueError(f"longest is a position from 1 to {LONGEST:,}, not {longest}")
    for name, at in (("query", query), ("key", key)):
        if not 0 <= at <= longest:
            raise ValueError(f"{name} is a position from 0 to {longest}, not {at}")
    return Rotation(speeds, query, key, longest, title)


def score(speeds: Sequence[float], apart: int) -> float:
    """The mean over pairs of the cosine between hands that stand `apart` positions from each other."""
    return sum(math.cos(apart * speed) for speed in speeds) / len(speeds)


class Rotation:
    """Dials that a notebook shows. Made by `rotation`."""

    def __init__(self, speeds: list[float], query: int, key: int, longest: int, title: str | None):
        self.speeds, self.query, self.key, self.longest, self.title = speeds, query, key, longest, title

    def __repr__(self) -> str:
        lines = [f"rotation: {len(self.speeds)} pairs, query at {self.query}, key at {self.key}"]
        for i, speed in enumerate(self.speeds):
            lines.append(f"  pair {i}: one turn in {2 * math.pi / speed:,.1f} positions, {self.between(speed)}° apart")
        lines.append(f"  score {score(self.speeds, self.query - self.key):.3f}, whatever both are moved by")
        return "\n".join(lines)

    def between(self, speed: float) -> str:
        """The angle from the key's hand to the query's, in degrees from -180 to 180, as text."""
        return str(round(math.degrees(math.remainder((self.query - self.key) * speed, 2 * math.pi))))

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict:
        return page.bundle(self, "rotation")

    def html(self) -> str:
        """The element without the script; equal input gives equal bytes."""
        speeds = [float(f"{speed:.{FIGURES}g}") for speed in self.speeds]
        data = {"speeds": speeds, "query": self.query, "key": self.key, "longest": self.longest, "title": self.title}
        return page.element("rotation", data, self.table())

    def table(self) -> str:
        """What is seen where no script runs."""
        head = "".join(f'<th scope="col">{name}</th>' for name in ("pair", "positions for one turn", "degrees apart"))
        rows = "".join(
            f'\n<tr><th scope="row">{i}</th><td>{2 * math.pi / speed:,.1f}</td><td>{self.between(speed)}</td></tr>'
            for i, speed in enumerate(self.speeds)
        )
        at = f"A query at position {self.query} and a key at {self.key}"
        caption = f"{at}: score {score(self.speeds, self.query - self.key):.3f}, whatever both are moved by"
        return f"<table><caption>{html.escape(self.title or '')} {caption}</caption><tr>{head}</tr>{rows}\n</table>"
