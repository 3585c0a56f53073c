"""Chapter 9. Optimizers: torch's own, and which of them takes which parameters.

Matrices decay, vectors (norms, biases) do not. A group of parameters with a "scale" is trained at scale times the rate
of the step.
"""

import torch
from torch import nn

from .model import Transformer


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
    how = dict(weight_decay=weight_decay, momentum=momentum, adjust_lr_fn="match_rms_adamw")
    hidden = torch.optim.Muon(inside, lr=lr, **how)
    return [hidden, torch.optim.AdamW([g | {"scale": rest} for g in others], lr=lr, betas=(0.9, 0.95), fused=True)]


def sgd(model: nn.Module, lr: float, weight_decay: float, momentum: float = 0.9) -> list[torch.optim.Optimizer]:
    """Gradient descent with Nesterov's momentum: one rate for all (Sutskever et al. 2013)."""
    return [torch.optim.SGD(by_decay(list(model.parameters()), weight_decay), lr=lr, momentum=momentum, nesterov=True)]


def by_decay(parameters: list[nn.Parameter], weight_decay: float) -> list[dict]:
    """Groups for an optimizer: what has two dimensions or more decays, the rest does not."""
    matrices, vectors = ([p for p in parameters if (p.ndim >= 2) == wanted] for wanted in (True, False))
    groups = [{"params": matrices, "weight_decay": weight_decay}, {"params": vectors, "weight_decay": 0.0}]
    return [group for group in groups if group["params"]]


#: An optimizer is built by optimizer(model, lr, weight_decay) and is a list of torch's own.
OPTIMIZERS = {"adamw": adamw, "muon": muon, "sgd": sgd}
