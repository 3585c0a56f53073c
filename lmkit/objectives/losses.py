"""Cross-entropy, whole and in chunks of which no more than one is ever held."""

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from ..heads import soft_cap


def cross_entropy(
    logits: Tensor, targets: Tensor, *, label_smoothing: float = 0.0, z_loss: float = 0.0, ignore_index: int = -100
) -> Tensor:
    """Mean over the targets of -log softmax(logits)[target], in nats, with two helps against too much certainty.

    logits (..., vocab_size), targets (...) -> scalar. `label_smoothing` takes that share of each target's probability
    and spreads it over all tokens evenly (Szegedy et al. 2015, arXiv:1512.00567). `z_loss` times log² Σ exp(logits) is
    added, which holds the logits near a scale that half precision bears; 1e-4 in PaLM (Chowdhery et al. 2022,
    arXiv:2204.02311). Targets equal to `ignore_index` are not asked; if none is, the loss is 0.
    """
    total = _summed(logits.flatten(0, -2), targets.flatten(), label_smoothing, z_loss, ignore_index)
    return total / (targets != ignore_index).sum().clamp(min=1)


def linear_cross_entropy(
    x: Tensor,
    weight: Tensor,
    targets: Tensor,
    *,
    bias: Tensor | None = None,
    cap: float | None = None,
    label_smoothing: float = 0.0,
    z_loss: float = 0.0,
    ignore_index: int = -100,
    chunk: int = 1024,
) -> Tensor:
    """cross_entropy of the logits x @ weight.T + bias, kept within `cap`, of which no more than a chunk is ever held.

    x (..., d_model), weight (vocab_size, d_model), targets (...) -> scalar. The gradients of a chunk's logits are taken
    at once, and the logits dropped: memory that does not grow with the text, for no more arithmetic (Hsu et al. 2024,
    "Liger Kernel", arXiv:2410.10989). Compiled, the logits are formed again for the gradient instead (Chen et al. 2016,
    arXiv:1604.06174). For a language model:

    >>> x = model.body(ids[:, :-1]) * model.config.logit_scale
    >>> linear_cross_entropy(x, model.weight, ids[:, 1:], cap=model.config.logit_soft_cap)
    """
    if chunk < 1:
        raise ValueError(f"chunk must be 1 or more, not {chunk}")

    def part(x: Tensor, targets: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        logits = F.linear(x, weight, bias)
        return _summed(logits if cap is None else soft_cap(logits, cap), targets, label_smoothing, z_loss, ignore_index)

    asked = targets != ignore_index
    x, targets, parameters = x[asked], targets[asked], (weight,) if bias is None else (weight, bias)
    if torch.compiler.is_compiling():
        parts = zip(x.split(chunk), targets.split(chunk))
        total = sum(checkpoint(part, some, those, *parameters, use_reentrant=False) for some, those in parts)
    elif torch.is_grad_enabled():
        total = InChunks.apply(part, chunk, x, targets, *parameters)
    else:
        total = sum(part(some, those, *parameters) for some, those in zip(x.split(chunk), targets.split(chunk)))
    return total / asked.sum().clamp(min=1)


class InChunks(torch.autograd.Function):
    """The sum of part(x, targets, *parameters) over chunks of x and targets, whose gradients are taken on the way."""

    @staticmethod
    def forward(ctx, part, chunk: int, x: Tensor, targets: Tensor, *parameters: Tensor) -> Tensor:
        device = x.device.type
        half = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else None
        leaves = [p.detach().to(half or p.dtype).requires_grad_() for p in parameters]  # cast once, not once a chunk
        gradients = [torch.zeros_like(p) for p in (x, *parameters)]
        total = x.new_zeros((), dtype=torch.promote_types(x.dtype, torch.float32))
        for some, those, gradient in zip(x.split(chunk), targets.split(chunk), gradients[0].split(chunk)):
            some = some.detach().requires_grad_()
            with torch.enable_grad():
                loss = part(some, those, *leaves)
            found = torch.autograd.grad(loss, (some, *leaves))
            gradient.copy_(found[0])
            for sum_so_far, more in zip(gradients[1:], found[1:]):
                sum_so_far.add_(more)
            total += loss.detach()
        ctx.save_for_backward(*gradients)
        return total

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple:
        x, *parameters = (gradient * saved for saved in ctx.saved_tensors)
        return None, None, x, None, *parameters


def _summed(logits: Tensor, targets: Tensor, label_smoothing: float, z_loss: float, ignore_index: int) -> Tensor:
    """The sum over the targets (N), from logits (N, vocab_size); in float32 at least."""
    logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
    how = dict(label_smoothing=label_smoothing, ignore_index=ignore_index, reduction="sum")
    total = F.cross_entropy(logits, targets, **how)
    if z_loss:
        total = total + z_loss * logits.logsumexp(dim=-1)[targets != ignore_index].square().sum()
    return total
