"""Attention maps to hover over and walk through by keyboard, in one piece of HTML that asks no other host for anything.

The HTML is a custom element that holds the data and a plain picture, and a script that brings it to life where scripts
run. The page needs one copy of the script; where none runs (GitHub, an untrusted notebook) the picture is what is seen.
"""

import base64
import hashlib
import html
import json
import unicodedata
import zlib
from collections.abc import Mapping, Sequence

import numpy as np

from . import page
from .png import picture

DEFLATE_FROM = 50_000  # bytes; below it a browser without DecompressionStream can read the data too
SIXTEEN_BITS_TO = 25_000  # cells; small maps can afford to be exact to three decimals
SYMBOLS = {" ": "␣", "\n": "↵", "\t": "⇥"}


def attention_map(
    maps,
    tokens: Sequence,
    *,
    batch_row: int = 0,
    layer: int = 0,
    head: int = 0,
    query: int | None = None,
    title: str | None = None,
    alt: str | None = None,
) -> "AttentionMap":
    """Show who looks at whom: every layer and head of `maps`, in a notebook and in the static book.

    maps: what `lmkit.record` collects, name -> (B, n_heads, T, S); or (n_layers, n_heads, T, S), (n_heads, T, S) or
    (T, S). tokens: one label per position, or a pair (query labels, key labels) where these differ, as in
    cross-attention. batch_row picks one sequence of the batch. layer, head and query (a position, the last unless
    given) are lit first. alt describes the picture shown where scripts do not run; without it the strongest links
    are listed. Raises ValueError.
    """
    names, weights = stacked(maps, batch_row)
    n_layers, n_heads, T, S = weights.shape
    queries, keys = token_pair(tokens, T, S)
    query = T - 1 if query is None else query
    layer, head, query = (value if isinstance(value, float) else int(value) for value in (layer, head, query))
    for what, value, n in ("layer", layer, n_layers), ("head", head, n_heads), ("query", query, T):
        if isinstance(value, float) or not 0 <= value < n:
            raise ValueError(f"{what}={value} is not among these maps, which have {n}, counted from 0")
    return AttentionMap(names, weights, queries, keys, (layer, head, query), title, alt)


class AttentionMap:
    """Attention maps of one sequence, (n_layers, n_heads, T, S), that a notebook shows. Made by `attention_map`."""

    def __init__(self, names, weights, queries, keys, first, title, alt):
        self.names, self.weights, self.queries, self.keys = names, weights, queries, keys
        (self.layer, self.head, self.query), self.title, self.alt = first, title, alt

    def __repr__(self) -> str:
        n_layers, n_heads, T, S = self.weights.shape
        layers, heads = count(n_layers, "layer"), count(n_heads, "head")
        return f"attention map: {layers} × {heads}, {count(T, 'query', 'queries')} × {count(S, 'key')}"

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict:
        return {"text/plain": repr(self), "text/html": self.html() + script()}

    def html(self) -> str:
        """The element without the script; equal input gives equal bytes."""
        config = {
            "layers": [visible(name, keep=" ") for name in self.names],
            "n_heads": self.weights.shape[1],
            "queries": [visible(token) for token in self.queries],
            "keys": None if self.keys is None else [visible(token) for token in self.keys],
            "layer": self.layer,
            "head": self.head,
            "query": self.query,
            "heading": visible(self.title, keep=" ") if self.title else None,
        }
        data, bits, deflated = payload(self.weights)
        config |= {"bits": bits, "deflated": deflated}
        named = hashlib.sha256(json.dumps([config, self.weights.shape]).encode()).hexdigest()[:12]
        if self.alt is None:  # computed from floats: marked, so that a comparison across machines can leave it out
            alt = f'data-computed alt="{html.escape(self.strongest_links())}"'
        else:
            alt = f'alt="{html.escape(visible(self.alt, " "))}"'
        png, width = picture(self.weights[self.layer])
        return (
            f'<lmkit-attention-map data-map="{named}" data-lm-suppress-shortcuts="true" '
            f'data-config="{html.escape(json.dumps(config))}" data-weights="{data}">'
            f'<img {alt} width="{width}" style="max-width:100%;height:auto" src="data:image/png;base64,{png}">'
            f"<br><small>{html.escape(self.caption())}</small></lmkit-attention-map>\n"
        )

    def caption(self) -> str:
        """What stands under the plain picture."""
        title = f"{visible(self.title, keep=' ')}: " if self.title else ""
        squares = "" if self.weights.shape[1] == 1 else ", one square per head"
        layer = visible(self.names[self.layer], keep=" ")
        return f"{title}{self}. Shown: {layer}{squares}; rows are queries, columns are keys, darker is more."

    def strongest_links(self, most: int = 12) -> str:
        """In words what the picture shows: the head shown first, each query's strongest key where one clearly leads."""
        weights, keys = self.weights[self.layer, self.head], self.keys or self.queries
        links = []
        for query, row in zip(self.queries, weights, strict=True):
            best = int(row.argmax())
            if row[best] > 0.05 + np.delete(row, best).max(initial=0):
                links.append(f"{visible(query)} → {visible(keys[best])}")
        shown = ", ".join(links[:most]) + (", …" if len(links) > most else "")
        layer = visible(self.names[self.layer], keep=" ")
        return f"Attention of {layer}. Strongest links of head {self.head}: {shown or 'none stands out'}."


def stacked(maps, batch_row: int) -> tuple[list[str], np.ndarray]:
    """Whatever form `maps` has -> layer names and float32 weights (n_layers, n_heads, T, S) of one batch row."""
    if isinstance(maps, Mapping):
        names, layers = [str(name) for name in maps], list(maps.values())
    elif isinstance(maps, list | tuple):
        names, layers = None, list(maps)
    else:
        whole = as_array(maps)
        if not 2 <= whole.ndim <= 4:
            raise ValueError(f"maps must be (T, S), (n_heads, T, S) or (n_layers, n_heads, T, S), not {whole.shape}")
        names, layers = None, list(whole.reshape((1,) * (4 - whole.ndim) + whole.shape))
    if not layers:
        raise ValueError("maps is empty: run the model inside `with lmkit.record(model) as maps:`")
    names = names or [f"layer {i}" for i in range(len(layers))]
    layers = [one_sequence(name, as_array(layer), batch_row) for name, layer in zip(names, layers, strict=True)]
    for name, layer in zip(names, layers, strict=True):
        if layer.shape != layers[0].shape:
            raise ValueError(
                f"{name} has maps of shape {layer.shape} but {names[0]} has {layers[0].shape}; show them separately"
            )
    weights = np.stack(layers)
    if 0 in weights.shape:
        raise ValueError(f"there is nothing to show in maps of shape {weights.shape}")
    for wrong, what in (~np.isfinite(weights), "is not a number"), (abs(weights - 0.5) > 0.501, "is not in [0, 1]"):
        if wrong.any():
            i, h, q, k = np.argwhere(wrong)[0]
            raise ValueError(f"{names[i]}, head {h}, query {q}, key {k}: {weights[i, h, q, k]} {what}")
    return names, weights.clip(0, 1)


def as_array(x) -> np.ndarray:
    if hasattr(x, "detach"):  # a torch tensor, wherever it lives
        x = x.detach().cpu().float().numpy()
    return np.asarray(x, dtype=np.float32)


def one_sequence(name: str, layer: np.ndarray, batch_row: int) -> np.ndarray:
    """(B, n_heads, T, S), (n_heads, T, S) or (T, S) -> (n_heads, T, S)."""
    if layer.ndim == 4:
        if not 0 <= batch_row < len(layer):
            raise ValueError(f"batch_row={batch_row}, but {name} holds a batch of {len(layer)}, counted from 0")
        return layer[batch_row]
    if layer.ndim == 3:
        return layer
    if layer.ndim == 2:
        return layer[None]
    raise ValueError(f"{name} must be (B, n_heads, T, S) or (n_heads, T, S), not {layer.shape}")


def token_pair(tokens, T: int, S: int) -> tuple[list[str], list[str] | None]:
    """Check the labels; keys are None where queries and keys are the same tokens."""
    if isinstance(tokens, str):
        raise ValueError(f"tokens must be a list of strings, one per position, not the string {tokens!r}")
    tokens = list(tokens)
    pair = len(tokens) == 2 and all(isinstance(side, list | tuple) for side in tokens)
    queries, keys = (list(tokens[0]), list(tokens[1])) if pair else (tokens, None)
    for token in queries + (keys or []):
        if not isinstance(token, str):
            raise ValueError(f"tokens must be strings, not {type(token).__name__} ({token!r})")
    if keys is None and T != S:
        raise ValueError(f"maps have {T} queries and {S} keys, so tokens must be a pair (query tokens, key tokens)")
    for labels, n, what in (queries, T, "query"), (queries if keys is None else keys, S, "key"):
        if len(labels) != n:
            raise ValueError(f"maps have {n} {what} positions, but {len(labels)} tokens were given for them")
    return queries, keys


def visible(text: str, keep: str = "") -> str:
    """A label in which every character is seen and none acts: spaces, controls, bidi marks, lone surrogates."""
    return "".join(c if c in keep else visible_character(c) for c in text) or "∅"


def visible_character(c: str) -> str:
    if c in SYMBOLS:
        return SYMBOLS[c]
    hidden = unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp", "Zs"} and c != "\u200d"  # joins emoji
    return f"‹{ord(c):02X}›" if hidden else c


def payload(weights: np.ndarray) -> tuple[str, int, bool]:
    """Weights as base64 of 8- or 16-bit codes, then one bit per layer and cell: exactly 0 in every head.

    An 8-bit code is at most 1/510 from its weight. Deflated where that pays.
    """
    bits = 16 if weights.size <= SIXTEEN_BITS_TO else 8
    codes = np.rint(weights.astype(np.float64) * (2**bits - 1)).astype("<u2" if bits == 16 else "u1")
    data = codes.tobytes() + np.packbits((weights == 0).all(axis=1)).tobytes()
    deflated = len(data) > DEFLATE_FROM
    return base64.b64encode(zlib.compress(data, 9) if deflated else data).decode(), bits, deflated


def script() -> str:
    """The one script that serves every map of a page."""
    return page.script("attention_map")


def count(n: int, one: str, many: str | None = None) -> str:
    return f"{n} {one if n == 1 else many or one + 's'}"
