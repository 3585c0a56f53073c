"""From our parameters to the tensors of a family, and from a Config to its config.json and back."""

import re
from dataclasses import fields, replace
from types import ModuleType
from typing import Any

import torch
from torch import nn

from ..choose import choose
from ..config import MENUS, Config
from ..presets.format import Part, Settings, component_of, on_paper

NUMBER = re.compile(r"\.(\d+)(?=\.)")


def parts_of(model: nn.Module, family: ModuleType) -> dict[str, Part]:
    """For each parameter of the model, under its first name, the tensor of the family that holds it."""
    rows = family.TENSORS(model) if callable(family.TENSORS) else family.TENSORS
    parts = {}
    for name, _ in model.named_parameters():
        row = rows.get(NUMBER.sub(".{}", name.removeprefix("body.")))
        if row is None:
            raise ValueError(f"{family.MODEL_TYPE} has no tensor for the parameter {name!r}")
        part = row if isinstance(row, Part) else Part(row)
        parts[name] = replace(part, name=part.name.format(*NUMBER.findall(name)))
    return parts


def stored_shape(shape: torch.Size, part: Part) -> tuple[int, ...]:
    """The shape of the family's tensor, from that of our parameter."""
    shape = (part.skipped + shape[0] * part.parts, *shape[1:])
    return shape[::-1] if part.transposed else shape


def settings_of(config: Config, family: ModuleType) -> tuple[dict, list[str]]:
    """What config.json would say in this family, and each choice of `config` that is lost in it.

    Raises ValueError if the family has nothing like it.
    """
    said = family.config_to(config)
    back = family.config_from(Settings(said))
    ours, theirs = computed(config), computed(back)
    lost = [field for field in ours if ours[field] != theirs[field]]
    return said, [f"{field}={getattr(config, field)!r} (there {getattr(back, field)!r})" for field in lost]


def computed(config: Config) -> dict[str, Any]:
    """What a Config makes the network compute, in one spelling: defaults filled in, components instead of names."""
    c = {f.name: getattr(config, f.name) for f in fields(Config)}
    del c["init"]  # how the weights began, which nobody sees
    for field in c.keys() & MENUS.keys():
        c[field] = None if c[field] is None else component_of(c[field], MENUS[field])
    if c["positions"][1].get("trained_len", 0) is None:
        c["positions"][1]["trained_len"] = config.max_seq_len
    c["window"] = config.windows
    c["n_kv_heads"] = config.n_kv_heads or config.n_heads
    c["d_head"] = config.d_head or config.d_model / config.n_heads
    ffn = on_paper(choose(config.ffn, MENUS["ffn"]), config.d_model, config.d_ff, bias=config.bias)
    c["d_ff"] = {name: tuple(p.shape) for name, p in ffn.named_parameters() if not name.endswith("bias")}
    return c
