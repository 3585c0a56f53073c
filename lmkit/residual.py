"""Chapter 6. Residual connections: the sublayers write to one stream, which nothing else interrupts."""

from collections.abc import Callable

from torch import Tensor


def pre_norm(x: Tensor, sublayer: Callable, norm: Callable) -> Tensor:
    """Normalize what the sublayer reads; leave the stream alone (GPT-2, Llama)."""
    return x + sublayer(norm(x))


def post_norm(x: Tensor, sublayer: Callable, norm: Callable) -> Tensor:
    """Normalize the stream itself after each addition (the 2017 Transformer, BERT)."""
    return norm(x + sublayer(x))


# A residual rule is rule(x, sublayer, norm) -> x. The norms belong to the block, so names do not change with the rule.
RESIDUALS = {"pre": pre_norm, "post": post_norm}
