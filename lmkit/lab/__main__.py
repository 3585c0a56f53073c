"""Run studies of the lab: what the ledger does not have yet, or has from other code.

python -m lmkit.lab                                 # what there is, and how much of it is done
python -m lmkit.lab positions                       # the table of a study
python -m lmkit.lab positions --run --workers 2     # run what is missing, then show it
python -m lmkit.lab --all --run --device cuda --minutes 8 --out rows
"""

import argparse
import math
import sys
import time
from collections.abc import Iterator
from dataclasses import replace

from . import ledger
from .compare import Study
from .studies import SIZES, STUDIES
from .table import Table, is_stale, table


def arguments(argv=None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m lmkit.lab", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("studies", nargs="*", metavar="STUDY", help=f"of {', '.join(STUDIES)}")
    add("--all", action="store_true", help="all studies, in this order")
    add("--run", action="store_true", help="run what is missing")
    add("--stale", action="store_true", help="run what is missing, and again what other code found")
    add("--dry-run", action="store_true", help="only say what would be run, with steps and FLOPs")
    add("--device", default="cpu", help="cpu or cuda (default: %(default)s)")
    add("--workers", type=int, default=1, help="processes side by side (default: %(default)s)")
    add("--at-once", type=int, help="runs that take turns in each process (default: 1, on cuda 16)")
    add("--minutes", type=float, default=math.inf, help="stop then, with what is done")
    add("--out", default=str(ledger.FOLDER), help="the folder of the rows (default: the ledger in lmkit)")
    add("--seeds", type=int, help="so many per variant, instead of the study's own")
    add("--steps", type=int, help="so many of the first variant, instead of the study's own")
    add("--corpora", nargs="+", help="these only")
    add("--sizes", nargs="+", choices=SIZES, default=["S"], help="of models and runs; L is for a card (default: S)")
    options = parser.parse_args(argv)
    if unknown := set(options.studies) - set(STUDIES):
        parser.error(f"there is no study {sorted(unknown)}; expected some of {', '.join(STUDIES)}")
    options.studies = list(STUDIES) if options.all else options.studies
    return options


def chosen(o: argparse.Namespace) -> list[Study]:
    """The studies as the options want them, the smallest size of each first."""
    found = []
    for size in sorted(o.sizes, key=list(SIZES).index):
        for study in (STUDIES[name] for name in o.studies):
            corpora = {name: how for name, how in study.corpora.items() if not o.corpora or name in o.corpora}
            short = dict(steps=o.steps, warmup=min(20, o.steps // 5)) if o.steps else {}
            if corpora and size in study.sizes:
                sizes = {size: study.sizes[size] | short}
                found.append(replace(study, corpora=corpora, sizes=sizes, seeds=o.seeds or study.seeds))
    if not found:
        there = {size for name in o.studies for size in STUDIES[name].sizes}
        asked = f"no size {' or '.join(o.sizes)}" if not there & set(o.sizes) else f"nothing on {', '.join(o.corpora)}"
        sys.exit(f"{', '.join(o.studies)}: {asked}; these have {', '.join(sorted(there, key=list(SIZES).index))}")
    return found


def main(argv=None) -> None:
    o = arguments(argv)
    until = time.time() + 60 * o.minutes
    known = [row for row in ledger.read() if row["key"]]
    if not o.studies:
        overview(known)
    if o.dry_run:
        try:
            steps, flops = (sum(of_all) for of_all in zip(*(said(study) for study in chosen(o))))
        except OSError as problem:  # a corpus that is not here and cannot be fetched
            sys.exit(str(problem))
        print(f"in all: {steps:,} steps, {flops:.3g} FLOPs")
    elif o.run or o.stale:
        stopped = []
        for study in chosen(o):
            try:
                if time.time() < until:
                    begin(study, o, known, until)
            except (ValueError, RuntimeError, OSError) as problem:  # the other studies need not wait for it
                stopped.append(f"{study.name}: {problem}")
        if time.time() >= until:
            print("the time is up; what is done stands in the ledger, and the rest will be run next time")
        if stopped:
            sys.exit("\n".join(stopped))
    else:
        for name in o.studies:
            print(table(name, o.out), end="\n\n")


def overview(known: list[dict]) -> None:
    for name, study in STUDIES.items():
        rows = [row for row in known if row["study"] == name]
        variants = {(row["corpus"], row["size"], row["variant"]): row for row in rows}
        stale = sum(bool(is_stale(row)) for row in variants.values())
        print(f"{name:<12} {study.question}\n{'':<12} {len(study.variants)} variants, {len(rows)} runs, {stale} stale")


def said(study: Study) -> tuple[int, float]:
    """Print each variant with what its runs take: one per rate (where none stands at the edge) and one per seed."""
    steps = flops = 0
    runs = len(study.rates) + study.seeds
    for row in study.plan():
        s, rescaled = row["settings"], ", ".join(f"{w} {a} -> {b}" for w, (a, b) in row["rescaled"].items())
        steps, flops = steps + runs * s["steps"], flops + runs * row["training_flops"]
        print(
            f"{study.name}, {row['corpus']}, {row['size']}, {row['variant']}: {runs} runs of {s['steps']} steps and "
            f"{row['training_flops']:.3g} FLOPs, {row['active_parameters']:,} parameters {rescaled}"
        )
    print(f"{study.name}: {steps:,} steps, {flops:.3g} FLOPs\n", flush=True)
    return steps, flops


def begin(study: Study, o: argparse.Namespace, known: list[dict], until: float) -> None:
    from tqdm import tqdm

    print(f"{study.name}, {', '.join(study.sizes)}: {study.question}", flush=True)
    began, steps = time.time(), 0

    def watch(rows: Iterator[dict]) -> Iterator[dict]:
        nonlocal steps
        for row in tqdm(rows, unit="run", mininterval=2):
            steps += row["settings"]["steps"]
            yield row

    how = dict(device=o.device, workers=o.workers, at_once=o.at_once or (16 if o.device.startswith("cuda") else 1))
    rows = study.run(o.out, known, stale=o.stale, until=until, watch=watch, **how)
    known += rows
    seconds = time.time() - began
    print(f"{steps:,} steps in {seconds:.1f} s, {steps / seconds:,.0f} a second", flush=True)
    if any(not row["swept"] for row in rows):
        print(Table(rows, study.name, next(iter(study.variants))), flush=True)


if __name__ == "__main__":
    main()
