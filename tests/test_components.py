"""Small components, each against PyTorch's own statement of it or the formula written out."""

from functools import partial

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from lmkit.choose import choose, show
from lmkit.ffn import FFN, FFNS, SwiGLU
from lmkit.norms import NORMS, RMSNorm
from lmkit.positions import Learned, NoPositions, Rope

torch.manual_seed(0)


@pytest.mark.parametrize("shape", [(6,), (5, 6), (2, 5, 6), (2, 3, 5, 6)])
def test_rmsnorm_is_torchs(shape):
    x = torch.randn(shape) * 3 + 1
    ours, theirs = RMSNorm(6, eps=1e-3), nn.RMSNorm(6, eps=1e-3)
    nn.init.normal_(ours.weight)
    theirs.load_state_dict(ours.state_dict())
    torch.testing.assert_close(ours(x), theirs(x))


def test_rmsnorm_keeps_its_statistics_in_float32():
    x = torch.full((1, 4), 300.0, dtype=torch.float16)  # 300² overflows float16
    assert torch.equal(RMSNorm(4).half()(x), torch.ones(1, 4, dtype=torch.float16))


@pytest.mark.parametrize("bias", [True, False])
def test_ffn_formulas(bias):
    x = torch.randn(2, 5, 12)
    ffn, glu = FFN(12, bias=bias), SwiGLU(12, bias=bias)
    assert (ffn.up_proj.out_features, glu.up_proj.out_features) == (48, 32)
    W1, b1, W2, b2 = ffn.up_proj.weight, ffn.up_proj.bias, ffn.down_proj.weight, ffn.down_proj.bias
    h = x @ W1.T + (b1 if bias else 0)
    gelu = 0.5 * h * (1 + torch.erf(h / 2**0.5))
    torch.testing.assert_close(ffn(x), gelu @ W2.T + (b2 if bias else 0))
    g = F.linear(x, glu.gate_proj.weight, glu.gate_proj.bias)
    up = F.linear(x, glu.up_proj.weight, glu.up_proj.bias)
    torch.testing.assert_close(glu(x), F.linear(g * torch.sigmoid(g) * up, glu.down_proj.weight, glu.down_proj.bias))


def test_matched_ffns_have_the_same_number_of_weights():
    weights = {name: sum(p.numel() for p in ffn(96, bias=False).parameters()) for name, ffn in FFNS.items()}
    assert len(set(weights.values())) == 1, weights


def rope_by_complex_numbers(x, pos, theta=10_000.0):
    """RoPE as its paper states it, on pairs (i, i + d/2): multiply by exp(i t theta^(-2i/d))."""
    a, b = x.double().chunk(2, -1)
    freq = theta ** (-torch.arange(0, x.shape[-1], 2, dtype=torch.float64) / x.shape[-1])
    turned = torch.complex(a, b) * torch.exp(1j * pos.double()[:, None] * freq)
    return torch.cat([turned.real, turned.imag], -1)


@pytest.mark.parametrize("d_head", [2, 6, 8])
@pytest.mark.parametrize("start", [0, 7])
def test_rope_is_a_complex_rotation(d_head, start):
    x, pos = torch.randn(2, 3, 5, d_head), torch.arange(start, start + 5)
    ours = Rope(9, 3, d_head, 32, theta=500.0).rotate(x, pos)
    torch.testing.assert_close(ours.double(), rope_by_complex_numbers(x, pos, 500.0), atol=1e-5, rtol=1e-5)


def test_rope_scores_depend_on_distance_only():
    rope, q, k = Rope(8, 1, 8, 64), torch.randn(1, 1, 1, 8), torch.randn(1, 1, 1, 8)

    def score(t, s):
        return float((rope.rotate(q, torch.tensor([t])) * rope.rotate(k, torch.tensor([s]))).sum())

    assert score(3, 1) == pytest.approx(score(40, 38), abs=1e-4)
    assert abs(score(3, 1) - score(3, 2)) > 1e-3


def test_rope_is_hugging_faces():
    from transformers.models.llama.modeling_llama import apply_rotary_pos_emb

    x, pos = torch.randn(2, 3, 5, 8), torch.arange(5)
    angle = pos[:, None] * 10_000.0 ** (-torch.arange(0, 8, 2) / 8)
    cos, sin = (torch.cat([f(angle)] * 2, -1)[None] for f in (torch.cos, torch.sin))
    torch.testing.assert_close(Rope(24, 3, 8, 32).rotate(x, pos), apply_rotary_pos_emb(x, x, cos, sin)[0])


def test_rope_refuses_an_odd_width():
    with pytest.raises(ValueError, match="d_head must be even, not 5"):
        Rope(15, 3, 5, 32)


def test_learned_adds_the_table_and_nothing_else():
    scheme, x, pos = Learned(6, 2, 3, 10), torch.randn(2, 4, 6), torch.arange(3, 7)
    torch.testing.assert_close(scheme.embed(x, pos), x + scheme.table.weight[3:7])
    assert scheme.rotate(x, pos) is x and scheme.score_bias(pos, pos) is None
    assert NoPositions(6, 2, 3, 10).embed(x, pos) is x


def test_choose_takes_names_and_callables():
    assert choose("rmsnorm", NORMS) is RMSNorm
    assert choose(nn.Identity, NORMS) is nn.Identity
    with pytest.raises(ValueError, match=r"'rms' is not one of \['layernorm', 'rmsnorm'\]"):
        choose("rms", NORMS)


def test_show_unwraps_partials():
    shown = repr(show(partial(Rope, theta=5e5)))
    assert shown.startswith("# with theta=500000.0\nclass Rope")
    assert show(pre_norm)._repr_markdown_().startswith("```python\ndef pre_norm")


def test_rope_angles_are_float32_in_a_bfloat16_model():
    rope, x, pos = Rope(8, 1, 8, 8192), torch.randn(1, 1, 1, 8), torch.tensor([4000])
    torch.testing.assert_close(
        rope.bfloat16().rotate(x, pos), rope_by_complex_numbers(x, pos).float(), atol=2e-3, rtol=0
    )
