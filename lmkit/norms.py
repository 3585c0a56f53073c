"""Chapter 5. Normalization: keep the numbers in the residual stream at one scale."""

import torch
from torch import Tensor, nn


class RMSNorm(nn.Module):
    """Divide by the root mean square, then scale each feature: x / rms(x) * weight.

    Zhang & Sennrich 2019, arXiv:1910.07467. The statistics are taken in float32, as in Llama.
    """

    def __init__(self, d_model: int, eps: float = 1e-6):
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(d_model))

    def forward(self, x: Tensor) -> Tensor:
        mean_square = x.float().pow(2).mean(-1, keepdim=True)
        return self.weight * (x.float() * torch.rsqrt(mean_square + self.eps)).type_as(x)


class RMSNormPlusOne(RMSNorm):
    """x / rms(x) * (1 + weight): the weight says how far the scale is from 1, and decays towards that (Gemma).

    Gemma Team 2024, arXiv:2403.08295, and their published code, which multiplies in float32.
    """

    def __init__(self, d_model: int, eps: float = 1e-6):
        super().__init__(d_model, eps)
        nn.init.zeros_(self.weight)

    def forward(self, x: Tensor) -> Tensor:
        mean_square = x.float().pow(2).mean(-1, keepdim=True)
        return (x.float() * torch.rsqrt(mean_square + self.eps) * (1 + self.weight.float())).type_as(x)


class NoNorm(nn.Module):
    """x as it is: what a stack of sublayers does without a norm, and what a norm is compared with."""

    def __init__(self, d_model: int, eps: float = 1e-5):
        super().__init__()

    def forward(self, x: Tensor) -> Tensor:
        return x


class DyT(nn.Module):
    """Dynamic tanh, tanh(alpha x) * weight + bias: no statistics at all, one trained number alpha for all features.

    Zhu et al. 2025, arXiv:2503.10622, where alpha starts at 0.5; in language models the lower the wider they are, and
    higher before attention than before the feed-forward network. eps is taken, as by all norms, and not needed.
    """

    def __init__(self, d_model: int, eps: float = 1e-5, alpha0: float = 0.5):
        super().__init__()
        self.alpha = nn.Parameter(torch.tensor(float(alpha0)))
        self.weight = nn.Parameter(torch.ones(d_model))
        self.bias = nn.Parameter(torch.zeros(d_model))

    def forward(self, x: Tensor) -> Tensor:
        return torch.tanh(self.alpha * x) * self.weight + self.bias


class BatchNorm(nn.Module):
    """(x - mean) / √(var + eps) * weight + bias, mean and variance of each feature over all tokens of the batch.

    Ioffe & Szegedy 2015, arXiv:1502.03167. The failing example. In training, what one token becomes depends on every
    other: on other sequences and, in a causal model, on its own future, which a language model must not see. And in
    evaluation running averages stand in for the batch, so that the trained function is not the one that is used; text
    varies so much from batch to batch that the two lie far apart (Shen et al. 2020, "PowerNorm", arXiv:2003.07845).
    Statistics are taken in float32; `momentum` is the share of the newest batch in the running averages.
    """

    def __init__(self, d_model: int, eps: float = 1e-5, momentum: float = 0.1):
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter(torch.ones(d_model))
        self.bias = nn.Parameter(torch.zeros(d_model))
        self.register_buffer("running_mean", torch.zeros(d_model))
        self.register_buffer("running_var", torch.ones(d_model))

    def forward(self, x: Tensor) -> Tensor:
        mean, var = self.batch_statistics(x) if self.training else (self.running_mean, self.running_var)
        scaled = (x.float() - mean) * torch.rsqrt(var.float() + self.eps)
        return scaled.type_as(x) * self.weight + self.bias

    def batch_statistics(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and variance of the batch, (d_model) each; as a side effect the running averages move towards them."""
        tokens = x.float().flatten(0, -2)
        var, mean = torch.var_mean(tokens, dim=0, correction=0)
        with torch.no_grad():
            unbiased = var * len(tokens) / max(len(tokens) - 1, 1)
            self.running_mean.lerp_(mean.type_as(self.running_mean), self.momentum)
            self.running_var.lerp_(unbiased.type_as(self.running_var), self.momentum)
        return mean, var


#: A norm is built by norm(d_model, eps=...) and keeps the shape of what it is given, (..., d_model).
NORMS = {
    "layernorm": nn.LayerNorm,  # (x - mean) / √(var + eps) * weight + bias; Ba et al. 2016, arXiv:1607.06450
    "rmsnorm": RMSNorm,
    "rmsnorm_plus_one": RMSNormPlusOne,
    "none": NoNorm,
    "dyt": DyT,
    "batchnorm": BatchNorm,
}
