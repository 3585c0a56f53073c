"""Chapter 9. The training loop, as a generator: the caller's own loop watches, plots, samples, saves or stops."""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import nn


@dataclass(frozen=True)
class Step:
    """One update: its number, the loss before it (nats), the rate used, the gradient's norm before clipping."""

    step: int
    loss: float
    lr: float
    grad_norm: float


def warmup_cosine(step: int, steps: int, warmup: int, floor: float = 0.1) -> float:
    """The share of the peak learning rate to use: up in a line, then down along a cosine to `floor`."""
    if step < warmup:
        return (step + 1) / warmup
    done = (step - warmup) / max(1, steps - warmup)
    return floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * done))


def train(
    model: nn.Module,
    batches: Iterable,
    objective: Callable,
    *,
    steps: int,
    lr: float = 3e-3,
    warmup: int = 20,
    weight_decay: float = 0.1,
    autocast: torch.dtype | None = None,
) -> Iterator[Step]:
    """Train with AdamW, yielding a Step after every update.

    >>> for s in train(model, batches(ids, 32, 128), next_token_loss, steps=1000):
    ...     if s.step % 100 == 0: print(s.loss)

    Loshchilov & Hutter 2017, arXiv:1711.05101. Matrices decay, vectors do not. Betas (0.9, 0.95) and clipping at
    norm 1 as in Brown et al. 2020, arXiv:2005.14165.
    """
    matrices = [p for p in model.parameters() if p.ndim >= 2]
    vectors = [p for p in model.parameters() if p.ndim < 2]
    groups = [{"params": matrices, "weight_decay": weight_decay}, {"params": vectors, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=lr, betas=(0.9, 0.95), fused=True)
    device = next(model.parameters()).device
    model.train()
    for step, batch in zip(range(steps), batches, strict=False):
        rate = lr * warmup_cosine(step, steps, warmup)
        for group in optimizer.param_groups:
            group["lr"] = rate
        with torch.autocast(device.type, dtype=autocast, enabled=autocast is not None):
            loss = objective(model, batch)
        loss.backward()
        grad_norm = nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        yield Step(step, loss.item(), rate, grad_norm.item())
    model.eval()
