"""Exercises of chapter 7, the output softmax."""

import math

import torch

from .engine import Exercise, drawn


def _naive(z, dim=-1):
    return (z.exp() / z.exp().sum(dim, keepdim=True)).log()


def _nucleus(probs, p, crossing=True, extra=0, renormalised=True, back=True):
    ordered, order = probs.sort(descending=True)
    before = ordered.cumsum(0) - (ordered if crossing else 0)
    n = int((before < p).sum() if crossing else (before <= p).sum()) + extra
    kept = torch.zeros_like(probs)
    where = order[:n] if back else torch.arange(min(n, len(probs)))
    kept[where] = ordered[:n]
    return kept / kept.sum() if renormalised else kept


def _nats(logits, ids, real, ours=(0, -1), theirs=(1, None), of="places", per_row=False):
    log_p = logits[:, slice(*ours)].log_softmax(-1).gather(-1, ids[:, slice(*theirs), None])[..., 0]
    asked = real[:, slice(*theirs)] if of == "places" else torch.ones_like(log_p, dtype=torch.bool)
    losses = -log_p * asked
    if per_row:
        return (losses.sum(1) / asked.sum(1)).mean()
    return losses.sum() / asked.sum()


def _too_few(logits, ids, real):
    return _nats(logits, ids, real) * real[:, 1:].sum() / real[:, 1:].numel()


_REAL = torch.tensor([[True] * 6, [True] * 3 + [False] * 3])
EXERCISES = {
    "first_loss": Exercise(
        right=math.log(50_257),
        mistakes={
            "that is in bits; the question asks for nats, so the natural logarithm": math.log2(50_257),
            "that is the decimal logarithm; nats need the natural one": math.log10(50_257),
            "that is the perplexity; its logarithm is the loss": 50_257,
            "that is the probability of each token; the loss is minus its logarithm": 1 / 50_257,
            "the sign: a loss is minus the logarithm of a probability, so positive": -math.log(50_257),
        },
    ),
    "to_bits_per_byte": Exercise(
        right=2.0 / math.log(2) / 4.2,
        mistakes={
            "those are nats per byte; divide by ln 2 to have bits": 2.0 / 4.2,
            "those are bits per token; divide by the bytes of a token": 2.0 / math.log(2),
            "multiplied by the bytes of a token: the loss of a token is spread over its bytes, so divide": 2.0
            / math.log(2)
            * 4.2,
            "multiplied by ln 2: a nat is more than a bit, so the number must grow": 2.0 * math.log(2) / 4.2,
            "that is the perplexity of a token": math.exp(2.0),
        },
    ),
    "log_softmax": Exercise(
        right=lambda z: z.log_softmax(-1),
        inputs=[(drawn(3, 5),), (drawn(2, 3, 3),), (torch.tensor([[0.0, 120.0], [1000.0, 999.0]]),)],
        mistakes={
            "the maximum is not subtracted: exp(1000) is infinite": _naive,
            "the log of a softmax: where a probability is too small for a float, this is -inf": (
                lambda z: z.softmax(-1).log()
            ),
            "over the first axis; each row of logits is one distribution": lambda z: z.log_softmax(0),
            "those are the probabilities; their logarithm is wanted": lambda z: z.softmax(-1),
            "the maximum is subtracted before the sum, and not from the logits as well": (
                lambda z: z - (z - z.amax(-1, keepdim=True)).logsumexp(-1, keepdim=True)
            ),
            "the sign: a log-probability is never positive (the loss is minus it)": lambda z: -z.log_softmax(-1),
        },
    ),
    "nucleus": Exercise(
        right=_nucleus,
        inputs=[
            (torch.tensor([0.1, 0.5, 0.05, 0.3, 0.05 + 1e-3]) / 1.001, 0.7),
            (torch.tensor([0.06, 0.9, 0.04]), 0.95),
            (torch.tensor([0.15, 0.25, 0.2, 0.4]), 0.7),
        ],
        mistakes={
            "the word that crosses the threshold is missing; it belongs to the nucleus": (
                lambda probs, p: _nucleus(probs, p, crossing=False)
            ),
            "one word too many: stop as soon as the sum reaches p": lambda probs, p: _nucleus(probs, p, extra=1),
            "not renormalised: what is kept must sum to 1": lambda probs, p: _nucleus(probs, p, renormalised=False),
            "in sorted order: put each probability back where its word stands": (
                lambda probs, p: _nucleus(probs, p, back=False)
            ),
            "that is min-p, which compares each word with the likeliest; here probabilities are added up": (
                lambda probs, p: (kept := probs * (probs >= p * probs.max())) / kept.sum()
            ),
        },
    ),
    "next_token_nats": Exercise(
        right=_nats,
        inputs=[(drawn(2, 6, 7), torch.arange(12).view(2, 6) % 7, _REAL)],
        mistakes={
            "not shifted: each position is compared with the token that it has just read": (
                lambda logits, ids, real: _nats(logits, ids, real, (0, None), (0, None))
            ),
            "shifted the wrong way: position t must be compared with token t + 1, not t - 1": (
                lambda logits, ids, real: _nats(logits, ids, real, (1, None), (0, -1))
            ),
            "shifted twice: position t is compared with token t + 2": (
                lambda logits, ids, real: _nats(logits, ids, real, (0, -2), (2, None))
            ),
            "padding is asked for as well": lambda logits, ids, real: _nats(logits, ids, real, of="all"),
            "padding is left out of the sum but counted in the division": _too_few,
            "the mean of each row's mean: a short text counts as much as a long one": (
                lambda logits, ids, real: _nats(logits, ids, real, per_row=True)
            ),
        },
    ),
    "sharper": Exercise(
        right=math.exp((3 - 1) / 0.5),
        mistakes={
            "that is at temperature 1": math.exp(2),
            "multiplied by the temperature: the logits are divided by it": math.exp(2 * 0.5),
            "that is the logarithm of the factor; take the exponential": 2 / 0.5,
            "that is the ratio of the logits; only their difference counts": 3.0,
            "the ratio of probabilities is raised to 1/T, not divided by T": math.exp(2) / 0.5,
        },
    ),
}
