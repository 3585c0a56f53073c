"""Chapter 8. Checkpoints: a folder of safetensors and JSON with a sha256 manifest, written whole or not at all."""

import hashlib
import json
import os
import shutil
import tempfile
from importlib import resources
from pathlib import Path

from torch import nn

from .heads import LM
from .model import Config

PRETRAINED = resources.files("lmkit") / "pretrained"  # the book's own models, by the name of their folder


FILES = {"model.safetensors", "config.json", "tokenizer.json", "provenance.json"}


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _fsync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def check_free(folder: str | Path) -> Path:
    """Return `folder`, unless something is there that is no checkpoint: FileExistsError."""
    folder = Path(folder)
    if folder.exists() and not (folder / "manifest.json").is_file():
        raise FileExistsError(f"{folder} is there and is no checkpoint; give another name or remove it")
    return folder


def save(model: nn.Module, folder: str | Path, tokenizer: dict, **provenance) -> Path:
    """Write model.safetensors, config.json, tokenizer.json and provenance.json, then manifest.json over them.

    The folder is written under a temporary name and renamed, so that a folder of this name is always whole. An
    older checkpoint of the name is replaced; any other folder or file is refused with FileExistsError.
    """
    from safetensors.torch import save_file

    folder = check_free(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    new = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        save_file({name: t.contiguous() for name, t in model.state_dict().items()}, new / "model.safetensors")
        plain = {"config": model.config.to_dict(), "tokenizer": tokenizer, "provenance": provenance}
        for name, content in plain.items():
            text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
            (new / f"{name}.json").write_text(text, encoding="utf-8")
        manifest = {path.name: _sha256(path) for path in sorted(new.iterdir())}
        (new / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
        for path in [*new.iterdir(), new]:  # temporary names are private; a checkpoint is as readable as other files
            path.chmod(0o755 if path.is_dir() else 0o644)
            _fsync(path)
        if folder.exists():
            old = new.with_name(new.name + "-old")
            folder.rename(old)
            try:
                new.rename(folder)
            except BaseException:
                old.rename(folder)
                raise
            shutil.rmtree(old, ignore_errors=True)
        else:
            new.rename(folder)
        _fsync(folder.parent)
    finally:
        shutil.rmtree(new, ignore_errors=True)
    return folder


def load(name: str | Path) -> tuple[LM, dict, dict]:
    """Return (model, tokenizer, provenance) of a checkpoint folder, or of one of the book's own models by name.

    Every file is held against the manifest first: neither safetensors nor torch notices a flipped bit in weights.
    Raises FileNotFoundError for no checkpoint, ValueError for a damaged one.
    """
    from safetensors.torch import load_file

    folder = Path(name) if (Path(name) / "manifest.json").is_file() else Path(str(PRETRAINED / str(name)))
    if not (folder / "manifest.json").is_file():
        known = sorted(p.name for p in Path(str(PRETRAINED)).glob("*/") if p.is_dir())
        raise FileNotFoundError(f"{str(name)!r} is neither a checkpoint folder nor one of the book's models {known}")
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except ValueError:
        manifest = {}
    if set(manifest) != FILES:
        raise ValueError(f"{folder / 'manifest.json'} is damaged: it must name {sorted(FILES)}")
    for file, sha256 in manifest.items():
        if not (folder / file).is_file() or _sha256(folder / file) != sha256:
            raise ValueError(f"{folder / file} is missing or damaged: its sha256 is not the manifest's {sha256[:12]}…")
    config, tokenizer, provenance = (
        json.loads((folder / f"{part}.json").read_text(encoding="utf-8"))
        for part in ("config", "tokenizer", "provenance")
    )
    model = LM(Config.from_dict(config))
    model.load_state_dict(load_file(folder / "model.safetensors"))
    return model.eval(), tokenizer, provenance
