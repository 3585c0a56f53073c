"""Chapter 9. The training loop, as a generator: the caller's own loop watches, plots, samples, saves or stops."""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import nn

from .choose import choose
from .model import Transformer


@dataclass(frozen=True)
class Step:
    """One update: its number, the loss before it (nats), the rate used, the gradient's norm before clipping."""

    step: int
    loss: float
    lr: float
    grad_norm: float


def warmup_cosine(step: int, steps: int, warmup: int) -> float:
    """The share of the peak learning rate to use: up in a line, then down along a cosine to zero.

    Loshchilov & Hutter 2016, arXiv:1608.03983. GPT-3 stops at a tenth; short runs do better without a rest.
    """
    if step < warmup:
        return (step + 1) / warmup
    done = (step - warmup) / max(1, steps - warmup)
    return 0.5 * (1 + math.cos(math.pi * done))


def adamw(model: nn.Module, lr: float, weight_decay: float) -> list[torch.optim.Optimizer]:
    """AdamW for everything (Loshchilov & Hutter 2017, arXiv:1711.05101); matrices decay, vectors do not.

    The betas are those of GPT-3 (Brown et al. 2020, arXiv:2005.14165).
    """
    return [_adamw(list(model.parameters()), lr, weight_decay)]


def muon(model: nn.Module, lr: float, weight_decay: float) -> list[torch.optim.Optimizer]:
    """Muon for the matrices inside the blocks (Jordan et al. 2024), AdamW for embeddings, head, norms and biases.

    Muon makes each update orthogonal; scaled as in Liu et al. 2025, arXiv:2502.16982, it takes AdamW's learning rate.
    """
    stacks = [part.blocks for part in model.modules() if isinstance(part, Transformer)]
    inside = [m.weight for blocks in stacks for m in blocks.modules() if isinstance(m, nn.Linear)]
    ours = {id(p) for p in inside}
    rest = [p for p in model.parameters() if id(p) not in ours]
    hidden = torch.optim.Muon(inside, lr=lr, weight_decay=weight_decay, adjust_lr_fn="match_rms_adamw")
    return [hidden, _adamw(rest, lr, weight_decay)]


def _adamw(parameters: list, lr: float, weight_decay: float) -> torch.optim.AdamW:
    matrices, vectors = ([p for p in parameters if (p.ndim >= 2) == wanted] for wanted in (True, False))
    groups = [{"params": matrices, "weight_decay": weight_decay}, {"params": vectors, "weight_decay": 0.0}]
    return torch.optim.AdamW([g for g in groups if g["params"]], lr=lr, betas=(0.9, 0.95), fused=True)


# An optimizer is built by optimizer(model, lr, weight_decay) and is a list of torch's own.
OPTIMIZERS = {"adamw": adamw, "muon": muon}


def train(
    model: nn.Module,
    batches: Iterable,
    objective: Callable,
    *,
    steps: int,
    lr: float = 3e-3,
    warmup: int = 20,
    weight_decay: float = 0.1,
    optimizer: str | Callable = "adamw",
    autocast: torch.dtype | None = None,
) -> Iterator[Step]:
    """Train, yielding a Step after every update. Gradients are clipped at norm 1; batches are on the model's device.

    >>> for s in train(model, batches(ids, 32, 128), next_token_loss, steps=1000):
    ...     if s.step % 100 == 0: print(s.loss)
    """
    optimizers = choose(optimizer, OPTIMIZERS)(model, lr, weight_decay)
    device = next(model.parameters()).device
    model.train()
    for step, batch in zip(range(steps), batches, strict=False):
        rate = lr * warmup_cosine(step, steps, warmup)
        for group in (g for o in optimizers for g in o.param_groups):
            group["lr"] = rate
        with torch.autocast(device.type, dtype=autocast, enabled=autocast is not None):
            loss = objective(model, batch)
        loss.backward()
        grad_norm = nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for o in optimizers:
            o.step()
            o.zero_grad()
        yield Step(step, loss.item(), rate, grad_norm.item())
    model.eval()


@torch.no_grad()
def evaluate(model: nn.Module, rows: torch.Tensor, objective: Callable, batch_size: int = 64) -> float:
    """The mean loss (nats per token) over all rows (n, T + 1), with the model in evaluation mode."""
    was_training, device = model.training, next(model.parameters()).device
    model.eval()
    try:
        total = sum(objective(model, part.to(device)).item() * len(part) for part in rows.split(batch_size))
    finally:
        model.train(was_training)
    return total / len(rows)
