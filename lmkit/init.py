"""Chapter 8. Initial weights: one function per scheme, so that all standard deviations stand together.

Every scheme draws each matrix from a normal distribution around 0 and starts biases at 0; norms keep their start at 1.
"""

import math
from collections.abc import Callable

from torch import nn


def matrices(module: nn.Module) -> dict[str, nn.Module]:
    """All linear maps and embeddings within, by name."""
    return {name: m for name, m in module.named_modules() if isinstance(m, nn.Linear | nn.Embedding)}


def writers(module: nn.Module) -> list[nn.Linear]:
    """The last map of each sublayer (and of each expert): those that write to the residual stream."""
    return [m for name, m in module.named_modules() if name.endswith(("o_proj", "down_proj"))]


def draw(module: nn.Module, std: Callable[[str, nn.Module], float]) -> None:
    """Draw the weight of each matrix from N(0, std(name, matrix)²), and set its bias to zero, if it has one."""
    for name, matrix in matrices(module).items():
        nn.init.normal_(matrix.weight, std=std(name, matrix))
        if getattr(matrix, "bias", None) is not None:
            nn.init.zeros_(matrix.bias)


def gpt2(module: nn.Module, n_layers: int) -> None:
    """Draw all matrices from N(0, 0.02²), those that write to the residual stream from N(0, 0.02² / (2 n_layers)).

    Radford et al. 2019. Each of the 2 n_layers sublayers adds to the stream; the smaller draw keeps its size at one
    scale.
    """
    draw(module, lambda name, matrix: 0.02)
    for writer in writers(module):
        nn.init.normal_(writer.weight, std=0.02 / math.sqrt(2 * n_layers))


def fan_in(module: nn.Module, n_layers: int) -> None:
    """Draw each matrix from N(0, 1 / d_in), so that it keeps the size of what it is given (LeCun et al. 1998).

    Embeddings are drawn from N(0, 1 / d_model); writers to the stream are divided by √(2 n_layers) as in `gpt2`. Where
    d_model is far below GPT-2's 768, this is a much larger start than 0.02, and small models learn faster from it.
    """
    draw(module, lambda name, matrix: matrix.weight.shape[1] ** -0.5)
    for writer in writers(module):
        writer.weight.data.div_(math.sqrt(2 * n_layers))


def bert(module: nn.Module, n_layers: int) -> None:
    """Draw all matrices from N(0, 0.02²), whatever they do and however deep the stack is.

    Devlin et al. 2018, arXiv:1810.04805. Their own code redraws what lies beyond two standard deviations; later
    implementations do not, nor does this.
    """
    draw(module, lambda name, matrix: 0.02)


def small(module: nn.Module, n_layers: int) -> None:
    """Draw all matrices from N(0, 2 / (5 d_model)), those that write to the stream from N(0, 4 / (n_layers² d_model)).

    The first is Xavier's draw for the up_proj of a network of width 4 d_model, taken for all: Nguyen & Salazar 2019,
    "SmallInit", arXiv:1910.05895. The second: Wang & Komatsuzaki 2021 (GPT-J), as both stand together in GPT-NeoX-20B
    (Black et al. 2022, arXiv:2204.06745). d_model is what the first matrix within reads or, if an embedding, gives.
    """
    d_model = next(iter(matrices(module).values())).weight.shape[1]
    draw(module, lambda name, matrix: math.sqrt(2 / (5 * d_model)))
    for writer in writers(module):
        nn.init.normal_(writer.weight, std=2 / (n_layers * math.sqrt(d_model)))


def zero_out(module: nn.Module, n_layers: int) -> None:
    """As `fan_in`, but what writes to the stream starts at zero, so that every block starts as the identity.

    Zhang et al. 2019, "Fixup", arXiv:1901.09321, whose residual branches end in a zero.
    """
    fan_in(module, n_layers)
    for writer in writers(module):
        nn.init.zeros_(writer.weight)


def deepnorm(module: nn.Module, n_layers: int) -> None:
    """Draw each matrix from N(0, beta² 2 / (d_in + d_out)), with beta = (8 n_layers)^(-1/4) in feed-forward networks,
    v_proj and o_proj, and beta = 1 elsewhere; embeddings from N(0, 1 / d_model).

    Wang et al. 2022, arXiv:2203.00555, for a stack on its own; the other half of it is the residual rule "deepnorm".
    They had no gates; a gate_proj counts as part of its network here.
    """
    beta, damped = (8 * n_layers) ** -0.25, ("up_proj", "gate_proj", "down_proj", "v_proj", "o_proj")

    def std(name: str, matrix: nn.Module) -> float:
        if isinstance(matrix, nn.Embedding):
            return matrix.embedding_dim**-0.5
        return (beta if name.endswith(damped) else 1.0) * math.sqrt(2 / sum(matrix.weight.shape))

    draw(module, std)


#: An initial scheme is scheme(module, n_layers), changing the weights of the module and of all within it in place.
INITS = {
    "gpt2": gpt2,
    "fan_in": fan_in,
    "bert": bert,
    "small": small,
    "zero_out": zero_out,
    "deepnorm": deepnorm,
}
