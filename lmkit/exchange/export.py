"""Export a model to the layout of a published architecture, so that other libraries open it and compute the same."""

import json
from contextlib import suppress
from pathlib import Path
from types import ModuleType

import torch
from torch import Tensor, nn

from ..atomic import new_folder
from ..presets import FAMILIES
from .layout import parts_of, settings_of
from .tensors import write_tensors
from .tokenizer import write_tokenizer


def export(
    model: nn.Module, tokenizer, folder: str | Path, *, family: str | None = None, max_shard_size: int = 5_000_000_000
) -> Path:
    """Write the model so that `transformers.AutoModelForCausalLM.from_pretrained(folder)` gives the same logits.

    >>> lmkit.export(model, tokenizer, "exports/tales")

    `family` (default: the first that fits) is one of lmkit.presets.FAMILIES; files of weights are at most
    `max_shard_size` bytes each. The tokenizer is one of lmkit.tokenizers, a `tokenizers.Tokenizer`, or None. The folder
    is written whole or not at all. Raises ValueError for a model that no family can express, naming what is in the way.
    """
    if max_shard_size < 1:
        raise ValueError(f"max_shard_size is a number of bytes, at least 1, not {max_shard_size}")
    chosen, said = _choose(model, family)
    tensors = _tensors(model, chosen)
    with new_folder(folder) as new:
        write_tensors(tensors, new, max_shard_size)
        (new / "config.json").write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")
        if tokenizer is not None:
            write_tokenizer(tokenizer, new)
    return Path(folder)


def _choose(model: nn.Module, name: str | None) -> tuple[ModuleType, dict]:
    """The family and what its config.json says of this model."""
    if name is not None and name not in FAMILIES:
        raise ValueError(f"family {name!r} is not one of {sorted(FAMILIES)}")
    found = {}
    for candidate, chosen in FAMILIES.items():
        if type(model) in chosen.HEADS.values() and name in (None, candidate):
            with suppress(ValueError):
                found[candidate] = settings_of(model.config, chosen)
    if not found:
        raise ValueError(f"no published architecture here ({name or 'any'}) is such a {type(model).__name__}")
    nearest = min(found, key=lambda n: len(found[n][1]))
    said, lost = found[nearest]
    if lost:
        who = f"{name} has" if name else f"no published architecture here has; the nearest is {nearest}"
        raise ValueError(f"this model has what {who}: {', '.join(lost)}")
    chosen = FAMILIES[nearest]
    architecture = next(a for a, head in chosen.HEADS.items() if head is type(model))
    dtype = str(next(model.parameters()).dtype).removeprefix("torch.")
    unsaid = dict.fromkeys(("bos_token_id", "eos_token_id", "pad_token_id"))  # else their defaults would end texts
    about = {"model_type": nearest, "architectures": [architecture], "dtype": dtype, "torch_dtype": dtype}
    return chosen, about | unsaid | said


def _tensors(model: nn.Module, family: ModuleType) -> dict[str, Tensor]:
    """Our parameters under the family's names and in its layout."""
    parts, stored = parts_of(model, family), {}
    for name, parameter in model.named_parameters():
        if not parameter.isfinite().all():
            raise ValueError(f"the parameter {name!r} holds nan or infinity")
        stored.setdefault(parts[name].name, []).append((parts[name], parameter.detach()))
    return {name: _joined(pieces) for name, pieces in stored.items()}


def _joined(pieces: list) -> Tensor:
    pieces = sorted(pieces, key=lambda piece: piece[0].part)
    first, tensor = pieces[0]
    skipped = [tensor.new_zeros(first.skipped, *tensor.shape[1:])] if first.skipped else []
    rows = [*skipped, *(tensor for _, tensor in pieces)]
    whole = torch.cat(rows) if len(rows) > 1 else tensor
    return (whole.t() if first.transposed else whole).contiguous()
