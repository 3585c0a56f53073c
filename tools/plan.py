"""What a training run needs: parameters, tokens, arithmetic, memory, hours and cost, worked out before it is paid for.

    python tools/plan.py                                    the table of training.md
    python tools/plan.py llama-3.2-1b:8 --gpu A100 --price 1.5 --tokens-per-parameter 100

A run is the name of a preset and the number of its GPUs. Parameters, FLOPs and activations are counted by lmkit.count,
and the rest is multiplication. What is assumed is an argument, or stands below with its source.
"""

import argparse
from dataclasses import dataclass

import torch

from lmkit import presets
from lmkit.config import Config
from lmkit.count import count
from lmkit.hardware import ACCELERATORS

RUNS = ["gpt2:1", "gpt2-xl:8", "llama-2-7b:64"]
# Tokens that were read in training. Brown et al. 2020, arXiv:2005.14165, for the shapes of GPT-2: the nearest of their
# sizes, since GPT-2's own number was not published. Touvron et al. 2023, arXiv:2307.09288.
PUBLISHED = {
    "gpt2": (300e9, "GPT-3 Small"),
    "gpt2-xl": (300e9, "GPT-3 XL"),
    "llama-2-7b": (2e12, "Llama 2 7B"),
}
STATE = 16  # bytes a parameter in float32: weight, gradient, and AdamW's two averages
COPY = 2  # bytes a parameter: the bfloat16 copies of weights that autocast makes, kept from forward to backward
ROOM = 0.8  # the share of a GPU's memory that is planned with; kernels, libraries and fragments take some


@dataclass
class Run:
    """One model on a number of GPUs; bytes are those of one GPU."""

    config: Config
    gpus: int
    seq_len: int | None  # None: as many tokens as the model reads
    memory: float
    batch: int  # tokens of an update

    def __post_init__(self):
        c, self.counted = self.config, count(self.config, self.seq_len, torch.bfloat16)
        self.parameters = self.counted.total_parameters
        T = self.counted.T
        # Beyond lmkit.count's bfloat16, autocast keeps in float32 the stream before each of a layer's two norms, and
        # the log probabilities; their gradient is there in float32 and in bfloat16 while the backward begins.
        self.activations = self.counted.activation_bytes + T * (2 * 2 * c.n_layers * c.d_model + 8 * c.vocab_size)
        parts = self.counted.parameters
        inside = parts["attention"] + parts["feed-forward"] + parts["norms and residuals"]
        self.gathered = self.parameters - inside + 2 * inside / c.n_layers  # embeddings and head, and two blocks

    def state(self, how: str) -> float:
        """Bytes of all but activations: whole on each GPU (alone, or under DDP), or a share of it under FSDP2.

        FSDP2 gathers parameters and their gradients for a while, in float32. The copies are whole in each case.
        """
        if how != "fsdp":
            return (STATE + COPY) * self.parameters
        return STATE * self.parameters / self.gpus + COPY * self.parameters + 8 * self.gathered

    def sequences(self, how: str) -> int:
        """How many go through a GPU at a time: the power of two that fits, and no more than its share of the batch."""
        share = self.batch // (self.counted.T * self.gpus)
        fitting = int(min(share, (ROOM * self.memory - self.state(how)) // self.activations))
        return 1 << fitting.bit_length() - 1 if fitting > 0 else 0

    @property
    def how(self) -> str:
        """The first way that fits, FSDP2 being the last: it sends most."""
        ways = ["none"] if self.gpus == 1 else ["ddp", "fsdp"]
        return next((how for how in ways if self.sequences(how)), "does not fit")

    def part(self) -> str:
        if self.how == "does not fit":
            return ""
        number = self.sequences(self.how)
        return f"{number} x {self.batch // (self.counted.T * self.gpus * number)}"


def gigabytes(size: float) -> str:
    return f"{size / 1e9:,.1f} GB"


def short(number: float) -> str:
    """2489000000 -> 2.49B."""
    size, letter = next((pair for pair in ((1e12, "T"), (1e9, "B"), (1e6, "M")) if number >= pair[0]), (1, ""))
    return f"{number / size:.3g}{letter}"


def table(options: argparse.Namespace) -> str:
    """The plan as a table in Markdown: a column for each run."""
    gpu = ACCELERATORS[options.gpu]
    names, gpus = zip(*(run.split(":") for run in options.runs))
    runs = [Run(presets.get(n), int(g), options.seq_len, gpu.memory * 1e9, options.batch) for n, g in zip(names, gpus)]
    rows = [
        ("", names),
        ("---", ["---:"] * len(runs)),
        (f"{options.gpu} GPUs", gpus),
        ("parameters", [f"{r.parameters:,}" for r in runs]),
        ("tokens in a sequence", [f"{r.counted.T:,}" for r in runs]),
        ("training FLOPs a token", [f"{r.counted.training_flops:.3g}" for r in runs]),
        ("**Memory of a GPU**", [""] * len(runs)),
        ("weights, gradients, AdamW", [gigabytes(STATE * r.parameters) for r in runs]),
        ("with the copies: alone or DDP", [gigabytes(r.state("ddp")) for r in runs]),
        ("under FSDP2", ["" if r.gpus == 1 else gigabytes(r.state("fsdp")) for r in runs]),
        ("activations of a sequence", [gigabytes(r.activations) for r in runs]),
        ("the first way that fits", [r.how for r in runs]),
        ("sequences at a time x parts", [r.part() for r in runs]),
    ]

    def effort(title: str, tokens: list[float]) -> None:
        flops = [t * r.counted.training_flops for t, r in zip(tokens, runs)]
        hours = [f / (gpu.peak * options.share) / 3600 for f in flops]
        rows.extend(
            [
                (f"**{title}**", [""] * len(runs)),
                ("tokens", [short(t) for t in tokens]),
                ("updates", [f"{t / options.batch:,.0f}" for t in tokens]),
                ("training FLOPs", [f"{f:.2e}" for f in flops]),
                ("GPU hours", [f"{h:,.1f}" for h in hours]),
                ("days", [f"{h / 24 / r.gpus:,.1f}" for h, r in zip(hours, runs)]),
                (f"cost at {options.price:g} a GPU hour", [f"{h * options.price:,.0f}" for h in hours]),
            ]
        )

    ratio = options.tokens_per_parameter
    effort(f"{ratio:g} tokens a parameter", [ratio * r.parameters for r in runs])
    if set(names) <= set(PUBLISHED):
        effort("As many tokens as published", [PUBLISHED[name][0] for name in names])
        rows.append(("for", [PUBLISHED[name][1] for name in names]))
    return "\n".join(f"| {' | '.join([title, *cells])} |" for title, cells in rows)


def arguments(argv=None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("runs", nargs="*", default=RUNS, metavar="PRESET:GPUS", help=f"(default: {' '.join(RUNS)})")
    add("--gpu", choices=ACCELERATORS, default="H100", help="(default: %(default)s)")
    add("--share", type=float, default=0.4, help="of the peak that training reaches (default: %(default)s)")
    add("--price", type=float, default=2.0, help="of a GPU hour, in your currency (default: %(default)s, an example)")
    add("--batch", type=int, default=2**19, help="tokens of an update, all GPUs together (default: %(default)s)")
    add("--seq-len", type=int, help="tokens in a sequence (default: as many as the preset reads)")
    add("--tokens-per-parameter", type=float, default=20, help="(default: %(default)s; Hoffmann et al. 2022)")
    options = parser.parse_args(argv)
    for run in options.runs:
        name, _, gpus = run.partition(":")
        if name not in presets.PRESETS or not gpus.isdigit() or int(gpus) < 1:
            parser.error(f"{run!r} is no PRESET:GPUS such as gpt2:1; presets are {', '.join(presets.PRESETS)}")
    return options


if __name__ == "__main__":
    print(table(arguments()))
