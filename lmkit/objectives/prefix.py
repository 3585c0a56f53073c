"""Prefix language modelling: a beginning is given and seen both ways, the rest is predicted token by token."""

import numpy as np
from torch import Tensor, nn

from .losses import cross_entropy
from .text import NOT_ASKED, Marks, Text, rows


def prefixed(text: Text, random: np.random.Generator, batch_size: int, seq_len: int, marks: Marks) -> dict:
    """Windows with a prefix of 1 .. seq_len - 1 tokens each, all lengths alike: ids, targets (B, T), prefix (B).

    Raffel et al. 2019, arXiv:1910.10683; Dong et al. 2019, "UniLM", arXiv:1905.03197.
    """
    if seq_len < 2:
        raise ValueError(f"a row of {seq_len} tokens has no room for a prefix and what follows it: 2 is the least")
    windows = text.ids[rows(text, random, batch_size, seq_len + 1)].astype(np.int64)
    prefix = random.integers(1, seq_len, size=batch_size)
    asked = np.arange(seq_len) >= prefix[:, None] - 1  # the last token of the prefix is asked for what comes next
    return {"ids": windows[:, :-1], "targets": np.where(asked, windows[:, 1:], NOT_ASKED), "prefix": prefix}


def prefix_loss(model: nn.Module, batch: dict[str, Tensor]) -> Tensor:
    """Mean cross-entropy, in nats per token after the prefix."""
    return cross_entropy(model(batch["ids"], prefix=batch["prefix"]), batch["targets"])
