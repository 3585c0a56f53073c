"""Neurons of a feed-forward network, to leaf through: words shaded by how much each fires there, and what it promotes.

As with the other figures: a custom element that holds the data and a plain table, and a script that brings it to life.
"""

import base64
import html
import math
from collections.abc import Mapping

from . import page
from .attention_map import count
from .token_layout import readable, seen

STEPS = 100  # shades from nothing to the most that a neuron does here
MOST_WORDS = 6  # in a row of the plain table
HINT = "a neuron is {'texts': [[(word, value), ...], ...], 'promotes': [(word, value), ...]}"


def neurons(found: Mapping, *, title: str | None = None, alt: str | None = None) -> "Neurons":
    """Show where neurons fire and which next words they promote, one neuron at a time.

    found: {name: {"texts": [[(word, activation), ...], ...], "promotes": [(word, score), ...]}}, where the promoted
    words come with the strongest first. alt is the caption of the plain table shown where scripts do not run. Raises
    ValueError.
    """
    if not isinstance(found, Mapping) or not found:
        raise ValueError(f"neurons wants a dict from names to neurons, not {found!r:.40}; {HINT}")
    for name, neuron in found.items():
        if not isinstance(neuron, Mapping) or set(neuron) != {"texts", "promotes"} or not all(neuron["texts"]):
            raise ValueError(f"neuron {name!r:.40} has the wrong parts, or a text without words; {HINT}")
        if not neuron["texts"]:
            raise ValueError(f"neuron {name!r:.40} has no text; {HINT}")
        for word, value in [*(pair for text in neuron["texts"] for pair in text), *neuron["promotes"]]:
            if not math.isfinite(value):
                raise ValueError(f"neuron {name!r:.40}: the value of {word!r:.40} is {value}, which is no number")
    return Neurons(found, title, alt)


class Neurons:
    """Neurons, their texts and their words, that a notebook shows. Made by `neurons`."""

    def __init__(self, found, title, alt):
        self.found, self.title, self.alt = {str(name): neuron for name, neuron in found.items()}, title, alt

    def __repr__(self) -> str:
        """In words: where each neuron fires most, and what it promotes."""
        lines = [f"neurons: {count(len(self.found), 'neuron')}"]
        for name, neuron in self.found.items():
            at, promotes = words(neuron)
            lines.append(f"  {readable(name)}: fires most at {', '.join(at)}; promotes {', '.join(promotes)}")
        return "\n".join(lines)

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict:
        return page.bundle(self, "neurons")

    def html(self) -> str:
        """The element without the script; equal input gives equal bytes."""
        listed, shades = [], bytearray()
        for name, neuron in self.found.items():
            for row in (*neuron["texts"], neuron["promotes"]):  # one byte a word, in the order of the words
                shades += bytes(shade(value, row if row is neuron["promotes"] else firing(neuron)) for _, value in row)
            listed.append({
                "name": readable(name),
                "texts": [[seen(str(word), keep=" ") for word, _ in text] for text in neuron["texts"]],
                "promotes": [seen(str(word), keep=" ") for word, _ in neuron["promotes"]],
            })  # fmt: skip
        heading = readable(self.title) if self.title else None
        data, packed = {"heading": heading, "neurons": listed}, base64.b64encode(bytes(shades)).decode()
        return page.element("neurons", data, self.table(), shades=packed)

    def table(self) -> str:
        """What is seen where no script runs."""
        caption = html.escape(readable(self.alt or self.title or "Where each neuron fires, and what it promotes"))
        rows = "\n<tr><th>neuron</th><th>fires most at</th><th>promotes</th></tr>"
        for name, neuron in self.found.items():
            cells = (f"<td>{' '.join(f'<bdi>{html.escape(w)}</bdi>' for w in row)}</td>" for row in words(neuron))
            rows += f'\n<tr><th scope="row">{html.escape(readable(name))}</th>{"".join(cells)}</tr>'
        return f"<table><caption>{caption}</caption>{rows}\n</table>"


def firing(neuron) -> list[tuple]:
    return [pair for text in neuron["texts"] for pair in text]


def words(neuron) -> tuple[list[str], list[str]]:
    """Where it fires most, each word once, and what it promotes."""
    at = sorted(firing(neuron), key=lambda pair: -pair[1])
    names = dict.fromkeys(seen(str(word), keep=" ") for word, value in at if value > at[0][1] / 4)
    return list(names)[:MOST_WORDS], [seen(str(word), keep=" ") for word, _ in neuron["promotes"][:MOST_WORDS]]


def shade(value: float, among: list[tuple]) -> int:
    """A byte: STEPS is nothing, 2 STEPS the strongest of `among`, below STEPS what is negative."""
    most = max(abs(v) for _, v in among) or 1.0
    return STEPS + round(STEPS * value / most)
