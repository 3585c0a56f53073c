"""Kill -9 at any moment: a run that was killed and resumed must end bit for bit as one that was not.

`python benchmarks/kills.py --kills 100 --mid-save 30`. A small run is begun again and again with --resume auto and
killed, at a random time or in the middle of a save, until it ends. Then every loss of its log, its weights and its
optimizer's averages are compared with those of a run that nobody touched. On one thread of a processor, where the same
arithmetic gives the same numbers. Exit code 1 if anything was lost.
"""

import argparse
import json
import os
import random
import signal
import sys
import tempfile
import threading
import time
from contextlib import redirect_stderr, redirect_stdout
from functools import cache
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"
import torch
from tqdm.auto import tqdm

from lmkit import atomic, checkpoints, pretrain
from lmkit.pretrain import running

STEPS, SAVE_EVERY = 48, 8
NAP = 0.004  # seconds that each fsync takes longer, so that there is a middle of a save to be hit
PATIENCE = 100  # seconds
MORE = []  # flags of the run from the command line, such as --optimizer adamw
RUN = (
    f"--steps {STEPS} --save-every {SAVE_EVERY} --log-every 1 --batch-size 4 --seq-len 16 --d-model 16 --n-layers 1 "
    "--n-heads 2 --warmup 4 --device cpu --resume auto"
).split()


def train_into(text: Path, out: Path) -> None:
    pretrain.main([*RUN, "--corpus", str(text), "--out", str(out), *MORE])


def begin(text: Path, out: Path) -> int:
    """A process of its own that trains into `out`; its number. A fork, for an interpreter of its own starts slowly."""
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        with open(out.with_suffix(".said"), "ab") as said:
            for stream in (1, 2):
                os.dup2(said.fileno(), stream)
        fsync = os.fsync
        os.fsync = lambda handle: (time.sleep(NAP), fsync(handle))
        train_into(text, out)
        status = 0
    except SystemExit as stop:
        print(stop, flush=True)
    finally:
        os._exit(status)


def ended(child: int) -> bool:
    """Whether a process is over; RuntimeError if it failed of itself."""
    number, status = os.waitpid(child, os.WNOHANG)
    if number and status:
        raise RuntimeError(f"a run ended with status {status} that nobody killed")
    return bool(number)


def saving(out: Path) -> bool:
    """Whether a checkpoint is half written, or an old one half removed."""
    return any(out.glob(".step-*"))


def kill(child: int, out: Path, in_save: bool, chance: random.Random, seconds: float) -> tuple[bool, bool]:
    """Kill a run within so many seconds, or in the middle of a save; return whether it was killed, and whether there.

    A run that ends before is left alone.
    """
    began, until = time.monotonic(), time.monotonic() + chance.uniform(0, seconds)
    saves = chance.randint(1, 3)  # the one to hit
    was_saving = False
    while in_save or time.monotonic() < until:
        if ended(child):
            return False, False
        now_saving = saving(out)
        if time.monotonic() - began > PATIENCE:
            os.kill(child, signal.SIGKILL)
            raise RuntimeError(f"a run stands still: {out.with_suffix('.said').read_text(encoding='utf-8')[-500:]}")
        saves -= now_saving and not was_saving
        was_saving = now_saving
        if in_save and saves <= 0:
            time.sleep(chance.uniform(0, 12 * NAP))
            break
        time.sleep(0.0005)
    if ended(child):
        return False, False
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return True, saving(out)


def newest_step(out: Path) -> int:
    folder, _ = checkpoints.newest(out)
    return 0 if folder is None else int(folder.name.removeprefix("step-"))


def result(out: Path) -> dict:
    """All that must be the same bit for bit."""
    last = out / f"step-{STEPS:08}"
    atomic.check_manifest(last)
    state = json.loads((last / "state.json").read_text(encoding="utf-8"))
    lines = [json.loads(line) for line in (out / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    same = {name: atomic.sha256(last / name) for name in ("model.safetensors", "state.safetensors", "config.json")}
    timed = ("seconds", "tokens_per_second")
    same["log"] = [{name: value for name, value in line.items() if name not in timed} for line in lines]
    same["state"] = {name: value for name, value in state.items() if name not in timed}
    return same


def main(argv=None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--mid-save", type=int, default=30, help="how many of them in the middle of a save, at least")
    parser.add_argument("--seed", type=int, default=0)
    options, MORE[:] = parser.parse_known_args(argv)
    torch.set_num_threads(1)
    running.count = cache(running.count)  # the same for all of them, and half of what a start takes
    tqdm.set_lock(threading.RLock())  # its usual one is shared by forks, and stays shut if a kill hits who holds it
    chance, kills, mid_save, runs, lost = random.Random(options.seed), 0, 0, 0, []
    with tempfile.TemporaryDirectory() as folder:
        text, whole = Path(folder) / "text.txt", Path(folder) / "whole"
        text.write_text("".join(chance.choice("abcde fgh.\n") for _ in range(4000)), encoding="utf-8")
        for warm in (whole.with_name("warm"), whole):  # here, so that every process to come has all that is imported
            began = time.monotonic()
            with open(os.devnull, "w", encoding="utf-8") as nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere):
                train_into(text, warm)
        seconds, wanted = time.monotonic() - began, result(whole)
        print(f"a run that nobody touches takes {seconds:.2f} s")
        while kills < options.kills or mid_save < options.mid_save:
            out, known, done = Path(folder) / f"run-{runs}", 0, False
            while not done:
                child = begin(text, out)
                in_save = chance.random() < 0.25
                killed, there = kill(child, out, in_save, chance, seconds)
                kills, mid_save, done = kills + killed, mid_save + there, not killed
                if (step := newest_step(out)) < known:
                    lost.append(f"after a kill run {runs} was back at step {step}, and had saved step {known}")
                known = max(known, step)
            found = result(out)
            lost += [f"run {runs}: {name} is another" for name in wanted if found[name] != wanted[name]]
            runs += 1
            print(f"{runs} runs, {kills} kills, {mid_save} of them in mid-save, {len(lost)} lost", flush=True)
    for sentence in lost:
        print(sentence)
    sys.exit(1 if lost else 0)


if __name__ == "__main__":
    main()
