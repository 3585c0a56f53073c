"""The logit lens, to touch: what a model would say at each word, read at each point of its residual stream.

As with the attention map: a custom element that holds the data and a plain table, and a script that brings it to life
where scripts run. The page needs one copy of the script.
"""

import base64
import html
from collections.abc import Callable, Mapping

import numpy as np
import torch

from ..record import logit_lens, record_stream
from . import page
from .attention_map import count
from .token_layout import readable, seen

TOP = 5  # guesses that are kept of each reading
MOST_WORDS = 120  # of an example
CELL = "padding:2px 8px 2px 0;text-align:start"


def stream_lens(
    model, tokenizer, texts, truth: Callable | None = None, *, title: str | None = None, alt: str | None = None
) -> "StreamLens":
    """Read the stream of a language model after each word of `texts`, a text or {name: text}, at each of its points.

    truth(words so far) gives the exact {next word: probability}, which is shown beside the model's guesses; alt is the
    caption of the plain table shown where scripts do not run. Raises ValueError.
    """
    if not hasattr(model, "logits"):
        raise ValueError(f"this {type(model).__name__} has no head for tokens; the lens needs a language model")
    named = texts if isinstance(texts, Mapping) else {"": texts}
    if not named or not all(isinstance(text, str) and text.strip() for text in named.values()):
        raise ValueError(f"texts must be a text, or a dict of texts by name, and none of them empty; not {texts!r:.60}")
    return StreamLens({str(name): read(model, tokenizer, text, truth) for name, text in named.items()}, title, alt)


class StreamLens:
    """What a model would say at each point of its stream, that a notebook shows. Made by `stream_lens`."""

    def __init__(self, examples: dict[str, dict], title: str | None, alt: str | None):
        self.examples, self.title, self.alt = examples, title, alt

    def __repr__(self) -> str:
        """In words: how often each point already has the guess of the last one."""
        lines = [f"logit lens: {count(len(self.examples), 'text')}; guesses that are those of the last point"]
        for name, example in self.examples.items():
            best = [[cell[0][0] for cell in row] for row in example["guesses"]]
            agree = (f"{p} {sum(a == b for a, b in zip(row, best[-1]))}" for p, row in zip(example["points"], best))
            lines.append(f"  {readable(name) if name else 'text'}, {count(len(best[-1]), 'word')}: {', '.join(agree)}")
        return "\n".join(lines)

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict:
        return page.bundle(self, "stream_lens")

    def html(self) -> str:
        """The element without the script; its readings are packed as (word, probability, exact probability)."""
        examples, numbers = [], []
        vocab: dict[str, int] = {}
        for name, example in self.examples.items():
            cells = [cell for row in example["guesses"] for cell in row] + (example["exact"] or [])
            for word, p, q in (guess for cell in cells for guess in cell):
                numbers += [vocab.setdefault(word, len(vocab)), round(p * 65535), round(q * 65535)]
            plain = {"name": name and readable(name), "points": example["points"], "exact": bool(example["exact"])}
            examples.append(plain | {"words": [seen(word) for word in example["words"]]})
        data = {"title": self.title and readable(self.title), "top": TOP, "examples": examples}
        payload = base64.b64encode(np.array(numbers, dtype="<u2").tobytes()).decode()
        words = base64.b64encode("\n".join(seen(word) for word in vocab).encode()).decode()
        return page.element("stream_lens", data, self.table(), vocab=words, probs=payload)

    def table(self) -> str:
        """What is seen where no script runs: the first guess after each word, at the first and at the last point."""
        caption = readable(self.alt or self.title or "What the model would say next, by point of its stream")
        out = ""
        for name, example in self.examples.items():
            points, best = example["points"], [[seen(cell[0][0]) for cell in row] for row in example["guesses"]]
            heads = "".join(f'<th scope="col" style="{CELL}">{html.escape(p)}</th>' for p in points)
            out += f'\n<tr><th scope="col" style="{CELL}">{html.escape(name and readable(name))} after</th>{heads}</tr>'
            for word, *guesses in zip(example["words"], *best):
                cells = "".join(f'<td style="{CELL}"><bdi>{html.escape(g)}</bdi></td>' for g in guesses)
                out += f'\n<tr><th scope="row" style="{CELL}"><bdi>{html.escape(seen(word))}</bdi></th>{cells}</tr>'
        return f"<table><caption>{html.escape(caption)}</caption>{out}\n</table>"


@torch.no_grad()
def read(model, tokenizer, text: str, truth: Callable | None) -> dict:
    """One text: its words, the points, TOP guesses (word, p, exact p) at each point and word, the exact TOP by word."""
    ids = tokenizer.encode(text)
    if len(ids) > MOST_WORDS:
        raise ValueError(f"a text of {len(ids)} tokens is too wide to be seen; give at most {MOST_WORDS}")
    words = [tokenizer.decode([i]) for i in ids]
    with record_stream(model) as stream:
        model(torch.tensor([ids], device=next(model.parameters()).device))
    exact = None if truth is None else [truth(words[: t + 1]) for t in range(len(words))]
    guesses, say = {}, {}
    for name, logits in logit_lens(model, stream).items():
        top = logits[0].float().softmax(-1).topk(min(TOP, logits.shape[-1]))
        for i in set(top.indices.flatten().tolist()) - say.keys():
            say[i] = tokenizer.decode([i])
        guesses[short(name)] = [
            [(say[i], p, exact[t].get(say[i], 0.0) if exact else 0.0) for p, i in zip(ps, best)]
            for t, (ps, best) in enumerate(zip(top.values.tolist(), top.indices.tolist()))
        ]
    best = exact and [sorted(chances.items(), key=lambda pair: (-pair[1], pair[0]))[:TOP] for chances in exact]
    exact = best and [[(w, q, q) for w, q in row] + [("", 0.0, 0.0)] * (TOP - len(row)) for row in best]
    return {"words": words, "points": list(guesses), "guesses": list(guesses.values()), "exact": exact}


def short(point: str) -> str:
    """blocks.0.attn -> attn 0; blocks.0, where the sublayers write together -> block 0"""
    parts = point.rpartition("blocks.")[2].split(".") if "blocks." in point else [point]
    return f"block {parts[0]}" if parts[0].isdigit() and len(parts) == 1 else " ".join(reversed(parts))
