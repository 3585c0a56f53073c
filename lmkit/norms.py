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


# A norm is built by norm(d_model, eps=...) and keeps the shape of what it is given.
NORMS = {"layernorm": nn.LayerNorm, "rmsnorm": RMSNorm}
