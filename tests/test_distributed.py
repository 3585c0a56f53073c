"""lmkit.distributed: two processes do what one does. The oracle is one process with the whole batch.

Two processes add the same numbers in another order: each the gradient of its rows, then both together. So losses and
gradients agree to float32's rounding (relative 6e-8) and what a few updates make of it: 2e-7 was seen, 2e-6 is allowed.
AdamW divides each gradient by its size, so that a weight whose gradient is nearly nothing may go another way: 1e-4 was
seen after six updates of 0.01, 1e-3 is allowed. Muon rounds to bfloat16 on its way: 3e-5 was seen in the losses, and
2e-4 is allowed; if it made each shard orthogonal and not the whole matrix, they would differ by 3e-3.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import distributed_worker as worker
import pytest
import torch
from torch import nn

import lmkit
from lmkit import atomic, checkpoints, distributed, pretrain

ONE = distributed.World(0, 1, torch.device("cpu"))


def torchrun(*what, looks_every=0.1):
    """Two processes of a script or a module, which see no network but their own; torchrun looks after them so often."""
    command = ["-m", "torch.distributed.run", "--nproc-per-node", "2", "--master-addr", "127.0.0.1"]
    command += ["--monitor-interval", str(looks_every)]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        command += ["--master-port", str(free.getsockname()[1])]
    quiet = {name: value for name, value in os.environ.items() if not name.startswith("TORCH")}
    quiet |= dict(OMP_NUM_THREADS="1", GLOO_SOCKET_IFNAME="lo", PYTHONPATH=str(Path(__file__).parents[1]))
    return subprocess.run(
        [sys.executable, *command, *map(str, what)], capture_output=True, text=True, timeout=300, env=quiet
    )


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """What one process found and then two, and the folder where they saved."""
    folder = tmp_path_factory.mktemp("distributed")
    one = {(case, "auto"): worker.run(case, ONE) for case in worker.CASES}
    one["tied", "auto"] = worker.run("tied", ONE, folder=folder / "tied auto")
    done = torchrun(worker.__file__, "check", folder)
    assert done.returncode == 0, done.stderr[-3000:]
    return one | torch.load(folder / "found", weights_only=True) | {"folder": folder}


def farthest(some, others):
    """The largest difference of any two weights."""
    assert some.keys() == others.keys()
    return max((some[name] - others[name]).abs().max().item() for name in some)


@pytest.mark.parametrize("case, how", worker.RUNS)
def test_two_processes_learn_what_one_learns(found, case, how):
    (one, weights, _), (two, their_weights, _) = found[case, "auto"], found[case, how]
    losses, norms = zip(*two)
    expected_losses, expected_norms = zip(*one)
    assert losses == pytest.approx(expected_losses, rel=2e-4 if case == "muon" else 2e-6)
    assert norms == pytest.approx(expected_norms, rel=2e-3 if case == "muon" else 2e-6)
    assert abs(losses[-1] - losses[0]) > 0.01  # it has learned: what is compared does not stand still
    if case != "muon":
        assert farthest(weights, their_weights) < (2e-8 if case == "clipped" else 1e-3)


def test_the_clipped_case_clips(found):
    assert all(norm > 10 * worker.CASES["clipped"][3]["clip"] for _, norm in found["clipped", "fsdp"][0])


@pytest.mark.parametrize("case, how", worker.RESUMED)
def test_resuming_is_exact(found, case, how):
    """Bit for bit: the losses, the gradient norms, the weights at the end."""
    (through, weights, _), (after, their_weights) = found[case, how], found["resumed", case, how]
    assert after == through[worker.HALF :] and len(after) == worker.STEPS - worker.HALF
    assert farthest(weights, their_weights) == 0


@pytest.mark.parametrize("case, how", worker.RESUMED)
def test_one_process_reads_what_two_saved(found, case, how):
    """The same weights to the bit, and, the optimizer's state being there too, the same way on."""
    through, _, halfway = found[case, how]
    wrapped, optimizers = worker.built(case, ONE)
    distributed.load(found["folder"] / f"{case} {how}", wrapped, optimizers, ONE)
    assert farthest(distributed.full_state(wrapped), halfway) == 0
    after = [step.loss for step in worker.updates(case, wrapped, optimizers, ONE, worker.HALF)]
    assert after == pytest.approx([loss for loss, _ in through[worker.HALF :]], rel=2e-4 if case == "muon" else 2e-6)


def test_two_processes_go_on_where_one_stopped(found):
    after, (through, _, _) = found["resumed", "tied", "auto"][0], found["tied", "auto"]
    assert [loss for loss, _ in after] == pytest.approx([loss for loss, _ in through[worker.HALF :]], rel=2e-6)


def test_the_whole_model_is_exported(found):
    model, _, _ = checkpoints.load(found["folder"] / "exported")
    assert farthest(model.state_dict(), found["tied", "fsdp"][1]) == 0


def test_ranks_agree_and_average(found):
    assert found["agreed"] == ("rank 0", 0.5)


def test_a_folder_is_whole_with_what_else_was_written(found):
    folder = found["folder"] / "tied fsdp"
    assert (folder / "how").read_text(encoding="utf-8") == "fsdp"
    assert {path.name for path in folder.iterdir()} == {
        "__0_0.distcp", "__1_0.distcp", ".metadata", "how", "manifest.json",
    }  # fmt: skip
    atomic.check_manifest(folder)


def test_a_damaged_shard_is_not_read(found, tmp_path):
    folder = shutil.copytree(found["folder"] / "tied fsdp", tmp_path / "copy")
    shard = folder / "__1_0.distcp"
    data = bytearray(shard.read_bytes())
    data[len(data) // 2] ^= 1
    shard.write_bytes(data)
    with pytest.raises(ValueError, match="__1_0.distcp is damaged"):
        distributed.load(folder, *worker.built("tied", ONE), ONE)


@pytest.mark.slow
def test_a_dying_worker_ends_the_run_and_the_checkpoint_stays(tmp_path):
    done = torchrun(worker.__file__, "die", tmp_path, looks_every=10)  # else it may end the other one before it spoke
    assert done.returncode != 0
    assert "rank 0 of 2 stopped: " in done.stderr and "--resume auto" in done.stderr
    assert "Signal 9 (SIGKILL)" in done.stderr and "rank      : 1" in done.stderr  # torchrun's word on who died of what
    assert not (tmp_path / "torn").exists()
    atomic.check_manifest(tmp_path / "whole")
    _, _, halfway = worker.run("tied", ONE, folder=tmp_path / "one")
    wrapped, optimizers = worker.built("tied", ONE)
    distributed.load(tmp_path / "whole", wrapped, optimizers, ONE)
    assert farthest(distributed.full_state(wrapped), halfway) < 1e-3


# ---- the command, from end to end


def logged(run):
    return [json.loads(line) for line in (run / "log.jsonl").read_text(encoding="utf-8").splitlines()]


def losses(lines):
    return [line.get("loss", line.get("held_out")) for line in lines]


@pytest.mark.slow
def test_torchrun_pretrains_and_resumes_as_python_does(tmp_path):
    """Log files of python and of torchrun; then go on from the middle, two processes as two, and one where two were."""
    options = "--steps 12 --save-every 6 --batch-size 4 --seq-len 32 --d-model 48 --optimizer adamw --lr 3e-3".split()
    options += "--device cpu --log-every 1".split()
    one, two = tmp_path / "one", tmp_path / "two"
    pretrain.main([*options, "--out", str(one)])
    done = torchrun("-m", "lmkit.pretrain", *options, "--out", two, "--parallel", "fsdp")
    assert done.returncode == 0, done.stderr[-3000:]
    assert losses(logged(two)) == pytest.approx(losses(logged(one)), rel=2e-6)
    assert farthest(lmkit.load(two)[0].state_dict(), lmkit.load(one)[0].state_dict()) < 1e-3

    again, alone = (Path(shutil.copytree(two, tmp_path / name)) for name in ("again", "alone"))
    for run in (again, alone):
        shutil.rmtree(run / "step-00000012")
    resume = ["--resume", "auto", "--out"]
    done = torchrun("-m", "lmkit.pretrain", *options, "--parallel", "fsdp", *resume, again)
    assert done.returncode == 0 and "after 6 of 12 steps" in done.stdout, done.stderr[-3000:]
    assert logged(again) == logged(two)  # every number
    assert farthest(lmkit.load(again)[0].state_dict(), lmkit.load(two)[0].state_dict()) == 0
    pretrain.main([*options, *resume, str(alone)])
    assert losses(logged(alone)) == pytest.approx(losses(logged(two)), rel=2e-6)
    shutil.rmtree(one / "step-00000012")
    done = torchrun("-m", "lmkit.pretrain", *options, "--parallel", "fsdp", *resume, one)
    assert done.returncode != 0 and "step-00000006 was not saved under FSDP2" in done.stderr


# ---- one process


def test_alone_there_is_nothing_to_start(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with distributed.together("cpu") as world:
        assert world == ONE and world.first and not torch.distributed.is_initialized()
        assert distributed.mean(1.5, world) == 1.5 and distributed.agree("x", world) == "x"


def test_a_process_without_a_gpu_of_its_own(monkeypatch):
    for name, value in dict(WORLD_SIZE="4", RANK="3", LOCAL_RANK="3").items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(ValueError, match="process 3 of this machine has no GPU: there are 2"):
        distributed.start("cuda")


@pytest.mark.parametrize("size, how", [(1, "fsdp"), (1, "ddp"), (2, "none"), (2, "zero")])
def test_ways_that_there_are_not(size, how):
    with pytest.raises(ValueError, match=f"'{how}' is not one of auto, .* of {'one process' if size == 1 else '2'}"):
        distributed.wrap(nn.Linear(2, 2), None, distributed.World(0, size, torch.device("cpu")), how)
