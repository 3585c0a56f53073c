"""Chapter 9. Runs that resume: what a checkpoint holds beside the model, so that a run goes on bit for bit.

    runs/tales/
      run.json           the settings, and the versions that ran them
      log.jsonl          a line per report: step, loss, held-out loss, rate, norm of the gradient, tokens
      best.json          which checkpoint had the lowest held-out loss
      step-00000500/     a checkpoint (see checkpoints.py), with
        state.safetensors    the optimizers' averages and the states of the random generators
        state.json           the step, what was best so far, and the rest of those states

Each folder is written under a temporary name and renamed, so that one that is there is whole; only then are older ones
removed. The data need no state: a batch is a function of the seed and the step (data.py).
"""

import json
import os
import random
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from . import atomic
from .checkpoints import disk_errors, steps_of, write_json


def folder_of(run: str | Path, step: int) -> Path:
    """Where the checkpoint of a step stands in the folder of a run."""
    return Path(run) / f"step-{step:08}"


def seed_all(seed: int) -> None:
    """Begin every generator whose state a checkpoint holds: torch's, numpy's and Python's."""
    torch.manual_seed(seed)
    np.random.seed(seed)
    random.seed(seed)


def write_state(new: Path, optimizers: list, said: dict) -> None:
    """Write state.safetensors and state.json into a new checkpoint folder; `said` is kept as it is."""
    from safetensors.torch import save_file

    tensors = {f"{i}.{name}": t for i, o in enumerate(optimizers) for name, t in optimizer_tensors(o).items()}
    tensors["random.torch"] = torch.get_rng_state()
    for i in range(torch.cuda.device_count()):
        tensors[f"random.cuda.{i}"] = torch.cuda.get_rng_state(i)
    kind, keys, *rest = np.random.get_state()
    tensors["random.numpy"] = torch.from_numpy(keys.astype(np.int64))
    with disk_errors():
        save_file({name: t.contiguous() for name, t in tensors.items()}, str(new / "state.safetensors"))
    version, numbers, gauss = random.getstate()
    write_json(new, state=said | {"random": {"numpy": [kind, *rest], "python": [version, list(numbers), gauss]}})


def read_state(folder: Path, optimizers: list) -> dict:
    """Put back what `write_state` wrote, and return what it was told."""
    from safetensors.torch import load_file

    tensors = load_file(folder / "state.safetensors")
    said = json.loads((folder / "state.json").read_text(encoding="utf-8"))
    for i, optimizer in enumerate(optimizers):
        of_this = {name.partition(".")[2]: t for name, t in tensors.items() if name.startswith(f"{i}.")}
        set_optimizer_tensors(optimizer, of_this)
    torch.set_rng_state(tensors["random.torch"])
    for i in range(torch.cuda.device_count()):
        if f"random.cuda.{i}" in tensors:
            torch.cuda.set_rng_state(tensors[f"random.cuda.{i}"], i)
    kind, *rest = said["random"]["numpy"]
    np.random.set_state((kind, tensors["random.numpy"].numpy().astype(np.uint32), *rest))
    version, numbers, gauss = said["random"]["python"]
    random.setstate((version, tuple(numbers), gauss))
    return said


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """The averages of every parameter, as "number.name": rates and decays are settings, and come from there."""
    state = optimizer.state_dict()["state"]
    return {f"{number}.{name}": t for number, each in state.items() for name, t in each.items() if t is not None}


def set_optimizer_tensors(optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    """The inverse of `optimizer_tensors`, for an optimizer built in the same way."""
    state = {}
    for name, tensor in tensors.items():
        number, _, what = name.partition(".")
        state.setdefault(int(number), {})[what] = tensor
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})


def save(run: str | Path, step: int, write: Callable[[Path], None]) -> Path:
    """Write the checkpoint of a step by write(new_folder), in the place of one that is there and was passed over."""
    folder = make_room(folder_of(run, step))
    with atomic.new_folder(folder) as new:
        write(new)
    return folder


def make_room(folder: Path) -> Path:
    """Put away what has the name of a checkpoint and is none, which nothing may be written over."""
    if not (folder / atomic.MANIFEST).is_file():
        put_away(folder)
    return folder


def tidy(run: str | Path, step: int, keep: int, best: int | None) -> None:
    """Remove the checkpoints up to a step but for the last `keep` and the best, and what kills have left.

    Later ones were passed over by --resume; they do not count, and are replaced when the run comes there.
    """
    last = folder_of(run, step)
    for old in [folder for folder in steps_of(run) if folder <= last][:-keep]:
        if old != folder_of(run, best or 0):
            put_away(old)
    for left in Path(run).glob(".step-*"):
        shutil.rmtree(left, ignore_errors=True)


def put_away(folder: Path) -> None:
    """Give a folder, if it is there, a name that `tidy` removes: a kill leaves no half of it under its own."""
    if folder.exists():
        os.rename(folder, Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent)) / "old")


class Log:
    """log.jsonl: a line per report. A run that goes on first drops the lines after the step that it goes on from."""

    def __init__(self, run: str | Path, after: int = 0):
        self.path = Path(run) / "log.jsonl"
        kept = [line for line in self.lines() if line["step"] <= after]
        atomic.write(self.path, "".join(json.dumps(line) + "\n" for line in kept))

    def lines(self) -> list[dict]:
        """All whole lines; a kill may have cut the last one."""
        found = []
        text = self.path.read_text(encoding="utf-8") if self.path.is_file() else ""
        for line in text.splitlines():
            try:
                found.append(json.loads(line))
            except ValueError:
                break
        return found

    def add(self, **what) -> None:
        with open(self.path, "a", encoding="utf-8") as file:
            file.write(json.dumps(what) + "\n")

    def sync(self) -> None:
        """Have the disk hold all lines: they belong to the checkpoint that is written next."""
        with open(self.path, "rb") as file:
            os.fsync(file.fileno())
