"""Causal language modelling on rows into which several documents are packed (`lmkit.data.packed`)."""

import torch.nn.functional as F
from torch import Tensor, nn


def packed_loss(model: nn.Module, ids: Tensor, documents: Tensor) -> Tensor:
    """Mean cross-entropy, in nats, of the tokens that follow one of their own document in the row.

    ids and documents (B, T + 1): tokens, and the number of the document that each belongs to, -1 where a row is filled
    up. Documents are read as if each stood alone: attention does not cross from one to the next, positions begin anew,
    and the first token of a document is not asked.
    """
    logits = model(ids[:, :-1], documents=documents[:, :-1])  # (B, T, vocab_size)
    follows = (documents[:, 1:] == documents[:, :-1]) & (documents[:, 1:] >= 0)
    targets = ids[:, 1:].masked_fill(~follows, -100)
    total = F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=-100, reduction="sum")
    return total / follows.sum().clamp(min=1)
