"""Causal language modelling: predict each token from those before it."""

import torch.nn.functional as F
from torch import Tensor, nn

from ..ffn import MoE

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
