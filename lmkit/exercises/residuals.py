"""Exercises of chapter 6, residual connections."""

import math

import torch

from .engine import Exercise, drawn


def _attn(x):  # mixes positions, so that it cannot be taken for a network
    return torch.tanh(x.cumsum(0))


def _ffn(x):
    return 0.5 * x.relu() + 0.3


def _norm1(x):
    return 2.0 * x / (x.pow(2).mean(-1, keepdim=True) + 1e-5).sqrt()


def _norm2(x):
    return 0.5 * x / (x.pow(2).mean(-1, keepdim=True) + 1e-5).sqrt()


def _block(x, attn, ffn, norm1, norm2):
    x = x + attn(norm1(x))
    return x + ffn(norm2(x))


def _post(x, attn, ffn, norm1, norm2):
    x = norm1(x + attn(x))
    return norm2(x + ffn(x))


def _normed_skip(x, attn, ffn, norm1, norm2):
    x = norm1(x)
    x = norm2(x + attn(x))
    return x + ffn(x)


def _no_first_skip(x, attn, ffn, norm1, norm2):
    x = attn(norm1(x))
    return x + ffn(norm2(x))


def _no_second_skip(x, attn, ffn, norm1, norm2):
    return ffn(norm2(x + attn(norm1(x))))


def _one_norm(x, attn, ffn, norm1, norm2):
    x = x + attn(norm1(x))
    return x + ffn(norm1(x))


def _stale_skip(x, attn, ffn, norm1, norm2):
    return x + ffn(norm2(x + attn(norm1(x))))


def _pushes(writes, weight, direction, eps, size=None):
    end = writes.sum(0) if size is None else size(writes)
    return (writes * weight / (end.pow(2).mean(-1, keepdim=True) + eps).sqrt()) @ direction


def _attributed(writes, weight, direction, eps):
    return _pushes(writes, weight, direction, eps)


EXERCISES = {
    "residual_paths": Exercise(
        right=math.comb(24, 2),
        mistakes={
            "two of the 12 layers: each layer has two sublayers, so there are 24 to choose from": math.comb(12, 2),
            "ordered pairs: the order of two sublayers is given by the model, so each pair counts once": 24 * 23,
            "a sublayer cannot stand on a path twice: 24 times 24 counts such pairs, and each pair twice": 24**2,
            "one per sublayer: those are the paths through exactly one": 24,
            "all of them: the question asks for the paths through exactly two": 2**24,
            "those through none, one or two: the question asks for exactly two": 1 + 24 + math.comb(24, 2),
        },
    ),
    "stream_size": Exercise(
        right=math.sqrt(1 + 2 * 24),
        mistakes={
            "that is the mean square; the size is its root": 49,
            "one write per layer: each layer has two sublayers, so 48 writes": math.sqrt(1 + 24),
            "the embedding is missing: its variance counts too": math.sqrt(2 * 24),
            "24 layers make 48 writes, and the root has to be taken": 25,
            "doubled at each sublayer: independent writes add variances, they do not multiply": 2.0**48,
            "that is with the writes divided; here nothing is": math.sqrt(2),
        },
    ),
    "prenorm_block": Exercise(
        right=_block,
        inputs=[(drawn(5, 8), _attn, _ffn, _norm1, _norm2), (3 * drawn(2, 4), _attn, _ffn, _norm1, _norm2)],
        mistakes={
            "post-norm: the norms stand after the additions; here they stand before the sublayers": _post,
            "the skip carries the normalized stream: keep x as it is, and give norm(x) to the sublayer only": (
                _normed_skip
            ),
            "the skip around attention is missing": _no_first_skip,
            "the skip around the feed-forward network is missing": _no_second_skip,
            "the feed-forward network reads through norm1; it has a norm of its own": _one_norm,
            "parallel: the feed-forward network must read what attention has just written": (
                lambda x, attn, ffn, norm1, norm2: x + attn(norm1(x)) + ffn(norm2(x))
            ),
            "what attention wrote is lost from the stream: the second skip must start from the new x": _stale_skip,
            "no norms: each sublayer reads its norm of the stream": (
                lambda x, attn, ffn, norm1, norm2: _block(x, attn, ffn, lambda x: x, lambda x: x)
            ),
        },
    ),
    "writer_std": Exercise(
        right=lambda std, n_layers: std / math.sqrt(2 * n_layers),
        inputs=[(0.02, 12), (1.0, 3)],
        mistakes={
            "divided by √n_layers: each layer writes twice": lambda std, n_layers: std / math.sqrt(n_layers),
            "divided by 2 n_layers: that is right for the variance; the standard deviation takes the root": (
                lambda std, n_layers: std / (2 * n_layers)
            ),
            "multiplied: the writes must become smaller": lambda std, n_layers: std * math.sqrt(2 * n_layers),
            "the variance, not the standard deviation": lambda std, n_layers: std**2 / (2 * n_layers),
            "√(2 / n_layers): the 2 belongs below the line": lambda std, n_layers: std * math.sqrt(2 / n_layers),
            "that is the draw of all other matrices": lambda std, n_layers: std,
        },
    ),
    "logit_pushes": Exercise(
        right=_attributed,
        inputs=[(drawn(5, 8), drawn(8) + 2, drawn(8), 0.1), (3 * drawn(3, 4), drawn(4) + 1, drawn(4), 1e-5)],
        mistakes={
            "each write was divided by its own size: the norm divides by the size of the whole stream, once": (
                lambda writes, weight, direction, eps: _pushes(writes, weight, direction, eps, lambda w: w)
            ),
            "divided by the size of the stream so far: hold the divisor fixed at that of the end": (
                lambda writes, weight, direction, eps: _pushes(writes, weight, direction, eps, lambda w: w.cumsum(0))
            ),
            "these are the pushes of the points, not of the writes: do not add the writes up": (
                lambda writes, weight, direction, eps: _attributed(writes, weight, direction, eps).cumsum(0)
            ),
            "the norm is missing: divide by its size and multiply by its weight": (
                lambda writes, weight, direction, eps: writes @ direction
            ),
            "the norm's weight is missing": (
                lambda writes, weight, direction, eps: _attributed(writes, torch.ones_like(weight), direction, eps)
            ),
            "the division by the norm's size is missing": (
                lambda writes, weight, direction, eps: (writes * weight) @ direction
            ),
            "eps is missing below the root": (
                lambda writes, weight, direction, eps: _attributed(writes, weight, direction, 0.0)
            ),
        },
    ),
}
