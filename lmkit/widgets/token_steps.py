"""How texts become tokens, to click through step by step, in one piece of HTML that asks no other host for anything.

As with the attention map: a custom element that holds the data and a plain table of the final tokens, and a script that
brings it to life where scripts run. The page needs one copy of the script.
"""

import html
import math
import unicodedata
from collections.abc import Mapping

from ..tokenizers.work import Work
from . import page
from .attention_map import count
from .token_layout import packed, readable, seen

MOST_TOKENS = 200  # in a row of the plain table
MOST_WORDS = 24  # of them in a row of the text that stands for the figure
MOST_LETTERS = 40  # in the name of an example that has none
LEFT = "text-align:start;padding:2px 10px 2px 0"


def token_steps(works, *, title: str | None = None, alt: str | None = None) -> "TokenSteps":
    """Show how texts are cut into tokens, by one tokenizer or by several side by side.

    works: what `tok.show_work(text)` returns, alone or in a list; or {tokenizer name: Work}, or {example name:
    {tokenizer name: Work}}, where the works of one example have the same text. alt is the caption of the plain table
    shown where scripts do not run. Raises ValueError.
    """
    examples = arranged(works)
    for name, named in examples.items():
        for tokenizer, work in named.items():
            check(work, f"{tokenizer} on {name!r}")
    return TokenSteps(examples, title, alt)


class TokenSteps:
    """Works of several tokenizers on several texts, that a notebook shows. Made by `token_steps`."""

    def __init__(self, examples, title, alt, live=False):
        self.examples, self.title, self.alt = examples, title, alt
        self.live = live  # whether the next figure takes over what was chosen in this one

    def __repr__(self) -> str:
        """In words: the final tokens, by tokenizer and text."""
        n_tokenizers = len({tokenizer for works in self.examples.values() for tokenizer in works})
        lines = [f"token steps: {count(len(self.examples), 'text')} × {count(n_tokenizers, 'tokenizer')}"]
        for name, works in self.examples.items():
            lines.append(f"{readable(name)}:" if named(name, works) else f"“{readable(name)}”:")
            for tokenizer, work in works.items():
                tokens = " | ".join(seen(token, keep=" ") for token in final(work)[:MOST_WORDS])
                more = " | …" if len(final(work)) > MOST_WORDS else ""
                lines.append(f"  {readable(tokenizer)}, {sizes(work)}: {tokens}{more}")
        return "\n".join(lines)

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict:
        return page.bundle(self, "token_steps")

    def html(self) -> str:
        """The element without the script; equal input gives equal bytes."""
        examples = [
            {
                "name": readable(
                    name if named(name, works) or len(name) <= MOST_LETTERS else name[:MOST_LETTERS] + "…"
                ),
                "dir": direction(text_of(works)),
                "chars": [seen(c) for c in text_of(works)],
                "bytes": [c.encode("utf-8", "surrogatepass").hex(" ").upper() for c in text_of(works)],
                "works": [{"name": readable(tokenizer)} | packed(work) for tokenizer, work in works.items()],
            }
            for name, works in self.examples.items()
        ]
        heading = readable(self.title) if self.title else None
        data = {"heading": heading, "live": self.live, "examples": examples}
        return page.element("token_steps", data, self.table())

    def table(self) -> str:
        """What is seen where no script runs: each text, and the tokens each tokenizer makes of it."""
        caption = readable(self.alt or self.title or "The tokens of each text")
        rows = ""
        for name, works in self.examples.items():
            text = html.escape("".join(seen(c) for c in text_of(works))) or "∅"
            title = f"{html.escape(readable(name))}: " if named(name, works) else ""
            rows += f'\n<tr><th scope="colgroup" colspan="3" style="{LEFT}">{title}<bdi>{text}</bdi></th></tr>'
            for tokenizer, work in works.items():
                tokens = final(work)
                cells = " ".join(f"<code><bdi>{html.escape(seen(t))}</bdi></code>" for t in tokens[:MOST_TOKENS])
                more = f" … and {len(tokens) - MOST_TOKENS} more" if len(tokens) > MOST_TOKENS else ""
                rows += f'\n<tr><th scope="row" style="{LEFT}">{html.escape(readable(tokenizer))}</th>'
                rows += f'<td style="{LEFT};white-space:nowrap">{count(len(tokens), "token")}</td>'
                rows += f'<td dir="{direction(work.text)}" style="{LEFT}">{cells}{more}</td></tr>'
        return f"<table><caption>{html.escape(caption)}</caption>{rows}\n</table>"


def arranged(works) -> dict[str, dict[str, Work]]:
    """Whatever form `works` has -> {example name: {tokenizer name: Work}}, where one example is one text."""
    hint = "give what tok.show_work(text) returns, in a list or in a dict by the tokenizer's name"
    if isinstance(works, Work):
        works = [works]
    if not isinstance(works, Mapping | list | tuple):
        raise ValueError(f"works is a {type(works).__name__}; {hint}")
    if not works:
        raise ValueError(f"works is empty; {hint}")
    if isinstance(works, Mapping) and all(isinstance(value, Mapping) for value in works.values()):
        examples = {str(name): {str(t): work for t, work in value.items()} for name, value in works.items()}
    else:
        examples, pairs = {}, works.items() if isinstance(works, Mapping) else ((None, work) for work in works)
        for name, work in pairs:
            if not isinstance(work, Work):
                raise ValueError(f"works holds a {type(work).__name__} ({work!r:.40}) where a Work should be; {hint}")
            same_text = examples.setdefault(work.text, {})
            same_text[str(name) if name is not None else unused(work.kind, same_text)] = work
    for name, same_text in examples.items():
        if not same_text:
            raise ValueError(f"example {name!r:.40} holds no work; {hint}")
        for tokenizer, work in same_text.items():
            if not isinstance(work, Work):
                raise ValueError(f"{tokenizer!r} of {name!r:.40} is a {type(work).__name__}, not a Work; {hint}")
            if work.text != text_of(same_text):
                raise ValueError(
                    f"example {name!r:.40} mixes the texts {text_of(same_text)!r:.40} and {work.text!r:.40}; "
                    "the works of one example are of one text"
                )
    return examples


def unused(name: str, taken) -> str:
    return next(n for n in (name, *(f"{name} {i}" for i in range(2, len(taken) + 3))) if n not in taken)


def check(work: Work, who: str) -> None:
    """ValueError, in a sentence that begins with `who`, unless everything in `work` points into its text."""
    if not work.steps:
        raise ValueError(f"{who}: a work without steps shows nothing")
    for number, step in enumerate(work.steps):
        where = f"{who}, step {number}"
        for thing in (*step.pieces, *step.candidates):
            if not 0 <= thing.start <= thing.end <= len(work.text):
                span = f"text[{thing.start}:{thing.end}]"
                raise ValueError(
                    f"{where}: {thing.label!r} is {span} of a text of {count(len(work.text), 'character')}"
                )
        for i in step.changed:
            if not 0 <= i < len(step.pieces):
                raise ValueError(f"{where}: changed piece {i} is not among its {count(len(step.pieces), 'piece')}")
        for candidate in step.candidates:
            if not math.isfinite(candidate.score):
                raise ValueError(f"{where}: the score of {candidate.label!r} is {candidate.score}, which is no number")


def direction(text: str) -> str:
    """The way a text runs: that of its first letter which has one."""
    found = (unicodedata.bidirectional(c) for c in text)
    return "rtl" if next((kind for kind in found if kind in {"L", "R", "AL"}), "L") != "L" else "ltr"


def text_of(works: dict[str, Work]) -> str:
    return next(iter(works.values())).text


def named(name: str, works: dict[str, Work]) -> bool:
    """Whether an example has a name of its own, other than its text."""
    return name != text_of(works)


def final(work: Work) -> list[str]:
    return [piece.label for piece in work.steps[-1].pieces]


def sizes(work: Work) -> str:
    return f"{count(len(final(work)), 'token')} in {count(len(work.steps), 'step')}"


def script() -> str:
    """The one script that serves every such figure of a page."""
    return page.script("token_steps")
