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

    how = dict(label_smoothing=label_smoothing, z_loss=z_loss)
    asked = targets != ignore_index
    x, targets, parameters = x[asked], targets[asked], (weight,) if bias is None else (weight, bias)
    if torch.is_grad_enabled() and not torch.compiler.is_compiling():
        return InChunks.apply(chunk, cap, how, x, targets, *parameters)

    def part(x: Tensor, targets: Tensor) -> Tensor:
        logits = F.linear(x, *parameters)
        return _summed(logits if cap is None else soft_cap(logits, cap), targets, **how, ignore_index=ignore_index)

    parts = zip(x.split(chunk), targets.split(chunk))
    total = sum(checkpoint(part, some, those, use_reentrant=False) for some, those in parts)
    return total / asked.sum().clamp(min=1)


ROWS = 8192  # of the weight's gradient that are formed at once


class InChunks(torch.autograd.Function):
    """The mean cross-entropy of the logits of x, whose gradients are taken chunk by chunk on the way."""

    @staticmethod
    def forward(ctx, chunk: int, cap: float | None, how: dict, x: Tensor, targets: Tensor, *parameters: Tensor):
        device = x.device.type
        half = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else None
        weight, *bias = (p.to(half or p.dtype) for p in parameters)  # cast once, not once a chunk
        gradients = [torch.zeros_like(p) for p in (x, *parameters)]
        total = x.new_zeros((), dtype=torch.promote_types(x.dtype, torch.float32))
        for some, those, of_x in zip(x.split(chunk), targets.split(chunk), gradients[0].split(chunk)):
            logits = F.linear(some, weight, *bias)
            capped = logits if cap is None else soft_cap(logits, cap)
            loss, of_logits = loss_and_gradient(capped, those, **how)
            if cap is not None:
                of_logits *= 1 - (capped / cap).square()
            of_logits = of_logits.to(logits.dtype)
            of_x.copy_(of_logits @ weight)
            some = some.to(logits.dtype)
            for of_rows, rows in zip(gradients[1].split(ROWS), of_logits.T.split(ROWS)):
                of_rows += rows @ some
            if bias:
                gradients[2] += of_logits.sum(dim=0)
            total += loss
        for part in (total, *gradients):
            part /= max(1, len(targets))
        ctx.save_for_backward(*gradients)
        return total

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple:
        plain = gradient.device.type == "cpu" and gradient.item() == 1  # as ever, if the loss is what is minimized
        x, *parameters = ctx.saved_tensors if plain else (gradient * saved for saved in ctx.saved_tensors)
        return None, None, None, x, None, *parameters


def loss_and_gradient(logits: Tensor, targets: Tensor, label_smoothing: float, z_loss: float) -> tuple[Tensor, Tensor]:
    """What `_summed` gives, and its gradient: softmax(logits), less the share of probability that each target wants.

    With log Z = log Σ exp(logits) the gradient is p (1 + 2 z_loss log Z) - (1 - s) onehot(target) - s / vocab_size.
    """
    dtype = torch.promote_types(logits.dtype, torch.float32)
    log_p, targets, s = logits.log_softmax(dim=-1, dtype=dtype), targets[:, None], label_smoothing
    log_z = logits[:, :1].to(dtype) - log_p[:, :1]
    loss = -(1 - s) * log_p.gather(1, targets).sum()
    if s:
        loss -= s * log_p.mean(dim=-1).sum()
    p = log_p.exp_()
    if z_loss:
        loss += z_loss * log_z.square().sum()
        p *= 1 + 2 * z_loss * log_z
    if s:
        p -= s / logits.shape[-1]
    return loss, p.scatter_add_(1, targets, p.new_full((1, 1), s - 1).expand_as(targets))


def _summed(logits: Tensor, targets: Tensor, label_smoothing: float, z_loss: float, ignore_index: int) -> Tensor:
    """The sum over the targets (N), from logits (N, vocab_size); in float32 at least."""
    logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
    how = dict(label_smoothing=label_smoothing, ignore_index=ignore_index, reduction="sum")
    total = F.cross_entropy(logits, targets, **how)
    if z_loss:
        total = total + z_loss * logits.logsumexp(dim=-1)[targets != ignore_index].square().sum()
    return total
