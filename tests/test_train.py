"""The loop, the batches, the objective and checkpoints."""

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from lmkit import checkpoints
from lmkit.data import batch_at, batches, windows
from lmkit.heads import LM
from lmkit.model import Config
from lmkit.objectives import next_token_loss
from lmkit.train import OPTIMIZERS, evaluate, train, warmup_cosine

CONFIG = Config(11, d_model=16, n_layers=1, n_heads=2, max_seq_len=32, positions="rope")


def small(seed=0, **choices):
    torch.manual_seed(seed)
    return LM(replace(CONFIG, **choices))


# ---- data


def test_a_batch_is_a_function_of_seed_and_step():
    ids = np.arange(1000, dtype=np.uint16)
    stream = batches(ids, 4, 8, seed=3)
    first = [next(stream) for _ in range(3)]
    assert all(torch.equal(batch_at(step, ids, 4, 8, seed=3), b) for step, b in enumerate(first))
    assert not torch.equal(first[0], first[1]) and not torch.equal(first[0], batch_at(0, ids, 4, 8, seed=4))
    assert first[0].dtype == torch.int64 and torch.equal(first[0] - first[0][:, :1], torch.arange(9).expand(4, 9))


def test_windows_begin_at_starts_and_reach_the_end():
    seen = {int(row[0]) for step in range(200) for row in batch_at(step, np.arange(20), 4, 5, starts=[0, 7, 14, 15])}
    assert seen == {0, 7, 14}  # 14 is the last start that leaves room for 6 tokens


def test_a_text_that_is_too_short():
    with pytest.raises(ValueError, match="window of 9 tokens does not fit into a text of 5"):
        batch_at(0, np.arange(5), 1, 8)
    with pytest.raises(ValueError, match="no start leaves room for a window of 4"):
        batch_at(0, np.arange(5), 1, 3, starts=[3, 4])


def test_windows_are_cut_from_anything_that_runs_along():
    cut = windows(np.arange(20) * 0.5, [0, 7, 15], 5)
    assert np.array_equal(cut, np.stack([np.arange(6), np.arange(7, 13)]) * 0.5)


# ---- objective and loop


def test_next_token_loss_by_hand():
    class Always(nn.Module):
        def forward(self, ids):
            return torch.log(torch.tensor([0.7, 0.2, 0.1])).expand(*ids.shape, 3)

    loss = next_token_loss(Always(), torch.tensor([[2, 0, 1, 2]]))  # predicts 0, 1, 2
    assert float(loss) == pytest.approx(-(math.log(0.7) + math.log(0.2) + math.log(0.1)) / 3)


def test_learning_rate_schedule():
    shares = [warmup_cosine(s, 100, 10) for s in range(100)]
    assert shares[0] == pytest.approx(0.1) and shares[9] == 1.0 and max(shares) == 1.0
    assert shares[55] == pytest.approx(0.5) and 0 < shares[99] < 0.001


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


def test_muon_learns_and_an_optimizer_may_be_ones_own():
    ids = np.tile(np.arange(11), 40)
    how = dict(steps=40, lr=1e-2, weight_decay=0.0)
    own = lambda model, lr, decay: [torch.optim.Adam(model.parameters(), lr=lr)]  # noqa: E731
    for optimizer in ("muon", own):
        losses = [s.loss for s in train(small(), batches(ids, 8, 12), next_token_loss, optimizer=optimizer, **how)]
        assert losses[-1] < losses[0] / 2
    with pytest.raises(ValueError, match=r"'adam' is not one of \['adamw', 'muon'\]"):
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


# ---- checkpoints


def test_checkpoint_round_trip(tmp_path):
    model = small(tied=False)
    folder = checkpoints.save(model, tmp_path / "run" / "a", {"kind": "none"}, steps=3)
    loaded, tokenizer, provenance = checkpoints.load(folder)
    assert loaded.config == model.config and tokenizer == {"kind": "none"} and provenance == {"steps": 3}
    for (name, a), (_, b) in zip(model.state_dict().items(), loaded.state_dict().items(), strict=True):
        assert torch.equal(a, b), name
    checkpoints.save(small(seed=1), folder, {}, steps=4)  # replaces the older one, and leaves nothing beside it
    assert checkpoints.load(folder)[2] == {"steps": 4} and [p.name for p in folder.parent.iterdir()] == ["a"]


def test_an_encoder_decoder_is_saved_with_its_embedding_shared(tmp_path):
    model = small(n_encoder_layers=1).eval()
    loaded, _, _ = checkpoints.load(checkpoints.save(model, tmp_path / "a", {}))
    ids = torch.tensor([[1, 2, 3]])
    assert torch.equal(loaded(ids, source=ids), model(ids, source=ids))
    assert loaded.body.encoder.embed is loaded.body.decoder.embed


def test_a_damaged_checkpoint_is_refused(tmp_path):
    folder = checkpoints.save(small(), tmp_path / "a", {})
    weights = folder / "model.safetensors"
    data = bytearray(weights.read_bytes())
    data[-5] ^= 1  # one bit of one weight
    weights.write_bytes(data)
    with pytest.raises(ValueError, match=r"model.safetensors is damaged"):
        checkpoints.load(folder)
    weights.unlink()
    with pytest.raises(ValueError, match=r"model.safetensors is missing"):
        checkpoints.load(folder)


def test_a_failed_save_leaves_the_old_one_and_nothing_else(tmp_path, monkeypatch):
    folder = checkpoints.save(small(), tmp_path / "a", {}, steps=1)
    with pytest.raises(TypeError):
        checkpoints.save(small(seed=1), folder, {}, steps=object())  # no JSON
    assert checkpoints.load(folder)[2] == {"steps": 1} and [p.name for p in tmp_path.iterdir()] == ["a"]


def test_an_interrupted_exchange_keeps_the_old_one(tmp_path, monkeypatch):
    folder = checkpoints.save(small(), tmp_path / "a", {}, steps=1)
    rename, calls = Path.rename, []

    def interrupted(self, target):
        calls.append(self)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", interrupted)
    with pytest.raises(KeyboardInterrupt):
        checkpoints.save(small(seed=1), folder, {}, steps=2)
    assert checkpoints.load(folder)[2] == {"steps": 1} and [p.name for p in tmp_path.iterdir()] == ["a"]


@pytest.mark.parametrize("manifest", ["", "{}", "[]"])
def test_a_manifest_that_does_not_name_every_file(tmp_path, manifest):
    folder = checkpoints.save(small(), tmp_path / "a", {})
    (folder / "manifest.json").write_text(manifest, encoding="utf-8")
    with pytest.raises(ValueError, match="manifest.json"):
        checkpoints.load(folder)


def test_what_is_no_checkpoint(tmp_path):
    (tmp_path / "notes").mkdir()
    with pytest.raises(FileExistsError, match="is there and is no checkpoint"):
        checkpoints.save(small(), tmp_path / "notes", {})
    for name in ("nowhere", tmp_path / "notes"):
        with pytest.raises(FileNotFoundError, match="neither a checkpoint folder nor one of the book's models"):
            checkpoints.load(name)


def test_the_manifest_names_every_file(tmp_path):
    folder = checkpoints.save(small(), tmp_path / "a", {})
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert set(manifest) | {"manifest.json"} == {p.name for p in folder.iterdir()}
