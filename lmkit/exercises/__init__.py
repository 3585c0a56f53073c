"""The book's exercises: `check` says whether an answer is right, and what is likely wrong with it."""

from typing import Any

from . import attention, ffn, normalization, positions, pretraining, residuals, softmax, tokenization, transformer
from .engine import NOT_YET, Exercise, diagnose

CHAPTERS = [tokenization, positions, attention, ffn, normalization, residuals, softmax, transformer, pretraining]
#: All exercises, by name.
EXERCISES: dict[str, Exercise] = {name: e for chapter in CHAPTERS for name, e in chapter.EXERCISES.items()}

__all__ = ["EXERCISES", "NOT_YET", "Exercise", "check", "diagnose"]


def check(name: str, answer: Any) -> None:
    """Print whether `answer` solves the exercise, and a diagnosis if it does not; ValueError for an unknown name."""
    if name not in EXERCISES:
        raise ValueError(f"there is no exercise {name!r}; there are {sorted(EXERCISES)}")
    complaint = NOT_YET if answer is None else diagnose(EXERCISES[name], answer)
    print(f"{name}: {complaint or 'right'}")
