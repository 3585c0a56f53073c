"""Chapter 9. Optimizers, and which of them takes which parameters.

Matrices decay, vectors (norms, biases) do not. A group of parameters with a "scale" is trained at scale times the rate
of the step.
"""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from .model import Transformer

QUINTIC = (3.4445, -4.775, 2.0315)
AT_ONCE = 2**24  # numbers that are made orthogonal at once: large matrices gain nothing from company


def adamw(
    model: nn.Module, lr: float, weight_decay: float, beta1: float = 0.9, beta2: float = 0.95, eps: float = 1e-8
) -> list[torch.optim.Optimizer]:
    """AdamW for everything (Loshchilov & Hutter 2017, arXiv:1711.05101), with the betas of GPT-3 (arXiv:2005.14165)."""
    groups = by_decay(list(model.parameters()), weight_decay)
    return [torch.optim.AdamW(groups, lr=lr, betas=(beta1, beta2), eps=eps, fused=True)]


def muon(
    model: nn.Module, lr: float, weight_decay: float, momentum: float = 0.95, rest: float = 1.0
) -> list[torch.optim.Optimizer]:
    """Muon for the matrices inside the blocks (Jordan et al. 2024), AdamW for embeddings, head, norms and biases.

    Muon makes each update orthogonal; scaled as in Liu et al. 2025, arXiv:2502.16982, it takes AdamW's learning rate.
    What AdamW takes is trained at `rest` times that rate.
    """
    stacks = [part.blocks for part in model.modules() if isinstance(part, Transformer)]
    inside = [m.weight for blocks in stacks for m in blocks.modules() if isinstance(m, nn.Linear)]
    ours = {id(p) for p in inside}
    others = by_decay([p for p in model.parameters() if id(p) not in ours], weight_decay)
    hidden = Muon(inside, lr, weight_decay, momentum)
    return [hidden, torch.optim.AdamW([g | {"scale": rest} for g in others], lr=lr, betas=(0.9, 0.95), fused=True)]


class Muon(torch.optim.Optimizer):
    """Momentum whose update is made orthogonal: the numbers of torch.optim.Muon(adjust_lr_fn="match_rms_adamw").

    Matrices of one shape are worked on together, in fewer and larger products: two thirds of the time where they are
    as small as 128 x 128. A step overwrites the gradients.
    """

    def __init__(self, matrices: list[nn.Parameter], lr: float, weight_decay: float = 0.0, momentum: float = 0.95):
        super().__init__(matrices, dict(lr=lr, weight_decay=weight_decay, momentum=momentum))

    @torch.no_grad()
    def step(self, closure: None = None) -> None:
        for group in self.param_groups:
            for matrices in alike([p for p in group["params"] if p.grad is not None]):
                self.together(matrices, **{name: group[name] for name in ("lr", "weight_decay", "momentum")})

    def together(self, matrices: list[nn.Parameter], lr: float, weight_decay: float, momentum: float) -> None:
        grads = [p.grad for p in matrices]
        for p in matrices:
            if not self.state[p]:
                self.state[p]["momentum_buffer"] = torch.zeros_like(p)
        averages = [self.state[p]["momentum_buffer"] for p in matrices]
        torch._foreach_lerp_(averages, grads, 1 - momentum)
        # Nesterov's: where the average will be. In place, which PyTorch 2.11 can do to shards, too.
        torch._foreach_lerp_(grads, averages, momentum)
        updates = orthogonal(torch.stack([wide(u) for u in grads])).to(matrices[0].dtype)
        torch._foreach_mul_(matrices, 1 - lr * weight_decay)
        as_large = 0.2 * max(matrices[0].shape) ** 0.5  # as the updates of AdamW are
        torch._foreach_add_(matrices, [wide(u, p) for u, p in zip(updates, matrices)], alpha=-lr * as_large)


def wide(x: Tensor, like: Tensor | None = None) -> Tensor:
    """x (n, m), on its side where `like` (x itself, if not given) is higher than wide."""
    n, m = (x if like is None else like).shape
    return x.mT if n > m else x


def alike(matrices: list[nn.Parameter]) -> Iterator[list[nn.Parameter]]:
    """The matrices in lists of one shape, lying or standing, none of them longer than AT_ONCE."""
    by_shape = {}
    for p in matrices:
        by_shape.setdefault((min(p.shape), max(p.shape)), []).append(p)
    for (n, m), same in by_shape.items():
        most = max(1, AT_ONCE // (n * m))
        yield from (same[first : first + most] for first in range(0, len(same), most))


def orthogonal(x: Tensor, steps: int = 5) -> Tensor:
    """Roughly U Vᵀ of each matrix U S Vᵀ in x (..., n, m), n <= m, in bfloat16: every direction is stretched alike.

    Newton and Schulz's iteration with a polynomial of degree 5 that pulls small singular values up fast and leaves all
    of them between about 0.7 and 1.2. Jordan et al. 2024, "Muon".
    """
    a, b, c = QUINTIC
    x = x.bfloat16()
    x = x / x.norm(dim=(-2, -1), keepdim=True).clamp(min=1e-7)
    for _ in range(steps):
        gram = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x


def sgd(model: nn.Module, lr: float, weight_decay: float, momentum: float = 0.9) -> list[torch.optim.Optimizer]:
    """Gradient descent with Nesterov's momentum: one rate for all (Sutskever et al. 2013)."""
    return [torch.optim.SGD(by_decay(list(model.parameters()), weight_decay), lr=lr, momentum=momentum, nesterov=True)]


def by_decay(parameters: list[nn.Parameter], weight_decay: float) -> list[dict]:
    """Groups for an optimizer: what has two dimensions or more decays, the rest does not."""
    matrices, vectors = ([p for p in parameters if (p.ndim >= 2) == wanted] for wanted in (True, False))
    groups = [{"params": matrices, "weight_decay": weight_decay}, {"params": vectors, "weight_decay": 0.0}]
    return [group for group in groups if group["params"]]


# An optimizer is built by optimizer(model, lr, weight_decay) and is a list of torch's own.
OPTIMIZERS = {"adamw": adamw, "muon": muon, "sgd": sgd}
