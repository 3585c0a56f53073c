"""Norms, each against PyTorch's own or the formula written out; and why one of them fails."""

import pytest
import torch
from torch import nn

from lmkit.norms import NORMS, BatchNorm, DyT, NoNorm, RMSNorm, RMSNormPlusOne

torch.manual_seed(0)


def stirred(module):
    with torch.no_grad():
        for i, p in enumerate(module.parameters()):
            p.add_(torch.randn(p.shape, generator=torch.Generator().manual_seed(i)))
    return module


@pytest.mark.parametrize("shape", [(6,), (5, 6), (2, 5, 6), (2, 3, 5, 6)])
def test_rmsnorm_is_torchs(shape):
    x = torch.randn(shape) * 3 + 1
    ours, theirs = RMSNorm(6, eps=1e-3), nn.RMSNorm(6, eps=1e-3)
    nn.init.normal_(ours.weight)
    theirs.load_state_dict(ours.state_dict())
    torch.testing.assert_close(ours(x), theirs(x))


def test_rmsnorm_plus_one():
    """torch's RMSNorm with weights larger by one; at first, with none."""
    x = torch.randn(5, 6) * 1e-3
    ours, theirs = RMSNormPlusOne(6, eps=1e-3), nn.RMSNorm(6, eps=1e-3)
    torch.testing.assert_close(ours(x), theirs(x))
    nn.init.normal_(ours.weight)
    theirs.weight.data = 1 + ours.weight.data
    torch.testing.assert_close(ours(x), theirs(x))
    torch.testing.assert_close(RMSNormPlusOne(6)(x), RMSNorm(6)(x))
    tiny = RMSNormPlusOne(6).bfloat16()
    tiny.weight.data.fill_(2.0**-9)  # 1 + 2^-9 is not in bfloat16: rounded there, the weight would do nothing
    row = torch.tensor([1.99, -1.0, 1.0, 1.0, -1.0, 1.0]).bfloat16()
    assert not torch.equal(tiny(row), RMSNorm(6).bfloat16()(row))


def test_defaults():
    """Weights of 1 and biases of 0: a norm starts as the plain formula. RMSNorm's eps is Llama's."""
    x = torch.randn(4, 6) * 1e-3  # so small that eps counts
    torch.testing.assert_close(RMSNorm(6)(x), x / (x.square().mean(-1, keepdim=True) + 1e-6).sqrt())
    torch.testing.assert_close(DyT(6)(x * 1e3), torch.tanh(0.5 * x * 1e3))
    var, mean = torch.var_mean(x, dim=0, correction=0)
    torch.testing.assert_close(BatchNorm(6)(x), (x - mean) / (var + 1e-5).sqrt())
    torch.testing.assert_close(BatchNorm(6).eval()(x), x / (1 + 1e-5) ** 0.5)


@pytest.mark.parametrize("name", NORMS)
def test_every_norm(name):
    """Built by norm(d_model, eps=...), shape and dtype kept, statistics that half precision can hold, a gradient."""
    assert set(NORMS) == {"layernorm", "rmsnorm", "rmsnorm_plus_one", "none", "dyt", "batchnorm"}
    norm = NORMS[name](6, eps=1e-5)
    for shape in ((5, 6), (2, 5, 6), (2, 3, 5, 6)):
        x = torch.randn(shape, requires_grad=True)
        out = norm(x)
        assert out.shape == x.shape and out.dtype == x.dtype
        assert torch.autograd.grad((out * torch.randn(shape)).sum(), x)[0].abs().sum() > 0
    large = (torch.randn(8, 6) * 300).clamp(-900, 900)  # squares are beyond float16
    for dtype in (torch.float16, torch.bfloat16):
        norm = stirred(NORMS[name](6, eps=1e-5))
        exact = norm(large.to(dtype).float())
        out = norm.to(dtype)(large.to(dtype))
        assert out.dtype == dtype
        torch.testing.assert_close(out.float(), exact, atol=0.04, rtol=0.02)


def test_rmsnorm_keeps_its_statistics_in_float32():
    x = torch.full((1, 4), 300.0, dtype=torch.float16)  # 300² overflows float16
    assert torch.equal(RMSNorm(4).half()(x), torch.ones(1, 4, dtype=torch.float16))


def test_no_norm_is_nothing():
    norm, x = NoNorm(6, eps=1.0), torch.randn(2, 6)
    assert norm(x) is x and not list(norm.parameters())


@pytest.mark.parametrize("eps", [1e-5, 10.0])
def test_dyt_formula(eps):
    norm, x = stirred(DyT(6, eps=eps, alpha0=0.8)), torch.randn(2, 5, 6)
    assert {name: tuple(p.shape) for name, p in norm.named_parameters()} == {"alpha": (), "weight": (6,), "bias": (6,)}
    assert DyT(6).alpha == 0.5 and DyT(6, alpha0=2).alpha == 2
    by_hand = [norm.weight[i] * torch.tanh(norm.alpha * x[..., i]) + norm.bias[i] for i in range(6)]
    torch.testing.assert_close(norm(x), torch.stack(by_hand, dim=-1))


def test_batchnorm_is_torchs():
    """Over four batches of training, with its gradient, and in evaluation with what it has averaged."""
    ours, theirs = stirred(BatchNorm(6, eps=1e-2, momentum=0.3)), nn.BatchNorm1d(6, eps=1e-2, momentum=0.3)
    assert theirs.load_state_dict(ours.state_dict(), strict=False).unexpected_keys == []
    for scale in (1.0, 3.0, 0.1, 2.0):
        x = torch.randn(3, 5, 6) * scale + scale
        a, b = x.clone().requires_grad_(), x.clone().requires_grad_()
        out, expected = ours(a), theirs(b.flatten(0, 1)).view(3, 5, 6)
        torch.testing.assert_close(out, expected)
        towards = torch.randn_like(x)
        (out * towards).sum().backward(), (expected * towards).sum().backward()
        torch.testing.assert_close(a.grad, b.grad)
        torch.testing.assert_close(ours.running_mean, theirs.running_mean)
        torch.testing.assert_close(ours.running_var, theirs.running_var)
    kept = ours.running_mean.clone()
    torch.testing.assert_close(ours.eval()(x), theirs.eval()(x.flatten(0, 1)).view(3, 5, 6))
    assert torch.equal(ours.running_mean, kept)
    plain = BatchNorm(2)
    plain(torch.ones(4, 2))
    torch.testing.assert_close(plain.running_mean, torch.full((2,), 0.1))  # torch's momentum is the default
    plain(torch.ones(1, 1, 2))  # one token has no variance, and nothing breaks
    torch.testing.assert_close(plain.running_var, torch.full((2,), 0.9**2))
    plain = BatchNorm(1)
    plain(torch.tensor([[0.0], [2.0]]))
    torch.testing.assert_close(plain.running_var, torch.tensor([0.9 + 0.1 * 2]))  # unbiased, of two tokens


def test_batchnorm_evaluates_in_float32():
    """What float16 would lose: a difference beyond 65504, and an eps below what it can tell from zero."""
    norm = BatchNorm(2, eps=1e-9).half().eval()
    norm.running_mean.copy_(torch.tensor([6e4, 0.0])), norm.running_var.copy_(torch.tensor([6e4, 0.0]))
    out = norm(torch.tensor([[-6e4, 0.0]]).half())
    torch.testing.assert_close(out, torch.tensor([[-1.2e5 / 6e4**0.5, 0.0]]).half())


def test_why_batchnorm_fails():
    """In training a token depends on its future and on other sequences; in evaluation the function is another one."""
    x = torch.randn(2, 5, 6)
    future, other = x.clone(), x.clone()
    future[0, 4] += 1
    other[1] += 1
    for name, norm in NORMS.items():
        norm = norm(6, eps=1e-5)
        alone = norm(x)[0, :4]
        apart = [(norm(changed)[0, :4] - alone).abs().max().item() for changed in (future, other)]
        assert (min(apart) > 0.05) if name == "batchnorm" else (max(apart) == 0), name
        same = torch.equal(norm(x), norm.eval()(x))
        assert same == (name != "batchnorm"), name
