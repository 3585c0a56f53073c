"""Which objective prepares a model best? The same body pretrained by each, then tuned on a few labelled examples.

    python benchmarks/objectives.py --quick                 # a minute, to see that it runs
    python benchmarks/objectives.py --ledger                # about ten minutes on one core

Pretraining reads tales of level 2, at equal training FLOPs (counted by PyTorch over one batch of each objective, so
that a generator, or a head over all positions, is paid for), at the rate that is best for the objective on a seed of
its own. "nothing" is the body as it was drawn. Then each is tuned in the same way on the same 200 examples of three
tasks, and judged on 500 others: how a tale ends (sentiment, from its last 64 words), who does what (a role for each
word), and whether a sentence follows another. RoBERTa found that predicting the next sentence does not help (Liu et al. 2019,
arXiv:1907.11692): compare "masked" and "masked + next sentence".
"""

import argparse
import copy
import json
import time
from dataclasses import replace
from datetime import UTC, datetime
from statistics import mean

import numpy as np
import torch
import torch.nn.functional as F
from machine import where
from torch.utils.flop_counter import FlopCounterMode

from lmkit import Config
from lmkit.corpora import tales
from lmkit.heads import Classifier, Tagger
from lmkit.lab.ledger import append
from lmkit.lab.statistics import paired
from lmkit.objectives import BATCHES, HEADS, NOT_ASKED, OBJECTIVES, Marks, Text, stream
from lmkit.objectives.pairs import joined
from lmkit.tokenizers import Words
from lmkit.train import train

LEVEL, T, B, LABELLED, JUDGED = 2, 64, 16, 200, 500
ROLES = ["nothing", "verb", "who", "what", "whom", "where", "when", "how"]
BODY = Config(
    1, d_model=64, n_layers=2, n_heads=4, max_seq_len=T, norm="layernorm", positions="learned", init="fan_in",
    n_segments=2,
)  # fmt: skip
NAMES = {
    "masked": "masked", "causal": "causal", "prefix": "prefix", "masked spans": "masked_spans",
    "masked + next sentence": "next_sentence", "masked + sentence order": "sentence_order", "replaced": "replaced",
}  # fmt: skip
RATES = (2e-3, 4e-3, 8e-3)


def causal_batch(text, random, batch_size, seq_len, marks):
    ids = BATCHES["prefix"](text, random, batch_size, seq_len, marks)
    return {"ids": np.concatenate([ids["ids"], ids["targets"][:, -1:]], axis=1)}


MAKE = BATCHES | {"causal": causal_batch}
LOSS = OBJECTIVES | {"causal": lambda model, batch: OBJECTIVES["causal"](model, batch["ids"])}


class Tales:
    """What all runs share: text to pretrain on, and labelled examples."""

    def __init__(self, quick: bool):
        self.words = Words(tales.vocabulary(LEVEL))
        self.marks = Marks.after(len(self.words))
        sample = tales.generate(20_000 if quick else 400_000, level=LEVEL)
        ids = np.array(self.words.ids(sample.words))
        ends = [i + 1 for i, word in enumerate(sample.words) if word in (".", "!", "?")]
        starts = np.union1d(sample.starts, [end for end in ends if end < len(ids)])
        self.text = Text(ids, sample.starts, starts)
        told = tales.stories(LABELLED + JUDGED, seed=7, level=LEVEL)
        pairs = tales.next_sentence_pairs(LABELLED + JUDGED, seed=8, level=LEVEL)
        self.tasks = {
            "sentiment": padded([self.words.ids(s.words[-T:]) for s in told], self.marks)
            | {"label": torch.tensor([int(s.sentiment == "positive") for s in told])},
            "roles": padded([self.words.ids(s.words[:T]) for s in told], self.marks)
            | {"label": torch.tensor([roles(s) for s in told])},
            "next sentence": self.paired(pairs),
        }

    def paired(self, pairs) -> dict:
        both = [joined(*(self.words.encode(s) for s in (p.first, p.second)), self.marks, T) for p in pairs]
        found = padded([ids for ids, _ in both], self.marks)
        segments = torch.zeros_like(found["ids"])
        for row, (_, parts) in enumerate(both):
            segments[row, : len(parts)] = torch.tensor(parts)
        return found | {"segments": segments, "label": torch.tensor([int(not p.is_next) for p in pairs])}


def padded(rows: list[list[int]], marks: Marks) -> dict:
    ids = torch.full((len(rows), T), marks.pad)
    for i, row in enumerate(rows):
        ids[i, : len(row)] = torch.tensor(row)
    return {"ids": ids, "real": ids != marks.pad}


def roles(story) -> list[int]:
    """A role for each of the first T words; padding is not asked."""
    found = [0] * min(T, len(story.words))
    for frame in story.roles:
        for name, (start, end) in {"verb": frame.verb, **frame.roles}.items():
            for i in range(start, min(end, len(found))):
                found[i] = ROLES.index(name)
    return found + [NOT_ASKED] * (T - len(found))


def config_for(name: str, vocab_size: int) -> Config:
    return replace(BODY, vocab_size=vocab_size, causal=name in ("causal", "prefix"))


def flops(name: str, data: Tales) -> int:
    """Of a forward and backward over one batch."""
    model = HEADS[NAMES[name]](config_for(name, data.marks.vocab_size))
    batch = next(stream(MAKE[NAMES[name]], data.text, B, T, data.marks))
    with FlopCounterMode(display=False) as counter:
        LOSS[NAMES[name]](model, batch).backward()
    return counter.get_total_flops()


def pretrain(name: str, data: Tales, seed: int, lr: float, steps: int, device: str):
    torch.manual_seed(seed)
    if name == "nothing":
        return HEADS["masked"](config_for("masked", data.marks.vocab_size)).to(device).body, []
    model = HEADS[NAMES[name]](config_for(name, data.marks.vocab_size)).to(device)
    batches = stream(MAKE[NAMES[name]], data.text, B, T, data.marks, seed, device=device)
    losses = [s.loss for s in train(model, batches, LOSS[NAMES[name]], steps=steps, lr=lr)]
    each = max(1, steps // 10)
    return model.body, [round(mean(losses[i : i + each]), 4) for i in range(0, steps, each)]


def tuned(body, task: str, data: Tales, seed: int, steps: int, device: str) -> float:
    """The accuracy on the judged examples after tuning a copy of the body on the labelled ones."""
    torch.manual_seed(seed)
    body = copy.deepcopy(body)
    head = Tagger(body.config, len(ROLES), body=body) if task == "roles" else Classifier(body.config, 2, body=body)
    head, found = head.to(device), {k: v.to(device) for k, v in data.tasks[task].items()}
    random = np.random.default_rng(seed)

    def batches():
        while True:
            at = torch.from_numpy(random.integers(LABELLED, size=16)).to(device)
            yield {key: value[at] for key, value in found.items()}

    def asked(model, batch):
        inputs = {key: value for key, value in batch.items() if key not in ("label", "ids")}
        return model(batch["ids"], **inputs)

    def loss(model, batch):
        logits = asked(model, batch)
        return F.cross_entropy(logits.flatten(0, -2), batch["label"].flatten(), ignore_index=NOT_ASKED)

    for _ in train(head, batches(), loss, steps=steps, lr=1e-3, warmup=10, schedule="linear"):
        pass
    with torch.no_grad():
        rest = {key: value[LABELLED:] for key, value in found.items()}
        guess, label = asked(head.eval(), rest).argmax(dim=-1), rest["label"]
    return float((guess == label)[label != NOT_ASKED].float().mean())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--steps", type=int, default=500, help="of the objective `masked`; others get as many FLOPs (%(default)s)")
    add("--tune-steps", type=int, default=120)
    add("--seeds", type=int, default=3)
    add("--device", default="cpu")
    add("--threads", type=int, default=1)
    add("--ledger", action="store_true", help="append the rows to lmkit/ledger/objectives.jsonl")
    add("--quick", action="store_true", help="a few steps of one seed")
    o = parser.parse_args()
    torch.set_num_threads(o.threads)
    if o.quick:
        o.steps, o.tune_steps, o.seeds = 6, 4, 1
    print(where())
    data = Tales(o.quick)
    cost = {name: flops(name, data) for name in NAMES}
    steps = {name: round(o.steps * cost["masked"] / cost[name]) for name in NAMES} | {"nothing": 0}
    results = {}

    def run(name: str, seed: int, lr: float, swept: bool) -> dict:
        began = time.perf_counter()
        body, curve = pretrain(name, data, seed, lr, steps[name], o.device)
        result = {task: tuned(body, task, data, seed, o.tune_steps, o.device) for task in data.tasks}
        row = dict(
            study="objectives", corpus="tales", size="S", variant=name, seed=seed, swept=swept, lr=lr, result=result,
            curve=curve, steps=steps[name], tokens=steps[name] * B * T, training_flops=steps[name] * cost.get(name, 0),
            parameters=sum(p.numel() for p in body.parameters()), seconds=round(time.perf_counter() - began, 1),
            settings=dict(level=LEVEL, seq_len=T, batch_size=B, labelled=LABELLED, tune_steps=o.tune_steps),
            config=body.config.to_dict(), hardware=where(), date=f"{datetime.now(UTC):%Y-%m-%d}", code=None, key=None,
        )  # fmt: skip
        if o.ledger:
            append(row)
        return row

    best = {"nothing": 0.0}
    for name in NAMES:
        tried = {lr: mean(run(name, 100, lr, True)["result"].values()) for lr in (RATES[:1] if o.quick else RATES)}
        best[name] = max(tried, key=tried.get)
        print(f"{name}: {steps[name]} steps, rate {best[name]:g} of {json.dumps(tried)}", flush=True)
    for name in ("nothing", *NAMES):
        results[name] = {seed: run(name, seed, best[name], False)["result"] for seed in range(o.seeds)}
        print(name, {task: round(mean(r[task] for r in results[name].values()), 3) for task in data.tasks}, flush=True)
    columns = "".join(f"{task:>16}" for task in data.tasks)
    print(f"\n{'accuracy':<26}{columns}      mean, and its difference to masked")
    average = {name: {s: mean(r.values()) for s, r in by_seed.items()} for name, by_seed in results.items()}
    for name, by_seed in results.items():
        each = "".join(f"{mean(r[task] for r in by_seed.values()):>16.3f}" for task in data.tasks)
        against = "" if name == "masked" else f"  {paired(average[name], average['masked'])!r}"
        print(f"{name:<26}{each}     {mean(average[name].values()):.3f}{against}")


if __name__ == "__main__":
    main()
