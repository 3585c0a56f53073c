"""A language model as a map of its parts, to touch: each part's choice, and its share of parameters and arithmetic.

One piece of HTML that asks no other host for anything: a custom element that holds the counts and a plain table of
them, and a script that brings it to life where scripts run. The page needs one copy of the script.
"""

import html
from collections.abc import Mapping
from dataclasses import replace

import torch

from .. import plots
from ..config import Config
from ..count import count
from ..presets import get
from ..presets.format import width_of
from ..presets.table import short, spelled
from . import page

COLORS = dict(zip(
    ("embeddings", "positions", "attention", "feed-forward", "norms and residuals", "head"),
    ("blue", "purple", "orange", "green", "red", "sky"),
))  # fmt: skip
LEFT = "text-align:start;padding:2px 10px 2px 0"
RULES = {  # how a sublayer stands in its block, and what a rule says in a formula
    "pre": ("nfa", "x + f(norm(x))"), "post": ("fan", "norm(x + f(x))"), "output": ("fna", "x + norm(f(x))"),
    "sandwich": ("nfna", "x + norm(f(norm(x)))"),
}  # fmt: skip


def model_map(models, *, links: Mapping | None = None, title: str | None = None, alt: str | None = None) -> "ModelMap":
    """Show models side by side as boxes that can be opened: parts, parameters, arithmetic per token, and cache.

    models: {name: Config, or the name of a preset}, each counted with the head of a language model. links: {part:
    (words, page)} for the parts that `lmkit.count` names, the page being a chapter's file without its ending. alt is
    the caption of the table that is shown where scripts do not run. Raises ValueError.
    """
    if not isinstance(models, Mapping) or not models:
        raise ValueError(f"models is {models!r:.60}; give {{name: Config, or the name of a preset}}")
    configs = {str(name): get(c) if isinstance(c, str) else c for name, c in models.items()}
    for name, config in configs.items():
        if not isinstance(config, Config):
            raise ValueError(f"{name!r} is a {type(config).__name__}; expected a Config or the name of a preset")
        if config.n_encoder_layers and config.window is not None:
            raise ValueError(f"{name!r} is an encoder-decoder with windows, whose arithmetic this map does not know")
    if unknown := sorted(set(links or {}) - set(COLORS)):
        raise ValueError(f"links are for parts, {list(COLORS)}; {unknown[0]!r} is none")
    return ModelMap({name: counted(config) for name, config in configs.items()}, dict(links or {}), title, alt)


def counted(config: Config) -> dict:
    """What a map shows of a model. Arithmetic and cache are straight lines in the length, counted at two lengths."""
    plain = replace(config, window=None)
    most = max(2, min(16, config.max_seq_len))
    short_, long = (count(plain, T, torch.bfloat16) for T in (most // 2, most))
    seen = [window or 0 for window in config.windows]  # 0: all
    found = {"groups": groups(config), "parts": {}, "max": config.max_seq_len, "windows": seen}
    for part in COLORS:
        slope = (long.flops[part] - short_.flops[part]) // (long.T - short_.T)
        fixed = long.flops[part] - slope * long.T
        found["parts"][part] = [choice(part, config), long.parameters[part], fixed, slope]
    found["active"] = long.active_parameters
    found["parameters"] = long.total_parameters
    kept = None if long.cache_bytes is None else (long.cache_bytes - short_.cache_bytes) // (long.T - short_.T)
    return found | {"cache": kept, "sizes": sizes(config, long.total_parameters)}


def sizes(c: Config, total: int) -> str:
    layers = f"{c.n_encoder_layers} + {c.n_layers}" if c.n_encoder_layers else str(c.n_layers)
    return f"{short(total)} parameters, {layers} layers, d_model {c.d_model:,}"


def groups(c: Config) -> list:
    """[[heading, [[part, words]...]]...], from the ids to the logits: what a forward passes, in its order."""
    order, _ = RULES.get(spelled(c.residual), RULES["pre"])
    words = {"n": ("norms and residuals", "norm"), "a": ("norms and residuals", "add to the stream")}
    parallel = spelled(c.block) == "parallel"

    def block(*sublayers):
        if parallel:
            sublayers = [("attention", "attention and feed-forward, side by side")]
        return [list(words[step]) if step in words else list(f) for f in sublayers for step in order]

    attention, ffn = ("attention", "attention"), ("feed-forward", "feed-forward")
    first = [["embeddings", "embedding"], ["positions", "positions"]]
    first += [["norms and residuals", "norm"]] * c.embed_norm
    last = [["norms and residuals", "final norm"]] * c.final_norm + [["head", "head"]]
    if not c.n_encoder_layers:
        return [["", first], [f"{c.n_layers} × block", block(attention, ffn)], ["", last]]
    crossed = block(("attention", "attention, causal"), ("attention", "cross-attention"), ffn)
    return [
        ["", first],
        [f"{c.n_encoder_layers} × encoder block", block(("attention", "attention, both ways"), ffn)],
        [f"{c.n_layers} × decoder block", crossed],
        ["", last],
    ]


def choice(part: str, c: Config) -> str:
    """One sentence: what this model has there."""
    if part == "embeddings":
        extra = f", times {c.embed_scale:.4g}" * (c.embed_scale != 1)
        extra += f", and {c.n_segments} kinds of segments" * bool(c.n_segments)
        return f"{c.vocab_size:,} tokens of width {c.d_model:,}{extra}"
    if part == "positions":
        return {"learned": f"a trained table of {c.max_seq_len:,} positions", "none": "none"}.get(
            spelled(c.positions), spelled(c.positions)
        )
    if part == "attention":
        kv, width = c.n_kv_heads or c.n_heads, c.d_head or c.d_model // c.n_heads
        shared = "" if kv == c.n_heads else f", {kv} of keys and values"
        near = f", windows {sorted({w or 'all' for w in c.windows}, key=str)}" * (c.window is not None)
        look = "encoder both ways, decoder causal" if c.n_encoder_layers else "causal" if c.causal else "both ways"
        return f"{c.n_heads} heads of width {width}{shared}; {look}{near}"
    if part == "feed-forward":
        return f"{spelled(c.ffn)}, inner width {c.d_ff or width_of(c):,}"
    if part == "head":
        return "reads with the embedding matrix (tied)" if c.tied else "a matrix of its own (untied)"
    _, formula = RULES.get(spelled(c.residual), ("", ""))
    return f"{spelled(c.norm)}, {spelled(c.residual)}{f': {formula}' * bool(formula)}"


class ModelMap:
    """Models as maps, that a notebook shows. Made by `model_map`."""

    def __init__(self, models: dict, links: dict, title: str | None, alt: str | None):
        self.models, self.links, self.title, self.alt = models, links, title, alt

    def __repr__(self) -> str:
        lines = [f"model map: {len(self.models)} {'model' if len(self.models) == 1 else 'models'}"]
        for name, model in self.models.items():
            lines.append(f"{name}: {model['sizes']}")
            lines += [f"  {part}: {said}; {n:,} parameters" for part, (said, n, *_) in model["parts"].items()]
        return "\n".join(lines)

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict:
        return page.bundle(self, "model_map")

    def html(self) -> str:
        """The element without the script; equal input gives equal bytes."""
        colors = {part: plots.COLORS[color] for part, color in COLORS.items()}
        data = {"title": self.title, "colors": colors, "links": self.links, "models": self.models}
        return page.element("model_map", data, self.table())

    def table(self) -> str:
        """What is seen where no script runs: for each model its parts, their choices and parameters."""
        caption = html.escape(self.alt or self.title or "Models, part by part")
        rows = ""
        for name, model in self.models.items():
            head = html.escape(f"{name}: {model['sizes']}")
            rows += f'\n<tr><th scope="colgroup" colspan="3" style="{LEFT}">{head}</th></tr>'
            for part, (said, n, *_) in model["parts"].items():
                rows += f'\n<tr><th scope="row" style="{LEFT}">{html.escape(part)}</th>'
                rows += f'<td style="{LEFT}">{html.escape(said)}</td><td style="{LEFT}">{n:,}</td></tr>'
        return f"<table><caption>{caption}</caption>{rows}\n</table>"
