"""With a live kernel: type a text, switch a head off, and see maps and prediction change.

The first half is plain functions that need no notebook; `Explorer` only wires them to ipywidgets (7.7 and 8).
"""

import html
import sys
from contextlib import nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..record import ablate, record
from .attention_map import AttentionMap, attention_map, count, visible

WIDGET = "application/vnd.jupyter.widget-view+json"
LATER = "<p><small>With a live kernel you can type another text here and switch heads off.</small></p>\n"
BAR_COLOURS = "#4d7fb8", "#d1691f"  # all heads, one off; told apart by every kind of colour vision


def explore_attention(model: nn.Module, tokenizer, text: str) -> "Explorer":
    """Explore a language model's attention: another text, another layer or head, one head switched off.

    model: ids (B, T) -> logits (B, T, vocab_size); tokenizer: encode, decode and tokens. Without a kernel, as in the
    static book, the maps and the prediction for `text` are shown. Raises ImportError without ipywidgets, and
    ValueError for a text that the tokenizer or the model refuses.
    """
    try:
        import ipywidgets
    except ImportError:
        raise ImportError(
            "explore_attention needs ipywidgets (pip install ipywidgets); lmkit.widgets.attention_map works without it"
        ) from None
    return Explorer(model, tokenizer, text, ipywidgets)


@dataclass(frozen=True)
class Look:
    """What one run of the model showed."""

    tokens: list[str]
    maps: dict[str, Tensor]  #: name -> (1, n_heads, T, T)
    probabilities: Tensor  #: (vocab_size), of the next token


@torch.no_grad()
def look(model: nn.Module, tokenizer, text: str, off: tuple[str, int] | None = None) -> Look:
    """Run the model on `text`, with the head `off` = (layer, head) silent if given."""
    ids = tokenizer.encode(text)
    if not len(ids):
        raise ValueError(f"the text {text!r} holds no token; give at least one")
    training = model.training
    model.eval()
    try:
        with record(model) as maps, ablate(model, {off[0]: off[1]}) if off else nullcontext():
            logits = model(torch.tensor([list(ids)], device=next(model.parameters()).device))  # (1, T, vocab_size)
    finally:
        model.train(training)
    return Look(tokenizer.tokens(text), maps, logits[0, -1].float().softmax(-1).cpu())


def most_likely(before: Look, after: Look | None, k: int = 5) -> list[int]:
    """Ids of the k most likely next tokens, and of those that came among them with the head off."""
    ids = before.probabilities.topk(min(k, len(before.probabilities))).indices.tolist()
    more = [] if after is None else after.probabilities.topk(min(k, len(after.probabilities))).indices.tolist()
    return ids + [i for i in more if i not in ids]


def bars(tokenizer, before: Look, after: Look | None) -> str:
    """The next token's probabilities as an HTML table of bars. `data-computed`: its numbers come from floats."""
    style, looks = "text-align:left;padding:2px 8px", [before] if after is None else [before, after]
    heads = ["next token", "probability"] if after is None else ["next token", "all heads", "head off"]
    rows = "".join(f'<th scope="col" style="{style}">{name}</th>' for name in heads)
    for i in most_likely(before, after):
        label = html.escape(visible(tokenizer.decode([i])))
        rows += f'</tr>\n<tr><th scope="row" style="{style}"><bdi>{label}</bdi></th>'
        for seen, colour in zip(looks, BAR_COLOURS, strict=False):
            rows += f'<td style="{style}">{bar(float(seen.probabilities[i]), colour)}</td>'
    return (
        f'<table data-computed style="border-collapse:collapse;margin:4px 0;font-size:13px"><tr>{rows}</tr></table>\n'
    )


def bar(p: float, colour: str) -> str:
    percent = round(100 * p)
    style = f"display:inline-block;height:10px;width:{percent * 1.2:.0f}px;background:{colour};border-radius:2px"
    number = f"{percent} %" if percent else "below 1 %"
    return f'<span style="{style}"></span> <span style="font-variant-numeric:tabular-nums">{number}</span>'


class Explorer:
    """The controls and what they show. Made by `explore_attention`."""

    def __init__(self, model, tokenizer, text, ipywidgets):
        self.model, self.tokenizer = model, tokenizer
        self.before = self.now = look(model, tokenizer, text)
        self.seen = text
        n_heads = next(iter(self.now.maps.values())).shape[1]
        wide, w = {"description_width": "60px"}, ipywidgets
        self.text = w.Text(text, description="Text", continuous_update=False, style=wide, layout=w.Layout(width="95%"))
        self.layer = w.Dropdown(options=list(self.now.maps), description="Layer", style=wide)
        self.head = w.Dropdown(options=[(f"head {i}", i) for i in range(n_heads)], description="Head", style=wide)
        self.off = w.Checkbox(False, description="switch this head off", indent=False)
        self.message, self.prediction, self.shown = w.HTML(), w.HTML(), w.Output()
        choices = w.HBox([self.layer, self.head, self.off], layout=w.Layout(flex_flow="row wrap"))
        self.box = w.VBox([self.text, choices, self.message, self.prediction, self.shown])
        for control in self.text, self.layer, self.head, self.off:
            control.observe(self.update, names="value")
        self.update()

    def update(self, change=None) -> None:
        """Run the model with what the controls say; what it refuses is said, and the last picture stays."""
        off = (self.layer.value, self.head.value) if self.off.value else None
        try:
            before = self.before if self.text.value == self.seen else look(self.model, self.tokenizer, self.text.value)
            now = look(self.model, self.tokenizer, self.text.value, off) if off else before
        except ValueError as error:
            self.message.value = f'<b style="color:#c2410c">{html.escape(visible(str(error), keep=" "))}</b>'
            return
        self.before, self.now, self.seen, self.message.value = before, now, self.text.value, ""
        self.prediction.value = self.bars()
        # Set as state, not printed into the Output: nothing can end up in the cell's own output.
        data = self.map()._repr_mimebundle_()
        self.shown.outputs = ({"output_type": "display_data", "data": data, "metadata": {}},)

    def map(self) -> AttentionMap:
        layer, head = list(self.now.maps).index(self.layer.value), self.head.value
        title = f"{self.layer.value}, head {head} switched off" if self.now is not self.before else None
        return attention_map(self.now.maps, self.now.tokens, layer=layer, head=head, title=title)

    def bars(self) -> str:
        return bars(self.tokenizer, self.before, self.now if self.now is not self.before else None)

    def __repr__(self) -> str:
        n_heads = next(iter(self.now.maps.values())).shape[1]
        layers, heads = count(len(self.now.maps), "layer"), count(n_heads, "head")
        return f"attention explorer: {layers} × {heads}, {count(len(self.now.tokens), 'token')}"

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict:
        """Controls where a kernel answers them; elsewhere the map and the prediction as they stand."""
        bundle = {"text/plain": repr(self)}
        if "google.colab" not in sys.modules:  # which of the two Colab would choose is not known; there, controls only
            bundle["text/html"] = self.bars() + self.map()._repr_mimebundle_()["text/html"] + LATER
        return bundle | {WIDGET: {"version_major": 2, "version_minor": 0, "model_id": self.box.model_id}}
