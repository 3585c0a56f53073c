"""Chapter 9. Objectives: what a model is trained to predict. An objective is loss(model, ids) -> scalar, in nats."""

import torch.nn.functional as F
from torch import Tensor, nn


def next_token_loss(model: nn.Module, ids: Tensor) -> Tensor:
    """Mean cross-entropy, in nats per token, of predicting ids[:, 1:] from what stands before.

    ids (B, T + 1) -> scalar. The causal objective of GPT (Radford et al. 2018).
    """
    logits = model(ids[:, :-1])  # (B, T, vocab_size)
    return F.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten())


OBJECTIVES = {"causal": next_token_loss}
