"""Chapter 7. Sampling: from scores to the next token.

A filter takes logits (B, vocab_size) and sets those of the tokens that may not be drawn to -inf; the others, it leaves
as they are. Tokens with equal logits stay or go together.
"""

import math

import torch
from torch import Tensor


def top_k(logits: Tensor, k: int) -> Tensor:
    """Keep the k likeliest tokens, and those as likely as the last of them. Fan et al. 2018, arXiv:1805.04833."""
    if k < 1:
        raise ValueError(f"top_k must be 1 or more, not {k}")
    kth = logits.topk(min(k, logits.shape[-1])).values[:, -1:]  # (B, 1)
    return logits.masked_fill(logits < kth, -torch.inf)  # (B, vocab_size)


def top_p(logits: Tensor, p: float) -> Tensor:
    """Keep the fewest likeliest tokens whose probabilities add up to p, and those as likely as the last of them.

    Nucleus sampling; Holtzman et al. 2019, arXiv:1904.09751. With p = 1 all stay.
    """
    if not 0 < p <= 1:
        raise ValueError(f"top_p must be above 0 and at most 1, not {p}")
    if p == 1:
        return logits
    total, vocab_size = logits.double().logsumexp(dim=-1, keepdim=True), logits.shape[-1]
    for k in (min(1024, vocab_size), vocab_size):  # these few are mostly enough, and to sort all takes much longer
        ordered = logits.topk(k).values  # (B, k)
        reached = (ordered - total).exp().cumsum(dim=-1)  # (B, k)
        if (reached[:, -1] >= p).all():
            break
    last = (reached < p).sum(dim=-1, keepdim=True).clamp(max=k - 1)  # (B, 1)
    return logits.masked_fill(logits < ordered.gather(-1, last), -torch.inf)  # (B, vocab_size)


def min_p(logits: Tensor, p: float) -> Tensor:
    """Keep the tokens that are at least p times as likely as the likeliest. Nguyen et al. 2024, arXiv:2407.01082."""
    if not 0 <= p <= 1:
        raise ValueError(f"min_p must lie between 0 and 1, not {p}")
    probs = logits.softmax(dim=-1)  # (B, vocab_size)
    return logits.masked_fill(probs < p * probs.amax(dim=-1, keepdim=True), -torch.inf)  # (B, vocab_size)


def repetition_penalty(logits: Tensor, said: Tensor, penalty: float) -> Tensor:
    """Divide the logits of tokens already said by `penalty`, so that above 1 they are less likely.

    `said` (B, vocab_size) is True for them; how often does not matter. Keskar et al. 2019, arXiv:1909.05858, whose
    formula made negative logits likelier; these are multiplied, as everywhere today.
    """
    if not penalty > 0:
        raise ValueError(f"repetition_penalty must be above 0, not {penalty}")
    return torch.where(said, torch.where(logits < 0, logits * penalty, logits / penalty), logits)  # (B, vocab_size)


#: A filter is filter(logits, bound), and is asked for in `sample` by its name.
FILTERS = {"top_k": top_k, "top_p": top_p, "min_p": min_p}


def sample(
    logits: Tensor,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    min_p: float | None = None,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Draw one token per row from softmax(logits / temperature); temperature 0 takes the likeliest, the first of them.

    logits (B, vocab_size) -> (B,) int64. The filters work in the order of the arguments, each on what the one before
    has left. `generator` is one of the CPU, wherever the logits are. ValueError for scores that are nan or infinite.
    """
    if not 0 <= temperature < math.inf:
        raise ValueError(f"temperature must be 0 or more, not {temperature}")
    if temperature == 0:
        return likeliest(logits).indices  # (B)
    logits = logits.double() / temperature  # (B, vocab_size)
    likeliest(logits)
    for name, bound in (("top_k", top_k), ("top_p", top_p), ("min_p", min_p)):
        if bound is not None:
            logits = FILTERS[name](logits, bound)  # (B, vocab_size)
    cdf = logits.softmax(dim=-1).cumsum(dim=-1)  # (B, vocab_size)
    # Uniform numbers, turned over by the distribution function: they are the same on every kind of processor, and
    # torch.multinomial promises no such thing.
    u = torch.rand(len(cdf), 1, generator=generator, dtype=torch.float64).to(cdf.device)  # (B, 1)
    return torch.searchsorted(cdf, u * cdf[:, -1:], right=True).squeeze(1)  # (B)


def likeliest(logits: Tensor) -> torch.return_types.max:
    """The largest logit of each row and its token, (B,) each; ValueError if there is none that makes sense."""
    best = logits.max(dim=-1)
    if not best.values.isfinite().all():
        raise ValueError("the scores hold nan or infinity, so there is no distribution to draw from")
    return best
