"""What a checkpoint holds beside the model, which checkpoints are kept, and the log: no run, only their pieces."""

import errno
import json
import random
import signal
from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import lmkit
from lmkit import atomic, checkpoints, runs
from lmkit.optimizers import OPTIMIZERS
from lmkit.train import train

CONFIG = lmkit.Config(11, d_model=16, n_layers=1, n_heads=2, max_seq_len=32, positions="rope", bias=True)


def small(seed=0):
    torch.manual_seed(seed)
    return lmkit.LM(CONFIG)


def steps_with(model, optimizers, n):
    """A few updates by hand-made gradients; the weights after each."""
    draw = torch.Generator().manual_seed(n)
    for _ in range(n):
        for p in model.parameters():
            p.grad = torch.randn(p.shape, generator=draw)
        for o in optimizers:
            o.step()
    return [p.detach().clone() for p in model.parameters()]


def written(folder, optimizers, **said):
    folder.mkdir()
    runs.write_state(folder, optimizers, said)
    return folder


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_an_optimizer_goes_on_bit_for_bit(name, tmp_path):
    model = small()
    optimizers = OPTIMIZERS[name](model, 0.01, 0.1)
    steps_with(model, optimizers, 3)
    written(tmp_path / "state", optimizers, step=3)
    again = small(seed=1)
    again.load_state_dict(model.state_dict())
    new = OPTIMIZERS[name](again, 0.01, 0.1)
    assert runs.read_state(tmp_path / "state", new)["step"] == 3
    blank = OPTIMIZERS[name](forgetful := small(), 0.01, 0.1)
    forgetful.load_state_dict(model.state_dict())
    whole, resumed, forgot = (steps_with(m, o, 2) for m, o in ((model, optimizers), (again, new), (forgetful, blank)))
    assert all(torch.equal(a, b) for a, b in zip(whole, resumed, strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(whole, forgot)), "the averages were worth keeping"


def test_what_torch_keeps_is_what_comes_back(tmp_path):
    """All of state_dict(), as torch itself would have saved it."""
    optimizers = OPTIMIZERS["muon"](model := small(), 0.01, 0.1)
    steps_with(model, optimizers, 2)
    written(tmp_path / "state", optimizers)
    new = OPTIMIZERS["muon"](small(), 0.01, 0.1)
    runs.read_state(tmp_path / "state", new)
    for ours, theirs in zip(new, optimizers, strict=True):
        ours, theirs = ours.state_dict(), theirs.state_dict()
        assert ours["param_groups"] == theirs["param_groups"] and ours["state"].keys() == theirs["state"].keys()
        for number, each in theirs["state"].items():
            assert ours["state"][number].keys() == each.keys()
            for name, tensor in each.items():
                same = ours["state"][number][name]
                assert torch.equal(same, tensor) and same.dtype == tensor.dtype


def drawn():
    return [torch.rand(2).tolist(), np.random.rand(2).tolist(), np.random.randn(), random.random(), random.gauss(0, 1)]


def test_every_generator_goes_on_where_it_stood(tmp_path):
    runs.seed_all(5)
    random.gauss(0, 1), np.random.randn()  # each keeps the second of a pair for the next time
    written(tmp_path / "state", [])
    first = drawn()
    assert drawn() != first
    runs.read_state(tmp_path / "state", [])
    assert drawn() == first
    runs.seed_all(5)
    random.gauss(0, 1), np.random.randn()
    assert drawn() == first


def test_a_state_is_no_pickle(tmp_path):
    folder = written(tmp_path / "state", OPTIMIZERS["adamw"](small(), 0.1, 0.0), best=1.5)
    assert {path.name for path in folder.iterdir()} == {"state.safetensors", "state.json"}
    assert json.loads((folder / "state.json").read_text(encoding="utf-8"))["best"] == 1.5


# ---- checkpoints in a run's folder


def save(run, step, seed=0):
    return runs.save(
        run, step, lambda new: checkpoints.write(small(seed), new, {"kind": "bytes", "special": []}, {"steps": step})
    )


def names(run):
    return sorted(path.name for path in run.iterdir())


def broken(folder):
    path = folder / "model.safetensors"
    data = bytearray(path.read_bytes())
    data[-2] ^= 1
    path.write_bytes(data)


@settings(max_examples=60, deadline=None, database=None)
@given(st.sets(st.integers(1, 30), min_size=1, max_size=8), st.integers(1, 4), st.data())
def test_the_last_ones_and_the_best_are_kept(tmp_path_factory, steps, keep, data):
    run = tmp_path_factory.mktemp("run")
    done, best = data.draw(st.sampled_from(sorted(steps))), data.draw(st.none() | st.sampled_from(sorted(steps)))
    for step in steps:
        runs.folder_of(run, step).mkdir()
    (run / ".step-00000007-x8a2").mkdir()
    (run / "notes").mkdir()
    runs.tidy(run, done, keep, best)
    wanted = {step for step in steps if step > done or step == best or sum(step < s <= done for s in steps) < keep}
    assert names(run) == sorted({"notes", *(f"step-{step:08}" for step in wanted)})


def test_the_newest_whole_checkpoint_is_loaded_and_those_passed_over_are_named(tmp_path):
    for step in (2, 4, 6, 8):
        save(tmp_path / "run", step, seed=step)
    broken(tmp_path / "run" / "step-00000006")
    (tmp_path / "run" / "step-00000008" / "manifest.json").unlink()
    folder, passed = checkpoints.newest(tmp_path / "run")
    assert folder.name == "step-00000004" and len(passed) == 2
    assert "manifest.json is missing" in passed[0] and "step-00000006/model.safetensors is damaged" in passed[1]
    with pytest.warns(UserWarning, match="passed over: .*step-00000008.*is missing; .*step-00000006.*is damaged"):
        model, _ = lmkit.load(tmp_path / "run")
    wanted = small(4).state_dict()
    assert all(torch.equal(t, wanted[name]) for name, t in model.state_dict().items())


def test_what_was_passed_over_is_replaced_when_the_run_comes_there(tmp_path):
    for step in (4, 6, 8):
        save(tmp_path, step)
    broken(tmp_path / "step-00000006")
    (tmp_path / "step-00000008" / "manifest.json").unlink()
    for step in (6, 8):
        save(tmp_path, step, seed=step)
        assert checkpoints.newest(tmp_path)[0].name == f"step-{step:08}"
        runs.tidy(tmp_path, step, 1, None)
    assert names(tmp_path) == ["step-00000008"] and checkpoints.load(tmp_path)[2] == {"steps": 8}


def test_damaged_ones_do_not_count_as_kept(tmp_path):
    """With one to keep, and later ones that are damaged, the whole one stays."""
    for step in (2, 4, 9):
        save(tmp_path, step)
    broken(tmp_path / "step-00000009")
    save(tmp_path, 6)
    runs.tidy(tmp_path, 6, 1, None)
    assert names(tmp_path) == ["step-00000006", "step-00000009"]
    assert checkpoints.newest(tmp_path)[0].name == "step-00000006"


@pytest.mark.parametrize("moment", ["write", "fsync", "rename"])
def test_a_save_that_fails_leaves_what_there_was(tmp_path, monkeypatch, moment):
    save(tmp_path, 2)

    def fail(*args, **how):
        raise OSError(28, "No space left on device")

    where = {"write": (checkpoints, "write"), "fsync": (atomic, "_fsync"), "rename": (atomic, "_rename")}[moment]
    monkeypatch.setattr(*where, fail)
    with pytest.raises(OSError, match="No space left"):
        save(tmp_path, 4)
    assert names(tmp_path) == ["step-00000002"] and checkpoints.damage(tmp_path / "step-00000002") is None


def test_what_safetensors_says_of_a_disk_is_an_oserror(tmp_path):
    """Its own exception is none. A process may be given small files, and then a disk is full for it."""
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    resource = pytest.importorskip("resource")
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    deaf = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, old[1]))
    try:
        with pytest.raises(OSError) as full, checkpoints.disk_errors():
            save_file({"a": torch.zeros(1000)}, str(tmp_path / "a"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
        signal.signal(signal.SIGXFSZ, deaf)
    assert full.value.errno == errno.EFBIG and list(tmp_path.iterdir()) == []
    with pytest.raises(SafetensorError), checkpoints.disk_errors():
        raise SafetensorError("a header that is none")


# ---- the log


def test_a_log_drops_what_will_be_done_again_and_the_line_that_a_kill_cut(tmp_path):
    log = runs.Log(tmp_path)
    for step in range(1, 6):
        log.add(step=step, loss=1 / step)
    with open(log.path, "a", encoding="utf-8") as file:
        file.write('{"step": 6, "lo')
    assert [line["step"] for line in log.lines()] == [1, 2, 3, 4, 5]
    again = runs.Log(tmp_path, after=3)
    again.add(step=4, loss=0.1)
    assert [line["loss"] for line in again.lines()] == [1, 1 / 2, 1 / 3, 0.1], "floats come back bit for bit"
    assert runs.Log(tmp_path).lines() == []


# ---- all of it together


def write_all(model, optimizers, step, new):
    checkpoints.write(model, new, {}, {})
    runs.write_state(new, optimizers, {"step": step})


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_run_of_pieces_is_the_whole_run(name, tmp_path):
    """Through files after every third step, in objects that are new each time."""
    batches = [torch.randint(11, (2, 9), generator=torch.Generator().manual_seed(i)) for i in range(9)]
    how = dict(steps=9, lr=0.01, warmup=2)
    whole = small()
    losses = [s.loss for s in train(whole, batches, lmkit.next_token_loss, optimizer=name, **how)]
    pieces, run = [], tmp_path / "run"
    for start in (0, 3, 6):
        model = checkpoints.load(run)[0] if start else small()
        optimizers = OPTIMIZERS[name](model, 0.01, 0.1)
        if start:
            assert runs.read_state(checkpoints.newest(run)[0], optimizers)["step"] == start
        steps = train(model, batches[start:], lmkit.next_token_loss, optimizer=optimizers, start=start, **how)
        pieces += [s.loss for _, s in zip(range(3), steps)]
        runs.save(run, start + 3, partial(write_all, model, optimizers, start + 3))
    assert pieces == losses
    for (name, a), b in zip(whole.state_dict().items(), model.state_dict().values(), strict=True):
        assert torch.equal(a, b), name
