"""Exercises of chapter 5, normalization."""

import math

import torch

from .engine import Exercise, drawn


def _layer_norm(x, weight, bias, eps, *, dim=-1, n=0, outside=False, power=0.5, centre=True, shift_first=False):
    mean = x.mean(dim, keepdim=True) if centre else 0.0
    var = x.var(dim, correction=n, keepdim=True) if centre else x.square().mean(dim, keepdim=True)
    by = var**power + eps if outside else (var + eps) ** power
    normed = (x - mean) / by
    return (normed + bias) * weight if shift_first else normed * weight + bias


def _rms_half(x, weight, eps, *, wide=True, centre=False, total=False, outside=False, plus=0, back=True):
    dtype, x = x.dtype, x.float() if wide else x
    x = x - x.mean(-1, keepdim=True) if centre else x
    square = x.pow(2).sum(-1, keepdim=True) if total else x.pow(2).mean(-1, keepdim=True)
    normed = x / (square.sqrt() + eps) if outside else x * torch.rsqrt(square + eps)
    out = (plus + weight.to(dtype)) * normed.to(dtype)
    return out if back else out.float()


def _centred(weight, bias, dim=0, with_bias=True, whole=False):
    weight = weight - (weight.mean() if whole else weight.mean(dim, keepdim=True))
    return weight, bias - bias.mean() if with_bias else bias


_HALF = torch.tensor([[600.0, 0.0, 0.0, 0.0], [300.0, -300.0, 300.0, -300.0]], dtype=torch.float16)
_SMALL = torch.tensor([[0.5, 0.0, 0.0, 0.0], [3.0, 1.0, -1.0, 2.0]])
_POWERS = torch.tensor([1.0, 0.5, 2.0, -1.0])
EXERCISES = {
    "norm_of_four": Exercise(
        right=(1.2, 1.6, 0.0, 0.0),
        mistakes={
            "divided by the length of the vector, 5; the rms has a mean in it: the length divided by √4": (
                0.6, 0.8, 0.0, 0.0,
            ),
            "divided by the mean square; its root is still to be taken": (0.48, 0.64, 0.0, 0.0),
            "divided by the mean, 1.75; the mean square is (9 + 16 + 0 + 0) / 4": (3 / 1.75, 4 / 1.75, 0.0, 0.0),
            "that is LayerNorm: RMSNorm does not subtract the mean": tuple(
                (v - 1.75) / math.sqrt(3.1875) for v in (3, 4, 0, 0)
            ),
            "divided by the root of 25/3: the mean square of four numbers is their sum divided by 4": tuple(
                v / math.sqrt(25 / 3) for v in (3, 4, 0, 0)
            ),
        },
    ),
    "norm_eps": Exercise(
        right=1 / math.sqrt(2),
        mistakes={
            "that is without eps; here eps is as large as the mean square": 1.0,
            "the mean square and eps are added before the root is taken, not after it": 0.01 / (0.01 + 1e-4),
            "that is 1 over the sum; the root is missing": 0.5,
            "that is the rms of the input; asked is the rms of the output": 0.01,
        },
    ),
    "norm_parameters": Exercise(
        right=25 * 2 * 768,
        mistakes={
            "one is missing: after the last block there is a final norm": 24 * 2 * 768,
            "LayerNorm has a bias too, so twice 768 each": 25 * 768,
            "each block has two norms, one before each of its sublayers": 13 * 2 * 768,
            "that is the number of norms; each has a weight and a bias for each of 768 features": 25,
            "one each for all features? The weight and the bias are vectors of 768 numbers": 25 * 2,
        },
    ),
    "layer_norm": Exercise(
        right=_layer_norm,
        inputs=[
            (drawn(2, 3, 6) + 1.0, drawn(6), drawn(1, 5)[0][[0, 1, 2, 3, 4, 0]], 1e-5),
            (0.1 * drawn(4, 3, 5), drawn(5), drawn(5) - 1, 0.1),
        ],
        mistakes={
            "the variance is divided by n − 1 (torch's default); LayerNorm divides by n: correction=0": (
                lambda x, w, b, eps: _layer_norm(x, w, b, eps, n=1)
            ),
            "eps stands outside the root; it is added to the variance": (
                lambda x, w, b, eps: _layer_norm(x, w, b, eps, outside=True)
            ),
            "divided by n − 1, and eps outside the root: the variance has correction=0, and eps is added to it": (
                lambda x, w, b, eps: _layer_norm(x, w, b, eps, n=1, outside=True)
            ),
            "divided by the variance; its root is still to be taken": (
                lambda x, w, b, eps: _layer_norm(x, w, b, eps, power=1.0)
            ),
            "the statistics run over the positions; they belong to one token, over its features (dim=-1)": (
                lambda x, w, b, eps: _layer_norm(x, w, b, eps, dim=-2)
            ),
            "the mean is not subtracted: that is RMSNorm with a bias": (
                lambda x, w, b, eps: _layer_norm(x, w, b, eps, centre=False)
            ),
            "the bias is multiplied by the weight as well; it is added last": (
                lambda x, w, b, eps: _layer_norm(x, w, b, eps, shift_first=True)
            ),
            "weight and bias are missing": lambda x, w, b, eps: _layer_norm(x, 1.0, 0.0, eps),
        },
    ),
    "rms_norm": Exercise(
        right=_rms_half,
        inputs=[(_HALF, _POWERS.half(), 1e-6), (_SMALL, _POWERS, 0.5)],
        mistakes={
            "300² does not fit into float16, whose largest number is 65504: take the statistics in float32": (
                lambda x, w, eps: _rms_half(x, w, eps, wide=False)
            ),
            "the mean is subtracted: that is LayerNorm without a bias": (
                lambda x, w, eps: _rms_half(x, w, eps, centre=True)
            ),
            "divided by the length of the vector: the squares are added up, and their mean is wanted": (
                lambda x, w, eps: _rms_half(x, w, eps, total=True)
            ),
            "eps stands outside the root; it is added to the mean square": (
                lambda x, w, eps: _rms_half(x, w, eps, outside=True)
            ),
            "multiplied by 1 + weight, which is Gemma's form": lambda x, w, eps: _rms_half(x, w, eps, plus=1),
            "the weight is missing": lambda x, w, eps: _rms_half(x, torch.ones_like(w), eps),
        },
    ),
    "centre": Exercise(
        right=_centred,
        inputs=[(drawn(5, 3) + 0.5, drawn(5) + 1.0), (drawn(4, 4) - 1.0, drawn(4))],
        mistakes={
            "the mean runs over the inputs; the outputs' mean is to vanish, and they are the rows (dim=0)": (
                lambda w, b: _centred(w, b, dim=1)
            ),
            "the bias is written to the stream too: its mean is to be taken away as well": (
                lambda w, b: _centred(w, b, with_bias=False)
            ),
            "one number was subtracted from the whole matrix; each input feature has a mean of its own": (
                lambda w, b: _centred(w, b, whole=True)
            ),
            "nothing was subtracted": lambda w, b: (w, b),
        },
    ),
}  # fmt: skip
