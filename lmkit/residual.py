"""Chapter 6. Residual connections: the sublayers write to one stream, which nothing else interrupts.

A rule holds the norms of one sublayer and says how its output joins the stream. f is the sublayer.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn


class PreNorm(nn.Module):
    """x + f(norm(x)): normalize what the sublayer reads, leave the stream alone (GPT-2, Llama).

    Xiong et al. 2020, arXiv:2002.04745.
    """

    def __init__(self, d_model: int, norm: Callable, n_layers: int):
        super().__init__()
        self.norm = norm(d_model)

    def forward(self, x: Tensor, sublayer: Callable) -> Tensor:
        return x + sublayer(self.norm(x))  # (B, T, d_model)


class PostNorm(PreNorm):
    """norm(x + f(x)): normalize the stream itself after each addition (BERT). Vaswani et al. 2017, arXiv:1706.03762."""

    def forward(self, x: Tensor, sublayer: Callable) -> Tensor:
        return self.norm(x + sublayer(x))  # (B, T, d_model)


class OutputNorm(PreNorm):
    """x + norm(f(x)): normalize what the sublayer writes (Swin v2, OLMo 2). Liu et al. 2021, arXiv:2111.09883."""

    def forward(self, x: Tensor, sublayer: Callable) -> Tensor:
        return x + self.norm(sublayer(x))  # (B, T, d_model)


class Sandwich(PreNorm):
    """x + out_norm(f(norm(x))): normalize what the sublayer reads and what it writes (Gemma 2 and 3).

    Ding et al. 2021, arXiv:2105.13290.
    """

    def __init__(self, d_model: int, norm: Callable, n_layers: int):
        super().__init__(d_model, norm, n_layers)
        self.out_norm = norm(d_model)

    def forward(self, x: Tensor, sublayer: Callable) -> Tensor:
        return x + self.out_norm(sublayer(self.norm(x)))  # (B, T, d_model)


class DeepNorm(PreNorm):
    """norm(alpha x + f(x)) with alpha = (2 n_layers)^(1/4): post-norm in which the stream outweighs what is added.

    Wang et al. 2022, arXiv:2203.00555, for a stack on its own; the other half of it is the initial scheme "deepnorm".
    """

    def __init__(self, d_model: int, norm: Callable, n_layers: int):
        super().__init__(d_model, norm, n_layers)
        self.alpha = (2 * n_layers) ** 0.25

    def forward(self, x: Tensor, sublayer: Callable) -> Tensor:
        return self.norm(self.alpha * x + sublayer(x))  # (B, T, d_model)


class Scaled(PreNorm):
    """x + f(norm(x)) / √(2 n_layers): pre-norm whose stream keeps its size, however many sublayers add to it.

    The factor that GPT-2 puts into the initial weights (Radford et al. 2019), kept in place while they train.
    """

    def __init__(self, d_model: int, norm: Callable, n_layers: int):
        super().__init__(d_model, norm, n_layers)
        self.scale = 1 / math.sqrt(2 * n_layers)

    def forward(self, x: Tensor, sublayer: Callable) -> Tensor:
        return x + self.scale * sublayer(self.norm(x))  # (B, T, d_model)


class ReZero(nn.Module):
    """x + a f(x) with one trained number a per sublayer, 0 at first, and no norm.

    Bachlechner et al. 2020, arXiv:2003.04887.
    """

    def __init__(self, d_model: int, norm: Callable, n_layers: int):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor, sublayer: Callable) -> Tensor:
        return x + self.weight * sublayer(x)  # (B, T, d_model)


#: A residual rule is built by rule(d_model, norm, n_layers), where norm(d_model) builds a norm, and called rule(x, f).
RESIDUALS = {
    "pre": PreNorm,
    "post": PostNorm,
    "output": OutputNorm,
    "sandwich": Sandwich,
    "deepnorm": DeepNorm,
    "scaled": Scaled,
    "rezero": ReZero,
}
