"""Settings of a run: one flat dict, as in a run's JSON; what differs from it says what a variant changes."""

import json
from dataclasses import fields

from ..config import Config

MODEL = {f.name for f in fields(Config)} - {"vocab_size"}

#: What a comparison starts from unless it says otherwise: small, modern, plain.
BASE = dict(
    corpus="tales",
    level=1,  # of the tales
    tokenizer="words",
    model=dict(d_model=96, n_layers=2, n_heads=4, norm="rmsnorm", positions="rope", init="fan_in", bias=False),
    objective="causal",
    optimizer="adamw",
    schedule="cosine",
    steps=400,
    batch_size=16,
    seq_len=128,
    window_bytes=None,  # instead of seq_len: as many tokens as make so many bytes of text
    lr=4e-3,
    warmup=20,
    weight_decay=0.1,
    clip=1.0,
    precision="float32",
    seed=0,
)


def changed(settings: dict, changes: dict) -> dict:
    """`settings` with other values; fields of the model are known by their names. ValueError for an unknown name."""
    unknown = set(changes) - MODEL - set(BASE)
    if unknown:
        raise ValueError(f"{sorted(unknown)} are no settings; expected some of {sorted(MODEL | set(BASE))}")
    model = settings["model"] | changes.get("model", {}) | {name: changes[name] for name in changes if name in MODEL}
    others = {name: value for name, value in changes.items() if name in BASE and name != "model"}
    return settings | others | {"model": model}


def of(base: Config | dict) -> dict:
    """Settings whose model is a Config, or which differ from BASE as a dict says; whole settings as they are."""
    if isinstance(base, Config):
        plain, usual = base.to_dict(), Config(base.vocab_size).to_dict()
        return BASE | {"model": {name: plain[name] for name in MODEL if plain[name] != usual[name]}}
    return dict(base) if set(base) >= set(BASE) else changed(BASE, base)


def grid(*axes: dict[str, dict]) -> dict[str, dict]:
    """Every combination of the changes along several axes: {"a": ...} and {"b": ...} give {"a, b": ...}."""
    found = {"": {}}
    for axis in axes:
        found = {", ".join(filter(None, (one, two))): found[one] | axis[two] for one in found for two in axis}
    return found


def key(value) -> str:
    """JSON that is the same for equal settings."""
    return json.dumps(value, sort_keys=True)
