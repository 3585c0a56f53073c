"""Chapter 4. Feed-forward networks: what each position does on its own, between two looks at the others."""

import torch.nn.functional as F
from torch import Tensor, nn


class FFN(nn.Module):
    """down(gelu(up(x))): widen, bend, narrow (GPT-2, BERT). GELU: Hendrycks & Gimpel 2016, arXiv:1606.08415."""

    def __init__(self, d_model: int, d_ff: int | None = None, bias: bool = True):
        super().__init__()
        self.up_proj = nn.Linear(d_model, d_ff or 4 * d_model, bias=bias)
        self.down_proj = nn.Linear(d_ff or 4 * d_model, d_model, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        return self.down_proj(F.gelu(self.up_proj(x)))  # (B, T, d_model)


class SwiGLU(nn.Module):
    """down(silu(gate(x)) * up(x)): one half decides how much of the other passes (Llama).

    Shazeer 2020, arXiv:2002.05202. The default width, 8/3 d_model, gives it as many weights as FFN has.
    """

    def __init__(self, d_model: int, d_ff: int | None = None, bias: bool = True):
        super().__init__()
        d_ff = d_ff or 8 * d_model // 3
        self.gate_proj = nn.Linear(d_model, d_ff, bias=bias)
        self.up_proj = nn.Linear(d_model, d_ff, bias=bias)
        self.down_proj = nn.Linear(d_ff, d_model, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))  # (B, T, d_model)


# A feed-forward network is built by ffn(d_model, d_ff, bias=...) and acts on each position alone.
FFNS = {"gelu": FFN, "swiglu": SwiGLU}
