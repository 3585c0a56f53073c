"""Chapter 7. Fast generation: for one text at a time, every weight is fetched once per token, and memory sets the pace.

PyTorch multiplies a single row by a matrix in one thread, which cannot fetch as fast as memory can give.
"""

import torch
import torch.nn.functional as F
from torch import Tensor
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
            return self.product(*(None if part is None else part.detach() for part in args))
        return func(*args, **(kwargs or {}))


def is_row(x: Tensor, weight: Tensor) -> bool:
    """Whether x (..., d_in) holds one row on the CPU that fits weight (d_out, d_in)."""
    fits = x.dtype == weight.dtype and x.shape[-1:] == weight.shape[1:]
    return fits and x.is_cpu and x.shape[:-1].numel() == 1


def row_product(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """F.linear of one row, summed in float32 at least: x (..., d_in) with all else 1 -> (..., d_out)."""
    wide = torch.promote_types(x.dtype, torch.float32)
    out = (weight.to(wide) * x.flatten().to(wide)).sum(dim=-1)
    return (out if bias is None else out + bias).to(x.dtype).view(*x.shape[:-1], -1)
