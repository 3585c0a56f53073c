"""Exercises of chapter 8, the Transformer."""

import torch

from .engine import Exercise, drawn


def _size(vocab=32_000, d=512, layers=8, attention=4, ffn=3, d_ff=1376, heads=1):
    return heads * vocab * d + layers * (attention * d * d + ffn * d * d_ff + 2 * d) + d


def _block(x, norm1, attn, norm2, ffn):
    x = x + attn(norm1(x))
    return x + ffn(norm2(x))


def _forward(ids, E, blocks, norm, between=lambda x: x, last=lambda z: z):
    x = E[ids]
    for block in blocks:
        x = between(block(x))
    return last(norm(x) @ E.T)


def _summed(ids, E, blocks, norm):
    return norm(sum(block(E[ids]) for block in blocks)) @ E.T


_HOURS = 6 * 124e6 * 10e9 / 2e14 / 3600
_FUNCTIONS = (
    lambda x: x / (1 + x.abs()),
    lambda x: x.roll(1, 1) * 0.5,
    lambda x: x.tanh() * 2,
    lambda x: x.relu() + 0.1,
)
_BLOCKS = [lambda x: x + 0.5 * x.roll(1, 1), lambda x: x * 1.5 + x.tanh()]
EXERCISES = {
    "model_parameters": Exercise(
        right=_size(),
        mistakes={
            "a tied head has no matrix of its own: the embedding was counted twice": _size(heads=2),
            "a gated network has three matrices: gate, up and down": _size(ffn=2),
            "attention has four matrices: the one at its end, o_proj, is missing": _size(attention=3),
            "that is one block; the model has 8": _size(layers=1),
            "the embedding is missing: 32,000 rows of 512": _size(heads=0),
            "that is with an inner width of 4 d_model; the question says 1,376": _size(d_ff=2048),
            "that is the rule 12 d² per block; here the network is gated and 1,376 wide": 32_000 * 512
            + 8 * 12 * 512**2,
        },
    ),
    "training_hours": Exercise(
        right=_HOURS,
        mistakes={
            "that is the forward pass alone, 2 N per token; the backward costs twice as much again": _HOURS / 3,
            "one FLOP per parameter? a product of matrices multiplies and adds: 2, and 6 with the backward": _HOURS / 6,
            "the backward costs twice the forward, so 6 N per token in all, not 4 N": _HOURS * 4 / 6,
            "that is in seconds; the question asks for hours": _HOURS * 3600,
            "that is in minutes; the question asks for hours": _HOURS * 60,
        },
    ),
    "training_memory": Exercise(
        right=24.0,
        mistakes={
            "those are the weights alone": 6.0,
            "weights and gradients; AdamW keeps two averages per parameter besides": 12.0,
            "AdamW keeps two averages per parameter, of the gradient and of its square, not one": 18.0,
            "twice too much: a 32-bit number has 4 bytes": 48.0,
            "that is in bytes; the question asks for GB": 24e9,
        },
    ),
    "who_sees_whom": Exercise(
        right=("both", "causal", "prefix", "both"),
        mistakes={
            "a finished text can be read in both directions: spam needs no causal mask": (
                "causal",
                "causal",
                "prefix",
                "both",
            ),
            "what stands after a gap helps to fill it; a causal model cannot see it": (
                "both",
                "causal",
                "prefix",
                "causal",
            ),
            "an encoder-decoder reads its source in both directions, and writes causally": (
                "both",
                "causal",
                "causal",
                "both",
            ),
            "the text that is being written must not see itself ahead: translating is not all both ways": (
                "both",
                "causal",
                "both",
                "both",
            ),
            "with a prefix that grows by every turn, nothing cached stays valid; conversation is causal": (
                "both",
                "prefix",
                "prefix",
                "both",
            ),
            "not everything is causal: three of these tasks have a text that is given whole": ("causal",) * 4,
        },
    ),
    "whole_block": Exercise(
        right=_block,
        inputs=[(drawn(2, 3, 4), *_FUNCTIONS), (drawn(1, 5, 2), *reversed(_FUNCTIONS))],
        mistakes={
            "that is post-norm: the norm stands on the stream, after the sum": (
                lambda x, n1, a, n2, f: n2((y := n1(x + a(x))) + f(y))
            ),
            "no residual connection: the stream itself is lost": lambda x, n1, a, n2, f: f(n2(a(n1(x)))),
            "side by side: the network must read what attention has written": (
                lambda x, n1, a, n2, f: x + a(n1(x)) + f(n2(x))
            ),
            "the normalized stream was added instead of the stream: x + ..., not norm(x) + ...": (
                lambda x, n1, a, n2, f: n2(y := n1(x) + a(n1(x))) + f(n2(y))
            ),
            "the second residual connection is missing": lambda x, n1, a, n2, f: f(n2(x + a(n1(x)))),
            "the second sum must go on from the first: attention's result is lost": (
                lambda x, n1, a, n2, f: x + f(n2(x + a(n1(x))))
            ),
            "the same norm twice: each sublayer has its own": lambda x, n1, a, n2, f: _block(x, n1, a, n1, f),
            "no norms: each sublayer reads norm(x)": (
                lambda x, n1, a, n2, f: _block(x, lambda y: y, a, lambda y: y, f)
            ),
        },
    ),
    "whole_forward": Exercise(
        right=_forward,
        inputs=[
            (torch.tensor([[0, 2, 1], [4, 4, 3]]), drawn(5, 3), _BLOCKS, lambda x: x / (1 + x.abs())),
            (torch.tensor([[1, 0]]), drawn(4, 6), _BLOCKS[::-1], lambda x: x.tanh()),
        ],
        mistakes={
            "the final norm is missing": lambda ids, E, blocks, norm: _forward(ids, E, blocks, lambda x: x),
            "the blocks were added up; each must read what the last one wrote": _summed,
            "the last block was left out": lambda ids, E, blocks, norm: _forward(ids, E, blocks[:-1], norm),
            "only the first token's embedding went in, for all positions": (
                lambda ids, E, blocks, norm: _forward(ids[:, :1].expand_as(ids), E, blocks, norm)
            ),
            "the final norm stands after every block; it stands once, at the end": (
                lambda ids, E, blocks, norm: _forward(ids, E, blocks, lambda x: x, between=norm)
            ),
            "those are probabilities; logits are asked for, before the softmax": (
                lambda ids, E, blocks, norm: _forward(ids, E, blocks, norm, last=lambda z: z.softmax(-1))
            ),
            "the blocks were applied in the wrong order": lambda ids, E, b, norm: _forward(ids, E, b[::-1], norm),
        },
    ),
}
