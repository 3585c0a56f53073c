"""One line of coloured tokens with their ids: plain HTML, for the many short encodings that a chapter shows."""

import html

from .attention_map import count
from .token_steps import direction, seen

# Over the page's own paper and under its own ink, so that light and dark both do: blue, green, amber, violet.
TINTS = ("rgb(45 125 220 / 0.2)", "rgb(50 160 60 / 0.2)", "rgb(225 150 20 / 0.24)", "rgb(140 90 220 / 0.22)")
BOX = "display:flex;flex-wrap:wrap;gap:4px;margin:6px 0"
TOKEN = "border-radius:6px;padding:2px 7px 3px;text-align:center;min-width:1.6em;max-width:100%;overflow-wrap:anywhere"
LABEL = "font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:15px;line-height:1.4"
ID = "display:block;font-size:11px;line-height:1.3"


def tokens_line(tok, text: str) -> "TokensLine":
    """Show the tokens of `text` and the id of each; `tok` has encode and tokens. ValueError as those raise it."""
    return TokensLine(tok.tokens(text), tok.encode(text))


class TokensLine:
    """Tokens in a row, that a notebook shows. Made by `tokens_line`."""

    def __init__(self, labels, ids):
        self.labels, self.ids = [seen(label, keep=" ") for label in labels], [int(i) for i in ids]
        if len(self.labels) != len(self.ids):
            raise ValueError(
                f"the tokenizer gives {len(self.labels)} labels for {len(self.ids)} ids; one each is needed"
            )

    def __repr__(self) -> str:
        return " | ".join(self.labels) or "no tokens"

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict:
        return {"text/plain": repr(self), "text/html": self.html()}

    def html(self) -> str:
        """The line; equal input gives equal bytes."""
        tokens = "\n".join(
            f'<span role="listitem" style="background:{TINTS[n % len(TINTS)]};{TOKEN}">'
            f'<bdi style="{LABEL}">{html.escape(label)}</bdi> <small style="{ID}">{i}</small></span>'
            for n, (label, i) in enumerate(zip(self.labels, self.ids, strict=True))
        )
        said = f'role="list" aria-label="{count(len(self.ids), "token")}" dir="{direction("".join(self.labels))}"'
        return f'<div class="lmkit-tokens" {said} style="{BOX}">\n{tokens or "no tokens"}\n</div>\n'
