"""Chapter 4. Feed-forward networks: what each position does on its own, between two looks at the others."""

from collections.abc import Callable
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .choose import choose


def inner_width(d_ff: int | None, usual: int) -> int:
    """d_ff, or what is usual where it is None; ValueError for less than 1."""
    if d_ff is not None and d_ff < 1:
        raise ValueError(f"d_ff must be at least 1, not {d_ff}")
    return usual if d_ff is None else d_ff


class FFN(nn.Module):
    """down(gelu(up(x))): widen, bend, narrow (BERT). gelu(h) = h Φ(h), with Φ the normal distribution function.

    Hendrycks & Gimpel 2016, arXiv:1606.08415. d_ff is 4 d_model if not given, as in Vaswani et al. 2017.
    """

    activation = staticmethod(F.gelu)

    def __init__(self, d_model: int, d_ff: int | None = None, bias: bool = True):
        super().__init__()
        d_ff = inner_width(d_ff, 4 * d_model)
        self.up_proj = nn.Linear(d_model, d_ff, bias=bias)
        self.down_proj = nn.Linear(d_ff, d_model, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        return self.down_proj(self.activation(self.up_proj(x)))  # (..., d_model)


class GeluTanhFFN(FFN):
    """FFN with gelu(h) ≈ h/2 (1 + tanh(√(2/π) (h + 0.044715 h³))), the approximation of the same paper (GPT-2)."""

    activation = staticmethod(partial(F.gelu, approximate="tanh"))


class ReluFFN(FFN):
    """down(relu(up(x))), relu(h) = max(0, h): the first Transformer. Vaswani et al. 2017, arXiv:1706.03762."""

    activation = staticmethod(F.relu)


class Relu2FFN(FFN):
    """down(relu(up(x))²): the square makes the strong stronger (Primer). So et al. 2021, arXiv:2109.08668."""

    @staticmethod
    def activation(h: Tensor) -> Tensor:
        return F.relu(h).square()


class GLU(nn.Module):
    """down(sigmoid(gate(x)) * up(x)): one half decides how much of the other passes.

    Dauphin et al. 2016, arXiv:1612.08083, inside a Transformer: Shazeer 2020, arXiv:2002.05202. d_ff is 8/3 d_model if
    not given, to the nearest whole number, so that the three matrices have as many weights as the two of FFN.
    """

    activation = staticmethod(F.sigmoid)

    def __init__(self, d_model: int, d_ff: int | None = None, bias: bool = True):
        super().__init__()
        d_ff = inner_width(d_ff, round(8 * d_model / 3))
        self.gate_proj = nn.Linear(d_model, d_ff, bias=bias)
        self.up_proj = nn.Linear(d_model, d_ff, bias=bias)
        self.down_proj = nn.Linear(d_ff, d_model, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        return self.down_proj(self.activation(self.gate_proj(x)) * self.up_proj(x))  # (..., d_model)


class SwiGLU(GLU):
    """GLU with silu(h) = h sigmoid(h) in place of the sigmoid (Llama). Shazeer 2020, arXiv:2002.05202."""

    activation = staticmethod(F.silu)


class GEGLU(GLU):
    """GLU with the exact gelu of FFN in place of the sigmoid. Shazeer 2020, arXiv:2002.05202."""

    activation = staticmethod(F.gelu)


class GEGLUTanh(GLU):
    """GLU with the approximate gelu of GeluTanhFFN (T5 v1.1, Gemma). Shazeer 2020, arXiv:2002.05202."""

    activation = staticmethod(partial(F.gelu, approximate="tanh"))


class MoE(nn.Module):
    """Mixture of experts: Σ w_e expert_e(x) over the n_active experts with the largest p = softmax(router(x)).

    The weights w are those p, divided by their sum (Mixtral; Jiang et al. 2024, arXiv:2401.04088). Shazeer et al. 2017,
    arXiv:1701.06538. d_ff is the width of one expert; not given, it is the one with which the weights that a token
    meets, router included, are nearest in number to those of FFN. No token is ever dropped, and padding is a token
    like any other: nothing tells the network which are real.

    Each forward leaves three things behind, the only side outputs of any component:
        aux_loss  n_experts Σ f_e P_e, where f_e is the share of tokens that chose e and P_e its mean p; a scalar with
                  gradient, n_active where P is even, more where the busy are the likely. The training loss takes it in,
                  say times 0.01. Fedus et al. 2021, arXiv:2101.03961, for n_active = 1; else as published for Mixtral.
        load      (n_experts) the share of all choices that each expert got; 1 in sum
        capacity  the choices of the busiest expert over an even share: the capacity factor that would drop no token
    """

    def __init__(
        self,
        d_model: int,
        d_ff: int | None = None,
        bias: bool = True,
        *,
        n_experts: int = 8,
        n_active: int = 2,
        expert: str | dict | Callable = "swiglu",
    ):
        super().__init__()
        if not 1 <= n_active <= n_experts:
            raise ValueError(f"n_active ({n_active}) must lie between 1 and n_experts ({n_experts})")
        if d_ff is None:
            d_ff = matched_d_ff(partial(MoE, n_experts=n_experts, n_active=n_active, expert=expert), d_model)
        self.n_active = n_active
        self.router = nn.Linear(d_model, n_experts, bias=False)
        self.experts = nn.ModuleList(choose(expert, FFNS)(d_model, d_ff, bias=bias) for _ in range(n_experts))
        self.aux_loss: Tensor | None = None
        self.load: Tensor | None = None
        self.capacity: Tensor | None = None

    def forward(self, x: Tensor) -> Tensor:
        tokens = x.flatten(0, -2)  # (N, d_model)
        probs = self.router(tokens).float().softmax(dim=-1)  # (N, n_experts)
        weights, chosen = probs.topk(self.n_active, dim=-1)  # (N, n_active)
        weights = weights / weights.sum(dim=-1, keepdim=True)  # (N, n_active)
        self.report(probs, chosen)
        out = torch.zeros_like(tokens)  # (N, d_model)
        for number, expert in enumerate(self.experts):
            token, rank = self.choosers(chosen, number)
            part = weights[token, rank, None] * expert(tokens[token])
            out.index_add_(0, token, part.type_as(x))
        return out.view_as(x)  # (..., d_model)

    def choosers(self, chosen: Tensor, number: int) -> tuple[Tensor, Tensor]:
        """The tokens that chose this expert, and as their which choice. There may be none: its gradient is then 0."""
        return torch.where(chosen == number)

    def report(self, probs: Tensor, chosen: Tensor) -> None:
        N, n_experts = probs.shape
        counts = chosen.flatten().bincount(minlength=n_experts)  # (n_experts)
        self.aux_loss = n_experts * (counts / N * probs.mean(dim=0)).sum()
        self.load = counts / counts.sum()  # (n_experts)
        self.capacity = self.load.max() * n_experts

    def __getstate__(self) -> dict:
        """A copy of the module leaves the report behind, whose graph cannot be copied."""
        return super().__getstate__() | dict(aux_loss=None, load=None, capacity=None)


def active_parameters(module: nn.Module) -> int:
    """The number of parameters that one token meets: all but those of the experts that it does not choose."""
    mixtures = [m for m in module.modules() if isinstance(m, MoE)]
    idle = {id(p) for m in mixtures for expert in m.experts[m.n_active :] for p in expert.parameters()}
    return sum(p.numel() for p in module.parameters() if id(p) not in idle)


def matched_d_ff(ffn: str | dict | Callable, d_model: int, d_ff: int | None = None) -> int:
    """The width at which `ffn` has the number of weights of the plain FFN of width `d_ff` (4 d_model if not given).

    Weights are the entries of matrices; biases are not counted. The nearest whole width, at least 1: of SwiGLU
    2/3 d_ff, of a mixture the width per expert with which the weights that a token meets match, router included.
    """
    with torch.device("meta"):
        one, two = (active_parameters(choose(ffn, FFNS)(d_model, width, bias=False)) for width in (1, 2))
    wanted = 2 * d_model * inner_width(d_ff, 4 * d_model)
    return max(1, round((wanted - one) / (two - one)) + 1)


#: A feed-forward network is built by ffn(d_model, d_ff, bias=...) and acts on each position alone.
FFNS = {
    "relu": ReluFFN,
    "gelu": FFN,
    "gelu_tanh": GeluTanhFFN,
    "relu2": Relu2FFN,
    "glu": GLU,
    "swiglu": SwiGLU,
    "geglu": GEGLU,
    "geglu_tanh": GEGLUTanh,
    "moe": MoE,
}
