"""Which objective prepares a model best? The same body pretrained by each, then tuned on a few labelled examples.

    python benchmarks/objectives.py --quick                 # a minute, to see that it runs
    python benchmarks/objectives.py --ledger --minutes 40   # stops in time and judges by what is done

Pretraining reads tales of level 2, at equal training FLOPs (counted by PyTorch over one batch of each objective, so
that a generator, or a head over all positions, is paid for), at the rate that is best for the objective on a seed of
its own and on examples that nothing else sees. "nothing" is the body as it was drawn. Then each is tuned in the same
way on the same labelled stories and pairs, and judged on others: how a tale ends (sentiment, from its last 64 words),
who does what (a role for each word), where a question is answered (both ends of the answer), and whether a sentence
follows another.

RoBERTa found that predicting the next sentence does not help (Liu et al. 2019, arXiv:1907.11692). Two things change
with it, so there are two comparisons: "pairs + next sentence" and "pairs" read the same batches and differ in the label
alone; "masked" reads whole rows instead of pairs.
"""

import argparse
import copy
import time
from dataclasses import replace
from datetime import UTC, datetime
from statistics import mean

import numpy as np
import torch
import torch.nn.functional as F
from machine import where
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from lmkit import Config
from lmkit.corpora import tales
from lmkit.corpora.labels import sentences
from lmkit.heads import Classifier, MaskedLM, SpanFinder, Tagger
from lmkit.lab.ledger import append
from lmkit.lab.statistics import paired
from lmkit.objectives import BATCHES, HEADS, NOT_ASKED, OBJECTIVES, Marks, Text, stream
from lmkit.objectives.pairs import joined
from lmkit.tokenizers import Words
from lmkit.train import train

LEVEL, T, B = 2, 64, 16
LABELLED, CHOSEN, JUDGED, QUESTIONS = 50, 200, 500, 4  # stories to tune on, to choose a rate by, to judge; of a story
ROLES = ["nothing", "verb", "who", "what", "whom", "where", "when", "how"]
BODY = Config(
    1, d_model=64, n_layers=2, n_heads=4, max_seq_len=T, norm="layernorm", positions="learned", init="fan_in",
    n_segments=2,
)  # fmt: skip
RATES = (2e-3, 4e-3, 8e-3)


def causal_batch(text, random, batch_size, seq_len, marks) -> dict:
    found = BATCHES["prefix"](text, random, batch_size, seq_len, marks)
    return {"ids": np.concatenate([found["ids"], found["targets"][:, -1:]], axis=1)}


def causal_loss(model, batch):
    return OBJECTIVES["causal"](model, batch["ids"])


def menu(name: str) -> tuple:
    return BATCHES[name], HEADS[name], OBJECTIVES[name]


VARIANTS = {  # the batch, the model, the loss
    "masked": menu("masked"),
    "causal": (causal_batch, HEADS["causal"], causal_loss),
    "prefix": menu("prefix"),
    "masked spans": menu("masked_spans"),
    "pairs": (BATCHES["next_sentence"], MaskedLM, OBJECTIVES["masked"]),
    "pairs + next sentence": menu("next_sentence"),
    "pairs + sentence order": menu("sentence_order"),
    "replaced": menu("replaced"),
}


class Tales:
    """What all runs share: text to pretrain on, and labelled examples."""

    def __init__(self, quick: bool):
        self.words = Words(tales.vocabulary(LEVEL, questions=True))
        self.marks = Marks.after(len(self.words))
        sample = tales.generate(20_000 if quick else 400_000, level=LEVEL)
        bounds = [*sample.starts, len(sample.words)]
        each = [(begin, sentences(sample.words[begin : end - 1])) for begin, end in zip(bounds, bounds[1:])]
        begins = np.array([begin + start for begin, spans in each for start, _ in spans])
        self.text = Text(np.array(self.words.ids(sample.words)), np.array(sample.starts), begins)
        n = LABELLED + CHOSEN + JUDGED
        told, pairs = tales.stories(n, seed=7, level=LEVEL), tales.next_sentence_pairs(n, seed=8, level=LEVEL)
        random = np.random.default_rng(9)
        self.tasks = {
            "sentiment": self.padded([self.words.ids(s.words[-T:]) for s in told])
            | {"label": torch.tensor([int(s.sentiment == "positive") for s in told])},
            "roles": self.padded([self.words.ids(s.words[:T]) for s in told])
            | {"label": torch.tensor([roles(s) for s in told])},
            "questions": self.questions(told, random),
            "next sentence": self.pairs([(self.words.encode(p.first), self.words.encode(p.second)) for p in pairs])
            | {"label": torch.tensor([int(not p.is_next) for p in pairs])},
        }

    def padded(self, rows: list[list[int]]) -> dict:
        ids = torch.full((len(rows), T), self.marks.pad)
        for i, row in enumerate(rows):
            ids[i, : len(row)] = torch.tensor(row)
        return {"ids": ids, "real": ids != self.marks.pad}

    def pairs(self, pairs: list[tuple]) -> dict:
        both = [joined(first, second, self.marks, T) for first, second in pairs]
        parts = [segments + [0] * (T - len(segments)) for _, segments in both]
        return self.padded([ids for ids, _ in both]) | {"segments": torch.tensor(parts)}

    def questions(self, told: list, random: np.random.Generator) -> dict:
        """Some questions of each story, each with as much of it as fits, in which the answer stands anywhere."""
        both, label = [], []
        for story in told:
            for i in random.choice(len(story.questions), size=QUESTIONS, replace=False):
                asked, (start, end) = self.words.encode(story.questions[i].text), story.questions[i].span
                room = T - 3 - len(asked)
                first = random.integers(max(0, end - room), max(0, min(start, len(story.words) - room)) + 1)
                both.append((asked, self.words.ids(story.words[first : first + room])))
                label.append([len(asked) + 2 + place - first for place in (start, end - 1)])
        return self.pairs(both) | {"label": torch.tensor(label)}

    def part(self, task: str, which: str, device: str) -> dict:
        """The examples of a task that are there to tune on (labelled), to choose a rate by (chosen), to judge."""
        bounds = {
            "labelled": (0, LABELLED),
            "chosen": (LABELLED, LABELLED + CHOSEN),
            "judged": (LABELLED + CHOSEN, None),
        }
        each = QUESTIONS if task == "questions" else 1
        some = slice(*(end and end * each for end in bounds[which]))
        return {key: value[some].to(device) for key, value in self.tasks[task].items()}


def roles(story) -> list[int]:
    """A role for each of the first T words; padding is not asked."""
    found = [0] * min(T, len(story.words))
    for frame in story.roles:
        for name, (start, end) in {"verb": frame.verb, **frame.roles}.items():
            for i in range(start, min(end, len(found))):
                found[i] = ROLES.index(name)
    return found + [NOT_ASKED] * (T - len(found))


def built(name: str, data: Tales, device: str = "cpu"):
    config = replace(BODY, vocab_size=data.marks.vocab_size, causal=name in ("causal", "prefix"))
    return VARIANTS[name][1](config).to(device)


def flops(name: str, data: Tales) -> int:
    """Of a forward and backward over one batch; attention in plain products, as fused ones are not all counted."""
    make, _, loss = VARIANTS[name]
    batch = next(stream(make, data.text, B, T, data.marks))
    with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH):
        loss(built(name, data), batch).backward()
    return counter.get_total_flops()


def pretrain(name: str, data: Tales, seed: int, lr: float, steps: int, device: str):
    torch.manual_seed(seed)
    if name == "nothing":
        return built("masked", data, device).body, []
    make, _, loss = VARIANTS[name]
    model, batches = built(name, data, device), stream(make, data.text, B, T, data.marks, seed, device=device)
    losses = [s.loss for s in train(model, batches, loss, steps=steps, lr=lr)]
    each = max(1, steps // 10)
    return model.body, [round(mean(losses[i : i + each]), 4) for i in range(0, steps, each)]


def answers(head, batch: dict) -> torch.Tensor:
    """The scores (B, ..., classes) of all that is asked; a span's first and last place are two questions."""
    given = head(batch["ids"], **{key: batch[key] for key in ("real", "segments") if key in batch})
    return torch.stack(given, dim=1) if isinstance(given, tuple) else given


def tuned(body, task: str, data: Tales, seed: int, steps: int, device: str, which: str) -> float:
    """The accuracy on examples of `which` kind, after tuning a copy of the body on the labelled ones."""
    torch.manual_seed(seed)
    body = copy.deepcopy(body)
    build = {"roles": lambda: Tagger(body.config, len(ROLES), body), "questions": lambda: SpanFinder(body.config, body)}
    head = build.get(task, lambda: Classifier(body.config, 2, body))().to(device)
    found, random = data.part(task, "labelled", device), np.random.default_rng(seed)

    def batches():
        while True:
            at = torch.from_numpy(random.integers(len(found["ids"]), size=B)).to(device)
            yield {key: value[at] for key, value in found.items()}

    def loss(head, batch):
        logits = answers(head, batch)
        return F.cross_entropy(logits.flatten(0, -2), batch["label"].flatten(), ignore_index=NOT_ASKED)

    for _ in train(head, batches(), loss, steps=steps, lr=1e-3, warmup=10, schedule="linear"):
        pass
    with torch.no_grad():
        rest = data.part(task, which, device)
        guess, label = answers(head.eval(), rest).argmax(dim=-1), rest["label"]
    right = guess == label
    return float((right.all(dim=-1) if task == "questions" else right[label != NOT_ASKED]).float().mean())


def table(results: dict[str, dict[int, dict]], tasks: list[str]) -> None:
    """Accuracies, and the paired differences of their means to "masked" and of the two pairs to each other."""
    print(f"\n{'accuracy':<24}{''.join(f'{task:>15}' for task in tasks)}{'mean':>8}  seeds  its difference to masked")
    average = {name: {seed: mean(r.values()) for seed, r in by_seed.items()} for name, by_seed in results.items()}
    for name, by_seed in results.items():
        each = "".join(f"{mean(r[task] for r in by_seed.values()):>15.3f}" for task in tasks)
        against = "" if name == "masked" else repr(paired(average[name], average["masked"]))
        print(f"{name:<24}{each}{mean(average[name].values()):>8.3f}{len(by_seed):>7}  {against}")
    for task in (*tasks, "mean") if "pairs + next sentence" in results else ():
        with_it, without = (
            {seed: average[name][seed] if task == "mean" else r[task] for seed, r in results[name].items()}
            for name in ("pairs + next sentence", "pairs")
        )
        print(f"what asking for the next sentence adds, {task}: {paired(with_it, without)!r}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--steps", type=int, default=500, help="of the objective `masked`; others get as many FLOPs (%(default)s)")
    add("--tune-steps", type=int, default=120)
    add("--seeds", type=int, default=3)
    add("--minutes", type=float, default=float("inf"), help="begin no run after so many, and judge by what is done")
    add("--device", default="cpu")
    add("--threads", type=int, default=1)
    add("--ledger", action="store_true", help="append the rows to lmkit/ledger/objectives.jsonl")
    add("--quick", action="store_true", help="a few steps of one seed")
    o = parser.parse_args()
    torch.set_num_threads(o.threads)
    if o.quick:
        o.steps, o.tune_steps, o.seeds = 6, 4, 1
    print(where())
    data, began = Tales(o.quick), time.perf_counter()
    cost = {name: flops(name, data) for name in VARIANTS} | {"nothing": 0}
    steps = {name: round(o.steps * cost["masked"] / cost[name]) for name in VARIANTS} | {"nothing": 0}

    def late() -> bool:
        return time.perf_counter() - began > 60 * o.minutes

    def run(name: str, seed: int, lr: float, swept: bool) -> dict:
        start, which = time.perf_counter(), "chosen" if swept else "judged"
        body, curve = pretrain(name, data, seed, lr, steps[name], o.device)
        result = {task: tuned(body, task, data, seed, o.tune_steps, o.device, which) for task in data.tasks}
        row = dict(
            study="objectives", corpus="tales", size="S", variant=name, seed=seed, swept=swept, lr=lr, result=result,
            curve=curve, steps=steps[name], tokens=steps[name] * B * T, training_flops=steps[name] * cost[name],
            parameters=sum(p.numel() for p in body.parameters()), seconds=round(time.perf_counter() - start, 1),
            settings=dict(level=LEVEL, seq_len=T, batch_size=B, labelled=LABELLED, tune_steps=o.tune_steps, of=which),
            config=body.config.to_dict(), hardware=where(), date=f"{datetime.now(UTC):%Y-%m-%d}", code=None, key=None,
        )  # fmt: skip
        if o.ledger:
            append(row)
        return result

    best, results = {"nothing": 0.0}, {}
    for name in VARIANTS:
        tried = {}
        for lr in RATES[:1] if o.quick else RATES:
            if not (late() and tried):
                tried[lr] = mean(run(name, 100, lr, True).values())
        best[name] = max(tried, key=tried.get)
        said = ", ".join(f"{lr:g}: {accuracy:.3f}" for lr, accuracy in tried.items())
        print(f"{name}: {steps[name]} steps, rate {best[name]:g} of {said}", flush=True)
    for seed in range(o.seeds):
        if seed and late():
            print(f"{o.minutes:g} minutes are over: {seed} of {o.seeds} seeds are done")
            break
        for name in ("nothing", *VARIANTS):
            results.setdefault(name, {})[seed] = run(name, seed, best[name], False)
            print(seed, name, {task: round(r, 3) for task, r in results[name][seed].items()}, flush=True)
    table(results, list(data.tasks))


if __name__ == "__main__":
    main()
