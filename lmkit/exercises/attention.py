"""Exercises of chapter 3, attention."""

import math

import torch

from .engine import Exercise, drawn


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
        inputs=[(drawn(2, 3, 5, 4), drawn(2, 3, 5, 4) + 0.1, drawn(2, 3, 5, 4)), (drawn(1, 1, 3, 8),) * 3],
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
        inputs=[(drawn(2, 2, 3, 4), 6), (drawn(1, 3, 2, 4), 3), (drawn(2, 1, 3, 4), 4)],
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
