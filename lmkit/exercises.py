"""Checks a reader's answer, here and now, and says what is likely wrong with it.

An exercise holds the right answer and the mistakes that people make, each with its diagnosis. Answers are values or
functions; a function is called with the exercise's inputs, and what it returns is compared.
"""

import math
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

NOT_YET = "not answered yet: put your answer in place of None"


@dataclass(frozen=True)
class Exercise:
    """`right` is a value or a function of `inputs`; `mistakes` maps a diagnosis to what somebody wrong would give."""

    right: Any
    mistakes: dict[str, Any]
    inputs: list[tuple] = field(default_factory=list)


def check(name: str, answer: Any) -> None:
    """Print whether `answer` solves the exercise, and a diagnosis if it does not; ValueError for an unknown name."""
    if name not in EXERCISES:
        raise ValueError(f"there is no exercise {name!r}; there are {sorted(EXERCISES)}")
    complaint = NOT_YET if answer is None else diagnose(EXERCISES[name], answer)
    print(f"{name}: {complaint or 'right'}")


def diagnose(exercise: Exercise, answer: Any) -> str | None:
    """None for a right answer, else a sentence."""
    wants_function = callable(exercise.right)
    if callable(answer) != wants_function:
        return f"the answer is to be a {'function' if wants_function else 'value'}, not {type(answer).__name__}"
    try:
        given = [answer(*copies(args)) for args in exercise.inputs] if wants_function else [answer]
    except Exception as problem:  # whatever a reader's function may raise is the reader's to see
        return f"your function raised {type(problem).__name__}: {problem}"
    wanted = outcomes(exercise, exercise.right)
    for a, b in zip(given, wanted, strict=True):
        if isinstance(b, Tensor) and (complaint := unlike(a, b)):
            return complaint
    if all(same(a, b) for a, b in zip(given, wanted, strict=True)):
        return None
    for diagnosis, mistake in exercise.mistakes.items():
        if all(same(a, b) for a, b in zip(given, outcomes(exercise, mistake), strict=True)):
            return diagnosis
    return "not right, and no mistake that is known here: compare it with the formula, one number at a time"


def outcomes(exercise: Exercise, answer: Any) -> list:
    return [answer(*copies(args)) for args in exercise.inputs] if callable(answer) else [answer]


def copies(args: tuple) -> list:
    return [a.clone() if isinstance(a, Tensor) else a for a in args]


def unlike(given: Any, wanted: Tensor) -> str | None:
    """What is wrong with the kind of `given`, before its numbers are looked at."""
    if not isinstance(given, Tensor):
        return f"your function returns {type(given).__name__}, not a tensor"
    if given.shape != wanted.shape:
        return f"your function returns the shape {tuple(given.shape)} where {tuple(wanted.shape)} is wanted"
    if given.dtype != wanted.dtype:
        return f"your function returns {given.dtype} where {wanted.dtype} is wanted"
    return None


def same(a: Any, b: Any) -> bool:
    if isinstance(b, int | float) and hasattr(a, "item") and getattr(a, "ndim", 1) == 0:
        a = a.item()  # a number that NumPy or torch computed
    if isinstance(b, Tensor):
        close = isinstance(a, Tensor) and a.shape == b.shape
        return close and torch.allclose(a.double(), b.double(), atol=1e-5, equal_nan=True)
    if isinstance(b, tuple | list):
        return isinstance(a, tuple | list) and len(a) == len(b) and all(map(same, a, b))
    if isinstance(b, int | float):
        return isinstance(a, int | float) and math.isclose(a, b, rel_tol=1e-3)
    return a == b


# ------------------------------------------------------------------------------------------- chapter 3, attention


def _rand(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(sum(shape)))


def _attention(q, k, v, scale=True, mask=0, dim=-1, late=False):
    scores = q @ k.mT / (math.sqrt(q.shape[-1]) if scale is True else scale)
    allowed = torch.ones_like(scores, dtype=torch.bool).tril(mask)
    if late:  # masked after the softmax, and not normalised again
        return scores.softmax(dim).masked_fill(~allowed, 0.0) @ v
    return scores.masked_fill(~allowed, -torch.inf).softmax(dim) @ v


def _window(T, window, back=0, ahead=0):
    distance = torch.arange(T)[:, None] - torch.arange(T)[None, :]
    return (distance >= -ahead) & (distance < window + back)


_MIB = 2**20
EXERCISES = {
    "kv_cache": Exercise(
        right=2 * 32 * 8 * 128 * 2 * 8192 / _MIB,
        mistakes={
            "half of it: both the keys and the values are kept": 32 * 8 * 128 * 2 * 8192 / _MIB,
            "that is one layer; the model has 32, each with a cache of its own": 2 * 8 * 128 * 2 * 8192 / _MIB,
            "that is with all 32 heads; the cache holds the 8 key/value heads only": 2
            * 32
            * 32
            * 128
            * 2
            * 8192
            / _MIB,
            "twice too much: a 16-bit number has 2 bytes, not 4": 2 * 32 * 8 * 128 * 4 * 8192 / _MIB,
            "that is one token; the question asks for 8,192": 2 * 32 * 8 * 128 * 2 / _MIB,
            "that is in bytes; the question asks for MiB (2^20 bytes)": 2 * 32 * 8 * 128 * 2 * 8192,
        },
    ),
    "doubling": Exercise(
        right=(4, 2),
        mistakes={
            "scores pair every query with every key: twice as many of both": (2, 2),
            "the cache holds one key and one value per token, not per pair of tokens": (4, 4),
            "the other way round: scores are per pair of tokens, the cache is per token": (2, 4),
        },
    ),
    "causal_attention": Exercise(
        right=_attention,
        inputs=[(_rand(2, 3, 5, 4), _rand(2, 3, 5, 4) + 0.1, _rand(2, 3, 5, 4)), (_rand(1, 1, 3, 8),) * 3],
        mistakes={
            "the division by sqrt(d_head) is missing": lambda q, k, v: _attention(q, k, v, scale=1.0),
            "divided by d_head instead of its square root": lambda q, k, v: _attention(q, k, v, scale=q.shape[-1]),
            "no mask: every position sees the future": lambda q, k, v: _attention(q, k, v, mask=99),
            "the mask is off by one: each position sees the next one": lambda q, k, v: _attention(q, k, v, mask=1),
            "the mask is off by one: no position sees itself, and the first sees nothing (nan)": (
                lambda q, k, v: _attention(q, k, v, mask=-1)
            ),
            "the softmax runs over the queries; it is each query's weights that must sum to 1": (
                lambda q, k, v: _attention(q, k, v, dim=-2)
            ),
            "masked after the softmax: the weights that remain no longer sum to 1": (
                lambda q, k, v: _attention(q, k, v, late=True)
            ),
        },
    ),
    "window": Exercise(
        right=_window,
        inputs=[(6, 3), (5, 1), (4, 9)],
        mistakes={
            "one too far: a window of 3 is the position itself and the 2 before it": lambda T, w: _window(T, w, back=1),
            "it looks ahead as well; combine it with causality": lambda T, w: _window(T, w, ahead=w - 1),
            "the other way round: here True means may attend": lambda T, w: ~_window(T, w),
            "causal, but without an end: the window does not limit how far back": lambda T, w: _window(T, 10**6),
            "transposed: rows are queries, columns are keys": lambda T, w: _window(T, w).mT,
        },
    ),
    "share_heads": Exercise(
        right=lambda k, n_heads: k.repeat_interleave(n_heads // k.shape[1], dim=1),
        inputs=[(_rand(2, 2, 3, 4), 6), (_rand(1, 3, 2, 4), 3), (_rand(2, 1, 3, 4), 4)],
        mistakes={
            "tiled: [K1, K2] became [K1, K2, K1, K2]; neighbours share, so [K1, K1, K2, K2] (repeat_interleave)": (
                lambda k, n_heads: k.repeat(1, n_heads // k.shape[1], 1, 1)
            ),
            "all heads share the first key head; every group has its own": (
                lambda k, n_heads: k[:, :1].expand(-1, n_heads, -1, -1)
            ),
            "all heads share the mean of the key heads; every group has its own": (
                lambda k, n_heads: k.mean(1, keepdim=True).expand(-1, n_heads, -1, -1)
            ),
        },
    ),
}
