"""Exercises of chapter 9, pretraining."""

import math

import torch

from .engine import Exercise


def _rate(step, steps, warmup, peak, halves=1):
    if step < warmup:
        return peak * (step + 1) / warmup
    return peak * 0.5 * (1 + math.cos(halves * math.pi * (step - warmup) / (steps - warmup)))


def _rate_from_zero(step, steps, warmup, peak):
    return peak * step / warmup if step < warmup else _rate(step, steps, warmup, peak)


def _rate_to_a_tenth(step, steps, warmup, peak):
    return _rate(step, steps, warmup, peak) if step < warmup else 0.1 * peak + 0.9 * _rate(step, steps, warmup, peak)


def _whole_cosine(step, steps, warmup, peak):
    return _rate(step, steps, warmup, peak) if step < warmup else _rate(step, steps, 0, peak)


def _two_halves(step, steps, warmup, peak):
    return _rate(step, steps, warmup, peak, halves=2)


def _line(step, steps, warmup, peak):
    return _rate(step, steps, warmup, peak) if step < warmup else peak * (steps - step) / (steps - warmup)


def _no_peak(step, steps, warmup, peak):
    return _rate(step, steps, warmup, 1.0)


def _bert(ids, chosen, u, other, mask_id):
    hidden = torch.where(u < 0.8, mask_id, torch.where(u < 0.9, other, ids))
    return torch.where(chosen, hidden, ids), torch.where(chosen, ids, -100)


def _masks_only(ids, chosen, u, other, mask_id):
    return torch.where(chosen, mask_id, ids), torch.where(chosen, ids, -100)


def _all_asked(ids, chosen, u, other, mask_id):
    return _bert(ids, chosen, u, other, mask_id)[0], ids


def _masked_asked(ids, chosen, u, other, mask_id):
    return _bert(ids, chosen, u, other, mask_id)[0], torch.where(chosen & (u < 0.8), ids, -100)


def _changed_asked(ids, chosen, u, other, mask_id):
    return _bert(ids, chosen, u, other, mask_id)[0], torch.where(chosen & (u < 0.9), ids, -100)


def _hidden_targets(ids, chosen, u, other, mask_id):
    hidden, _ = _bert(ids, chosen, u, other, mask_id)
    return hidden, torch.where(chosen, hidden, -100)


def _everywhere(ids, chosen, u, other, mask_id):
    hidden, _ = _bert(ids, torch.ones_like(chosen), u, other, mask_id)
    return hidden, torch.where(chosen, ids, -100)


def _swapped_shares(ids, chosen, u, other, mask_id):
    hidden = torch.where(u < 0.8, mask_id, torch.where(u < 0.9, ids, other))
    return torch.where(chosen, hidden, ids), torch.where(chosen, ids, -100)


def _packed(documents):
    T = len(documents)
    same = documents[:, None] == documents[None, :]
    return same & torch.ones(T, T, dtype=torch.bool).tril() & (documents >= 0)[:, None]


def _packed_both_ways(documents):
    return (documents[:, None] == documents[None, :]) & (documents >= 0)[:, None]


def _packed_crossing(documents):
    T = len(documents)
    real = documents >= 0
    return torch.ones(T, T, dtype=torch.bool).tril() & real[:, None] & real[None, :]


def _packed_filler(documents):
    T = len(documents)
    return (documents[:, None] == documents[None, :]) & torch.ones(T, T, dtype=torch.bool).tril()


def _packed_not_itself(documents):
    return _packed(documents) & ~torch.eye(len(documents), dtype=torch.bool)


def _weighted(losses, tokens):
    return sum(loss * n for loss, n in zip(losses, tokens, strict=True)) / sum(tokens)


_GPT3 = 6 * 175e9 * 300e9
_DAYS = _GPT3 / (1024 * 0.4 * 312e12) / 86400  # 1,024 A100s at 40 % of 312 TFLOP/s
_N = math.sqrt(1e21 / 6 / 20)
_DOCUMENTS = [
    (torch.tensor([0, 0, 0, 1, 1, -1, -1]),),
    (torch.tensor([4, 2, 2, 2, 7, 7]),),
    (torch.tensor([3, 3, -1]),),
]

EXERCISES = {
    "warmup_cosine": Exercise(
        right=_rate,
        inputs=[(step, 100, 10, 0.003) for step in (0, 4, 9, 10, 32, 55, 99)] + [(7, 40, 20, 1.0), (30, 40, 20, 1.0)],
        mistakes={
            "the first step has the rate 0: it reads a batch and learns nothing. (transformers does that; here it is "
            "(step + 1) / warmup)": _rate_from_zero,
            "that stops at a tenth of the peak; here it goes to 0": _rate_to_a_tenth,
            "the cosine begins at the end of the warm-up: count step - warmup of steps - warmup": _whole_cosine,
            "half a cosine, from 1 to -1: the angle goes from 0 to π, not to 2π": _two_halves,
            "that goes down in a line": _line,
            "that is the share of the peak; multiply by the peak": _no_peak,
        },
    ),
    "bert_masking": Exercise(
        right=_bert,
        inputs=[
            (
                torch.tensor([[7, 3, 9, 4, 8, 5]]),
                torch.tensor([[True, False, True, True, False, True]]),
                torch.tensor([[0.10, 0.30, 0.85, 0.95, 0.99, 0.79]]),
                torch.tensor([[6, 6, 2, 1, 2, 3]]),
                99,
            )
        ],
        mistakes={
            "all chosen tokens became the mask: of them 80 % do, 10 % become another token, 10 % stay": _masks_only,
            "every position is asked for; the target is -100 where the token was not chosen": _all_asked,
            "only masked tokens are asked for; those replaced or left alone are asked for, too": _masked_asked,
            "the tokens that were left as they are must be asked for, too": _changed_asked,
            "the targets must be the true tokens, not what now stands there": _hidden_targets,
            "tokens that were not chosen were changed": _everywhere,
            "replaced and kept are exchanged: u from 0.8 to 0.9 is replaced, the rest stays": _swapped_shares,
        },
    ),
    "packing_mask": Exercise(
        right=_packed,
        inputs=_DOCUMENTS,
        mistakes={
            "no position may look ahead: the mask is causal, too": _packed_both_ways,
            "a document looks into the one before it": _packed_crossing,
            "the filler (-1) is no document, and its rows see nothing": _packed_filler,
            "a position sees itself": _packed_not_itself,
            "transposed: the rows are the positions that ask": lambda documents: _packed(documents).T,
        },
    ),
    "unequal_parts": Exercise(
        right=_weighted,
        inputs=[([2.0, 4.0], [300, 100]), ([1.0, 3.0, 5.0], [10, 20, 70])],
        mistakes={
            "the mean of the means: a token of a short part counts for more": lambda losses, tokens: (
                sum(losses) / len(losses)
            ),
            "the losses were summed: that grows with the number of parts": lambda losses, tokens: sum(losses),
            "divide by all tokens, not by the number of parts": lambda losses, tokens: (
                _weighted(losses, tokens) * sum(tokens) / len(tokens)
            ),
            "the weights are upside down": lambda losses, tokens: _weighted(losses, [1 / n for n in tokens]),
            "that is the loss of the longest part alone": lambda losses, tokens: losses[tokens.index(max(tokens))],
        },
    ),
    "gpt3_days": Exercise(
        right=_DAYS,
        mistakes={
            "6 FLOPs per parameter and token, not 2: the backward costs twice the forward": _DAYS / 3,
            "that is at the full peak; the cards reach 40 % of it": _DAYS * 0.4,
            "that is for a single card": _DAYS * 1024,
            "that is in hours": _DAYS * 24,
            "that is in seconds": _DAYS * 86400,
            "that is 1 FLOP per parameter and token; 2 forward and 4 backward make 6": _DAYS / 6,
        },
    ),
    "optimal_split": Exercise(
        right=(_N, 20 * _N),
        mistakes={
            "the pair is (parameters, tokens), in this order": (20 * _N, _N),
            "C = 6 N D: the 6 is missing": (math.sqrt(1e21 / 20), 20 * math.sqrt(1e21 / 20)),
            "as many tokens as parameters? 20 for each": (math.sqrt(1e21 / 6), math.sqrt(1e21 / 6)),
            "N D = C / 6 with D = 20 N: then N² = C / 120, and the root is missing": (1e21 / 120, 1e21 / 6),
            "multiplied by 20 where it is divided: D = 20 N, so N² = C / (6 · 20)": (_N * 20, 400 * _N),
        },
    ),
}
