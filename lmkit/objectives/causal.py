"""Causal language modelling: predict each token from those before it."""

import torch
from torch import Tensor, nn

from ..ffn import MoE
from ..heads import LM
from .losses import cross_entropy, linear_cross_entropy
from .text import NOT_ASKED

BALANCE = 0.01  # the weight of a mixture's balancing loss; Fedus et al. 2021, arXiv:2101.03961
AT_ONCE = {"cpu": 2**23, "cuda": 2**27}  # logits that are formed at once where there are more than four times as many


def next_token_loss(model: nn.Module, batch: Tensor | dict[str, Tensor]) -> Tensor:
    """Mean cross-entropy, in nats per token, of predicting ids[:, 1:] from what stands before.

    ids (B, T + 1) -> scalar. The causal objective of GPT (Radford et al. 2018): maximum likelihood of the text. In
    training, mixtures of experts add their balancing loss. Where a language model has very many logits, they are formed
    in chunks (`linear_cross_entropy`), unless torch.compile fuses the loss itself.

    Rows into which documents are packed (`lmkit.data.packed`) come as a dict of ids and documents, both (B, T + 1), the
    latter the number of the document that a token belongs to, -1 where a row is filled up. Each is read as if it stood
    alone: attention does not cross from one to the next, positions begin anew, and no first token is asked.
    """
    packed, how = isinstance(batch, dict), {}
    ids = batch["ids"] if packed else batch
    targets = ids[:, 1:]
    if packed:
        documents = batch["documents"]
        how, follows = {"documents": documents[:, :-1]}, documents[:, 1:] == documents[:, :-1]
        targets = targets.masked_fill(~follows | (documents[:, 1:] < 0), NOT_ASKED)
    most = AT_ONCE.get(ids.device.type, 2**27)
    many = isinstance(model, LM) and targets.numel() * model.config.vocab_size > 4 * most
    if many and not torch.compiler.is_compiling():
        x = model.body(ids[:, :-1], **how) * model.config.logit_scale  # (B, T, d_model)
        chunk, cap = max(1, most // model.config.vocab_size), model.config.logit_soft_cap
        loss = linear_cross_entropy(x, model.weight, targets, bias=model.bias, cap=cap, chunk=chunk)
    else:
        loss = cross_entropy(model(ids[:, :-1], **how), targets)
    mixtures = [module for module in model.modules() if isinstance(module, MoE)] if model.training else []
    return loss + BALANCE * sum(mixture.aux_loss for mixture in mixtures)
