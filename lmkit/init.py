"""Chapter 8. Initial weights: one function per scheme, so that all standard deviations stand together."""

import math

from torch import nn


def gpt2(model: nn.Module) -> None:
    """Draw all matrices from N(0, 0.02²), those that write to the residual stream from N(0, 0.02² / (2 n_layers)).

    Radford et al. 2019. Each of the 2 n_layers sublayers adds to the stream; the smaller draw keeps its size at one
    scale. Biases start at zero, norms at one (PyTorch's own choice).
    """
    for module in model.modules():
        if isinstance(module, nn.Linear | nn.Embedding):
            nn.init.normal_(module.weight, std=0.02)
        if isinstance(module, nn.Linear) and module.bias is not None:
            nn.init.zeros_(module.bias)
    for block in model.blocks:
        for writer in (block.attn.o_proj, block.ffn.down_proj):
            nn.init.normal_(writer.weight, std=0.02 / math.sqrt(2 * len(model.blocks)))


def fan_in(model: nn.Module) -> None:
    """Draw each matrix from N(0, 1 / d_in), so that it keeps the size of what it is given (LeCun et al. 1998).

    Embeddings are drawn from N(0, 1 / d_model); writers to the stream are divided by √(2 n_layers) as in `gpt2`. Where
    d_model is far below GPT-2's 768, this is a much larger start than 0.02, and small models learn faster from it.
    """
    for module in model.modules():
        if isinstance(module, nn.Linear | nn.Embedding):
            nn.init.normal_(module.weight, std=module.weight.shape[1] ** -0.5)
        if isinstance(module, nn.Linear) and module.bias is not None:
            nn.init.zeros_(module.bias)
    for block in model.blocks:
        for writer in (block.attn.o_proj, block.ffn.down_proj):
            writer.weight.data.div_(math.sqrt(2 * len(model.blocks)))


# An initial scheme is scheme(transformer), changing it in place.
INITS = {"gpt2": gpt2, "fan_in": fan_in}
