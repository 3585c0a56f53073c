"""Chapter 9. The training loop, as a generator: the caller's own loop watches, plots, samples, saves or stops."""

import contextlib
import ctypes
import math
from collections.abc import Callable, Iterable, Iterator

import torch
from torch import Tensor, nn

from .choose import choose
from .optimizers import OPTIMIZERS
from .schedules import SCHEDULES


class Step:
    """One update: its number, the rate used, the loss before it (nats), the gradient's norm before clipping.

    The last two wait for the device, and so are read from it only when they are looked at.
    """

    def __init__(self, step: int, lr: float, loss: Tensor, grad_norm: Tensor):
        self.step, self.lr, self._loss, self._grad_norm = step, lr, loss, grad_norm

    @property
    def loss(self) -> float:
        return self._loss.item()

    @property
    def grad_norm(self) -> float:
        return self._grad_norm.item()

    def __repr__(self) -> str:
        return f"Step({self.step}, loss={self.loss:.4f}, lr={self.lr:.3g}, grad_norm={self.grad_norm:.3g})"


class Diverged(ValueError):
    """The loss is no number any more, or beyond all bounds."""


def train(
    model: nn.Module,
    batches: Iterable,
    objective: Callable,
    *,
    steps: int,
    start: int = 0,
    lr: float = 3e-3,
    warmup: int = 20,
    weight_decay: float = 0.1,
    optimizer: str | dict | Callable | list = "adamw",
    schedule: str | dict | Callable = "cosine",
    clip: float | None = 1.0,
    accumulate: int = 1,
    autocast: torch.dtype | None = None,
    compile: bool = False,
    graph: bool = False,
) -> Iterator[Step]:
    """Train, yielding a Step after every update; batches are tensors, or dicts of them, on the model's device.

    >>> for s in train(model, batches(ids, 32, 128), next_token_loss, steps=1000):
    ...     if s.step % 100 == 0: print(s.loss)

    Gradients are clipped at the norm `clip` (None: not at all). `accumulate` reads each batch in so many parts, one
    after the other, which takes less memory. To go on at step `start`, give the batches from there and a list of built
    optimizers with their old state. `compile` is torch.compile; `graph` records forward and backward once and replays
    them as one CUDA graph, several times as fast where a model is so small that launching its kernels takes longer than
    running them. Raises Diverged if the loss is not finite, or ten times what it was at first and above 100 nats.
    """
    optimizers = optimizer if isinstance(optimizer, list) else choose(optimizer, OPTIMIZERS)(model, lr, weight_decay)
    share, device = choose(schedule, SCHEDULES), next(model.parameters()).device
    objective = torch.compile(objective) if compile else objective
    longest = math.inf if clip is None else clip
    keep_memory()

    def gradients(batch) -> tuple[Tensor, Tensor]:
        loss = 0.0
        for part, weight in parts(batch, accumulate):
            with torch.autocast(device.type, dtype=autocast, enabled=autocast is not None, cache_enabled=not graph):
                part_loss = objective(model, part) * weight
            part_loss.backward()
            loss = loss + part_loss.detach()
        return loss, nn.utils.clip_grad_norm_(model.parameters(), longest)

    model.train()
    before, most = None, None
    for step, batch in zip(range(start, steps), batches, strict=False):
        if graph and step == start:
            gradients = recorded(gradients, model, batch)
        rate = lr * share(step, steps, warmup)
        for group in (g for o in optimizers for g in o.param_groups):
            group["lr"] = rate * group.get("scale", 1.0)
        loss, grad_norm = gradients(batch)
        now = Step(step, rate, loss, grad_norm)
        seen = now if device.type == "cpu" else before  # elsewhere the last one is known, and looking waits for nothing
        if seen is not None:
            most = most or 10 * max(10.0, seen.loss)
            check(seen, most)
        for o in optimizers:
            o.step()
            o.zero_grad(set_to_none=not graph)
        before = now
        yield now
    model.eval()


def keep_memory() -> None:
    """Have this process keep the memory that a step frees for the next one.

    glibc gives large blocks back to the system at once, and a training step on a processor then spends much of its time
    on being given them again page by page (benchmarks/training_step.py). Where there is no glibc, nothing happens.
    """
    with contextlib.suppress(AttributeError, OSError):
        libc = ctypes.CDLL(None)
        libc.mallopt(-3, 1 << 30)  # M_MMAP_THRESHOLD: blocks below a gigabyte come from the heap
        libc.mallopt(-1, (1 << 31) - 1)  # M_TRIM_THRESHOLD: and the heap does not shrink


def check(seen: Step, most: float) -> None:
    """Raise Diverged if the loss of a step, in nats, is above `most` or no number."""
    if not seen.loss <= most:
        raise Diverged(
            f"the loss is {seen.loss:.4g} at step {seen.step}, with the learning rate {seen.lr:.3g} and a gradient of "
            f"norm {seen.grad_norm:.3g}: try a third of the rate, a longer warm-up or more clipping"
        )


def parts(batch: Tensor | dict, number: int) -> list[tuple]:
    """The batch in `number` parts of equal rows (the last may be smaller), each with its share of all rows."""
    if number == 1:
        return [(batch, 1.0)]
    if isinstance(batch, dict):
        names, columns = list(batch), [value.chunk(number) for value in batch.values()]
        split = [dict(zip(names, row)) for row in zip(*columns)]
        rows = [len(next(iter(part.values()))) for part in split]
    else:
        split = batch.chunk(number)
        rows = [len(part) for part in split]
    return [(part, n / sum(rows)) for part, n in zip(split, rows)]


def recorded(gradients: Callable, model: nn.Module, batch: Tensor) -> Callable:
    """`gradients`, recorded as a CUDA graph; gradients stay where they are, and begin at zero.

    On the stream in use, if it is not the default one, for graphs that were recorded on one stream share memory of it,
    and must not run at the same time.
    """
    held, side = batch.clone(), torch.cuda.current_stream()
    side = torch.cuda.Stream() if side == torch.cuda.default_stream() else side
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):  # PyTorch asks for a few rounds on a stream of their own
        for _ in range(3):
            gradients(held)
            model.zero_grad(set_to_none=False)
    torch.cuda.current_stream().wait_stream(side)
    tape = torch.cuda.CUDAGraph()
    with torch.cuda.graph(tape, stream=side):
        loss, grad_norm = gradients(held)

    def replay(batch: Tensor) -> tuple[Tensor, Tensor]:
        held.copy_(batch)
        tape.replay()
        return loss.clone(), grad_norm.clone()

    return replay


@torch.no_grad()
def evaluate(model: nn.Module, rows: Tensor, objective: Callable, batch_size: int = 64) -> float:
    """The mean loss (nats per token) over all rows (n, T + 1), with the model in evaluation mode."""
    was_training, device = model.training, next(model.parameters()).device
    model.eval()
    try:
        total = sum(objective(model, part.to(device)).item() * len(part) for part in rows.split(batch_size))
    finally:
        model.train(was_training)
    return total / len(rows)
