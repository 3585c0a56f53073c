"""Sick loss curves for the figure `loss_curves`: real runs of a small model, each with one bug planted on purpose.

    python benchmarks/clinic.py            # half a minute; prints the curves
    python benchmarks/clinic.py --write    # stores them in lmkit/widgets/loss_curves.json
    python benchmarks/clinic.py --quick

The model has two layers of width 48 and reads tales (8 windows of 48 words a step, AdamW at 1e-2, a cosine to zero). A
point of the training curve is the mean of 4 steps; the held-out loss is taken every 20 steps with the same code, its
bug included, as it would be in life. What a model says is its likeliest going on with "Once there was a".
"""

import argparse
import json
import math
from pathlib import Path

import numpy as np
import torch
from machine import where

import lmkit
from lmkit.corpora import tales
from lmkit.data import batches, windows
from lmkit.objectives import cross_entropy, next_token_loss
from lmkit.optimizers import adamw
from lmkit.schedules import cosine
from lmkit.tokenizers import Words
from lmkit.train import evaluate, train

STORED = Path(lmkit.__file__).parent / "widgets" / "loss_curves.json"
T, B, EACH, LOOK = 48, 8, 4, 20
SIZES = dict(
    d_model=48, n_layers=2, n_heads=4, max_seq_len=64, positions="rope", norm="rmsnorm", bias=False, init="gpt2"
)  # fmt: skip


def shuffled(model, ids):
    """Each position is asked for a word from anywhere in the batch."""
    targets = ids[:, 1:].flatten()
    order = torch.randperm(len(targets), generator=torch.Generator().manual_seed(int(targets.sum())))
    return cross_entropy(model(ids[:, :-1]), targets[order].view(len(ids), -1))


def unshifted(model, ids):
    """Each position is asked for the word that it reads."""
    return cross_entropy(model(ids[:, :-1]), ids[:, :-1])


def summed(model, ids):
    """Eight parts of a batch, whose mean losses are added up and not averaged."""
    return 8 * next_token_loss(model, ids)


def keeping(optimizers: list) -> list:
    """The same optimizers, whose gradients nobody clears."""
    for optimizer in optimizers:
        optimizer.zero_grad = lambda set_to_none=True: None
    return optimizers


def over_early(step: int, steps: int, warmup: int) -> float:
    """A cosine that was told a quarter of the steps, and stays at zero after them."""
    return cosine(min(step, steps // 4), steps // 4, warmup)


CASES = {  # what differs from the healthy run
    "healthy": {},
    "the rate is too high": dict(lr=0.1),
    "the targets are not shifted": dict(objective=unshifted),
    "the schedule is over too soon": dict(schedule=over_early),
    "the text is too small": dict(stories=40),
    "the losses of the parts are summed": dict(objective=summed),
    "the targets are shuffled": dict(objective=shuffled),
    "the causal mask is missing": dict(model=dict(causal=False)),
    "the gradients are not cleared": dict(keep=True, clip=None),
    "the rate is too low": dict(lr=1e-4),
}


class Text:
    def __init__(self):
        self.words, sample, held = Words(tales.VOCABULARY), tales.generate(200_000), tales.generate(6_000, seed=1)
        self.ids, self.starts = np.array(self.words.ids(sample.words)), sample.starts
        self.rows = torch.from_numpy(windows(self.words.ids(held.words), held.starts, T))
        self.floor = float(-windows(held.logprobs, held.starts, T)[:, 1:].mean())


def run(
    text: Text, steps: int, model=None, objective=next_token_loss, lr=1e-2, stories=None, keep=False,
    schedule="cosine", clip=1.0,
) -> dict:  # fmt: skip
    torch.manual_seed(0)
    built = lmkit.LM(lmkit.Config(len(text.words), **SIZES | (model or {})))
    stream = batches(text.ids, B, T, text.starts[:stories])
    optimizers = adamw(built, lr, 0.1)
    how = dict(lr=lr, warmup=10, clip=clip, schedule=schedule, optimizer=keeping(optimizers) if keep else optimizers)
    losses, held = [], []
    for step in train(built, stream, objective, steps=steps, **how):
        losses.append(step.loss)
        if (step.step + 1) % LOOK == 0:
            held.append(round(evaluate(built, text.rows, objective), 3))
    means = [round(float(np.mean(losses[at : at + EACH])), 3) for at in range(0, steps, EACH)]
    return dict(train=means, held=held, says=said(built.eval(), text.words))


@torch.no_grad()
def said(model, words: Words, number: int = 14) -> str:
    """The likeliest words, one by one: lmkit.generate has a cache, and the patient without a mask can have none."""
    ids = torch.tensor([words.encode("Once there was a")])
    for _ in range(number):
        ids = torch.cat([ids, model(ids)[:, -1:].argmax(-1)], dim=1)
    return " ".join(words.decode(ids[0].tolist()).split())


STEPS = 240


def record(steps: int = STEPS) -> dict:
    """All curves, with the lines that they are read against."""
    text = Text()
    lines = {"ln V": round(math.log(len(text.words)), 3), "exact floor": round(text.floor, 3)}
    curves = {name: run(text, steps, **how) for name, how in CASES.items()}
    return dict(each=EACH, look=LOOK, lines=lines, curves=curves)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help=f"store them in {STORED.name}")
    parser.add_argument("--quick", action="store_true", help="a few steps, to see that it runs")
    options = parser.parse_args()
    torch.set_num_threads(1)
    found = record(LOOK if options.quick else STEPS)
    print(where())
    for name, curve in found["curves"].items():
        print(f"{name:36s} {curve['train'][0]:6.2f} -> {curve['train'][-1]:5.2f}, held-out {curve['held'][-1]:5.2f}")
        print(f"    {curve['says']}")
    if options.write:
        STORED.write_text(json.dumps(found, separators=(",", ":")).replace('"the ', '\n"the ') + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
