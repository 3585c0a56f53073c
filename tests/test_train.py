"""The loop, its schedules and its optimizers."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from lmkit.data import batches
from lmkit.heads import LM
from lmkit.model import Config
from lmkit.objectives import next_token_loss
from lmkit.optimizers import OPTIMIZERS
from lmkit.schedules import SCHEDULES
from lmkit.train import Diverged, evaluate, train

CONFIG = Config(11, d_model=16, n_layers=1, n_heads=2, max_seq_len=32, positions="rope")


def small(seed=0, **choices):
    torch.manual_seed(seed)
    return LM(replace(CONFIG, **choices))


# ---- objective and loop


def test_next_token_loss_by_hand():
    class Always(nn.Module):
        def forward(self, ids):
            return torch.log(torch.tensor([0.7, 0.2, 0.1])).expand(*ids.shape, 3)

    loss = next_token_loss(Always(), torch.tensor([[2, 0, 1, 2]]))  # predicts 0, 1, 2
    assert float(loss) == pytest.approx(-(math.log(0.7) + math.log(0.2) + math.log(0.1)) / 3)


@pytest.mark.parametrize("name", SCHEDULES)
def test_every_schedule_warms_up_in_a_line(name):
    shares = [SCHEDULES[name](s, 100, 10) for s in range(100)]
    assert shares[:10] == pytest.approx([0.1 * (i + 1) for i in range(10)]) and max(shares) == shares[10] == 1.0
    assert all(a >= b for a, b in zip(shares[9:], shares[10:])), "it never rises again"
    assert SCHEDULES[name](0, 100, 0) == 1.0 and [SCHEDULES[name](s, 3, 2) for s in (0, 1)] == [0.5, 1.0]


def test_schedules_by_hand():
    at = {name: [schedule(s, 110, 10) for s in (35, 60, 85, 109)] for name, schedule in SCHEDULES.items()}
    assert at["linear"] == pytest.approx([0.75, 0.5, 0.25, 0.01])
    assert at["cosine"] == pytest.approx([(1 + math.sqrt(0.5)) / 2, 0.5, (1 - math.sqrt(0.5)) / 2, 0], abs=3e-4)
    assert at["wsd"] == pytest.approx([1, 1, 1, 1 / 22]) and SCHEDULES["wsd"](99, 110, 10) == pytest.approx(0.5)
    assert at["constant"] == [1, 1, 1, 1]
    assert SCHEDULES["linear"](60, 110, 10, floor=0.1) == pytest.approx(0.55)


def test_schedules_are_those_of_torch():
    """LinearLR and CosineAnnealingLR, counted from the end of the warm-up."""
    for name, theirs in (
        ("cosine", lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, T_max=90)),
        ("linear", lambda o: torch.optim.lr_scheduler.LinearLR(o, 1.0, 0.0, total_iters=90)),
    ):
        optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0)
        scheduler = theirs(optimizer)
        for step in range(10, 100):
            assert SCHEDULES[name](step, 100, 10) == pytest.approx(optimizer.param_groups[0]["lr"], abs=1e-9)
            optimizer.step()
            scheduler.step()


def test_the_loop_is_the_plain_one():
    """The same updates, written out with torch alone."""
    ids = torch.randint(0, 11, (4, 9), generator=torch.Generator().manual_seed(1))
    ours, theirs = small(), small()
    steps = list(train(ours, [ids] * 5, next_token_loss, steps=5, lr=0.1, warmup=2, weight_decay=0.5))
    decayed = [p for p in theirs.parameters() if p.ndim > 1]
    rest = [p for p in theirs.parameters() if p.ndim == 1]
    optimizer = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": 0.5}, {"params": rest, "weight_decay": 0.0}], lr=0.1, betas=(0.9, 0.95)
    )
    for step in range(5):
        share = (step + 1) / 2 if step < 2 else 0.5 * (1 + math.cos(math.pi * (step - 2) / 3))
        for group in optimizer.param_groups:
            group["lr"] = 0.1 * share
        logits = theirs(ids[:, :-1])
        loss = nn.functional.nll_loss(logits.log_softmax(-1).flatten(0, 1), ids[:, 1:].flatten())
        assert steps[step].loss == pytest.approx(loss.item(), rel=1e-4) and steps[step].lr == pytest.approx(0.1 * share)
        optimizer.zero_grad()
        loss.backward()
        norm = torch.stack([p.grad.norm() for p in theirs.parameters()]).norm()
        assert steps[step].grad_norm == pytest.approx(float(norm), rel=1e-3)
        for p in theirs.parameters():
            p.grad.mul_(min(1.0, 1.0 / (float(norm) + 1e-6)))
        optimizer.step()
    assert [s.step for s in steps] == [0, 1, 2, 3, 4] and not ours.training
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(a, b, atol=1e-4, rtol=1e-3)


def test_training_learns_and_repeats():
    ids = np.tile(np.arange(11), 40)
    losses = [
        [s.loss for s in train(small(), batches(ids, 8, 12), next_token_loss, steps=60, lr=1e-2)] for _ in range(2)
    ]
    assert losses[0][0] > 2.3 and losses[0][-1] < 0.2 and losses[0] == losses[1]


def test_muon_takes_the_matrices_inside_the_blocks_and_adamw_the_rest():
    model = small(bias=True, tied=False)
    hidden, rest = OPTIMIZERS["muon"](model, 0.1, 0.5)
    names = {id(p): n for n, p in model.named_parameters()}
    by = [{names[id(p)] for g in o.param_groups for p in g["params"]} for o in (hidden, rest)]
    assert by[0] == {n for n in names.values() if ".blocks." in n and "proj.weight" in n} and len(by[0]) == 6
    assert by[0] | by[1] == set(names.values()) and not by[0] & by[1]
    assert {g["weight_decay"]: len(g["params"]) for g in rest.param_groups} == {0.5: 2, 0.0: 12}


def test_a_group_may_have_a_rate_of_its_own():
    rest = OPTIMIZERS["muon"](small(), 0.1, 0.5, rest=0.25)[1].param_groups
    assert {g["scale"] for g in rest} == {0.25}
    model, ids = small(), torch.randint(0, 11, (4, 9))
    optimizers = OPTIMIZERS["adamw"](model, 1.0, 0.0)
    optimizers[0].param_groups[1]["scale"] = 0.5
    list(train(model, [ids] * 3, next_token_loss, steps=3, lr=0.1, warmup=0, schedule="constant", optimizer=optimizers))
    assert [g["lr"] for g in optimizers[0].param_groups] == pytest.approx([0.1, 0.05])


def test_accumulated_gradients_are_those_of_the_whole_batch():
    ids = torch.randint(0, 11, (8, 9), generator=torch.Generator().manual_seed(1))
    how = dict(steps=3, lr=1e-2, warmup=0, optimizer="sgd")
    whole, pieces, as_dict = small(), small(), small()
    losses = [s.loss for s in train(whole, [ids] * 3, next_token_loss, **how)]
    assert [s.loss for s in train(pieces, [ids] * 3, next_token_loss, accumulate=3, **how)] == pytest.approx(losses)
    by_name = lambda model, batch: next_token_loss(model, batch["ids"])  # noqa: E731
    assert [s.loss for s in train(as_dict, [{"ids": ids}] * 3, by_name, accumulate=4, **how)] == pytest.approx(losses)
    for a, b, c in zip(whole.parameters(), pieces.parameters(), as_dict.parameters(), strict=True):
        torch.testing.assert_close(b, a)
        torch.testing.assert_close(c, a)


def test_a_run_goes_on_where_it_stood():
    ids = [torch.randint(0, 11, (4, 9), generator=torch.Generator().manual_seed(i)) for i in range(8)]
    whole, halves = small(), small()
    losses = [s.loss for s in train(whole, ids, next_token_loss, steps=8, lr=1e-2, warmup=2, optimizer="muon")]
    optimizers = OPTIMIZERS["muon"](halves, 1e-2, 0.1)
    how = dict(steps=8, lr=1e-2, warmup=2, optimizer=optimizers)
    first = [s.loss for _, s in zip(range(5), train(halves, ids, next_token_loss, **how))]
    rest = [s.loss for s in train(halves, ids[5:], next_token_loss, start=5, **how)]
    assert first + rest == losses
    assert all(torch.equal(a, b) for a, b in zip(whole.parameters(), halves.parameters(), strict=True))


@pytest.mark.parametrize("broken", [math.nan, math.inf, 1e4])
def test_a_loss_that_is_no_number_or_explodes_stops_the_run_before_its_update(broken):
    model, ids = small(), torch.randint(0, 11, (2, 5))
    seen = iter([1.0, 1.0, broken])
    objective = lambda model, ids: next_token_loss(model, ids) * next(seen)  # noqa: E731
    run = train(model, [ids] * 3, objective, steps=3, lr=1e-2)
    done = [next(run), next(run)]
    kept = [p.clone() for p in model.parameters()]
    with pytest.raises(Diverged, match=r"at step 2, with the learning rate 0.0015 .* try a third of the rate"):
        next(run)
    assert len(done) == 2 and all(torch.equal(a, b) for a, b in zip(kept, model.parameters()))


def test_clipping_bounds_the_update_and_none_does_not():
    ids = torch.randint(0, 11, (4, 9))
    moved = {}
    for clip in (1e-3, None):
        model = small()
        began = torch.cat([p.detach().flatten().clone() for p in model.parameters()])
        how = dict(steps=1, lr=1.0, warmup=0, weight_decay=0.0, clip=clip, schedule="constant")
        plain = lambda model, lr, decay: [torch.optim.SGD(model.parameters(), lr=lr)]  # noqa: E731
        (step,) = train(model, [ids], next_token_loss, optimizer=plain, **how)
        moved[clip] = float((torch.cat([p.detach().flatten() for p in model.parameters()]) - began).norm())
    assert moved[1e-3] == pytest.approx(1e-3, rel=1e-2) and moved[None] == pytest.approx(step.grad_norm, rel=1e-3)


def test_muon_learns_and_an_optimizer_may_be_ones_own():
    ids = np.tile(np.arange(11), 40)
    how = dict(steps=40, lr=1e-2, weight_decay=0.0)
    own = lambda model, lr, decay: [torch.optim.Adam(model.parameters(), lr=lr)]  # noqa: E731
    for optimizer in ("muon", own):
        losses = [s.loss for s in train(small(), batches(ids, 8, 12), next_token_loss, optimizer=optimizer, **how)]
        assert losses[-1] < losses[0] / 2
    with pytest.raises(ValueError, match=r"'adam' is not one of \['adamw', 'muon', 'sgd'\]"):
        next(train(small(), [], next_token_loss, optimizer="adam", **how))


def test_training_in_bfloat16_learns_and_keeps_float32_weights():
    ids, model = np.tile(np.arange(11), 40), small()
    run = train(model, batches(ids, 8, 12), next_token_loss, steps=60, lr=1e-2, autocast=torch.bfloat16)
    losses = [s.loss for s in run]
    assert losses[-1] < 0.3 and {p.dtype for p in model.parameters()} == {torch.float32}


def test_evaluate_is_the_mean_over_all_rows():
    model, rows = small(), torch.randint(0, 11, (7, 6), generator=torch.Generator().manual_seed(0))
    model.train()
    whole = next_token_loss(model, rows).item()
    assert evaluate(model, rows, next_token_loss, batch_size=3) == pytest.approx(whole, rel=1e-5) and model.training
