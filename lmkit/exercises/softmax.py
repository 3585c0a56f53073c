"""Exercises of chapter 7."""

from .engine import Exercise

EXERCISES: dict[str, Exercise] = {}
