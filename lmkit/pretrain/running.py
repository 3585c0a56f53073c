"""A run from its settings to its last checkpoint: on one process or many, watched, saved, resumed, stopped."""

import argparse
import copy
import json
import math
import platform
import shlex
import signal
import time
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import torch
from torch import nn

from .. import atomic, checkpoints, distributed, runs
from ..choose import choose
from ..count import count
from ..data import batches
from ..distributed import World, loss_of
from ..generate import generate
from ..heads import LM
from ..objectives import next_token_loss
from ..optimizers import OPTIMIZERS
from ..train import Diverged, evaluate, train
from .settings import Settings, read_settings
from .tasks import MOST_WORDS, Task, task


class Stopped(Exception):
    """The run was asked to stop, and saved itself; the text says how to go on."""


def run(options: argparse.Namespace) -> None:
    """Train as the settings say; ValueError or OSError in a sentence for what cannot be done."""
    with distributed.together(options.device) as world:
        s = options.settings
        name = Path(s.corpus).name if Path(s.corpus).exists() else s.corpus
        out = Path(options.out or f"runs/{name}")
        resumed = found_checkpoint(out, options.resume, s, world)
        what = task(s.corpus, s.tokenizer, s.seq_len, min(s.steps * s.batch_size * s.seq_len, MOST_WORDS))
        runs.seed_all(s.seed)
        model = LM(s.config(len(what.tokenizer)))
        s = replace(s, steps=budget(options, s, model, what, world)) if resumed is None else s
        Running(s, options, out, name, what, model, world, resumed).go()


def found_checkpoint(out: Path, resume: str | None, settings: Settings, world: World) -> Path | None:
    """The checkpoint to go on from, or None for a new run; refuse a folder that is in use and other settings."""
    if resume is None:
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            what = "holds a run: --resume auto goes on with it" if (out / "run.json").is_file() else "is not empty"
            raise FileExistsError(f"{out} {what}; else give another --out")
        return None
    folder, passed = (Path(resume), []) if resume != "auto" else checkpoints.newest(out)
    if world.first:
        for problem in passed:
            print(f"passed over a checkpoint: {problem}")
    if folder is None:
        begun = {"run.json", "log.jsonl"}  # and, under names with a dot, what a kill has left
        if out.exists() and any(path.name not in begun and path.name[0] != "." for path in out.iterdir()):
            raise FileNotFoundError(f"{out} holds no whole checkpoint to go on from; give another --out")
        return None
    if not (folder / "state.json").is_file():
        raise FileNotFoundError(f"{folder} is no checkpoint of a run: it has no state.json")
    atomic.check_manifest(folder)
    there = Settings.from_dict(read_settings(folder / "settings.json"), str(folder))
    if differences := replace(settings, steps=there.steps).differences(there):
        raise ValueError(
            f"{folder} was trained with other settings: {', '.join(differences)}; give the same, or another --out"
        )
    return folder


def budget(o: argparse.Namespace, s: Settings, model: nn.Module, what: Task, world: World) -> int:
    """The number of steps that a budget in tokens, FLOPs or seconds allows; at least 1."""
    per_step = s.batch_size * s.seq_len
    if o.tokens:
        return max(1, round(o.tokens / per_step))
    if o.flops:
        return max(1, round(o.flops / per_step / count(model.config, s.seq_len).training_flops))
    if o.seconds:
        trial = copy.deepcopy(model).to(world.device)
        stream = batches(what.ids, s.batch_size, s.seq_len, what.starts, device=world.device)
        updates = train(
            trial, stream, next_token_loss, steps=10**9, **how(replace(s, warmup=10**9), trial, world.device)
        )
        times = []
        for _ in range(8):
            began = time.perf_counter()
            next(updates).loss  # noqa: B018  to wait for the device
            times.append(time.perf_counter() - began)
        steps = distributed.agree(max(1, round(o.seconds / sorted(times[2:])[2])), world)
        if world.first:
            print(f"{sorted(times[2:])[2] * 1000:.1f} ms a step: {steps:,} steps for {o.seconds:g} s")
        return steps
    return s.steps


def how(s: Settings, model: nn.Module, device: torch.device) -> dict:
    """The arguments of `train` that the settings give."""
    half = s.precision == "bfloat16" or (s.precision == "auto" and torch.device(device).type == "cuda")
    return dict(
        lr=s.lr, warmup=s.warmup, schedule=s.schedule, clip=math.inf if s.clip is None else s.clip,
        accumulate=s.accumulate, compile=s.compile, autocast=torch.bfloat16 if half else None,
        optimizer=choose(s.optimizer, OPTIMIZERS)(model, s.lr, s.weight_decay),
    )  # fmt: skip


class Running:
    """What one run knows of itself."""

    def __init__(self, s, options, out, name, what, model, world, resumed):
        self.s, self.o, self.out, self.name, self.what, self.world = s, options, out, name, what, world
        self.done, self.best, self.best_step, self.seconds = 0, math.inf, None, 0.0
        if resumed is not None and options.parallel != "fsdp":
            from safetensors.torch import load_model

            load_model(model, str(resumed / "model.safetensors"))
        self.model = model
        self.wrapped = distributed.wrap(model, next_token_loss, world, options.parallel)
        self.how = how(s, self.wrapped, world.device)
        if resumed is not None:
            self.restore(resumed)
        self.bits = 1 / (math.log(2) * what.bytes_per_token)
        self.flops = count(model.config, s.seq_len).training_flops

    def restore(self, folder: Path) -> None:
        optimizers = self.how["optimizer"]
        if self.o.parallel == "fsdp":
            distributed.load(folder, self.wrapped, optimizers, self.world)
            said = runs.read_state(folder, [])
        else:
            said = runs.read_state(folder, optimizers)
        self.done, self.seconds = said["step"], said["seconds"]
        self.best, self.best_step = said["best"] or math.inf, said["best_step"]
        self.say(f"going on from {folder}, after {self.done} of {self.s.steps} steps")

    def say(self, text: str) -> None:
        if self.world.first:
            print(text, flush=True)

    def go(self) -> None:
        s, what = self.s, self.what
        if self.world.first:
            self.out.mkdir(parents=True, exist_ok=True)
            versions = dict(python=platform.python_version(), torch=torch.__version__)
            content = json.dumps({"settings": s.to_dict(), "versions": versions}, indent=1) + "\n"
            atomic.write(self.out / "run.json", content)
            self.log = runs.Log(self.out, after=self.done)
        parameters = sum(p.numel() for p in self.model.parameters())
        self.say(f"{self.name}: {len(what.ids):,} tokens, vocabulary of {len(what.tokenizer)}")
        base = f"{what.baseline_name}: {what.baseline:.4f} nats per token"
        self.say(f"{base}, {what.baseline * self.bits:.4f} bits per byte")
        size = f"{s.steps:,} steps of {s.batch_size} x {s.seq_len} tokens"
        self.say(f"{parameters:,} parameters on {self.world.device}, {size}")
        try:
            with stop_signals() as asked:
                self.train(asked)
        except Diverged as problem:
            kept = checkpoints.newest(self.out)[0]
            raise Diverged(
                f"{problem}. {f'The last good checkpoint is {kept}' if kept else 'Nothing was saved yet'}"
            ) from None
        self.finish()

    def train(self, asked: list) -> None:
        from tqdm.auto import tqdm

        s, what, world = self.s, self.what, self.world
        every = self.o.save_every or max(1, math.ceil(s.steps / 8))
        share = dict(rank=world.rank, world_size=world.size)
        stream = batches(what.ids, s.batch_size, s.seq_len, what.starts, s.seed, world.device, self.done, **share)
        updates = train(self.wrapped, stream, loss_of, steps=s.steps, start=self.done, **self.how)
        bar = tqdm(updates, total=s.steps, initial=self.done, unit="step", disable=not world.first)
        began = time.perf_counter() - self.seconds
        for step in bar:
            self.done, self.seconds = step.step + 1, time.perf_counter() - began
            if self.done % self.o.log_every == 0 or self.done == s.steps:
                loss = distributed.mean(step.loss, world)
                if world.first:
                    self.log.add(step=self.done, loss=loss, lr=step.lr, grad_norm=step.grad_norm)
                    speed = s.batch_size * s.seq_len / (self.seconds / self.done)
                    shown = dict(
                        loss=f"{loss:.3f}", tokens_s=f"{speed:,.0f}", GFLOP_s=f"{speed * self.flops / 1e9:,.0f}"
                    )
                    bar.set_postfix(shown, refresh=False)
            if self.done % every == 0 and self.done < s.steps:
                self.save(bar.write)
            if distributed.agree(bool(asked), world) and self.done < s.steps:
                self.save(bar.write)
                kept = f"stopped after {self.done} of {s.steps} steps; all is kept"
                raise Stopped(f"\n{kept}. To go on: {self.command()} --resume auto")

    def save(self, say=print) -> float:
        """Report the held-out loss, and write a checkpoint with it."""
        s, what = self.s, self.what
        loss = evaluate(self.wrapped, what.rows, loss_of)
        self.wrapped.train()
        if loss < self.best:
            self.best, self.best_step = loss, self.done
        said = dict(step=self.done, best=self.best, best_step=self.best_step, seconds=self.seconds)
        tokens = self.done * s.batch_size * s.seq_len
        provenance = dict(
            corpus=self.name, command=self.command(), date=f"{datetime.now(UTC):%Y-%m-%d}",
            hardware=f"{platform.machine()}, {torch.get_num_threads()} threads, {self.world.device}",
            torch=torch.__version__, steps=self.done, tokens=tokens, seconds=round(self.seconds),
            parameters=sum(p.numel() for p in self.model.parameters()), loss=round(loss, 4),
            **{what.baseline_name.replace(" ", "_"): round(what.baseline, 4)},
        )  # fmt: skip
        sharded, weights = self.o.parallel == "fsdp", None
        if sharded:
            weights = distributed.full_state(self.wrapped)

        def write(new: Path) -> None:
            model = self.model
            if sharded:
                model = LM(self.model.config)
                model.load_state_dict(weights)
            checkpoints.write(model, new, what.tokenizer.to_dict(), provenance)
            checkpoints.write_json(new, settings=s.to_dict())
            runs.write_state(new, [] if sharded else self.how["optimizer"], said)

        folder = runs.folder_of(self.out, self.done)
        if sharded:
            distributed.save(folder, self.wrapped, self.how["optimizer"], self.world, write)
        if self.world.first:
            self.log.add(step=self.done, held_out=loss)
            if sharded:
                runs.tidy(self.out, self.done, self.o.keep, self.best_step)
            else:
                runs.save(self.out, self.done, write, self.o.keep, self.best_step)
            atomic.write(self.out / "best.json", json.dumps({"step": self.best_step, "held_out": self.best}) + "\n")
            say(f"step {self.done:5d}  held-out loss {loss:.4f} = {loss / what.baseline:.3f} x {what.baseline_name}")
        distributed.agree(None, self.world)
        return loss

    def finish(self) -> None:
        loss, s = self.save(), self.s
        if not self.world.first:
            return
        tokens = s.steps * s.batch_size * s.seq_len
        speed = f"{tokens / max(self.seconds, 1e-9):,.0f} a second"
        print(f"{tokens:,} tokens in {self.seconds:.0f} s, {speed}; {loss * self.bits:.4f} bits per byte\n")
        if self.o.parallel != "fsdp":
            model = self.model.cpu().eval()
            prompt = torch.tensor([self.what.tokenizer.encode(self.what.prompt)])
            print(self.what.tokenizer.decode(generate(model, prompt, 120, seed=s.seed)[0].tolist()))
        print(f"\nsaved in {runs.folder_of(self.out, self.done)}; load it with lmkit.load({str(self.out)!r})")

    def command(self) -> str:
        """What starts this run again, as it was typed."""
        typed = [
            a for i, a in enumerate(self.o.argv) if a != "--resume" and (i == 0 or self.o.argv[i - 1] != "--resume")
        ]
        return f"python -m lmkit.pretrain {shlex.join(typed)}".rstrip()


@contextmanager
def stop_signals():
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
