"""Initial schemes: the spread of every matrix, by the name of what it does, against the published formula."""

import math

import pytest
import torch
from torch import nn

from lmkit.attention import Attention
from lmkit.ffn import FFN, MoE
from lmkit.init import INITS
from lmkit.model import Config, EncoderDecoder, Transformer

D, L, H, V, FF = 96, 3, 4, 200, 250  # wide enough that the spread of a draw is within a few percent of the formula


def model():
    """Cross-attention, grouped heads, a mixture of gated experts, embeddings of tokens, segments and distances."""
    config = Config(
        V, D, L, H, n_kv_heads=2, d_ff=FF, n_encoder_layers=2, n_segments=2, positions="relative",
        ffn={"name": "moe", "n_experts": 2, "n_active": 1}, norm="rmsnorm",
    )  # fmt: skip
    torch.manual_seed(0)
    drawn = EncoderDecoder(config).decoder
    for p in drawn.parameters():  # nothing stays from the draw that building it made
        nn.init.constant_(p, 7.0)
    return drawn


def writer(name):
    return name.endswith(("o_proj.weight", "down_proj.weight"))


def xavier(p):
    return math.sqrt(2 / (p.shape[0] + p.shape[1]))


def deepnorm(name, p):
    if name.startswith(("embed", "segments", "positions")):
        return p.shape[1] ** -0.5
    damped = any(part in name for part in ("ffn.experts", "v_proj", "o_proj"))
    return xavier(p) * ((8 * L) ** -0.25 if damped else 1)


FORMULAS = {
    "gpt2": lambda name, p: 0.02 / (math.sqrt(2 * L) if writer(name) else 1),
    "fan_in": lambda name, p: 1 / math.sqrt(p.shape[1]) / (math.sqrt(2 * L) if writer(name) else 1),
    "bert": lambda name, p: 0.02,
    "small": lambda name, p: 2 / L / math.sqrt(D) if writer(name) else math.sqrt(2 / (5 * D)),
    "zero_out": lambda name, p: 0 if writer(name) else 1 / math.sqrt(p.shape[1]),
    "deepnorm": deepnorm,
}


@pytest.mark.parametrize("name", INITS)
def test_every_matrix_is_drawn_as_published(name):
    assert set(INITS) == set(FORMULAS)
    drawn = model()
    INITS[name](drawn, L)
    seen = set()
    for where, p in drawn.named_parameters():
        if p.ndim < 2:
            assert (p == (0 if where.endswith("bias") else 7)).all(), where  # biases start at 0, norms are left alone
            continue
        wanted, tolerance = FORMULAS[name](where, p), 4 / math.sqrt(p.numel())  # 1 / √(2 n) is one sigma
        assert p.std().item() == pytest.approx(wanted, rel=tolerance, abs=1e-9), where
        assert abs(p.mean().item()) <= 5 * wanted / math.sqrt(p.numel()), where
        if p.numel() > 5000 and wanted:
            assert (p / wanted).pow(4).mean().item() == pytest.approx(3, rel=0.2), where  # normal, not cut off
        seen.add(where.rpartition(".")[0].split(".")[-1])
    parts = {"embed", "segments", "table", "q_proj", "k_proj", "v_proj", "o_proj", "router"}
    assert seen == parts | {"gate_proj", "up_proj", "down_proj"}


@pytest.mark.parametrize("name", INITS)
def test_parts_alone(name):
    """The untied head, and components by themselves, which have a width too."""
    torch.manual_seed(0)
    head = nn.Linear(D, 1000, bias=False)
    INITS[name](head, L)
    wanted = {"gpt2": 0.02, "bert": 0.02, "small": math.sqrt(2 / (5 * D)), "deepnorm": math.sqrt(2 / (D + 1000))}
    assert head.weight.std().item() == pytest.approx(wanted.get(name, 1 / math.sqrt(D)), rel=0.02)
    for part in (FFN(D), Attention(D, H), MoE(D)):
        INITS[name](part, L)
        for where, p in part.named_parameters():
            if where == "up_proj.weight" or writer(where):
                wanted = xavier(p) * (8 * L) ** -0.25 if name == "deepnorm" else FORMULAS[name](where, p)
                assert p.std().item() == pytest.approx(wanted, rel=0.05, abs=1e-9), where


def test_zero_out_makes_every_block_the_identity():
    torch.manual_seed(0)
    drawn, x = Transformer(Config(50, 16, 2, 2, init="zero_out")), torch.randn(2, 5, 16)
    for block in drawn.blocks:
        assert torch.equal(block(x), x)


@pytest.mark.parametrize("name", INITS)
def test_a_config_names_its_scheme(name):
    torch.manual_seed(0)
    by_config = Transformer(Config(50, 16, 2, 2, init=name))
    torch.manual_seed(0)
    by_hand = Transformer(Config(50, 16, 2, 2, init=lambda module, n_layers: INITS[name](module, n_layers)))
    assert all(torch.equal(a, b) for a, b in zip(by_config.parameters(), by_hand.parameters(), strict=True))
