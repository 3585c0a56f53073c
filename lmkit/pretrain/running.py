"""A run from its settings to its last checkpoint: on one process or many, watched, saved, resumed, stopped."""

import argparse
import json
import math
import os
import platform
import shlex
import time
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

import torch
from torch import nn

from .. import atomic, checkpoints, distributed, runs, watch
from ..count import count
from ..distributed import World, loss_of
from ..generate import generate
from ..objectives import OBJECTIVES
from ..train import Diverged, train
from .building import how, model_for, task_of, trial
from .reading import held_out, loss_on, marks_for, stream
from .settings import Settings
from .starting import found_checkpoint, is_branch, steps_for, stop_signals
from .tasks import Task


class Stopped(Exception):
    """The run was asked to stop by a signal of this number, and saved itself; the text says how to go on."""

    def __init__(self, text: str, number: int):
        super().__init__(text)
        self.number = number


def run(options: argparse.Namespace) -> None:
    """Train as the settings say; ValueError or OSError in a sentence for what cannot be done."""
    with distributed.together(options.device) as world:
        s, out = options.settings, options.out
        # Asked by one rank: it may have made the folder before another one looks whether it is empty.
        resumed = distributed.agree(found_checkpoint(out, options.resume, s) if world.first else None, world)
        if resumed is None and (options.tokens or options.flops or options.seconds):
            what = task_of(replace(s, steps=1))  # as few tales as can be: how many there will be, the budget says
            s = replace(s, steps=steps_for(options, s, what, world, lambda: trial(s, what, world, options.parallel)))
        what = task_of(s)
        runs.seed_all(s.seed)
        model = model_for(s, what)
        Running(s, options, what, model, world, resumed).go()


def command(options: argparse.Namespace) -> str:
    """What starts this run again, as it was typed, but for --resume; what stood after torchrun it is not told."""
    typed, kept = iter(options.argv), []
    for word in typed:
        if word == "--resume":
            next(typed, None)
        elif not word.startswith("--resume="):
            kept.append(word)
    alone = int(os.environ.get("WORLD_SIZE", 1)) == 1
    return f"{'python' if alone else 'torchrun ...'} -m lmkit.pretrain {shlex.join(kept)}".rstrip()


class Running:
    """What one run knows of itself."""

    def __init__(self, s: Settings, options, what: Task, model: nn.Module, world: World, resumed: Path | None):
        self.s, self.o, self.out, self.what, self.world = s, options, options.out, what, world
        self.name = Path(s.corpus).name if Path(s.corpus).exists() else s.corpus
        self.done, self.seconds, self.saved = 0, 0.0, None
        self.held_out = self.best = self.best_step = None
        self.sharded = options.parallel == "fsdp"
        if resumed is not None:
            from safetensors.torch import load_model

            load_model(model, str(resumed / "model.safetensors"))
        self.model = model
        self.wrapped = distributed.wrap(model, OBJECTIVES[s.objective], world, options.parallel)
        self.rows, self.compared = held_out(s, what), s.objective == "causal"
        self.how = how(s, self.wrapped, world)
        if resumed is not None:
            self.restore(resumed)
        self.bits = 1 / (math.log(2) * what.bytes_per_token)
        self.flops = count(model.config, s.seq_len).training_flops

    def restore(self, folder: Path) -> None:
        """Shards go into as many processes as there are, however wrapped; what was saved whole into whole models."""
        shards, optimizers = distributed.is_sharded(folder), self.how["optimizer"]
        if self.sharded and not shards:
            raise ValueError(f"{folder} was not saved under FSDP2: go on without --parallel fsdp")
        if shards:
            distributed.load(folder, self.wrapped, optimizers, self.world)
        said = runs.read_state(folder, [] if shards else optimizers)
        self.done, self.seconds = said["step"], said["seconds"]
        if not is_branch(folder, self.out):
            self.saved, self.held_out = self.done, said["held_out"]
            self.best, self.best_step = said["best"], said["best_step"]
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
            self.board = watch.board(self.o.tensorboard, self.done) if self.o.tensorboard else None
            self.peak = watch.peak_flops(str(self.world.device), self.how["autocast"] or torch.float32)
        parameters = sum(p.numel() for p in self.model.parameters())
        self.say(f"{self.name}: {len(what.ids):,} tokens, vocabulary of {len(what.tokenizer)}")
        base = (
            f"{what.baseline_name}: {what.baseline:.4f} nats per token, {what.baseline * self.bits:.4f} bits per byte"
        )
        self.say(base if self.compared else f"objective: {s.objective}, whose loss has no floor to be compared with")
        size = f"{s.steps:,} steps of {s.batch_size} x {s.seq_len} tokens"
        self.say(f"{parameters:,} parameters on {self.world.device}, {size}")
        if self.done and self.saved is None:  # so that the new folder can be gone on with from now on
            self.save()
        try:
            with stop_signals() as asked:
                self.train(asked)
        except Diverged as problem:
            kept = checkpoints.newest(self.out)[0]
            advice = f"The last good checkpoint is {kept}: --resume {kept} --out NEW --lr ... goes on from there"
            raise Diverged(f"{problem}. {advice if kept else 'Nothing was saved yet'}") from None
        self.finish()

    def train(self, asked: list[int]) -> None:
        from tqdm.auto import tqdm

        s, what, world = self.s, self.what, self.world
        shown = dict(tokens=s.batch_size * s.seq_len, flops=self.flops, bits=self.bits if self.compared else None)
        every = self.o.save_every or max(1, math.ceil(s.steps / 8))
        read = stream(s, what, world, self.done)
        updates = train(self.wrapped, read, loss_of, steps=s.steps, start=self.done, **self.how)
        if world.first:
            updates = watch.bar(updates, s.steps, peak=self.peak, done=self.done, **shown)
        began = time.perf_counter() - self.seconds
        for step in updates:
            self.done, self.seconds = step.step + 1, time.perf_counter() - began
            looked_at = self.done % self.o.log_every == 0 or self.done == s.steps
            if looked_at:
                loss = distributed.mean(step.loss, world)
                if world.first:
                    self.note(loss=loss, lr=step.lr, grad_norm=step.grad_norm)
            if self.done % every == 0 or self.done == s.steps:
                self.save(tqdm.write)
                began = time.perf_counter() - self.seconds  # looking and saving is no training
            heard = (looked_at or world.size == 1) and distributed.agree(asked[:1], world)  # all ranks stop, or none
            if heard and self.done < s.steps:
                self.save(look=False)  # whoever stops it may be in haste
                kept = f"stopped after {self.done} of {s.steps} steps; all is kept"
                raise Stopped(f"\n{kept}. To go on: {command(self.o)} --resume auto", heard[0])

    def save(self, say=print, look: bool = True) -> None:
        """Look at the held-out loss, and write a checkpoint, unless that is done."""
        if self.saved == self.done:
            return
        s, what = self.s, self.what
        if look:
            self.look(say)
        said = dict(step=self.done, held_out=self.held_out, best=self.best, best_step=self.best_step)
        said["seconds"] = self.seconds
        provenance = dict(
            corpus=self.name, command=command(self.o), date=f"{datetime.now(UTC):%Y-%m-%d}",
            hardware=f"{platform.machine()}, {torch.get_num_threads()} threads, {self.world.device}",
            torch=torch.__version__, steps=self.done, tokens=self.done * s.batch_size * s.seq_len,
            seconds=round(self.seconds), parameters=sum(p.numel() for p in self.model.parameters()),
            loss=None if self.held_out is None else round(self.held_out, 4), objective=s.objective,
        )  # fmt: skip
        if self.compared:
            provenance[what.baseline_name.replace(" ", "_")] = round(what.baseline, 4)
        elif marks := marks_for(s, what):
            provenance["marks"] = asdict(marks)
        weights = distributed.full_state(self.wrapped) if self.sharded else None

        def write(new: Path) -> None:
            model = self.model
            if self.sharded:
                model = type(self.model)(self.model.config)
                model.load_state_dict(weights)
            checkpoints.write(model, new, what.tokenizer.to_dict(), provenance)
            checkpoints.write_json(new, settings=s.to_dict())
            runs.write_state(new, [] if self.sharded else self.how["optimizer"], said)

        if self.world.first:
            self.log.sync()
        if self.sharded:
            folder = runs.folder_of(self.out, self.done)
            if self.world.first:
                runs.make_room(folder)
            distributed.save(folder, self.wrapped, self.how["optimizer"], self.world, write)
        elif self.world.first:
            runs.save(self.out, self.done, write)
        if self.world.first:
            runs.tidy(self.out, self.done, self.o.keep, self.best_step)
            atomic.write(self.out / "best.json", json.dumps({"step": self.best_step, "held_out": self.best}) + "\n")
        self.saved = self.done
        distributed.agree(None, self.world)

    def look(self, say=print) -> None:
        """At what is held out."""
        s, what = self.s, self.what
        at_once = max(1, min(64, s.batch_size // self.world.size // s.accumulate))
        self.held_out = loss = loss_on(self.rows, self.wrapped, self.world, at_once, self.how["autocast"])
        if self.best is None or loss < self.best:
            self.best, self.best_step = loss, self.done
        if self.world.first:
            self.note(held_out=loss)
            ratio = f" = {loss / what.baseline:.3f} x {what.baseline_name}, {loss * self.bits:.4f} bits per byte"
            say(f"step {self.done:5d}  held-out loss {loss:.4f}{ratio if self.compared else ' nats'}")

    def note(self, **numbers: float) -> None:
        """Into the log, and to TensorBoard."""
        self.log.add(step=self.done, **numbers)
        for name, number in numbers.items():
            if self.board is not None:
                self.board.add_scalar(name, number, self.done)

    def finish(self) -> None:
        s, tokenizer = self.s, self.what.tokenizer
        if not self.world.first:
            return
        if self.board is not None:
            self.board.close()
        tokens = s.steps * s.batch_size * s.seq_len
        speed = tokens / max(self.seconds, 1e-9) / self.world.size
        share = f"{speed * self.flops / self.peak:.0%} of the peak that a product of two matrices reaches here"
        print(f"{tokens:,} tokens in {self.seconds:.0f} s, {speed * self.world.size:,.0f} a second, {share}")
        print(f"{self.held_out * self.bits:.4f} bits per byte\n" if self.compared else "")
        if not self.sharded and s.objective in ("causal", "prefix"):
            model, prompt = self.model.cpu().eval(), torch.tensor([tokenizer.encode(self.what.prompt)])
            room = model.body.positions.limit or math.inf
            n = int(min(120, max(0, room - prompt.shape[1])))
            print(tokenizer.decode(generate(model, prompt[:, -int(min(room, 1000)) :], n, seed=s.seed)[0].tolist()))
        print(f"\nsaved in {runs.folder_of(self.out, self.done)}; load it with lmkit.load({str(self.out)!r})")
