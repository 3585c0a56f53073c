"""With a live kernel: type a text of your own, and see how each tokenizer cuts it.

`works` is a plain function that needs no notebook; `TokenExplorer` only wires it to ipywidgets (7.7 and 8).
"""

import html
import sys

from ..tokenizers.work import Work
from .attention_map import count, visible
from .explore import WIDGET
from .token_steps import TokenSteps, arranged, check

MOST = 300  # characters of the reader's text; every step of every tokenizer travels to the page
LATER = "<p><small>With a live kernel you can type another text here.</small></p>\n"


def explore_tokens(tokenizers: dict, text: str = "Type a text of your own!") -> "TokenExplorer":
    """See how each of `tokenizers`, {name: tokenizer with show_work}, cuts a text that the reader types.

    Without ipywidgets or a kernel, as in the static book, the steps for `text` are shown. Raises ValueError for no
    tokenizer, and for a text that every one of them refuses.
    """
    try:
        import ipywidgets
    except ImportError:
        ipywidgets = None
    if not tokenizers:
        raise ValueError("tokenizers is empty; give a dict of tokenizers by name, such as {'bpe': BPE.train(...)}")
    return TokenExplorer(tokenizers, text, ipywidgets)


def works(tokenizers: dict, text: str) -> tuple[dict[str, Work], list[str]]:
    """The works of the tokenizers that take the text, and a sentence for what was refused or left out.

    ValueError if nothing is left to show.
    """
    if not text:
        raise ValueError("there is nothing to cut in an empty text; type at least one character")
    done, notes = {}, []
    if len(text) > MOST:
        notes.append(f"Only the first {MOST} of {len(text):,} characters are shown.")
    for name, tokenizer in tokenizers.items():
        try:
            work = tokenizer.show_work(text[:MOST])
            check(work, str(name))
            done[str(name)] = work
        except ValueError as error:
            notes.append(f"{name}: {error}")
    if not done:
        raise ValueError("; ".join(notes))
    return done, notes


class TokenExplorer:
    """The text box and what it shows. Made by `explore_tokens`."""

    def __init__(self, tokenizers, text, ipywidgets):
        self.tokenizers = tokenizers
        self.works, self.notes = works(tokenizers, text)
        self.box = None
        if ipywidgets is None:
            return
        w = ipywidgets
        self.text = w.Text(
            text, description="Text", continuous_update=False, style={"description_width": "40px"},
            layout=w.Layout(width="95%"),
        )  # fmt: skip
        self.message, self.shown = w.HTML(), w.Output()
        self.box = w.VBox([self.text, self.message, self.shown])
        self.text.observe(self.update, names="value")
        self.update()

    def update(self, change=None) -> None:
        """Cut what the box holds; a text that nobody takes is said to be so, and the last picture stays."""
        try:
            self.works, self.notes = works(self.tokenizers, self.text.value)
        except ValueError as error:
            self.message.value = said([str(error)])
            return
        self.message.value = said(self.notes)
        # Set as state, not printed into the Output: nothing can end up in the cell's own output.
        data = self.steps()._repr_mimebundle_()
        self.shown.outputs = ({"output_type": "display_data", "data": data, "metadata": {}},)

    def steps(self) -> TokenSteps:
        return TokenSteps(arranged(self.works), None, None, live=True)

    def __repr__(self) -> str:
        return f"token explorer: {count(len(self.tokenizers), 'tokenizer')}\n{self.steps()!r}"

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict:
        """The text box where a kernel answers it; elsewhere the steps for the text as it stands."""
        bundle = {"text/plain": repr(self)}
        if self.box is None or "google.colab" not in sys.modules:  # which Colab would choose is not known
            bundle["text/html"] = said(self.notes) + self.steps()._repr_mimebundle_()["text/html"] + LATER
        if self.box is None:
            return bundle
        return bundle | {WIDGET: {"version_major": 2, "version_minor": 0, "model_id": self.box.model_id}}


def said(notes: list[str]) -> str:
    """Sentences as HTML, one a line."""
    lines = "<br>".join(html.escape(visible(note, keep=" ")) for note in notes)
    return f"<p><small>{lines}</small></p>\n" if notes else ""
