"""Exercises of chapter 5."""

from .engine import Exercise

EXERCISES: dict[str, Exercise] = {}
