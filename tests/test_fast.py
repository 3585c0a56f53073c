"""lmkit.fast: linear maps of one row, against F.linear; which calls are taken, and which are left alone."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import lmkit
from lmkit.fast import FastRows, compile_blocks, row_product


@pytest.fixture
def rows(monkeypatch):
    """The mode without its compiler, and the lengths of the rows it multiplied."""
    seen = []

    def product(x, weight, bias=None):
        seen.append(len(x))
        return row_product(x, weight, bias)

    monkeypatch.setattr(torch, "compile", lambda function, dynamic: product)
    return FastRows(), seen


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(7,), (1, 7), (1, 1, 7)])
def test_a_row_is_multiplied_as_by_linear(rows, shape, bias):
    torch.manual_seed(0)
    mode, seen = rows
    layer, x = nn.Linear(7, 5, bias=bias).double(), torch.randn(shape, dtype=torch.float64)
    with torch.no_grad(), mode:
        out = layer(x)
    assert seen == [7] and out.shape == (*shape[:-1], 5)
    torch.testing.assert_close(out, layer(x).detach(), rtol=1e-14, atol=1e-14)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_rounded_once(dtype):
    torch.manual_seed(0)
    x, weight, bias = (torch.randn(shape).to(dtype) for shape in [(512,), (64, 512), (64,)])
    exact = F.linear(x.double(), weight.double(), bias.double())
    out = row_product(x, weight, bias)
    assert out.dtype == dtype and out.shape == exact.shape
    torch.testing.assert_close(out.double(), exact, rtol=torch.finfo(dtype).eps, atol=1e-4)


def test_the_rest_is_left_alone(rows):
    mode, seen = rows
    layer, row = nn.Linear(7, 5), torch.randn(1, 7)
    with mode:
        assert layer(row).requires_grad  # gradients are asked for
        with torch.no_grad():
            layer(torch.randn(2, 7)), layer(torch.randn(1, 2, 7)), layer(torch.randn(0, 7))
            F.linear(row, layer.weight, bias=layer.bias)  # a keyword: nothing here calls it so
            F.linear(row.to("meta"), layer.weight.to("meta"))
            torch.testing.assert_close(F.gelu(row, approximate="tanh"), torch.tanh(row), atol=2.0, rtol=0.0)
            with pytest.raises(RuntimeError):
                F.linear(torch.ones(1), layer.weight)  # would broadcast
            with pytest.raises(RuntimeError):
                layer(row.double())
    assert seen == []


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_compiled(dtype):
    torch.manual_seed(0)
    with torch.no_grad(), FastRows() as mode:
        for d_in, d_out, bias in [(48, 96, True), (96, 48, True), (33, 7, False)]:
            layer, x = nn.Linear(d_in, d_out, bias=bias).to(dtype), torch.randn(1, 1, d_in).to(dtype)
            exact = layer.double()(x.double())
            torch.testing.assert_close(layer.to(dtype)(x).double(), exact, rtol=2 * torch.finfo(dtype).eps, atol=1e-5)
    assert mode.product is not row_product


@pytest.mark.slow
def test_compiled_blocks_say_the_same_and_compile_for_no_other_length():
    torch.manual_seed(0)
    config = lmkit.Config(97, 48, 3, 4, n_kv_heads=2, positions="rope")
    plain, compiled = lmkit.LM(config), lmkit.LM(config)
    compiled.load_state_dict(plain.state_dict())
    compile_blocks(compiled)
    ids = torch.tensor([[5, 3, 8, 13, 1, 0, 2]])
    with FastRows():
        lmkit.generate(compiled, ids[:, :4], 4, temperature=0)
        with torch.compiler.set_stance("fail_on_recompile"):
            out = lmkit.generate(compiled, ids, 24, temperature=0)
    assert torch.equal(out, lmkit.generate(plain, ids, 24, temperature=0))
