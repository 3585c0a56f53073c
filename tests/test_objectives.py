"""Losses: against torch's own cross-entropy and the formulas; and what the chunked one keeps alive."""

import math
import weakref

import pytest
import torch
import torch.nn.functional as F
from torch.utils._python_dispatch import TorchDispatchMode

from lmkit.heads import LM
from lmkit.model import Config
from lmkit.objectives import OBJECTIVES, causal, cross_entropy, linear_cross_entropy, next_token_loss

LOGITS = 3 * torch.randn(4, 9, 50, generator=torch.Generator().manual_seed(0))
TARGETS = torch.randint(0, 50, (4, 9), generator=torch.Generator().manual_seed(1))
HOLES = TARGETS.masked_fill(torch.rand(4, 9, generator=torch.Generator().manual_seed(2)) < 0.6, -100)


@pytest.mark.parametrize("targets", [TARGETS, HOLES], ids=["all", "some"])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_cross_entropy_is_torchs(targets, smoothing):
    wanted = F.cross_entropy(LOGITS.flatten(0, 1), targets.flatten(), label_smoothing=smoothing)
    torch.testing.assert_close(cross_entropy(LOGITS, targets, label_smoothing=smoothing), wanted)
    moved = targets.masked_fill(targets == -100, 7)  # another id for what is not asked
    wanted = F.cross_entropy(LOGITS.flatten(0, 1), moved.flatten(), ignore_index=7, label_smoothing=smoothing)
    torch.testing.assert_close(cross_entropy(LOGITS, moved, label_smoothing=smoothing, ignore_index=7), wanted)


def test_label_smoothing_and_z_loss_are_their_formulas():
    """Row by row: a share of the probability spread over all, and the square of the log of what softmax divides by."""
    asked = [(row, int(t)) for row, t in zip(LOGITS.flatten(0, 1).double(), HOLES.flatten(), strict=True) if t != -100]
    plain, spread, squares = [], [], []
    for row, target in asked:
        log_z = math.log(sum(math.exp(z) for z in row.tolist()))
        plain.append(log_z - row[target].item())
        spread.append(sum(log_z - z for z in row.tolist()) / 50)
        squares.append(log_z**2)
    mean = lambda values: sum(values) / len(asked)  # noqa: E731
    assert cross_entropy(LOGITS, HOLES).item() == pytest.approx(mean(plain), rel=1e-5)
    smoothed = cross_entropy(LOGITS, HOLES, label_smoothing=0.2).item()
    assert smoothed == pytest.approx(0.8 * mean(plain) + 0.2 * mean(spread), rel=1e-5)
    with_z = cross_entropy(LOGITS, HOLES, z_loss=0.01).item()
    assert with_z == pytest.approx(mean(plain) + 0.01 * mean(squares), rel=1e-5)


@pytest.mark.parametrize("how", [{}, dict(label_smoothing=0.1, z_loss=1e-2)])
def test_where_nothing_is_asked_the_loss_is_zero(how):
    logits, x, weight = LOGITS.clone().requires_grad_(), torch.randn(4, 9, 8, requires_grad=True), torch.randn(50, 8)
    for loss, leaf in (
        (cross_entropy(logits, torch.full((4, 9), -100), **how), logits),
        (linear_cross_entropy(x, weight, torch.full((4, 9), -100), **how), x),
    ):
        loss.backward()
        assert loss.item() == 0 and not leaf.grad.any()


def test_half_precision_is_summed_in_single():
    wanted = cross_entropy(LOGITS.bfloat16().float(), TARGETS, z_loss=1e-3)
    loss = cross_entropy(LOGITS.bfloat16(), TARGETS, z_loss=1e-3)
    assert loss.dtype == torch.float32 and loss == wanted
    assert cross_entropy(LOGITS.double(), TARGETS).dtype == torch.float64


@pytest.mark.parametrize("chunk", [1, 7, 36, 1000])
@pytest.mark.parametrize("targets", [TARGETS, HOLES], ids=["all", "some"])
@pytest.mark.parametrize("how", [{}, dict(label_smoothing=0.1), dict(z_loss=1e-2), dict(cap=2.0, biased=True)])
def test_in_chunks_as_at_once(chunk, targets, how):
    """Value and gradients, against torch's own cross-entropy of all logits."""
    how, generator = dict(how), torch.Generator().manual_seed(3)
    x, weight, bias = (torch.randn(s, generator=generator, requires_grad=True) for s in ((4, 9, 8), (50, 8), (50,)))
    leaves = (x, weight, bias) if how.pop("biased", False) else (x, weight)
    logits = F.linear(*leaves).flatten(0, 1)
    if "cap" in how:
        logits = 2 * torch.tanh(logits / 2)
    wanted = F.cross_entropy(logits, targets.flatten(), label_smoothing=how.get("label_smoothing", 0.0))
    if "z_loss" in how:
        wanted = wanted + how["z_loss"] * logits.exp().sum(-1).log()[targets.flatten() != -100].pow(2).mean()
    gradients = torch.autograd.grad(wanted, leaves)
    ours = linear_cross_entropy(x, weight, targets, bias=bias if len(leaves) == 3 else None, chunk=chunk, **how)
    torch.testing.assert_close(ours, wanted, atol=1e-6, rtol=1e-6)
    for mine, theirs in zip(torch.autograd.grad(ours, leaves), gradients, strict=True):
        torch.testing.assert_close(mine, theirs, atol=1e-6, rtol=1e-5)


class Alive(TorchDispatchMode):
    """The sizes of all tensors that operations make, forwards and backwards, and the largest of them."""

    def __init__(self):
        super().__init__()
        self.largest, self.sizes = 0, set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        for tensor in out if isinstance(out, tuple | list) else (out,):
            if isinstance(tensor, torch.Tensor):
                self.largest = max(self.largest, tensor.numel())
                self.sizes.add(tensor.numel())
        return out


def test_no_more_than_a_chunk_of_logits_is_ever_made_and_none_kept():
    """1,000 tokens over a vocabulary of 3,000: 3 million logits, of which 150 thousand at a time."""
    x, weight = torch.randn(1000, 16, requires_grad=True), torch.randn(3000, 16, requires_grad=True)
    targets = torch.randint(0, 3000, (1000,))
    measured = {}
    for name, loss_of in (
        ("whole", lambda: F.cross_entropy(x @ weight.T, targets)),
        ("chunks", lambda: linear_cross_entropy(x, weight, targets, chunk=50)),
    ):
        kept, seen = [], Alive()
        note = lambda t, kept=kept: kept.append(weakref.ref(t)) or t  # noqa: E731
        with torch.autograd.graph.saved_tensors_hooks(note, lambda t: t), seen:
            loss = loss_of()
        alive = {t.data_ptr(): t.numel() for ref in kept if (t := ref()) is not None}
        forwards = sum(alive.values())
        with seen:
            loss.backward()
        measured[name] = forwards, seen.largest
    assert measured["whole"][0] >= 3_000_000 and measured["whole"][1] == 3_000_000
    assert 60_000 < measured["chunks"][0] < 70_000  # the gradients of x and weight
    assert measured["chunks"][1] == 150_000


@pytest.mark.parametrize("autocast", [False, True])
def test_gradients_of_chunks_are_scaled_and_added_as_any_others(autocast):
    """The loss times 3 beside another use of the same weight, twice over: backward knows nothing of chunks."""
    generator, grads = torch.Generator().manual_seed(3), []
    leaves = [torch.randn(s, generator=generator, requires_grad=True) for s in ((4, 9, 8), (50, 8))]
    plain = lambda x, w: F.cross_entropy((x @ w.T).flatten(0, 1).float(), TARGETS.flatten())  # noqa: E731
    for loss_of in (plain, lambda x, w: linear_cross_entropy(x, w, TARGETS, chunk=5)):
        with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
            loss = 3 * loss_of(*leaves) + leaves[1].square().sum()
        loss.backward(retain_graph=True)
        loss.backward()
        grads.append([leaf.grad for leaf in leaves])
        leaves = [leaf.detach().clone().requires_grad_() for leaf in leaves]
    for ours, theirs in zip(grads[1], grads[0]):
        assert ours.dtype == torch.float32
        torch.testing.assert_close(ours, theirs, atol=1e-2 if autocast else 1e-6, rtol=1e-2 if autocast else 1e-5)


def test_compiled_in_chunks(monkeypatch):
    monkeypatch.setattr(torch.compiler, "is_compiling", lambda: True)
    test_in_chunks_as_at_once(7, HOLES, {})


def test_only_what_is_asked_is_computed():
    x, weight, seen = torch.randn(100, 1), torch.randn(500, 1), Alive()
    targets = torch.full((100,), -100)
    targets[[3, 50]] = 4
    with seen:
        linear_cross_entropy(x, weight, targets)
    assert seen.largest == 2 * 500


def test_as_its_docstring_uses_it():
    torch.manual_seed(0)
    model = LM(Config(31, 16, 2, 2, max_seq_len=16, logit_scale=3.0, logit_soft_cap=1.5))
    ids = torch.randint(0, 31, (3, 9))
    x = model.body(ids[:, :-1]) * model.config.logit_scale
    loss = linear_cross_entropy(x, model.weight, ids[:, 1:], cap=model.config.logit_soft_cap)
    torch.testing.assert_close(loss, next_token_loss(model, ids))
    assert OBJECTIVES == {"causal": next_token_loss}


@pytest.mark.parametrize("choices", [{}, dict(tied=False, logit_scale=2.0, logit_soft_cap=1.5)])
def test_very_many_logits_are_formed_in_chunks(choices, monkeypatch):
    torch.manual_seed(0)
    model, ids = LM(Config(31, 16, 2, 2, max_seq_len=16, **choices)), torch.randint(0, 31, (3, 9))
    wanted = next_token_loss(model, ids)
    gradients = torch.autograd.grad(wanted, list(model.parameters()))
    monkeypatch.setitem(causal.AT_ONCE, "cpu", 5 * 31)
    seen = Alive()
    with seen:
        loss = next_token_loss(model, ids)
    assert 24 * 31 not in seen.sizes and 5 * 31 in seen.sizes
    torch.testing.assert_close(loss, wanted)
    for ours, theirs in zip(torch.autograd.grad(loss, list(model.parameters())), gradients, strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-6, rtol=1e-4)


def test_1024_is_the_chunk():
    x, weight, seen = torch.randn(1500, 2), torch.randn(40, 2), Alive()
    with seen:
        linear_cross_entropy(x, weight, torch.zeros(1500, dtype=torch.long))
    assert seen.largest == 1024 * 40
    with pytest.raises(ValueError, match="chunk must be 1 or more, not 0"):
        linear_cross_entropy(x, weight, torch.zeros(1500, dtype=torch.long), chunk=0)


def test_a_mixture_of_experts_is_balanced_in_training_and_judged_without():
    torch.manual_seed(0)
    model = LM(Config(11, d_model=16, n_layers=2, n_heads=2, max_seq_len=8, ffn="moe"))
    ids = torch.randint(0, 11, (3, 7))
    in_training = next_token_loss(model.train(), ids)
    plain = F.cross_entropy(model(ids[:, :-1]).flatten(0, 1), ids[:, 1:].flatten())
    balancing = sum(block.ffn.aux_loss for block in model.body.blocks)
    torch.testing.assert_close(in_training, plain + 0.01 * balancing)
    torch.testing.assert_close(next_token_loss(model.eval(), ids), plain)
    in_training.backward()
    assert model.body.blocks[0].ffn.router.weight.grad.abs().sum() > 0
