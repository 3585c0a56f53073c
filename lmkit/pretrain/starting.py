"""Where a run begins: in which folder, from which checkpoint, with how many steps; and how it is asked to stop."""

import argparse
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from .. import checkpoints, distributed
from ..count import count
from ..distributed import World
from ..train import train
from .reading import stream, vocab_size
from .settings import Settings, read_settings
from .tasks import Task

STEPS_OF_A_TRIAL = 8
KEPT_BY_BRANCHES = ("corpus", "tokenizer", "model", "objective", "optimizer", "seq_len")


def found_checkpoint(out: Path, resume: str | None, settings: Settings) -> Path | None:
    """The checkpoint to go on from, or None for a new run; refuse a folder that is in use and other settings."""
    if resume is None:
        check_unused(out)
        return None
    given = Path(out if resume == "auto" else resume)
    folder, passed = (given, []) if (given / "state.json").is_file() else checkpoints.newest(given)
    for problem in passed:
        print(f"passed over a checkpoint: {problem}")
    if folder is None:
        begun = {"run.json", "log.jsonl"}  # and, under names with a dot, what a kill has left
        there = list(given.iterdir()) if given.is_dir() else []
        if resume != "auto" or any(path.name not in begun and path.name[0] != "." for path in there):
            raise FileNotFoundError(f"{given} holds no whole checkpoint to go on from; give another")
        return None
    if not (folder / "settings.json").is_file():
        raise FileNotFoundError(f"{folder} is no checkpoint of a run: it has no settings.json")
    if problem := checkpoints.damage(folder):
        raise ValueError(f"{problem}; give --resume auto for the newest that is whole")
    there = Settings.from_dict(read_settings(folder / "settings.json"), str(folder))
    differences, branch = settings.differences(there), is_branch(folder, out)
    if branch:
        check_unused(out)
        differences = {name: how for name, how in differences.items() if name in KEPT_BY_BRANCHES}
    if differences:
        else_what = f"none but {', '.join(KEPT_BY_BRANCHES)} must be" if branch else f"or --resume {folder} --out NEW"
        raise ValueError(
            f"{folder} was trained with other settings: {', '.join(differences.values())}; give the same, {else_what}"
        )
    return folder


def is_branch(checkpoint: Path, out: Path) -> bool:
    """Whether a run goes on from a checkpoint of another one; then rate, budget and the like may be its own."""
    return checkpoint.resolve().parent != out.resolve()


def check_unused(out: Path) -> None:
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        what = "holds a run: --resume auto goes on with it" if (out / "run.json").is_file() else "is not empty"
        raise FileExistsError(f"{out} {what}; else give another --out")


def steps_for(o: argparse.Namespace, s: Settings, what: Task, world: World, build: Callable) -> int:
    """The number of steps that a budget in tokens, FLOPs or seconds allows, at least 1; `s.steps` without one.

    `build` gives a model to try seconds with, as build() -> (wrapped model, arguments of `train`).
    """
    per_step = s.batch_size * s.seq_len
    if o.tokens:
        return max(1, round(o.tokens / per_step))
    if o.flops:
        return max(1, round(o.flops / per_step / count(s.config(vocab_size(s, what)), s.seq_len).training_flops))
    if not o.seconds:
        return s.steps
    wrapped, how = build()
    updates = train(wrapped, stream(s, what, world), distributed.loss_of, steps=STEPS_OF_A_TRIAL, **how)
    times = []
    for step in updates:
        step.loss  # noqa: B018  to wait for the device
        times.append(time.perf_counter())
    steady = sorted(after - before for before, after in zip(times[1:], times[2:]))
    seconds = distributed.agree(steady[len(steady) // 2], world)
    steps = max(1, round(o.seconds / seconds))
    if world.first:
        print(f"{seconds * 1000:.1f} ms a step: {steps:,} steps for {o.seconds:g} s")
    return steps


@contextmanager
def stop_signals() -> Iterator[list[int]]:
    """A list that fills when someone presses Ctrl-C or the machine says TERM: a step is finished first, then saved.

    The second Ctrl-C is Python's own.
    """
    asked, old = [], {}

    def ask(number, frame):
        asked.append(number)
        for which, handler in old.items():
            signal.signal(which, handler)

    try:
        for which in (signal.SIGINT, signal.SIGTERM):
            old[which] = signal.signal(which, ask)
    except ValueError:  # not the main thread, which alone hears signals
        pass
    try:
        yield asked
    finally:
        for which, handler in old.items():
            signal.signal(which, handler)
