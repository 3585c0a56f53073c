"""Exercises of chapter 4, feed-forward networks."""

import torch
import torch.nn.functional as F

from .engine import Exercise, drawn


def _gated(x, gate, up, down, act=F.silu):
    return (act(x @ gate.T) * (x @ up.T)) @ down.T


def _gates(logits, k, late=False, even=False, all_of_them=False, least=False, zeros=False):
    chosen = logits.topk(k, dim=-1, largest=not least).indices
    mask = torch.zeros_like(logits, dtype=torch.bool).scatter(-1, chosen, True)
    if zeros:  # the scores of the others set to 0 before the softmax: e^0 is a vote too
        return logits.masked_fill(~mask, 0.0).softmax(-1)
    if late:
        return logits.softmax(-1).masked_fill(~mask, 0.0)
    if even:
        return mask.float() / k
    return logits.softmax(-1) if all_of_them else logits.masked_fill(~mask, -torch.inf).softmax(-1)


def _dead(h):
    return (h <= 0).flatten(0, -2).all(0).float().mean().item()


_FIRED = F.relu(drawn(2, 4, 10) - 1.0)  # 2 texts of 4 positions, 10 neurons
_FIRED[1, :, :3] = 0.0  # silent in the second text
_FIRED[..., 3:5] = 0.0  # silent everywhere
_D, _FF = 4096, 14336
_EXPERT = 3 * _D * _FF / 1e6
EXERCISES: dict[str, Exercise] = {
    "ffn_width": Exercise(
        right=4096,
        mistakes={
            "that is the plain network's width; with three matrices it would have half as many weights again": 6144,
            "the other way round: three matrices must be narrower than two, so 2/3 of the width and not 3/2": 9216,
            "half is too narrow: there are three matrices for two, not four": 3072,
            "two thirds of d_model; it is two thirds of the plain network's 4 d_model": 1024,
            "three quarters of the plain width: the matrices are as 2 to 3, so the widths are as 3 to 2": 4608,
        },
    ),
    "ffn_crossing": Exercise(
        right=21504,
        mistakes={
            "that is for a plain network with two matrices; SwiGLU has three, so half as much again": 14336,
            "half as far: each weight of the network costs 2 FLOPs too, a multiplication and an addition": 10752,
            "twice too far: attention does two things with each pair, the score and the weighted sum": 43008,
            "four heads share keys and values, but each has its own queries, and so its own scores": 4 * 21504,
            "that is d_model, where the scores overtake one of attention's own projections": 4096,
            "multiplied by 32 layers; every layer has both, so their number cancels": 32 * 21504,
        },
    ),
    "moe_parameters": Exercise(
        right=(8 * _EXPERT, 2 * _EXPERT),
        mistakes={
            "each expert is a SwiGLU and has three matrices, not two": (8 * _EXPERT * 2 / 3, 2 * _EXPERT * 2 / 3),
            "the other way round: all 8 experts are kept, 2 of them work": (2 * _EXPERT, 8 * _EXPERT),
            "two experts work on each token, not one": (8 * _EXPERT, _EXPERT),
            "a token meets only the 2 experts that it is routed to": (8 * _EXPERT, 8 * _EXPERT),
            "those are parameters; the question asks for millions of them": (8e6 * _EXPERT, 2e6 * _EXPERT),
            "the width is that of each expert; it is not shared out among the 8": (_EXPERT, _EXPERT / 4),
        },
    ),
    "swiglu": Exercise(
        right=_gated,
        inputs=[(drawn(2, 3, 4), drawn(6, 4), drawn(6, 4) + 0.1, drawn(4, 6)), (drawn(5, 3), *(drawn(3, 3),) * 3)],
        mistakes={
            "gate and up are swapped: silu belongs on the gate": lambda x, gate, up, down: _gated(x, up, gate, down),
            "that is GLU: its gate is a sigmoid; silu(h) = h · sigmoid(h)": (
                lambda x, gate, up, down: _gated(x, gate, up, down, torch.sigmoid)
            ),
            "that is GEGLU: the gate has gelu where silu is wanted": (
                lambda x, gate, up, down: _gated(x, gate, up, down, F.gelu)
            ),
            "that is ReGLU: the gate has relu where silu is wanted": (
                lambda x, gate, up, down: _gated(x, gate, up, down, F.relu)
            ),
            "the activation is forgotten": lambda x, gate, up, down: _gated(x, gate, up, down, lambda h: h),
            "the two halves are added; a gate multiplies": (
                lambda x, gate, up, down: (F.silu(x @ gate.T) + x @ up.T) @ down.T
            ),
            "the gate's half is the whole network here: up is not used": (
                lambda x, gate, up, down: F.silu(x @ gate.T) @ down.T
            ),
            "silu acts on the product; it belongs on the gate alone": (
                lambda x, gate, up, down: F.silu((x @ gate.T) * (x @ up.T)) @ down.T
            ),
        },
    ),
    "top_k_gates": Exercise(
        right=_gates,
        inputs=[(drawn(5, 4), 2), (drawn(3, 6), 1), (drawn(4, 8), 3)],
        mistakes={
            "the chosen weights do not sum to 1: divide them by their sum, or take the softmax over the chosen only": (
                lambda logits, k: _gates(logits, k, late=True)
            ),
            "all chosen experts count alike; the better one should count more": (
                lambda logits, k: _gates(logits, k, even=True)
            ),
            "every expert has a weight; only k of them may": lambda logits, k: _gates(logits, k, all_of_them=True),
            "those are the k smallest": lambda logits, k: _gates(logits, k, least=True),
            "the scores of the others are set to 0, and e^0 = 1 is a vote like any other: they must be -inf": (
                lambda logits, k: _gates(logits, k, zeros=True)
            ),
        },
    ),
    "share_dead": Exercise(
        right=_dead,
        inputs=[(_FIRED,), (F.relu(drawn(3, 5, 7)),)],
        mistakes={
            "that is the share of zeros; a neuron is dead only if it is zero at every position": (
                lambda h: (h <= 0).float().mean().item()
            ),
            "that is the share of the living": lambda h: 1 - _dead(h),
            "that is the share of neurons that are ever zero; dead are those that are always zero": (
                lambda h: (h <= 0).flatten(0, -2).any(0).float().mean().item()
            ),
            "that is the share per text, averaged: a neuron that fires in one text only is alive": (
                lambda h: (h <= 0).all(1).float().mean().item()
            ),
            "that is the number of the dead, not their share": lambda h: _dead(h) * h.shape[-1],
            "that is the share of positions at which nothing fires; the question is about neurons": (
                lambda h: (h <= 0).all(-1).float().mean().item()
            ),
        },
    ),
}
