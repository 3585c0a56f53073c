"""What test_distributed.py has torchrun run in several processes: python distributed_worker.py TASK FOLDER."""

import os
import signal
import sys
from pathlib import Path

import torch
import torch.nn.functional as F

from lmkit import checkpoints, distributed
from lmkit.data import batches
from lmkit.heads import LM
from lmkit.model import Config
from lmkit.objectives import linear_cross_entropy, next_token_loss
from lmkit.optimizers import OPTIMIZERS
from lmkit.train import train

STEPS, HALF = 6, 3
IDS = torch.randint(0, 9, (500,), generator=torch.Generator().manual_seed(1)).numpy()  # of 53, which can be learned
SIZES = dict(vocab_size=53, d_model=40, d_ff=131, n_layers=2, n_heads=4, max_seq_len=16)  # 53 and 131: uneven shards


def parts_of_the_model(model, ids):
    """An objective that does not call the model itself, but its body, and its tied embedding as the head."""
    return linear_cross_entropy(model.body(ids[:, :-1]), model.weight, ids[:, 1:], chunk=16)


def copied(model, ids):
    """A decoder that reads the same text by an encoder, which shares its embedding."""
    return F.cross_entropy(model(ids[:, :-1], source=ids[:, 1:]).flatten(0, 1), ids[:, 1:].flatten())


MIXTURE = dict(ffn={"name": "moe", "n_experts": 4})
CASES = {  # of the Config, the objective, the optimizer, and how to train
    "tied": (dict(), parts_of_the_model, "adamw", dict(accumulate=2)),
    "untied": (dict(tied=False, norm="rmsnorm", positions="rope", ffn="swiglu"), next_token_loss, "adamw", {}),
    "clipped": (dict(), next_token_loss, "sgd", dict(clip=0.05)),
    "mixture": (MIXTURE, parts_of_the_model, "adamw", {}),
    "pair": (dict(n_encoder_layers=1), copied, "adamw", {}),
    "muon": (dict(positions="rope"), next_token_loss, "muon", {}),
}

RUNS = [
    *[("tied", "ddp"), ("tied", "fsdp"), ("untied", "fsdp"), ("clipped", "ddp"), ("clipped", "fsdp")],
    *[("mixture", "ddp"), ("mixture", "fsdp"), ("pair", "ddp"), ("pair", "fsdp"), ("muon", "ddp"), ("muon", "fsdp")],
]
RESUMED = [("tied", "fsdp"), ("pair", "ddp"), ("pair", "fsdp"), ("muon", "fsdp")]


def built(case, world, how="auto"):
    fields, objective, name, _ = CASES[case]
    torch.manual_seed(0)
    wrapped = distributed.wrap(LM(Config(**SIZES | fields)), objective, world, how)
    return wrapped, OPTIMIZERS[name](wrapped, 1e-2, 0.1)


def updates(case, wrapped, optimizers, world, start=0):
    """The steps of a run, whose batches of eight rows the ranks share out."""
    share = dict(start=start, rank=world.rank, world_size=world.size)
    how = dict(steps=STEPS, start=start, lr=1e-2, warmup=2) | CASES[case][3]
    return train(wrapped, batches(IDS, 8, 16, **share), distributed.loss_of, optimizer=optimizers, **how)


def run(case, world, how="auto", folder=None):
    """Losses and gradient norms, and the weights at the end; with a folder, it is saved halfway, and so are they."""
    wrapped, optimizers = built(case, world, how)
    seen, halfway = [], {}
    for step in updates(case, wrapped, optimizers, world):
        seen.append((distributed.mean(step.loss, world), step.grad_norm))
        if folder and step.step == HALF - 1:
            distributed.save(folder, wrapped, optimizers, world, lambda new: (new / "how").write_text(how, "utf-8"))
            halfway = {name: tensor.clone() for name, tensor in distributed.full_state(wrapped).items()}
    return seen, distributed.full_state(wrapped), halfway


def resumed(case, world, how, folder):
    """The same from what was saved, in a new model and new optimizers."""
    wrapped, optimizers = built(case, world, how)
    for parameter in wrapped.parameters():
        torch.nn.init.zeros_(parameter)  # so that what is not loaded would show
    distributed.load(folder, wrapped, optimizers, world)
    seen = []
    for step in updates(case, wrapped, optimizers, world, HALF):
        seen.append((distributed.mean(step.loss, world), step.grad_norm))
    return seen, distributed.full_state(wrapped)


def check(world, folder):
    """All that two processes must do, in one start of them; rank 0 leaves the results in `folder`."""
    found = {}
    for case, how in RUNS:
        where = folder / f"{case} {how}" if (case, how) in RESUMED else None
        found[case, how] = run(case, world, how, where)
        if where:
            found["resumed", case, how] = resumed(case, world, how, where)
    found["resumed", "tied", "auto"] = resumed("tied", world, "fsdp", folder / "tied auto")
    found["agreed"] = distributed.agree(f"rank {world.rank}", world), distributed.mean(world.rank, world)
    if world.first:
        model = LM(Config(**SIZES))
        model.load_state_dict(found["tied", "fsdp"][1])
        checkpoints.save(model, folder / "exported", {"kind": "none"})
        torch.save(found, folder / "found")


def die(world, folder):
    """Save, train on, and lose rank 1 as a machine loses it, while rank 0 waits for it in the middle of a save."""
    wrapped, optimizers = built("tied", world, "fsdp")
    for step in updates("tied", wrapped, optimizers, world):
        if step.step == HALF - 1:
            distributed.save(folder / "whole", wrapped, optimizers, world)
        if step.step == HALF and world.rank == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        if step.step == HALF:
            distributed.save(folder / "torn", wrapped, optimizers, world)


if __name__ == "__main__":
    with distributed.together("cpu") as world:
        dict(check=check, die=die)[sys.argv[1]](world, Path(sys.argv[2]))
