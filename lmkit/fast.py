"""Chapter 7. Fast generation: for one text at a time, every weight is fetched once per token, and memory sets the pace.

PyTorch multiplies a single row by a matrix in one thread, which cannot fetch as fast as memory can give.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode


class FastRows(TorchFunctionMode):
    """Inside the `with`, linear maps of a single row run in one compiled loop, spread over all threads.

    >>> with FastRows():
    ...     ids = generate(model, ids, 256)

    It changes how F.linear is computed and nothing else: on CPU, without gradients, up to rounding. It needs a C++
    compiler, for some seconds at the first token; matrices in bfloat16 take half the time of those in float32.
    """

    def __init__(self):
        super().__init__()
        self.product = torch.compile(row_product, dynamic=True)

    def __torch_function__(self, func, types, args=(), kwargs=None):
        if func is F.linear and not kwargs and not torch.is_grad_enabled() and is_row(*args[:2]):
            # Detached: torch.compile takes the sizes of parameters for constants, and would compile for each of them.
            row, *weights = (None if part is None else part.detach() for part in args)
            return self.product(row.flatten(), *weights).view(*row.shape[:-1], -1)
        return func(*args, **(kwargs or {}))


def is_row(x: Tensor, weight: Tensor) -> bool:
    """Whether x (..., d_in) holds one row on the CPU that fits weight (d_out, d_in)."""
    fits = x.dtype == weight.dtype and x.shape[-1:] == weight.shape[1:]
    return fits and x.is_cpu and x.shape[:-1].numel() == 1


def row_product(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """F.linear of a row x (d_in) -> (d_out), summed in float32 at least."""
    wide = torch.promote_types(x.dtype, torch.float32)
    often = x.to(wide).expand(weight.shape)  # (d_out, d_in)
    out = (weight.to(wide) * often).sum(dim=-1)  # (d_out)
    return (out if bias is None else out + bias).to(x.dtype)  # (d_out)


def compile_blocks(model: nn.Module) -> None:
    """Compile the blocks of a head's body in place, for use inside FastRows: a token then takes some ms less.

    Compiling takes half a minute or so, while the first tokens are made; other lengths compile nothing again.
    """
    for block in model.body.blocks:
        # The option: what is used often is computed only once (see `often` above), however little it seems to cost.
        block.compile(dynamic=True, options={"realize_reads_threshold": 0})
