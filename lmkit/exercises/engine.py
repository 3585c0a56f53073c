"""Checks a reader's answer, here and now, and says what is likely wrong with it.

An exercise holds the right answer and the mistakes that people make, each with its diagnosis. Answers are values or
functions; a function is called with the exercise's inputs, and what it returns is compared.
"""

import math
from copy import deepcopy
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


def drawn(*shape: int) -> Tensor:
    """Random numbers as inputs, the same ones for the same shape."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(sum(shape)))


def outcomes(exercise: Exercise, answer: Any) -> list:
    return [answer(*copies(args)) for args in exercise.inputs] if callable(answer) else [answer]


def copies(args: tuple) -> list:
    return [a.clone() if isinstance(a, Tensor) else deepcopy(a) for a in args]


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
