"""Chapter 9. Pretrain a model: `python -m lmkit.pretrain`, the run behind the book's own model.

Shows the loss beside its baseline (the exact floor of the tales, or a counter of n-grams for other texts), keeps
checkpoints that resume, shows a sample of the model's text, and leaves what `lmkit.load` reads. `settings` says what a
run is, `tasks` what it learns, `running` how it goes.
"""

import argparse
import errno
import re
import sys
from pathlib import Path

import torch

from ..checkpoints import newest
from .running import Stopped, command, run
from .settings import BODY, SIZES, Settings, add_flags, from_flags, read_settings, settings_file
from .tasks import Task, shards_task, tales_task, text_task

__all__ = [
    "BODY", "SIZES", "Settings", "Stopped", "Task", "arguments", "main", "run", "shards_task", "tales_task",
    "text_task",
]  # fmt: skip
FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))
ABOUT = """Pretrain a language model. Without a flag: the book's own one, on the tales, in some minutes.

Shows the loss beside what it should be compared with (the exact floor of the tales, a counter of n-grams for other
texts), keeps checkpoints in --out from which --resume goes on bit for bit, and leaves what lmkit.load(FOLDER) reads.
Ctrl-C saves, too, and says how to go on. All settings stand in run.json, which --config takes again."""
EXAMPLES = """
examples:
  python -m lmkit.pretrain                                     the book's own model: tales, a few minutes
  python -m lmkit.pretrain --corpus tinyshakespeare --recipe speedrun
  python -m lmkit.pretrain --norm layernorm --positions alibi --ffn swiglu --optimizer adamw --lr 3e-3
  python -m lmkit.pretrain --preset gpt2 --corpus shards/fineweb --tokenizer tokenizer.json --tokens 2.5e9 --compile
  torchrun --nproc-per-node 8 -m lmkit.pretrain ... --parallel fsdp
  python -m lmkit.pretrain --out runs/tales --resume auto      go on where a run stopped
"""


def arguments(argv=None) -> argparse.Namespace:
    """The flags of the command, as given, and `settings` made of them; wrong ones end it with a sentence."""
    parser = argparse.ArgumentParser(
        prog="python -m lmkit.pretrain", usage="%(prog)s [flags]", description=ABOUT, epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    start = parser.add_argument_group("where the settings come from (flags win over a file, a file over a recipe)")
    start.add_argument("--recipe", metavar="NAME", help="settings of lmkit.recipes, such as speedrun")
    start.add_argument("--config", metavar="FILE", help="settings as JSON, or the folder of an earlier run")
    add_flags(parser)
    budget = parser.add_argument_group("the budget, instead of --steps").add_mutually_exclusive_group()
    budget.add_argument("--tokens", type=float, help="tokens to read")
    budget.add_argument("--flops", type=float, help="training arithmetic, as lmkit.count counts it")
    budget.add_argument("--seconds", type=float, help="seconds, by the speed of the first steps of a copy")
    where = parser.add_argument_group("machine and output")
    add = where.add_argument
    add("--device", default="cuda" if torch.cuda.is_available() else "cpu", help="(default here: %(default)s)")
    add("--parallel", default="auto", choices=["auto", "ddp", "fsdp"], help="under torchrun (default: ddp)")
    add("--out", metavar="FOLDER", help="the run's folder (default: runs/CORPUS)")
    add("--resume", metavar="auto", help="go on from the newest whole checkpoint of --out, or from this one")
    add("--save-every", type=int, metavar="STEPS", help="(default: an eighth of the run)")
    add("--keep", type=int, default=2, metavar="N", help="newest checkpoints to keep, beside the best (default: 2)")
    add("--log-every", type=int, default=10, metavar="STEPS", help="of log.jsonl (default: 10)")
    add("--tensorboard", metavar="FOLDER", help="write TensorBoard files there, too")
    options = parser.parse_args(argv)
    options.argv = list(sys.argv[1:] if argv is None else argv)
    try:
        torch.empty(0, device=options.device)
    except (RuntimeError, AssertionError) as problem:
        parser.error(f"--device {options.device} cannot be used here: {str(problem).splitlines()[0]}")
    for name in ("tokens", "flops", "seconds", "save_every", "keep", "log_every"):
        value = getattr(options, name)
        if value is not None and value <= 0:
            parser.error(f"--{name.replace('_', '-')} must be above 0, not {value:g}")
    if options.steps is not None and (options.tokens or options.flops or options.seconds):
        parser.error("--steps is a budget of its own: give it, or one in tokens, FLOPs or seconds")
    try:
        options.settings = from_flags(options)
        options.out = folder_for(options)
        before = options.out if options.resume == "auto" else Path(options.resume or ".")
        if options.resume and settings_file(before).is_file():  # what is not said again stays as it was
            options.settings = from_flags(options, read_settings(before))
    except (ValueError, TypeError, OSError) as problem:
        parser.error(str(problem))
    return options


def main(argv=None) -> None:
    """Run the command, `python -m lmkit.pretrain`; what goes wrong ends it with a sentence instead of a traceback."""
    options = arguments(argv)
    try:
        run(options)
    except Stopped as stop:  # by Ctrl-C, or by the machine
        print(stop)
        sys.exit(128 + stop.number)
    except KeyboardInterrupt:
        print(f"\nstopped at once; what was saved before is kept. To go on: {command(options)} --resume auto")
        sys.exit(130)
    except (ValueError, OSError, ImportError) as problem:  # a sentence for the reader, who has nothing to debug here
        full = isinstance(problem, OSError) and problem.errno in FULL
        sys.exit(f"lmkit.pretrain: {full_disk(options) if full else problem}")
    except (RuntimeError, MemoryError) as problem:  # torch.OutOfMemoryError is the first; on a processor it has no name
        if not isinstance(problem, MemoryError) and not re.search("out of memory|allocate memory", str(problem)):
            raise
        sys.exit(f"lmkit.pretrain: {out_of_memory(options.settings)}")


def folder_for(options: argparse.Namespace) -> Path:
    """The folder of the run: --out, that of the checkpoint to go on from, or one that is named for the corpus."""
    if options.out is not None:
        return Path(options.out)
    if options.resume not in (None, "auto"):
        given = Path(options.resume)
        return given.parent if (given / "state.json").is_file() else given
    corpus = Path(options.settings.corpus)
    return Path("runs") / (corpus.name if corpus.exists() else corpus)


def full_disk(options: argparse.Namespace) -> str:
    kept = newest(options.out)[0]
    whole = f"the last checkpoint, {kept}, is whole" if kept else "nothing was saved yet"
    return f"the disk is full; {whole}. Make room, and go on: {command(options)} --resume auto"


def out_of_memory(settings: Settings) -> str:
    s = settings
    return (
        f"the memory does not hold a batch of {s.batch_size} x {s.seq_len} tokens in {s.accumulate} part(s): read it "
        f"in more parts (--accumulate {2 * s.accumulate}), or take a smaller --batch-size or --seq-len"
    )
