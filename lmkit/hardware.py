"""What accelerators can do by their makers' data sheets: what plans and shares of the peak are held against."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Accelerator:
    """Peak FLOP/s of dense matrix products in bfloat16 (T4: float16), and gigabytes of memory.

    Sheets that count with sparsity (H100, H200, B200) print twice that.
    """

    peak: float
    memory: float


#: What is known by name.
ACCELERATORS = {
    "T4": Accelerator(65e12, 16),
    "L4": Accelerator(121e12, 24),
    "RTX4090": Accelerator(165e12, 24),
    "A100": Accelerator(312e12, 80),
    "H100": Accelerator(989e12, 80),
    "H200": Accelerator(989e12, 141),
    "B200": Accelerator(2250e12, 180),
}
