"""Chapter 10. A comparison: a base, variants of it, and what is held equal; its runs, and the sweep before them."""

import math
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

from ..config import Config
from . import fair, ledger, settings
from .code import code_hash
from .running import DECIDE, costs, run_all
from .table import Table
from .texts import seq_len_for, text_for

# What a study calls a run; the rest is the run's own.
NAMES = ("study", "corpus", "size", "variant", "equal", "rescaled")
SWEEP_SEED = 100  # of the runs that choose the learning rate, so that no seed of the comparison has a say in it
CORPORA = {
    "tales": dict(corpus="tales", tokenizer="words"),
    "tinyshakespeare": dict(corpus="tinyshakespeare", tokenizer="characters"),
}


@dataclass(frozen=True)
class Study:
    """What is compared. The first variant is the one that the others are held against.

    Settings are changed in this order: base, corpus, size, variant. `equal` names what all variants of a size have
    equal with the first: "parameters" (widths give way), "flops" (steps give way), both, or neither: then it is the
    number of steps. `lengths` are those of the evaluation, in lengths of training. Each variant's learning rate is the
    best of `rates` times its `lr`, and further ones as long as the best stands at the edge; one rate is not swept.
    """

    name: str
    question: str
    variants: dict[str, dict]
    base: dict = field(default_factory=dict)
    corpora: dict[str, dict] = field(default_factory=lambda: dict(CORPORA))
    sizes: dict[str, dict] = field(default_factory=lambda: {"S": {}})
    equal: tuple[str, ...] = ("parameters", "flops")
    lengths: tuple[int, ...] = (1,)
    rates: tuple[float, ...] = (0.5, 1.0, 2.0)
    seeds: int = 3

    def __post_init__(self):
        if set(self.equal) - {"parameters", "flops"}:
            raise ValueError(f"equal says what is held equal, of 'parameters' and 'flops'; not {self.equal}")
        if self.seeds < 1 or not self.rates or not self.variants or 1 not in self.lengths:
            raise ValueError("a study needs a variant, a rate, a seed, and 1 among its lengths")

    def plan(self) -> list[dict]:
        """One row per variant, size and corpus, with all that is known before it runs."""
        found = []
        for corpus, size in product(self.corpora, self.sizes):
            rows = []
            for variant in self.variants:
                rows.append(self._planned(corpus, size, variant, rows[0] if rows else None))
            found += rows
        return found

    def _planned(self, corpus: str, size: str, variant: str, first: dict | None) -> dict:
        """The row of one variant, made equal to the first of its corpus and size."""
        s = settings.of(self.base)
        for changes in (self.corpora[corpus], self.sizes[size], self.variants[variant]):
            s = settings.changed(s, changes)
        text = text_for(s)
        s |= dict(seq_len=seq_len_for(s, text))
        asked = config = Config.from_dict(s["model"] | dict(vocab_size=text.vocab_size, max_seq_len=s["seq_len"]))
        if first and "parameters" in self.equal:
            config = fair.with_parameters(config, first["active_parameters"])
        widths = {w: [getattr(asked, w), getattr(config, w)] for w in ("d_ff", "d_model")}
        rescaled = {w: [old, new] for w, (old, new) in widths.items() if old != new}
        s["model"] = s["model"] | dict(d_model=config.d_model) | ({} if config.d_ff is None else dict(d_ff=config.d_ff))
        if first and "flops" in self.equal:
            step = fair.step_flops(config, s["batch_size"], s["seq_len"])
            s["steps"] = max(1, round(first["training_flops"] / step))
        return dict(
            study=self.name, corpus=corpus, size=size, variant=variant, settings=s, lengths=list(self.lengths),
            equal=list(self.equal), rescaled=rescaled, floor=text.floor_bits and text.floor_bits / text.n_bytes,
            counter=text.counter, bytes_per_token=round(text.bytes_per_token, 4), data=text.digest,
            code=code_hash(s, *DECIDE), **costs(config, s),
        )  # fmt: skip

    def run(
        self, folder: str | Path | None = ledger.FOLDER, known: Iterable[dict] = (), stale: bool = True,
        until: float = math.inf, watch: Callable = iter, **how,
    ) -> list[dict]:
        """Run what is not yet in the ledger, sweeps first, and return all rows; `how` is that of `run_all`.

        `known` are rows of elsewhere, such as other studies, whose runs are taken over. `stale=False` takes rows of
        other code as they are. `watch` is handed the iterator of the rows, as tqdm would be.
        """
        at_hand, rows = {}, []
        for row in [*known, *(ledger.read(folder=folder) if folder and Path(folder).is_dir() else [])]:
            at_hand.setdefault(row["key"], []).append(row)

        def keep(done: dict, wanted: dict) -> None:
            """A row under the name that this study has for it; written down unless it stands there already."""
            row = done | {name: wanted[name] for name in NAMES}
            rows.append(row)
            if row not in at_hand.setdefault(row["key"], []):
                at_hand[row["key"]].append(row)
                if folder:
                    ledger.append(row, folder)

        def finish(wanted: list[dict]) -> Iterator[dict]:
            todo = {}
            for row in wanted:
                same = [old for old in at_hand.get(row["key"], []) if old["data"] == row["data"]]
                same = [old for old in same if old["code"] == row["code"] or not stale]
                if same:
                    keep(same[-1], row)
                else:
                    todo.setdefault(row["key"], []).append(row)
            jobs = [(alike[0], text_for(alike[0]["settings"])) for alike in todo.values()]
            for done in run_all(jobs, until=until, **how) if jobs else ():
                for row in todo[done["key"]]:
                    keep(done, row)
                yield done

        plans = self.plan()
        wanted = [(i, rate * plan["settings"]["lr"]) for i, plan in enumerate(plans) for rate in self.rates]
        tried = {i: {} for i in range(len(plans))}  # learning rate: loss
        if len(self.rates) == 1:
            tried, wanted = {i: {lr: math.nan} for i, lr in wanted}, []
        while wanted and time.time() < until:
            jobs = {i_lr: with_rate(plans[i_lr[0]], i_lr[1], SWEEP_SEED, swept=True) for i_lr in wanted}
            for _ in watch(finish(list(jobs.values()))):
                pass
            for (i, lr), job in jobs.items():
                if found := [row for row in rows if row["key"] == job["key"]]:
                    loss = found[-1]["bits_per_byte"]
                    tried[i][lr] = math.inf if loss is None else loss
            wanted = [(i, lr) for i in tried if (lr := beyond(tried[i])) is not None and (i, lr) not in jobs]
        best = {i: min(losses, key=losses.get) for i, losses in tried.items() if losses}
        finals = [with_rate(plans[i], best[i], seed) for seed in range(self.seeds) for i in best]
        for _ in watch(finish(finals)):
            pass
        return ledger.newest(rows)


def with_rate(plan: dict, lr: float, seed: int, swept: bool = False) -> dict:
    """The row of one run, and its key: what it does, whatever it is called."""
    s = plan["settings"] | dict(lr=float(f"{lr:.3g}"), seed=seed)
    row = plan | dict(settings=s, lr=s["lr"], seed=seed, swept=swept)
    return row | dict(key=settings.key([s, plan["lengths"]]))


def beyond(tried: dict[float, float], most: int = 7) -> float | None:
    """The next rate to try, twice or half the best, if that stands at the edge of what was tried."""
    finite = {lr: loss for lr, loss in tried.items() if loss < math.inf}
    if not tried or len(tried) >= most:
        return None
    best = min(finite, key=finite.get) if finite else min(tried)
    if best == min(tried):
        return best / 2
    return 2 * best if best == max(tried) else None


class Comparison(Table):
    """What `compare` found: printed, it is the table; `.rows` are those of the ledger."""


def compare(
    base: Config | dict,
    variants: dict[str, dict],
    budget: int | None = None,
    seeds: int = 3,
    *,
    corpora: dict[str, dict] | None = None,
    sizes: dict[str, dict] | None = None,
    equal: tuple[str, ...] = ("parameters", "flops"),
    lengths: tuple[int, ...] = (1,),
    rates: tuple[float, ...] = (0.5, 1.0, 2.0),
    name: str = "comparison",
    folder: str | Path | None = None,
    **how,
) -> Comparison:
    """Train `base` and its variants side by side, fairly, and say how they differ, with 95 % intervals.

    >>> lab.compare({}, {"alibi": {"positions": "alibi"}, "learned": {"positions": "learned"}}, budget=300)

    `base` is a Config, or changes to `lab.BASE`; a variant is what it changes, of the Config or of the training.
    `budget` is the number of steps of the base, whose FLOPs all variants have. Everything else is as in Study; rows go
    to `folder`, if one is given, and are not run again. `how`: device, workers, at_once, until.
    """
    start = settings.of(base) | ({} if budget is None else dict(steps=budget))
    variants = {"base": {}} | variants
    one = {"corpus": {}} if corpora is None else corpora
    if corpora is None:
        one = {start["corpus"]: {}}
    study = Study(name, "", variants, start, one, sizes or {"S": {}}, equal, lengths, rates, seeds)
    return Comparison(study.run(folder, **how), name, next(iter(variants)))
