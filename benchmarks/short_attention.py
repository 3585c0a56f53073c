"""Short attention in training on a processor: spelled out in three products, or by PyTorch's fused kernel?

    python benchmarks/short_attention.py

Forward and backward of one layer, milliseconds, the best of several rounds in turns. It is why lmkit.attention spells
attention out in bfloat16 up to SHORT keys, and nowhere else.
"""

import math
from functools import partial

import torch
import torch.nn.functional as F
from machine import in_turns, where

from lmkit.attention.attend import SHORT, whole_causal_mask

SHAPES = [(32, 4, 64, 32), (16, 4, 128, 32), (4, 12, 256, 64), (2, 12, 512, 64), (1, 12, 1024, 64)]


def spelled(q, k, v):
    """attend_short, in any dtype."""
    (B, H, T, d_head), S = q.shape, k.shape[2]
    shut = torch.zeros(T, S, dtype=q.dtype).masked_fill(~whole_causal_mask(T, S, None, q.device), -torch.inf)
    scores = torch.baddbmm(shut, q.flatten(0, 1), k.flatten(0, 1).mT, alpha=1 / math.sqrt(d_head))
    return torch.bmm(scores.softmax(dim=-1), v.flatten(0, 1)).unflatten(0, (B, H))


def fused(q, k, v):
    return F.scaled_dot_product_attention(q, k, v, is_causal=True)


def step(attend, qkv: list) -> None:
    attend(*qkv).sum().backward()


def main():
    torch.set_num_threads(1)
    print(f"{where()}\nSHORT = {SHORT}\n{'dtype':<10}{'B, heads, T, d_head':<24}{'fused':>8}{'spelled':>9}{'times':>7}")
    for dtype in (torch.bfloat16, torch.float32):
        for shape in SHAPES:
            qkv = [torch.randn(shape, dtype=dtype, requires_grad=True) for _ in range(3)]
            calls = {attend.__name__: partial(step, attend, qkv) for attend in (fused, spelled)}
            theirs, own = (1000 * min(times) for times in in_turns(calls, 7).values())
            name = str(dtype).removeprefix("torch.")
            print(f"{name:<10}{str(shape):<24}{theirs:>8.2f}{own:>9.2f}{theirs / own:>7.1f}", flush=True)


if __name__ == "__main__":
    main()
