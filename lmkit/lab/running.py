"""One run, and many: in turns on one device, side by side on the cores of a machine, or over a cluster."""

import math
import os
import platform
import sys
import time
import warnings
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from datetime import UTC, datetime

import numpy as np
import torch
import torch.nn.functional as F

from ..choose import choose
from ..config import Config
from ..ffn import MoE
from ..heads import LM
from ..objectives import OBJECTIVES
from ..train import Diverged, Step, train
from .fair import counted, parameters
from .texts import Text, held_out

POINTS = 16  # of a curve
Job = tuple[dict, Text]  # a row without its results, and what it reads


def windows_of(text: Text, settings: dict, device: str) -> Iterator[torch.Tensor]:
    """The batches of a run, (batch_size, seq_len + 1) int64: a function of seed and step alone."""
    T, steps, at_once = settings["seq_len"], settings["steps"], 50
    starts = np.arange(len(text.ids)) if text.starts is None else text.starts
    starts = starts[starts + T < len(text.ids)]
    chosen = np.random.default_rng(settings["seed"]).choice(starts, (steps, settings["batch_size"]))
    for first in range(0, steps, at_once):  # a card is handed many at once, since each copy makes it wait
        block = text.ids[chosen[first : first + at_once, :, None] + np.arange(T + 1)].astype(np.int64)
        yield from torch.from_numpy(block).to(device)


@torch.no_grad()
def bits_per_byte(model: LM, text: Text, T: int, precision: str = "float32", device: str = "cpu") -> float | None:
    """The loss on all that is held out, read in rows of T tokens; None where the model cannot read so far."""
    limit = model.body.positions.limit
    if limit is not None and T > limit:
        return None
    rows, real, n_bytes, _ = held_out(text, T)
    total, at_once = 0.0, max(1, 16_384 // T)
    for i in range(0, len(rows), at_once):
        part = torch.from_numpy(rows[i : i + at_once].astype(np.int64)).to(device)
        with torch.autocast(torch.device(device).type, torch.bfloat16, enabled=precision == "bfloat16"):
            logits = model(part[:, :-1]).float()
        losses = F.cross_entropy(logits.flatten(0, 1), part[:, 1:].flatten(), reduction="none")
        total += (losses * torch.from_numpy(real[i : i + at_once]).to(device).flatten()).sum()
    return float(total) / math.log(2) / n_bytes


def begun(settings: dict, text: Text, device: str) -> tuple[LM, Iterator[Step]]:
    """The model of a run and its steps, still to be taken."""
    s = settings
    torch.manual_seed(s["seed"])
    config = Config.from_dict(s["model"] | {"vocab_size": text.vocab_size, "max_seq_len": s["seq_len"]})
    model = LM(config).to(device)
    return model, train(
        model, windows_of(text, s, device), choose(s["objective"], OBJECTIVES), steps=s["steps"], lr=s["lr"],
        warmup=s["warmup"], weight_decay=s["weight_decay"], optimizer=s["optimizer"], schedule=s["schedule"],
        clip=s["clip"], autocast=torch.bfloat16 if s["precision"] == "bfloat16" else None,
        graph=device.startswith("cuda") and not any(isinstance(m, MoE) for m in model.modules()),
    )  # fmt: skip


DECIDE = (begun, bits_per_byte)  # the code whose changes make a row stale, with all that it reaches


def run(row: dict, text: Text, device: str = "cpu", beside: int = 1) -> Iterator[None]:
    """Train and measure as row["settings"] says, pausing after every step; return (by StopIteration) the whole row."""
    s, began = row["settings"], time.perf_counter()
    model, steps = begun(s, text, device)
    shown, kept, result, why = max(1, s["steps"] // POINTS), [], {}, None
    try:
        for step in steps:
            if step.step % shown == 0 or step.step == s["steps"] - 1:
                kept.append(step)
            yield
        for length in row["lengths"]:
            found = bits_per_byte(model, text, length * s["seq_len"], s["precision"], device)
            result[str(length)] = found if found is None else round(found, 5)
        if not math.isfinite(result["1"]):
            raise Diverged(f"the held-out loss is {result['1']}")
    except Diverged as problem:
        result, why = dict.fromkeys(map(str, row["lengths"])), str(problem)
    unit = math.log(2) * text.bytes_per_token
    curve = [[step.step, round(loss / unit, 4)] for step in kept if math.isfinite(loss := step.loss)]
    return row | dict(
        bits_per_byte=result["1"], result=result, diverged=why, curve=curve,
        seconds=round(time.perf_counter() - began, 2), beside=beside, peak_memory_bytes=peak_memory(device),
        hardware=hardware(device), versions=versions(), date=f"{datetime.now(UTC):%Y-%m-%d}",
    )  # fmt: skip


def costs(config: Config, settings: dict) -> dict:
    """What a run costs, counted beforehand."""
    cost = counted(config, settings["seq_len"])
    tokens = settings["steps"] * settings["batch_size"] * settings["seq_len"]
    # weights, gradients and the two averages of AdamW, and what a batch leaves for the backward
    memory = 4 * cost.parameter_bytes + settings["batch_size"] * cost.activation_bytes
    return dict(
        parameters=cost.total_parameters, active_parameters=parameters(config), tokens=tokens,
        training_flops=tokens * cost.training_flops, memory_bytes=memory,
    )  # fmt: skip


def peak_memory(device: str) -> int | None:
    """Of this process, so far, with all that runs beside in it; None where the system does not say (Windows)."""
    if device.startswith("cuda"):
        return torch.cuda.max_memory_allocated()
    try:
        import resource
    except ImportError:
        return None
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def hardware(device: str) -> str:
    if device.startswith("cuda"):
        return torch.cuda.get_device_name()
    return f"{platform.machine()}, {os.cpu_count()} cores"


def versions() -> dict:
    return dict(python=platform.python_version(), torch=torch.__version__)


# ---- many


def in_turns(jobs: Iterable[Job], device: str, at_once: int, until: float = math.inf) -> Iterator[dict]:
    """The rows of all jobs, each as it is done: `at_once` of them take turns, step by step, each in its own stream.

    A model so small that a card waits for its next kernel leaves room for others. Ends at the time `until` (seconds as
    time.time() counts them), with what is done.
    """
    on_card = device.startswith("cuda")
    if on_card:
        torch.set_float32_matmul_precision("high")  # TF32: the tensor cores, with 10 bits of each factor
    free = [torch.cuda.stream(torch.cuda.Stream(device)) if on_card else nullcontext() for _ in range(at_once)]
    jobs, active = iter(jobs), {}
    while time.time() < until:
        while free and (job := next(jobs, None)) is not None:
            active[run(*job, device, at_once)] = free.pop()
        if not active:
            return
        for steps, stream in list(active.items()):
            try:
                with stream:
                    next(steps)
            except StopIteration as done:
                free.append(active.pop(steps))
                yield done.value
            except RuntimeError as problem:  # of the device: the other runs go on, and this one is made next time
                free.append(active.pop(steps))
                warnings.warn(f"a run failed and is left out: {problem}", stacklevel=2)


def run_all(
    jobs: list[Job], device: str = "cpu", workers: int | None = 1, at_once: int = 1, until: float = math.inf
) -> Iterator[dict]:
    """The rows of all jobs, in no order, from so many processes of `at_once` runs each (joblib; one thread each).

    workers=None leaves the number, and where they run, to joblib: over a cluster with
    `joblib.parallel_config("ray", n_jobs=64)` after `ray.util.joblib.register_ray()`.
    """
    if workers == 1:
        yield from in_turns(jobs, device, at_once, until)
        return
    from joblib import Parallel, delayed
    from joblib.parallel import get_active_backend

    several = min(2 * at_once, math.ceil(len(jobs) / workers)) if at_once > 1 and workers else 1
    parts = [jobs[i : i + several] for i in range(0, len(jobs), several)]
    streams = getattr(get_active_backend()[0], "supports_return_generator", False)
    parallel = Parallel(workers, return_as="generator_unordered" if streams else "list")
    for rows in parallel(delayed(worker)(part, device, at_once, until) for part in parts):
        yield from rows


def worker(jobs: list[Job], device: str, at_once: int, until: float) -> list[dict]:
    torch.set_num_threads(1)
    return list(in_turns(jobs, device, at_once, until))
