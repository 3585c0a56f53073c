"""Chapter 8. Checkpoints: a folder of safetensors and JSON with a sha256 manifest, written whole or not at all."""

import json
from importlib import resources
from pathlib import Path

from torch import nn

from .atomic import check_manifest, new_folder
from .heads import LM
from .model import Config

PRETRAINED = resources.files("lmkit") / "pretrained"  # the book's own models, by the name of their folder
FILES = {"model.safetensors", "config.json", "tokenizer.json", "provenance.json"}


def save(model: nn.Module, folder: str | Path, tokenizer: dict, **provenance) -> Path:
    """Write model.safetensors, config.json, tokenizer.json and provenance.json, then manifest.json over them.

    The folder is written under a temporary name and renamed, so that a folder of this name is always whole. An
    older checkpoint of the name is replaced; any other folder or file is refused with FileExistsError.
    """
    from safetensors.torch import save_model

    plain = {"config": model.config.to_dict(), "tokenizer": tokenizer, "provenance": provenance}
    with new_folder(folder) as new:
        save_model(model, str(new / "model.safetensors"))  # a tensor with two names, such as a shared embedding, once
        for name, content in plain.items():
            text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
            (new / f"{name}.json").write_text(text, encoding="utf-8")
    return Path(folder)


def find(name: str | Path) -> Path | None:
    """The folder `name`, or that of the book's own model of this name, if it is in this format; else None."""
    folders = (Path(name), Path(str(PRETRAINED / str(name))))
    return next((folder for folder in folders if (folder / "provenance.json").is_file()), None)


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
    model = LM(Config.from_dict(config))
    load_model(model, folder / "model.safetensors")
    return model.eval(), tokenizer, provenance
