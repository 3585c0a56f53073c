"""Load a published checkpoint: every tensor is used or ignored by name, and what does not fit is refused."""

import re
import warnings
from functools import reduce
from pathlib import Path
from types import ModuleType

import torch
from torch import nn

from .. import checkpoints, tokenizers
from ..atomic import MANIFEST, check_manifest
from ..presets import FAMILIES
from ..presets.format import Settings, on_paper
from .hub import download, files_of
from .layout import parts_of, stored_shape
from .tensors import DTYPES, INDEX, SINGLE, Stored, equal, read_into, read_json, stored_in
from .tokenizer import read_tokenizer


def load(
    path_or_hub_id: str | Path,
    *,
    revision: str | None = None,
    dtype: torch.dtype | None = None,
    device: str | torch.device = "cpu",
) -> tuple[nn.Module, object]:
    """Return (model, tokenizer) of a checkpoint: a folder, a model on the Hugging Face hub, or one of the book's own.

    >>> model, tokenizer = lmkit.load("gpt2", revision="607a30d783dfa663caf39e06633721c8d4cfcd7e")

    The weights are read straight to their place, in `dtype` (default: the widest that is stored). The tokenizer is a
    `tokenizers.Tokenizer`, or None if there are no files of one. `revision` pins a model of the hub: a commit or tag.
    Raises FileNotFoundError if there is no such checkpoint, ValueError for one that is damaged, that contradicts
    itself, or that has a feature which lmkit has not, and for a device that is not there.
    """
    if dtype is not None and dtype not in DTYPES.values():
        raise ValueError(f"dtype must be one of {[str(d) for d in DTYPES.values()]}, not {dtype!r}")
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as problem:
        raise ValueError(f"device {str(device)!r} cannot be used here: {str(problem).splitlines()[0]}") from None
    if checkpoints.find(path_or_hub_id) is not None:
        model, saved, _ = checkpoints.load(path_or_hub_id)
        return model.to(device=device, dtype=dtype), tokenizers.from_dict(saved)
    folder = Path(path_or_hub_id)
    if folder.is_file():
        raise ValueError(f"{folder} is a file; give the folder that holds it beside its config.json")
    if not folder.is_dir():
        folder = download(str(path_or_hub_id), revision)
    if (folder / MANIFEST).is_file():
        check_manifest(folder, others=True)
    _refuse_pickles(folder, path_or_hub_id, revision)
    model = _load_model(folder, dtype, torch.device(device))
    return model.eval(), read_tokenizer(folder)


def _load_model(folder: Path, dtype: torch.dtype | None, device: torch.device) -> nn.Module:
    path = folder / "config.json"
    said = Settings(read_json(path), str(path))
    family = said.choice("model_type", FAMILIES)
    said.fixed(quantization_config=None)
    head = family.HEADS[_architecture(said, family)]
    stored = _by_name(folder, family)
    said.tensors = stored.keys()
    config = family.config_from(said)
    _name_what_was_not_read(said)
    try:
        model = on_paper(head, config)
    except (ValueError, RuntimeError) as error:  # the latter from torch, for sizes that no memory could hold
        raise ValueError(f"{path} asks for what cannot be built: {error}") from None
    _check(model, family, stored, path)
    _fill(model, family, stored, dtype, device)
    return model


def _architecture(said: Settings, family: ModuleType) -> str:
    named = said.get("architectures") or [next(iter(family.HEADS))]
    if not isinstance(named, list) or named[0] not in list(family.HEADS):
        raise ValueError(f"{said.where} says architectures={named!r}; of this family lmkit has {list(family.HEADS)}")
    return named[0]


def _name_what_was_not_read(said: Settings) -> None:
    for name, meant in said.misspelt():
        raise ValueError(f"{said.where} says {name!r}, which nobody knows; {meant!r} may be meant")
    if unread := said.unread():
        warnings.warn(f"{said.where} says {', '.join(unread)}: unknown to lmkit, so not followed", stacklevel=4)


def _refuse_pickles(folder: Path, name: str | Path, revision: str | None) -> None:
    """Where there are no safetensors, say how to make them of what there is."""
    if (folder / SINGLE).is_file() or (folder / INDEX).is_file():
        return
    files = [path.name for path in folder.iterdir()] if folder == Path(name) else files_of(str(name), revision)
    if pickles := sorted(file for file in files if file.endswith((".bin", ".pt", ".pth"))):
        target = str(folder) if folder == Path(name) else f"{Path(name).name}-safetensors"
        heads = read_json(folder / "config.json").get("architectures")
        known = [head for family in FAMILIES.values() for head in family.HEADS if heads == [head]]
        code = f"t.{(known or ['AutoModel'])[0]}.from_pretrained({str(name)!r}).save_pretrained({target!r})"
        raise ValueError(
            f"{name} holds {pickles[0]} and no safetensors; such files can run any code when they are read, and lmkit "
            f'does not. If you trust their author, convert them: python -c "import transformers as t; {code}"'
        )


def _by_name(folder: Path, family: ModuleType) -> dict[str, Stored]:
    """The tensors under the names of TENSORS."""
    found = {}
    for tensor in stored_in(folder):
        name = tensor.name
        for pattern, replacement in family.RENAMED.items():
            name = re.sub(pattern, replacement, name)
        if name in found:
            raise ValueError(f"{tensor} is there twice, the other time as {found[name].name}")
        found[name] = tensor
    return found


def _check(model: nn.Module, family: ModuleType, stored: dict[str, Stored], path: Path) -> None:
    """Refuse what is missing, of another shape or no float, and what nobody asks for."""
    parts = parts_of(model, family)
    for ours, parameter in model.named_parameters():
        part = parts[ours]
        if part.name not in stored:
            raise ValueError(f"{path.parent}: the tensor {part.name!r} is missing, which {path.name} asks for")
        tensor, shape = stored[part.name], stored_shape(parameter.shape, part)
        if tensor.shape != shape:
            raise ValueError(f"{tensor} has the shape {tensor.shape}, but {path.name} asks for {shape}")
        if tensor.dtype not in DTYPES:
            raise ValueError(f"{tensor} holds {tensor.dtype}; lmkit reads {list(DTYPES)}")
    for name in sorted(stored.keys() - {part.name for part in parts.values()}):
        original = stored.get(family.COPIES.get(name))
        if original is None and not any(re.fullmatch(pattern, name) for pattern in family.IGNORED):
            raise ValueError(f"{stored[name]} is a tensor that {path.name} does not ask for")
        if original is not None and (stored[name].dtype not in DTYPES or not equal(stored[name], original)):
            raise ValueError(f"{stored[name]} must be equal to {original.name}, of which {path.name} makes it a copy")


def _fill(
    model: nn.Module, family: ModuleType, stored: dict[str, Stored], dtype: torch.dtype | None, device: torch.device
) -> None:
    """Put the stored numbers in the place of each parameter; those that are shared stay shared."""
    parts = parts_of(model, family)
    if dtype is None:
        dtype = reduce(torch.promote_types, {DTYPES[stored[part.name].dtype] for part in parts.values()})
    filled = {}
    for name, parameter in model.named_parameters():
        part = parts[name]
        out = torch.empty(parameter.shape, dtype=dtype, device=device)
        read_into(out, stored[part.name], part)
        filled[id(parameter)] = nn.Parameter(out)
    for module in model.modules():
        for name, parameter in module.named_parameters(recurse=False):
            setattr(module, name, filled[id(parameter)])
