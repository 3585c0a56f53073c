"""Chapter 7. Sampling: from scores to the next token, and from a prompt to a text."""

import torch
from torch import Tensor, nn

from .attention import KVCache


def sample(logits: Tensor, temperature: float = 1.0, top_k: int | None = None, generator=None) -> Tensor:
    """Draw one token per row from softmax(logits / temperature); temperature 0 takes the likeliest.

    logits (B, vocab_size) -> (B,) int64. `top_k` keeps the k likeliest tokens (Fan et al. 2018, arXiv:1805.04833).
    """
    if not temperature >= 0 or (top_k is not None and top_k < 1):
        raise ValueError(f"temperature must be 0 or more and top_k 1 or more, not {temperature} and {top_k}")
    if temperature == 0:
        return logits.argmax(dim=-1)  # (B)
    if top_k is not None and top_k < logits.shape[-1]:
        kth = logits.topk(top_k).values[:, -1:]  # (B, 1)
        logits = logits.masked_fill(logits < kth, -torch.inf)
    cdf = (logits.double() / temperature).softmax(dim=-1).cumsum(dim=-1)  # (B, vocab_size)
    if not cdf[:, -1].isfinite().all():
        raise ValueError("the scores hold nan or infinity, so there is no distribution to draw from")
    # Uniform numbers, turned over by the distribution function: they are the same on every kind of processor, and
    # torch.multinomial promises no such thing.
    u = torch.rand(len(cdf), 1, generator=generator, dtype=torch.float64).to(cdf.device)  # (B, 1)
    return torch.searchsorted(cdf, u * cdf[:, -1:], right=True).squeeze(1)  # (B)


@torch.no_grad()
def generate(
    model: nn.Module,
    ids: Tensor,
    n: int,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    seed: int = 0,
    use_cache: bool = True,
) -> Tensor:
    """Continue each row of `ids` (B, T) by n tokens -> (B, T + n).

    With the cache each step computes one position; without it, all of them again. The tokens are the same.
    """
    if ids.ndim != 2 or ids.shape[1] == 0:
        raise ValueError(f"a prompt has shape (B, T) with T of at least 1, not {tuple(ids.shape)}")
    limit = model.body.positions.limit
    if n < 0 or (limit is not None and ids.shape[1] + n - 1 > limit):
        raise ValueError(
            f"n is {n}; expected 0 or more, and with the prompt's {ids.shape[1]} at most {limit} positions"
        )
    caches = [KVCache() for _ in model.body.blocks] if use_cache else None
    generator = torch.Generator().manual_seed(seed)
    was_training = model.training
    model.eval()
    new = ids
    try:
        for _ in range(n):
            logits = model(new if use_cache else ids, caches=caches)[:, -1]  # (B, vocab_size)
            new = sample(logits, temperature, top_k, generator)[:, None]  # (B, 1)
            ids = torch.cat([ids, new], dim=1)
    finally:
        model.train(was_training)
    return ids
