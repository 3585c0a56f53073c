"""Chapter 9. One machine or many: PyTorch's own engine, chosen by one word. Nothing of it is written by hand here.

`torchrun --nproc-per-node 8 -m lmkit.pretrain ...` starts a process (a rank) for each GPU. Each reads its share of the
rows of every batch, and gradients are averaged over all of them, so that the update is that of one process with the
whole batch. DDP keeps the whole model on each rank (Li et al. 2020, arXiv:2006.15704). FSDP2 keeps a share of each
parameter, of its gradient and of the optimizer's state, and gathers one block at a time (Zhao et al. 2023,
arXiv:2304.11277).
"""

import gc
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.distributed as dist
from torch import Tensor, nn

from . import atomic
from .model import Transformer

LOST = (
    "The others stop, too; one that lost its connection did so because another one died. The last checkpoint is "
    "whole: start the same command again with --resume auto"
)


@dataclass(frozen=True)
class World:
    """Who this process is among `size` of them, and the device that is its own."""

    rank: int
    size: int
    device: torch.device

    @property
    def first(self) -> bool:
        """The one that speaks and writes for all."""
        return self.rank == 0


def start(device: str | torch.device) -> World:
    """Join the processes that torchrun started, by gloo on processors and nccl on GPUs; without torchrun be alone.

    ValueError where a process would have no GPU of its own.
    """
    device, size = torch.device(device), int(os.environ.get("WORLD_SIZE", 1))
    if size == 1:
        return World(0, 1, device)
    rank, here = int(os.environ["RANK"]), int(os.environ["LOCAL_RANK"])
    if device.type == "cuda":
        if here >= torch.cuda.device_count():
            raise ValueError(
                f"process {here} of this machine has no GPU: there are {torch.cuda.device_count()}, one for each "
                f"process; give torchrun --nproc-per-node {torch.cuda.device_count()}"
            )
        device = torch.device("cuda", here)
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    return World(rank, size, device)


def stop(world: World) -> None:
    """Leave the others, all of whom come here, too."""
    if world.size > 1:
        gc.collect()  # models hold the group, in circles; held until Python is gone, its threads may abort the process
        dist.destroy_process_group()


@contextmanager
def together(device: str | torch.device) -> Iterator[World]:
    """`start`, and `stop` at the end. If this process fails it says who it was and what to do; torchrun ends the rest.

    >>> with together("cuda") as world: train_and_save(world)
    """
    world = start(device)
    try:
        yield world
    except RuntimeError as problem:  # a lost connection, or memory; other errors speak for themselves
        if world.size > 1:
            what = str(problem).strip().split("\n")[0]
            print(f"rank {world.rank} of {world.size} stopped: {what}\n{LOST}", file=sys.stderr, flush=True)
        raise
    stop(world)


class WithObjective(nn.Module):
    """A model and what it is trained for, as one module: called with a batch it gives the loss.

    What is wrapped is this and not the model, so that an objective may call any part of the model it likes.
    """

    def __init__(self, model: nn.Module, objective: Callable):
        super().__init__()
        self.model, self.objective = model, objective

    def forward(self, batch: Tensor | dict) -> Tensor:
        return self.objective(self.model, batch)


def wrap(model: nn.Module, objective: Callable, world: World, how: str = "auto") -> nn.Module:
    """Model and objective as one module on this rank's device: wrapped(batch) -> loss, of the rank's own rows.

    `how` is "ddp" or "fsdp" for many processes; "auto" is none for one process and DDP for many. Build the optimizer
    from what is returned, and train it with `loss_of` as the objective. Each rank must have built the same model, which
    FSDP2 does not check. Ranks count alike: where a loss is a mean over targets whose number varies (masked language
    models), the mean over ranks is not exactly the mean over all targets. Each rank balances its own mixtures.
    """
    known = ("auto", "none") if world.size == 1 else ("auto", "ddp", "fsdp")
    if how not in known:
        there = "one process: start more with torchrun" if world.size == 1 else f"{world.size} processes"
        raise ValueError(f"how={how!r} is not one of {', '.join(known)}, which are the ways of {there}")
    task = WithObjective(model, objective)
    if how == "fsdp":
        from torch.distributed.fsdp import fully_shard

        mesh = dist.init_device_mesh(world.device.type, (world.size,))
        for part in [m for m in model.modules() if isinstance(m, Transformer)]:
            for block in part.blocks:
                fully_shard(block, mesh=mesh)
        return fully_shard(task, mesh=mesh)  # which also moves it there, a block at a time
    task = task.to(world.device)
    return task if world.size == 1 else nn.parallel.DistributedDataParallel(task, gradient_as_bucket_view=True)


def bare(wrapped: nn.Module) -> nn.Module:
    """What DDP wraps: by the names of its parameters, which are the same for all ways."""
    return wrapped.module if isinstance(wrapped, nn.parallel.DistributedDataParallel) else wrapped


def loss_of(wrapped: nn.Module, batch: Tensor | dict) -> Tensor:
    """The objective of what `wrap` returned: it holds its own."""
    return wrapped(batch)


def mean(value: float, world: World) -> float:
    """The mean over all ranks, all of whom must ask for it."""
    if world.size == 1:
        return value
    total = torch.tensor(value, dtype=torch.float64, device=world.device)
    dist.all_reduce(total)
    return total.item() / world.size


def agree(value, world: World):
    """What rank 0 has, on all ranks, each of whom waits here for it: a folder to resume from, or whether to stop."""
    values = [value]
    if world.size > 1:
        dist.broadcast_object_list(values, src=0, device=world.device)
    return values[0]


def save(folder: str | Path, wrapped: nn.Module, optimizers: list, world: World, write: Callable | None = None) -> Path:
    """Write model and optimizers, each rank its shards, by torch.distributed.checkpoint; whole or not at all.

    Rank 0 calls write(new_folder) for what else belongs there, adds the manifest of all files and renames the folder,
    which every rank must see (one machine, or a shared file system). All ranks return when it has its name.
    """
    import torch.distributed.checkpoint as dcp
    from torch.distributed.checkpoint.state_dict import get_state_dict

    with atomic.new_folder(folder) if world.first else nullcontext() as new:
        new = Path(agree(str(new), world))
        model_state, optimizer_state = get_state_dict(bare(wrapped), optimizers)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "torch.distributed is disabled")  # one process saves as one, and may
            dcp.save({"model": model_state, "optimizer": optimizer_state}, checkpoint_id=new)
        if world.first and write is not None:
            write(new)
    agree(None, world)
    return Path(folder)


def is_sharded(folder: Path) -> bool:
    """Whether `save` wrote this checkpoint."""
    return (folder / ".metadata").is_file()


def load(folder: str | Path, wrapped: nn.Module, optimizers: list, world: World) -> None:
    """Read what `save` wrote, into as many processes as there are now and however the model is wrapped.

    For folders of your own runs only: the metadata of torch.distributed.checkpoint is pickled, and so could run code
    that a stranger put there. The manifest tells damage, not malice. To give a model away, see `full_state`. ValueError
    if a file is missing or damaged.
    """
    import torch.distributed.checkpoint as dcp
    from torch.distributed.checkpoint.state_dict import get_state_dict, set_state_dict

    if world.first:
        atomic.check_manifest(Path(folder))
    agree(None, world)
    model_state, optimizer_state = get_state_dict(bare(wrapped), optimizers)
    state = {"model": model_state, "optimizer": optimizer_state}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "torch.distributed is disabled")
        dcp.load(state, checkpoint_id=folder)
    set_state_dict(bare(wrapped), optimizers, model_state_dict=state["model"], optim_state_dict=state["optimizer"])


def full_state(wrapped: nn.Module) -> dict[str, Tensor]:
    """The whole weights, on the processor of rank 0 (elsewhere nothing), by the names they have in the model.

    All ranks must ask for them. They may be the wrapped model's own and no copies. `load_state_dict` of another model
    of the same Config takes them; that one can be saved by lmkit.checkpoints, or exported.
    """
    from torch.distributed.checkpoint.state_dict import StateDictOptions, get_model_state_dict

    state = get_model_state_dict(bare(wrapped), options=StateDictOptions(full_state_dict=True, cpu_offload=True))
    return {name.removeprefix("model."): tensor for name, tensor in state.items() if name.startswith("model.")}
