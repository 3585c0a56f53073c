"""The right answers of chapter 9's exercises agree with the library, with transformers, and with PyTorch."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from transformers import get_cosine_schedule_with_warmup

from lmkit import LM, Config, next_token_loss, presets
from lmkit.count import count
from lmkit.exercises.pretraining import EXERCISES
from lmkit.hardware import ACCELERATORS
from lmkit.objectives import Marks, mask
from lmkit.schedules import cosine

RIGHT = {name: exercise.right for name, exercise in EXERCISES.items()}


def test_the_schedule_is_the_librarys_and_transformers():
    rate = RIGHT["warmup_cosine"]
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    theirs = get_cosine_schedule_with_warmup(optimizer, 10, 100).lr_lambdas[0]
    for step in range(100):
        assert rate(step, 100, 10, 0.3) == pytest.approx(0.3 * cosine(step, 100, 10))
        assert rate(step, 100, 10, 1.0) == pytest.approx(theirs(step + 1 if step < 10 else step))


def test_the_masking_is_that_of_the_objectives():
    """Fed with the numbers that `mask` draws, the exercise hides what `mask` hides."""
    ids, marks = np.random.default_rng(1).integers(50, size=(4, 30)), Marks.after(50)
    random = np.random.default_rng(0)
    chosen = random.random(ids.shape) < 0.15
    u = np.take_along_axis(random.random((4, 31)), chosen * np.arange(1, 31), axis=1)
    other = random.integers(50, size=ids.shape)
    hidden, targets = RIGHT["bert_masking"](*map(torch.from_numpy, (ids, chosen, u, other)), marks.mask)
    found = mask(ids, np.random.default_rng(0), marks)
    assert (hidden.numpy() == found["ids"]).all() and (targets.numpy() == found["targets"]).all()
    assert chosen.any()


def test_the_mask_keeps_documents_apart_as_the_model_does():
    torch.manual_seed(0)
    config = Config(20, d_model=16, n_layers=1, n_heads=2, max_seq_len=8, positions="none")
    model, ids = LM(config).eval(), torch.randint(20, (1, 7))
    documents = torch.tensor([0, 0, 0, 1, 1, 1, 2])
    seen = RIGHT["packing_mask"](documents)
    with torch.no_grad():
        whole = model(ids, documents=documents[None])
        for j in range(7):
            other = ids.clone()
            other[0, j] = (other[0, j] + 1) % 20
            moved = (model(other, documents=documents[None]) - whole).abs().amax(-1)[0] > 1e-7
            assert (moved == seen[:, j]).all()


def test_unequal_parts_make_the_whole():
    logits, targets = torch.randn(40, 5, generator=torch.Generator().manual_seed(0)), torch.arange(40) % 5
    parts = [slice(0, 30), slice(30, 40)]
    losses = [F.cross_entropy(logits[part], targets[part]).item() for part in parts]
    assert RIGHT["unequal_parts"](losses, [30, 10]) == pytest.approx(F.cross_entropy(logits, targets).item())


def test_the_budget_is_spent_and_the_days_are_those_of_the_hardware():
    n, d = RIGHT["optimal_split"]
    assert 6 * n * d == pytest.approx(1e21) and d == pytest.approx(20 * n)
    flops = 6 * count(presets.get("gpt3-175b")).total_parameters * 300e9
    days = flops / (1024 * 0.4 * ACCELERATORS["A100"].peak) / 86400
    assert RIGHT["gpt3_days"] == pytest.approx(days, rel=0.01)


def test_a_fresh_model_has_ln_v():
    """What the chapter begins with."""
    torch.manual_seed(0)
    model = LM(Config(464, d_model=64, n_layers=2, n_heads=4, max_seq_len=32, init="gpt2"))
    assert next_token_loss(model, torch.randint(464, (32, 33))).item() == pytest.approx(math.log(464), rel=0.02)
