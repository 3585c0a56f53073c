"""Chapter 8. Initial weights: one function per scheme, so that all standard deviations stand together."""

import math

from torch import nn


def writers(model: nn.Module) -> list[nn.Linear]:
    """The last map of each sublayer: those that write to the residual stream."""
    return [m for name, m in model.named_modules() if name.endswith(("o_proj", "down_proj"))]


def gpt2(model: nn.Module, n_layers: int) -> None:
    """Draw all matrices from N(0, 0.02²), those that write to the residual stream from N(0, 0.02² / (2 n_layers)).

    Radford et al. 2019. Each of the 2 n_layers sublayers adds to the stream; the smaller draw keeps its size at one
    scale. Biases start at zero, norms at one (PyTorch's own choice).
    """
    for module in model.modules():
        if isinstance(module, nn.Linear | nn.Embedding):
            nn.init.normal_(module.weight, std=0.02)
        if isinstance(module, nn.Linear) and module.bias is not None:
            nn.init.zeros_(module.bias)
    for writer in writers(model):
        nn.init.normal_(writer.weight, std=0.02 / math.sqrt(2 * n_layers))


def fan_in(model: nn.Module, n_layers: int) -> None:
    """Draw each matrix from N(0, 1 / d_in), so that it keeps the size of what it is given (LeCun et al. 1998).

    Embeddings are drawn from N(0, 1 / d_model); writers to the stream are divided by √(2 n_layers) as in `gpt2`. Where
    d_model is far below GPT-2's 768, this is a much larger start than 0.02, and small models learn faster from it.
    """
    for module in model.modules():
        if isinstance(module, nn.Linear | nn.Embedding):
            nn.init.normal_(module.weight, std=module.weight.shape[1] ** -0.5)
        if isinstance(module, nn.Linear) and module.bias is not None:
            nn.init.zeros_(module.bias)
    for writer in writers(model):
        writer.weight.data.div_(math.sqrt(2 * n_layers))


# An initial scheme is scheme(module, n_layers), changing the weights of the module and of all within it in place.
INITS = {"gpt2": gpt2, "fan_in": fan_in}
