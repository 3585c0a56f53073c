"""Exercises of chapter 6."""

from .engine import Exercise

EXERCISES: dict[str, Exercise] = {}
