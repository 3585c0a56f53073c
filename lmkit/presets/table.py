"""Presets side by side: a table that reads as text, and as a table in a notebook."""

import html
import re
from dataclasses import replace

from ..config import Config
from ..heads import LM, MaskedLM
from .format import on_paper, width_of

COLUMNS = [
    "name", "year", "parameters", "norm", "residual", "positions", "attention", "window", "ffn",
    "d_model", "n_layers", "d_ff", "vocab_size", "max_seq_len", "source",
]  # fmt: skip


def parameters(config: Config) -> int:
    """The parameters of a language model of this Config, a masked one if it looks both ways; what is tied counts once.

    Nothing is allocated for it.
    """
    head = LM if config.causal else MaskedLM

    def size(encoder: int, decoder: int) -> int:
        model = on_paper(head, replace(config, n_encoder_layers=encoder, n_layers=decoder))
        return sum(parameter.numel() for parameter in model.parameters())

    first = min(1, config.n_encoder_layers)  # layers are alike, so that two tell the size of all
    small = size(first, 1)
    encoder = (config.n_encoder_layers - 1) * (size(2, 1) - small) if first else 0
    return small + encoder + (config.n_layers - 1) * (size(first, 2) - small)


def short(count: int) -> str:
    """1234567890 -> 1.23B."""
    for size, letter in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if count >= size:
            return f"{count / size:.3g}{letter}"
    return str(count)


def spelled(choice) -> str:
    """A choice from a menu, with its options behind it: rope(theta=500000.0)."""
    if isinstance(choice, dict):
        how = ", ".join(f"{key}={value:g}" for key, value in choice.items() if key != "name")
        return f"{choice['name']}({how})"
    return str(choice)


def row(name: str, config: Config, source: str) -> dict[str, str]:
    c = config
    heads = f"{c.n_heads} heads" if c.n_kv_heads in (None, c.n_heads) else f"{c.n_heads} heads, {c.n_kv_heads} kv"
    extras = [f"width {c.d_head}"] * (c.d_head is not None) + [f"qk {c.qk_norm}"] * (c.qk_norm is not None)
    extras += [spelled(c.attention)] * (c.attention != "dot_product") + ["looks both ways"] * (not c.causal)
    windows = sorted({str(window) for window in c.windows}) if c.window is not None else [""]
    return {
        "name": name,
        "year": re.search(r"\b(19|20)\d\d\b", source).group(),
        "parameters": short(parameters(c)),
        "norm": spelled(c.norm),
        "residual": spelled(c.residual),
        "positions": spelled(c.positions),
        "attention": ", ".join([heads, *extras]),
        "window": " / ".join(windows),
        "ffn": spelled(c.ffn),
        "d_model": str(c.d_model),
        "n_layers": f"{c.n_encoder_layers} + {c.n_layers}" if c.n_encoder_layers else str(c.n_layers),
        "d_ff": str(width_of(c)),
        "vocab_size": str(c.vocab_size),
        "max_seq_len": str(c.max_seq_len),
        "source": source,
    }


class Table:
    """Rows of text under COLUMNS; `rows` has them as dicts."""

    def __init__(self, presets: dict[str, tuple[Config, str]]):
        self.rows = [row(name, config, source) for name, (config, source) in presets.items()]

    def __repr__(self) -> str:
        lines = [dict(zip(COLUMNS, COLUMNS)), *self.rows]
        widths = {column: max(len(line[column]) for line in lines) for column in COLUMNS}
        return "\n".join("  ".join(line[c].ljust(widths[c]) for c in COLUMNS).rstrip() for line in lines)

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{html.escape(column)}</th>" for column in COLUMNS)
        body = "".join("<tr>" + "".join(f"<td>{html.escape(r[c])}</td>" for c in COLUMNS) + "</tr>" for r in self.rows)
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
