"""What a model says next, to turn the knobs of sampling on, in one piece of HTML that asks no other host for anything.

As with the attention map: a custom element that holds the data and a plain table of the likeliest words, and a script
that brings it to life where scripts run. The page needs one copy of the script.
"""

import html
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from . import page
from .token_layout import readable, seen

MOST = 5000  # words of a vocabulary: all their scores stand in the page
LONGEST = 1000  # letters of a text; of a longer one its end is shown
SHOWN = 5  # words of each text in the plain table
ROUND = 1000  # steps to 1 in which scores are kept
CELL = "text-align:start;padding:2px 10px 2px 0"


def next_word(
    examples: Mapping[str, tuple], labels: Sequence[str], *, title: str | None = None, alt: str | None = None
) -> "NextWord":
    """Show the distribution of the next word after several texts, under temperature, top-k, top-p and min-p.

    examples: {text: (logits, truth)}, both (vocab_size,); truth holds the exact probabilities, or is None where nobody
    knows them. labels: the words of the vocabulary, in the order of the logits. alt is the caption of the plain table
    shown where scripts do not run. Raises ValueError.
    """
    labels = [str(label) for label in labels]
    if not isinstance(examples, Mapping) or not examples:
        raise ValueError("examples must be a dict {text: (logits, truth)} with at least one text")
    if not 2 <= len(labels) <= MOST:
        raise ValueError(f"a vocabulary of 2 to {MOST:,} words can be shown, not of {len(labels):,}")
    checked = {}
    for text, pair in examples.items():
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            raise ValueError(f"{text!r:.40}: give a pair (logits, truth); truth may be None")
        logits, truth = (None if part is None else torch.as_tensor(part).detach().double().cpu() for part in pair)
        for name, part in (("logits", logits), ("truth", truth)):
            if part is not None and part.shape != (len(labels),):
                raise ValueError(f"{text!r:.40}: {name} has shape {tuple(part.shape)}; expected ({len(labels)},)")
        if logits is None or not logits.isfinite().all():
            raise ValueError(f"{text!r:.40}: the logits must be finite numbers")
        if truth is not None and not ((truth >= 0).all() and abs(truth.sum() - 1) < 1e-6):
            raise ValueError(f"{text!r:.40}: the true probabilities must not be negative, and must sum to 1")
        checked[str(text)] = ((logits * ROUND).round() / ROUND, truth)
    return NextWord(checked, labels, title, alt)


class NextWord:
    """Scores of the next word after several texts, that a notebook shows. Made by `next_word`."""

    def __init__(self, examples: dict[str, tuple[Tensor, Tensor | None]], labels: list[str], title, alt):
        self.examples, self.labels, self.title, self.alt = examples, labels, title, alt

    def __repr__(self) -> str:
        """In words: the likeliest words of each text, and how likely they are in truth."""
        lines = [f"next word: {len(self.examples)} texts, {len(self.labels)} words"]
        for text in self.examples:
            said = ", ".join(f"{word} {p}" + (f" (exact {q})" if q else "") for word, p, q in self.best(text))
            lines.append(f"  {ending(text, 60)} … {said}")
        return "\n".join(lines)

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict:
        return page.bundle(self, "next_word")

    def best(self, text: str) -> list[tuple[str, str, str]]:
        """The likeliest words after a text: label, the model's probability and the exact one in percent."""
        logits, truth = self.examples[text]
        probs, order = logits.softmax(dim=-1), logits.sort(descending=True, stable=True).indices[:SHOWN].tolist()
        exact = ["" if truth is None else f"{100 * truth[i].item():.0f} %" for i in order]
        return [(readable(self.labels[i]), f"{100 * probs[i].item():.0f} %", q) for i, q in zip(order, exact)]

    def html(self) -> str:
        """The element without the script; equal input gives equal bytes."""
        examples = []
        for text, (logits, truth) in self.examples.items():
            order = logits.sort(descending=True, stable=True).indices
            example = {"text": ending(text, LONGEST), "order": order.tolist()}
            example["z"] = (logits[order] * ROUND).round().long().tolist()
            if truth is not None:
                example["true"] = [[i, round(q, 9)] for i, q in enumerate(truth[order].tolist()) if q > 0]
            examples.append(example)
        heading = readable(self.title) if self.title else None
        labels = [readable(label) for label in self.labels]
        data = {"heading": heading, "round": ROUND, "labels": labels, "examples": examples}
        return page.element("next_word", data, self.table())

    def table(self) -> str:
        """What is seen where no script runs: the likeliest words of each text, the model's and the exact chance."""
        caption = html.escape(readable(self.alt or self.title or "The likeliest next words, and their exact chances"))
        rows = ""
        for text in self.examples:
            words = "; ".join(
                f"<b><bdi>{html.escape(word)}</bdi></b> {p}" + (f", exact {q}" if q else "")
                for word, p, q in self.best(text)
            )
            rows += f'\n<tr><th scope="row" style="{CELL}"><bdi>{html.escape(ending(text, LONGEST))}</bdi> …</th>'
            rows += f'<td style="{CELL}">{words}</td></tr>'
        return f"<table><caption>{caption}</caption>{rows}\n</table>"


def ending(text: str, most: int) -> str:
    """The end of a text, which is what a next word hangs on; nothing in it acts."""
    return seen(text if len(text) <= most else "…" + text[1 - most :], keep=" ")
