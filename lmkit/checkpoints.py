"""Chapter 8. Checkpoints: a folder of safetensors and JSON with a sha256 manifest, written whole or not at all."""

import json
import os
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path

from torch import nn

from .atomic import MANIFEST, check_manifest, new_folder
from .heads import LM
from .model import Config
from .objectives import HEADS

PRETRAINED = resources.files("lmkit") / "pretrained"  # the book's own models, by the name of their folder
#: The heads that a checkpoint may hold, by the name of their class.
KINDS = {head.__name__: head for head in HEADS.values()}
FILES = {"model.safetensors", "config.json", "tokenizer.json", "provenance.json"}


def save(model: nn.Module, folder: str | Path, tokenizer: dict, **provenance) -> Path:
    """Write model.safetensors, config.json, tokenizer.json and provenance.json, then manifest.json over them.

    The folder is written under a temporary name and renamed, so that a folder of this name is always whole. An
    older checkpoint of the name is replaced; any other folder or file is refused with FileExistsError.
    """
    with new_folder(folder) as new:
        write(model, new, tokenizer, provenance)
    return Path(folder)


def write(model: nn.Module, new: Path, tokenizer: dict, provenance: dict) -> None:
    """The files of a checkpoint, into a new folder that `atomic.new_folder` gave."""
    from safetensors.torch import save_model

    with disk_errors():
        save_model(model, str(new / "model.safetensors"))  # a tensor with two names, such as a shared embedding, once
    head = {} if type(model) is LM else {"head": type(model).__name__}
    write_json(new, config=model.config.to_dict(), tokenizer=tokenizer, provenance=provenance | head)


@contextmanager
def disk_errors() -> Iterator[None]:
    """What safetensors says of a full or broken disk, as the OSError that Python has for it."""
    from safetensors import SafetensorError

    try:
        yield
    except SafetensorError as problem:
        if number := re.search(r"os error (\d+)", str(problem)):
            raise OSError(int(number[1]), os.strerror(int(number[1]))) from None
        raise


def write_json(new: Path, **contents) -> None:
    """Write each of `contents` into the folder `new`, as NAME.json."""
    for name, content in contents.items():
        text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
        (new / f"{name}.json").write_text(text, encoding="utf-8")


def steps_of(run: str | Path) -> list[Path]:
    """The checkpoints of a run of `python -m lmkit.pretrain`, step-00000500 and so on, oldest first."""
    return sorted(path for path in Path(run).glob("step-*") if path.is_dir())


def damage(folder: Path) -> str | None:
    """What is wrong with the files of a checkpoint; None if they are those that its manifest names."""
    if not (folder / MANIFEST).is_file():
        return f"{folder / MANIFEST} is missing"
    try:
        check_manifest(folder)
    except (ValueError, OSError) as problem:
        return str(problem)
    return None


def newest(run: str | Path) -> tuple[Path | None, list[str]]:
    """The newest checkpoint of a run whose files are what its manifest says, and why newer ones were passed over."""
    passed = []
    for folder in reversed(steps_of(run)):
        problem = damage(folder)
        if problem is None:
            return folder, passed
        passed.append(problem)
    return None, passed


def find(name: str | Path) -> Path | None:
    """The folder `name`, the newest whole checkpoint of the run `name`, or the book's own model of this name; else
    None."""
    for folder in (Path(name), Path(str(PRETRAINED / str(name)))):
        if (folder / "provenance.json").is_file():
            return folder
        found, passed = newest(folder)
        if passed:
            warnings.warn(f"passed over: {'; '.join(passed)}", stacklevel=3)
        if found is not None:
            return found
    return None


def load(name: str | Path) -> tuple[LM, dict, dict]:
    """Return (model, tokenizer, provenance) of a checkpoint folder, or of one of the book's own models by name.

    Raises FileNotFoundError for no checkpoint, ValueError for a damaged one.
    """
    from safetensors.torch import load_model

    folder = find(name)
    if folder is None:
        known = sorted(p.name for p in Path(str(PRETRAINED)).glob("*/") if p.is_dir())
        raise FileNotFoundError(f"{str(name)!r} is neither a checkpoint folder nor one of the book's models {known}")
    check_manifest(folder)
    for file in sorted(FILES - {path.name for path in folder.iterdir()}):
        raise ValueError(f"{folder / file} is missing")
    config, tokenizer, provenance = (
        json.loads((folder / f"{part}.json").read_text(encoding="utf-8"))
        for part in ("config", "tokenizer", "provenance")
    )
    kind = provenance.get("head", "LM")
    if kind not in KINDS:
        raise ValueError(f"{folder / 'provenance.json'} names the head {kind!r}; lmkit has {sorted(KINDS)}")
    model = KINDS[kind](Config.from_dict(config))
    load_model(model, folder / "model.safetensors")
    return model.eval(), tokenizer, provenance
