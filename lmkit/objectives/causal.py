"""Causal language modelling: predict each token from those before it."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..ffn import MoE
from ..heads import LM
from .losses import linear_cross_entropy
from .packed import packed_loss

BALANCE = 0.01  # the weight of a mixture's balancing loss; Fedus et al. 2021, arXiv:2101.03961
AT_ONCE = {"cpu": 2**23, "cuda": 2**27}  # logits that are formed at once where there are more than four times as many


def next_token_loss(model: nn.Module, ids: Tensor | dict) -> Tensor:
    """Mean cross-entropy, in nats per token, of predicting ids[:, 1:] from what stands before.

    ids (B, T + 1) -> scalar. The causal objective of GPT (Radford et al. 2018): maximum likelihood of the text. In
    training, mixtures of experts add their balancing loss. Where a language model has very many logits, they are formed
    in chunks (`linear_cross_entropy`), unless torch.compile fuses the loss itself. Rows into which documents are packed
    come as a dict (`packed_loss`).
    """
    if isinstance(ids, dict):
        return packed_loss(model, **ids) + balance(model)
    targets, most = ids[:, 1:], AT_ONCE.get(ids.device.type, 2**27)
    many = isinstance(model, LM) and targets.numel() * model.config.vocab_size > 4 * most
    if many and not torch.compiler.is_compiling():
        x = model.body(ids[:, :-1]) * model.config.logit_scale  # (B, T, d_model)
        chunk = max(1, most // model.config.vocab_size)
        cap = model.config.logit_soft_cap
        loss = linear_cross_entropy(x, model.weight, targets, bias=model.bias, cap=cap, chunk=chunk)
    else:
        logits = model(ids[:, :-1])  # (B, T, vocab_size)
        loss = F.cross_entropy(logits.flatten(0, 1), targets.flatten())
    return loss + balance(model)


def balance(model: nn.Module) -> Tensor | float:
    """In training, the weighted balancing losses of all mixtures of experts."""
    mixtures = [module for module in model.modules() if isinstance(module, MoE)] if model.training else []
    return BALANCE * sum(mixture.aux_loss for mixture in mixtures)
