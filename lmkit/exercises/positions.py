"""Exercises of chapter 2."""

from .engine import Exercise

EXERCISES: dict[str, Exercise] = {}
