"""Chapter 9. Objectives: what a model is trained to predict. An objective is loss(model, ids) -> scalar, in nats."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from .ffn import MoE
from .heads import soft_cap

BALANCE = 0.01  # the weight of a mixture's balancing loss; Fedus et al. 2021, arXiv:2101.03961


def next_token_loss(model: nn.Module, ids: Tensor) -> Tensor:
    """Mean cross-entropy, in nats per token, of predicting ids[:, 1:] from what stands before.

    ids (B, T + 1) -> scalar. The causal objective of GPT (Radford et al. 2018). In training, mixtures of experts add
    their balancing loss.
    """
    logits = model(ids[:, :-1])  # (B, T, vocab_size)
    loss = F.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten())
    mixtures = [module for module in model.modules() if isinstance(module, MoE)] if model.training else []
    return loss + BALANCE * sum(mixture.aux_loss for mixture in mixtures)


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

    x (..., d_model), weight (vocab_size, d_model), targets (...) -> scalar. The logits of `chunk` targets are formed,
    used and dropped, and formed again for the gradient (Chen et al. 2016, arXiv:1604.06174): one matrix product more
    for memory that does not grow with the text. For a language model:

    >>> x = model.body(ids[:, :-1]) * model.config.logit_scale
    >>> linear_cross_entropy(x, model.weight, ids[:, 1:], cap=model.config.logit_soft_cap)
    """
    if chunk < 1:
        raise ValueError(f"chunk must be 1 or more, not {chunk}")

    def part(x: Tensor, weight: Tensor, bias: Tensor | None, targets: Tensor) -> Tensor:
        logits = F.linear(x, weight, bias)
        return _summed(logits if cap is None else soft_cap(logits, cap), targets, label_smoothing, z_loss, ignore_index)

    asked = targets != ignore_index
    parts = zip(x[asked].split(chunk), targets[asked].split(chunk))
    total = sum(checkpoint(part, some, weight, bias, those, use_reentrant=False) for some, those in parts)
    return total / asked.sum().clamp(min=1)


def _summed(logits: Tensor, targets: Tensor, label_smoothing: float, z_loss: float, ignore_index: int) -> Tensor:
    """The sum over the targets (N), from logits (N, vocab_size); in float32 at least."""
    logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
    how = dict(label_smoothing=label_smoothing, ignore_index=ignore_index, reduction="sum")
    total = F.cross_entropy(logits, targets, **how)
    if z_loss:
        total = total + z_loss * logits.logsumexp(dim=-1)[targets != ignore_index].square().sum()
    return total


OBJECTIVES = {"causal": next_token_loss}
