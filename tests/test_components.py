"""Small components, each against PyTorch's own statement of it or the formula written out."""


import pytest
import torch
import torch.nn.functional as F
from torch import nn

from lmkit.ffn import FFN, FFNS, SwiGLU
from lmkit.norms import RMSNorm

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
