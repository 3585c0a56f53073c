"""Exercises of chapter 2, positions."""

import math

import torch

from .engine import Exercise, drawn


def _waves(T, d_model, per_pair=True, cosine_first=False, apart=False, times=False, base=10_000.0):
    index = torch.arange(0, d_model, 2) if per_pair else torch.arange(d_model // 2)
    speed = base ** (-index / d_model)
    t = torch.arange(T)[:, None]
    angle = t / speed if times else t * speed
    waves = [angle.cos(), angle.sin()] if cosine_first else [angle.sin(), angle.cos()]
    return torch.cat(waves, -1) if apart else torch.stack(waves, -1).flatten(-2)


def _turn(x, pos, neighbours=False, back=False, one_speed=False, per_pair=True, half=False):
    d_head = x.shape[-1]
    index = torch.arange(0, d_head, 2) if per_pair else torch.arange(d_head // 2)
    angle = pos[:, None] * (torch.ones(d_head // 2) if one_speed else 10_000.0 ** (-index / d_head))
    angle = -angle if back else angle
    a, b = (x[..., ::2], x[..., 1::2]) if neighbours else x.chunk(2, dim=-1)
    turned = [a * angle.cos() - b * angle.sin(), b * angle.cos() + a * angle.sin()]
    if half:
        turned[1] = b * angle.cos() - a * angle.sin()
    return torch.stack(turned, -1).flatten(-2) if neighbours else torch.cat(turned, -1)


def _alibi(slopes, T):
    pos = torch.arange(T)
    return -slopes[:, None, None] * (pos[:, None] - pos[None, :]).abs()


EXERCISES = {
    "slowest_pair": Exercise(
        right=2 * math.pi * 10_000 ** (126 / 128),
        mistakes={
            "that is the last exponent + 1: pairs are 0, 1, ..., 63, so the slowest has 2i / d_head = 126/128": (
                2 * math.pi * 10_000
            ),
            "a turn is 2 pi radians; you gave the positions for one radian": 10_000 ** (126 / 128),
            "that is the fastest pair, whose speed is 1 radian per position": 2 * math.pi,
            "the exponent is 2i / d_head, not i / d_head": 2 * math.pi * 10_000 ** (63 / 128),
            "that is the speed; the question asks for how many positions a turn takes": 10_000 ** (-126 / 128),
        },
    ),
    "shifted": Exercise(
        right="queries and keys",
        mistakes={
            "both turn further, so their product, the score, is what it was": "scores",
            "values are not turned at all": "values",
            "scores stay and values stay, so what attention gives stays": "outputs",
            "queries do change, and keys are turned in the same way": "queries",
            "the vectors themselves are turned by 7 more positions; only their products stay": "nothing",
        },
    ),
    "interpolation": Exercise(
        right=0.25,
        mistakes={
            "the other way round: positions are squeezed, so that the last one falls where the model was trained": 4,
            "nothing would be gained: positions beyond 4,096 would still be new to the model": 1,
            "the factor is 16,384 / 4,096": 0.5,
            "that squeezes by the length itself; the factor is 16,384 / 4,096": 1 / 4096,
        },
    ),
    "sinusoids": Exercise(
        right=_waves,
        inputs=[(5, 8), (3, 4)],
        mistakes={
            "the exponent is 2i / d_model for pair i: arange(0, d_model, 2) / d_model": (
                lambda T, d: _waves(T, d, per_pair=False)
            ),
            "the sine stands at feature 2i and the cosine at 2i + 1, not the other way round": (
                lambda T, d: _waves(T, d, cosine_first=True)
            ),
            "all sines before all cosines: a layout that exists (see the conventions box), but not this formula's": (
                lambda T, d: _waves(T, d, apart=True)
            ),
            "the speed falls from pair to pair: t / 10000^(2i/d_model), where you multiply": (
                lambda T, d: _waves(T, d, times=True)
            ),
            "the base is 10,000, not 1,000": lambda T, d: _waves(T, d, base=1000.0),
        },
    ),
    "rotate": Exercise(
        right=_turn,
        inputs=[(drawn(2, 3, 4, 8), torch.tensor([0, 1, 5, 9])), (drawn(1, 1, 2, 4), torch.tensor([3, 4]))],
        mistakes={
            "you pair neighbours, the paper's layout; here feature i turns with feature i + d_head/2": (
                lambda x, pos: _turn(x, pos, neighbours=True)
            ),
            "turned the other way: a' = a cos - b sin, b' = b cos + a sin": lambda x, pos: _turn(x, pos, back=True),
            "every pair has a speed of its own: 10000^(-2i/d_head), not 1": (
                lambda x, pos: _turn(x, pos, one_speed=True)
            ),
            "the exponent is 2i / d_head for pair i: arange(0, d_head, 2) / d_head": (
                lambda x, pos: _turn(x, pos, per_pair=False)
            ),
            "a sign is wrong in the second half: b' = b cos + a sin. As it is, lengths change": (
                lambda x, pos: _turn(x, pos, half=True)
            ),
        },
    ),
    "linear_bias": Exercise(
        right=_alibi,
        inputs=[(torch.tensor([0.5, 0.125]), 4), (torch.tensor([0.25]), 3)],
        mistakes={
            "the sign: distance must lower the score": lambda slopes, T: -_alibi(slopes, T),
            "not the absolute distance: what comes after would be preferred (and the mask does not forgive encoders)": (
                lambda slopes, T: -slopes[:, None, None] * (torch.arange(T)[:, None] - torch.arange(T)[None, :])
            ),
            "one slope for all heads: each head has its own": lambda slopes, T: _alibi(slopes[:1].expand_as(slopes), T),
            "the slope multiplies the distance, it does not divide it": lambda slopes, T: _alibi(1 / slopes, T),
            "the bias grows with the distance itself, not with its square": (
                lambda slopes, T: _alibi(slopes, T) ** 2 / -slopes[:, None, None]
            ),
        },
    ),
}
