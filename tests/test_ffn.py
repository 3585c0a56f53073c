"""Feed-forward networks, each against its formula written out or transformers; the mixture against Mixtral's."""

import copy
import math
from functools import partial

import pytest
import torch
from torch import nn

from lmkit.ffn import FFN, FFNS, GEGLU, GLU, MoE, SwiGLU, active_parameters, matched_d_ff

SQRT2 = math.sqrt(2)
GELU = lambda h: h * 0.5 * (1 + torch.erf(h / SQRT2))  # noqa: E731
TANH = lambda h: 0.5 * h * (1 + torch.tanh(math.sqrt(2 / math.pi) * (h + 0.044715 * h**3)))  # noqa: E731
PLAIN = {
    "relu": lambda h: torch.where(h > 0, h, 0),
    "gelu": GELU,
    "gelu_tanh": TANH,
    "relu2": lambda h: torch.where(h > 0, h * h, 0),
}
GATED = {
    "glu": lambda h: 1 / (1 + torch.exp(-h)),
    "swiglu": lambda h: h / (1 + torch.exp(-h)),
    "geglu": GELU,
    "geglu_tanh": TANH,
}


def by_hand(proj, x):
    return x @ proj.weight.T + (0 if proj.bias is None else proj.bias)


def sizes(module):
    return {name: tuple(p.shape) for name, p in module.named_parameters()}


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("name", [*PLAIN, *GATED])
def test_formulas(name, bias):
    """In float64, where exact and approximate gelu are far apart; at sizes from small to large."""
    torch.manual_seed(0)
    ffn, x = FFNS[name](6, 10, bias=bias).double(), torch.randn(2, 5, 6, dtype=torch.float64) * 4
    if name in PLAIN:
        inner = PLAIN[name](by_hand(ffn.up_proj, x))
    else:
        inner = GATED[name](by_hand(ffn.gate_proj, x)) * by_hand(ffn.up_proj, x)
    torch.testing.assert_close(ffn(x), by_hand(ffn.down_proj, inner), atol=1e-12, rtol=1e-12)


@pytest.mark.parametrize("bias", [True, False])
def test_parts_and_their_sizes(bias):
    maps = {"up_proj": (5, 3), "down_proj": (3, 5), "gate_proj": (5, 3)}
    every = {f"{proj}.weight": size for proj, size in maps.items()}
    every |= {f"{proj}.bias": size[:1] for proj, size in maps.items() if bias}
    plain = {key: size for key, size in every.items() if not key.startswith("gate")}
    for name in PLAIN:
        assert sizes(FFNS[name](3, 5, bias=bias)) == plain
    for name in GATED:
        assert sizes(FFNS[name](3, 5, bias=bias)) == every
    experts = {f"experts.{e}.{key}": size for e in range(4) for key, size in every.items()}
    assert sizes(MoE(3, 5, bias=bias, n_experts=4)) == experts | {"router.weight": (4, 3)}


def test_menu():
    assert set(FFNS) == {*PLAIN, *GATED, "moe"}
    assert FFNS["gelu"] is FFN and FFNS["swiglu"] is SwiGLU and issubclass(SwiGLU, GLU)
    assert all(ffn(4).up_proj.bias is not None for name, ffn in FFNS.items() if name != "moe")  # biases by default


def test_usual_widths():
    assert FFN(12).up_proj.out_features == 48
    assert [SwiGLU(d).up_proj.out_features for d in (10, 11, 12, 4096)] == [27, 29, 32, 10923]  # 26.67, 29.33, 32
    for ffn in FFNS.values():
        with pytest.raises(ValueError, match="d_ff must be at least 1, not 0"):
            ffn(8, 0)


@pytest.mark.parametrize("d_model, d_ff", [(96, None), (64, None), (10, 37), (768, 3072), (1, 1), (5, 2)])
@pytest.mark.parametrize("ffn", [*FFNS, GEGLU, partial(MoE, n_experts=3, n_active=1, expert="relu")])
def test_no_width_matches_better(ffn, d_model, d_ff):
    """Whole weights counted one by one, of the width found and of its neighbours."""

    def weights(width):
        with torch.device("meta"):
            built = FFNS.get(ffn, ffn)(d_model, width, bias=False)
        if not hasattr(built, "experts"):
            return sum(p.numel() for p in built.parameters())
        each = sum(p.numel() for p in built.experts[0].parameters())
        return built.router.weight.numel() + built.n_active * each

    wanted, width = 2 * d_model * (d_ff or 4 * d_model), matched_d_ff(ffn, d_model, d_ff)
    assert width >= 1 and isinstance(width, int)
    for other in (width - 1, width + 1):
        assert other < 1 or abs(weights(width) - wanted) <= abs(weights(other) - wanted)


def test_usual_widths_are_the_matched_ones():
    for name, ffn in FFNS.items():
        built = ffn(96)
        width = (built.experts[0] if name == "moe" else built).up_proj.out_features
        assert width == matched_d_ff(name, 96), name
        if name != "moe":
            assert sum(p.numel() for p in ffn(96, bias=False).parameters()) == 2 * 96 * 4 * 96
    assert matched_d_ff("swiglu", 96, 300) == 200
    assert matched_d_ff("swiglu", 96, d_ff=1) == 1  # and not 0.67
    assert matched_d_ff({"name": "moe", "n_experts": 4, "n_active": 1, "expert": "gelu"}, 96) == 382  # 384 - 4 / 2


def test_matching_draws_no_random_numbers():
    torch.manual_seed(0)
    drawn = torch.rand(())
    torch.manual_seed(0)
    matched_d_ff("moe", 8)
    assert torch.rand(()) == drawn


def mixtral(n_experts, n_active, seed=0):
    """Mixtral's own block and ours with its weights, d_model 12 and d_ff 20."""
    import transformers as hf
    from transformers.models.mixtral.modeling_mixtral import MixtralSparseMoeBlock

    torch.manual_seed(seed)
    config = hf.MixtralConfig(
        hidden_size=12, intermediate_size=20, num_local_experts=n_experts, num_experts_per_tok=n_active
    )
    theirs, ours = MixtralSparseMoeBlock(config), MoE(12, 20, bias=False, n_experts=n_experts, n_active=n_active)
    with torch.no_grad():
        for p in theirs.parameters():
            p.copy_(torch.randn(p.shape) / p.shape[-1] ** 0.5)
        ours.router.weight.copy_(theirs.gate.weight)
        for e, expert in enumerate(ours.experts):
            gate, up = theirs.experts.gate_up_proj[e].chunk(2)
            expert.gate_proj.weight.copy_(gate), expert.up_proj.weight.copy_(up)
            expert.down_proj.weight.copy_(theirs.experts.down_proj[e])
    return theirs, ours


@pytest.mark.parametrize("n_experts, n_active", [(8, 2), (4, 1), (3, 3), (1, 1)])
@pytest.mark.parametrize("shape", [(2, 7, 12), (1, 1, 12), (5, 12)])
def test_mixture_is_mixtrals(n_experts, n_active, shape):
    from transformers.models.mixtral.modeling_mixtral import load_balancing_loss_func

    theirs, ours = mixtral(n_experts, n_active)
    x = torch.randn(shape)
    torch.testing.assert_close(ours(x), theirs(x.view(-1, shape[-2], 12)).view(shape))
    scores = x.flatten(0, -2) @ theirs.gate.weight.T
    aux = load_balancing_loss_func((scores,), n_experts, n_active)
    torch.testing.assert_close(ours.aux_loss, aux)
    chosen = torch.stack([row.argsort(descending=True)[:n_active] for row in scores])
    load = torch.tensor([(chosen == e).sum() / chosen.numel() for e in range(n_experts)])
    torch.testing.assert_close(ours.load, load)
    torch.testing.assert_close(ours.capacity, load.max() * n_experts)


def test_mixture_is_mixtrals_in_bfloat16():
    theirs, ours = mixtral(8, 2)
    x = torch.randn(3, 9, 12).bfloat16()
    out = ours.bfloat16()(x)
    torch.testing.assert_close(out, theirs.bfloat16()(x))
    assert out.dtype == torch.bfloat16 and ours.aux_loss.dtype == torch.float32


def test_gradients_of_the_mixture_are_mixtrals():
    """Through what the experts say, and through the weights by which it counts."""
    theirs, ours = mixtral(8, 2)
    x, towards = torch.randn(2, 7, 12), torch.randn(2, 7, 12)
    for block in (theirs, ours):
        (block(x) * towards).sum().backward()
    torch.testing.assert_close(ours.router.weight.grad, theirs.gate.weight.grad)
    for e, expert in enumerate(ours.experts):
        torch.testing.assert_close(expert.down_proj.weight.grad, theirs.experts.down_proj.grad[e])


def test_the_balancing_loss_moves_the_router_towards_balance():
    torch.manual_seed(0)
    moe, x = MoE(8, 4, n_experts=4), torch.randn(64, 8) + 1
    with torch.no_grad():
        moe.router.weight.normal_()
    moe(x)
    before = moe.aux_loss.item()
    for _ in range(40):
        moe(x)
        (gradient,) = torch.autograd.grad(moe.aux_loss, moe.router.weight)
        with torch.no_grad():
            moe.router.weight -= 0.25 * gradient
    assert 1.999 < moe.aux_loss.item() < before - 0.2 and moe.capacity.item() < 1.5  # n_active where all is even


def test_an_even_router():
    """All probabilities equal: aux_loss is n_active, and the tie goes one way for all tokens."""
    moe = MoE(8, 4, n_experts=4, n_active=2)
    nn.init.zeros_(moe.router.weight)
    moe(torch.randn(5, 8))
    torch.testing.assert_close(moe.aux_loss.item(), 2.0)
    assert sorted(moe.load.tolist()) == [0, 0, 0.5, 0.5] and moe.capacity == 2


def test_an_expert_that_nobody_chose():
    """Its gradient is zero, not missing; the report is of the last forward alone."""
    torch.manual_seed(0)
    moe = MoE(4, 6, n_experts=3, n_active=1)
    with torch.no_grad():
        moe.router.weight.copy_(torch.tensor([[9.0, 0, 0, 0], [-9.0, 0, 0, 0], [-9.0, 0, 0, 0]]))
    x = torch.randn(2, 5, 4).abs()
    torch.testing.assert_close(moe(x), moe.experts[0](x))
    assert moe.load.tolist() == [1, 0, 0] and moe.capacity == 3
    moe(x).sum().backward()
    assert all(p.grad is not None and (p.grad == 0).all() for e in (1, 2) for p in moe.experts[e].parameters())
    moe(-x)
    assert moe.load[0] == 0


def test_the_mixture_repeats_itself_and_can_be_copied():
    torch.manual_seed(0)
    moe, x = MoE(8), torch.randn(2, 9, 8)
    assert moe.aux_loss is None and moe.load is None and moe.capacity is None
    out = moe(x)
    assert torch.equal(moe(x), out) and moe.aux_loss.requires_grad
    twin = copy.deepcopy(moe)
    assert twin.aux_loss is None and twin.load is None and twin.capacity is None
    assert torch.equal(twin(x), out)


def test_what_the_mixture_is_made_of_by_default():
    moe = MoE(96)
    assert len(moe.experts) == 8 and moe.n_active == 2 and isinstance(moe.experts[0], SwiGLU)
    assert moe.experts[0].up_proj.out_features == round((8 * 96 - 8) / 6)
    assert isinstance(MoE(8, 4, expert="relu2").experts[0], FFNS["relu2"])
    assert isinstance(MoE(8, 4, expert=FFN).experts[0], FFN)
    assert sizes(MoE(8, expert=FFN, n_active=1))["experts.7.up_proj.weight"] == (28, 8)  # (8 · 8 - 8) / 2


@pytest.mark.parametrize("n_experts, n_active", [(4, 5), (4, 0), (0, 0), (2, -1)])
def test_impossible_mixtures(n_experts, n_active):
    with pytest.raises(ValueError, match=rf"n_active \({n_active}\) must lie between 1 and n_experts \({n_experts}\)"):
        MoE(8, n_experts=n_experts, n_active=n_active)
    with pytest.raises(ValueError, match="'swish' is not one of"):
        MoE(8, expert="swish")


def test_active_parameters():
    moe = MoE(8, 5, n_experts=4, n_active=3)
    each, router = 3 * 8 * 5 + 5 + 5 + 8, 4 * 8
    assert active_parameters(moe) == router + 3 * each
    assert active_parameters(nn.ModuleList([moe, nn.Linear(2, 3), moe])) == router + 3 * each + 9
    assert active_parameters(FFN(8, 5)) == 2 * 8 * 5 + 5 + 8
