"""What settings stand for: the task, the model and its objective, and the arguments of `train`."""

import torch
from torch import nn

from .. import distributed
from ..choose import choose
from ..distributed import World
from ..objectives import HEADS, OBJECTIVES
from ..optimizers import OPTIMIZERS
from .reading import vocab_size
from .settings import Settings
from .tasks import MOST_WORDS, Task, packed_task, task


def task_of(s: Settings) -> Task:
    words = min(max(s.steps * s.batch_size * s.seq_len, 20_000), MOST_WORDS)
    what = task(s.corpus, s.tokenizer, s.seq_len, words)
    return packed_task(what, s.seq_len) if s.pack else what


def model_for(s: Settings, what: Task) -> nn.Module:
    return HEADS[s.objective](s.config(vocab_size(s, what)))


def trial(s: Settings, what: Task, world: World, parallel: str) -> tuple[nn.Module, dict]:
    """A model to measure the speed with, and how it is trained."""
    wrapped = distributed.wrap(model_for(s, what), OBJECTIVES[s.objective], world, parallel)
    return wrapped, how(s, wrapped, world)


def how(s: Settings, wrapped: nn.Module, world: World) -> dict:
    """The arguments of `train` that the settings give."""
    return dict(
        lr=s.lr, warmup=s.warmup, schedule=s.schedule, clip=s.clip,
        accumulate=s.accumulate, compile=s.compile, autocast=autocast_for(s, world),
        optimizer=choose(s.optimizer, OPTIMIZERS)(wrapped, s.lr, s.weight_decay),
    )  # fmt: skip


def autocast_for(s: Settings, world: World) -> torch.dtype | None:
    """bfloat16, or None for float32 alone: "auto" is bfloat16 where a GPU has it (a T4 has not, it emulates it)."""
    if s.precision == "auto" and world.device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else None
    return torch.bfloat16 if s.precision == "bfloat16" else None
