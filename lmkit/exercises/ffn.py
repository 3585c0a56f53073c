"""Exercises of chapter 4."""

from .engine import Exercise

EXERCISES: dict[str, Exercise] = {}
