"""Tiny Shakespeare by characters: how soon is nanoGPT's loss reached, and how low does one come in nanoGPT's time?

    LMKIT_DATA=../shared/data python benchmarks/speedrun.py            # about 20 minutes on one idle core
    python benchmarks/speedrun.py --quick                              # a few steps, to see that it runs

Three recipes of lmkit.recipes, each run in a process of its own, taking turns seed by seed so that what else the
machine does falls on all alike: "nanogpt", its documented recipe for a processor, expressed in lmkit; "speedrun", the
same shape; "equal_time", another shape that trains as long as nanoGPT's. Under them stands what counting characters
gives. The loss is that of the whole validation split (the last tenth) in windows of 64 characters that do not overlap,
in nats. Seconds are those of training; "with start" counts from the start of the process to the last step, with
Python, PyTorch and the data. The tuning was done on other seeds, and on text cut from the training part.
"""

import argparse
import json
import math
import os
import subprocess
import sys
import time
from datetime import UTC, datetime
from statistics import mean, median, stdev

RUNS = ["nanogpt", "speedrun", "equal_time"]


def held_out(model, T: int) -> float:
    from lmkit.objectives import next_token_loss
    from lmkit.pretrain import text_task
    from lmkit.train import evaluate

    return evaluate(model, text_task("tinyshakespeare", T).rows, next_token_loss, batch_size=256)


def worker(name: str, seed: int, o: argparse.Namespace) -> None:
    """One run; a line of JSON, with the names of lmkit.lab's ledger."""
    began = time.time() - since_start()
    import torch
    import torch._dynamo  # noqa: F401  as the first optimizer does, for a second: it belongs to the start

    from lmkit import runs
    from lmkit.distributed import World
    from lmkit.objectives import next_token_loss
    from lmkit.pretrain import Settings
    from lmkit.pretrain.building import how, model_for, task_of
    from lmkit.pretrain.reading import stream
    from lmkit.recipes import RECIPES
    from lmkit.train import train

    torch.set_num_threads(o.threads)
    changes = {"seed": seed} | ({"steps": 5, "warmup": 2} if o.quick else {})
    s, world = Settings.from_dict(RECIPES[name] | changes), World(0, 1, torch.device(o.device))
    what = task_of(s)
    runs.seed_all(seed)
    model = model_for(s, what).to(o.device)
    run = train(model, stream(s, what, world), next_token_loss, steps=s.steps, **how(s, model, world))
    ready, used = time.time(), time.process_time()
    *_, last = run
    if o.device != "cpu":
        torch.cuda.synchronize()
    done, used = time.time(), time.process_time() - used

    from lmkit.lab.running import costs, hardware, peak_memory, versions

    settings = s.to_dict()
    at_64, own = held_out(model, 64), held_out(model, s.seq_len)
    bits = own / math.log(2)  # a character of this text is a byte
    row = dict(
        study="speedrun", corpus="tinyshakespeare", size="as fast as can be", variant=name, seed=seed, swept=False,
        lr=s.lr, settings=settings, result={"1": bits}, bits_per_byte=bits, floor=None, diverged=None,
        nats_at_64=at_64, nats_at_own_length=own, seconds=done - ready,
        processor_seconds=used, seconds_with_start=done - began, threads=o.threads, last_loss=last.loss,
        peak_memory_bytes=peak_memory(o.device), hardware=hardware(o.device), versions=versions(),
        date=f"{datetime.now(UTC):%Y-%m-%d}", code=None, **costs(model.config, settings),
    )  # fmt: skip
    print(json.dumps(row | dict(key=f"{name} {seed}")))


def since_start() -> float:
    """Seconds since this process began (Linux; elsewhere those of the processor)."""
    try:
        with open("/proc/self/stat", encoding="utf-8") as stat, open("/proc/uptime", encoding="utf-8") as uptime:
            ticks = int(stat.read().rsplit(")", 1)[1].split()[19])
            return float(uptime.read().split()[0]) - ticks / os.sysconf("SC_CLK_TCK")
    except OSError:
        return time.process_time()


def counter() -> float:
    """The loss of a counting 5-gram."""
    from lmkit.pretrain import text_task

    return text_task("tinyshakespeare", 64).baseline


def share(runs: list[dict], anchors: list[dict], what: str) -> str:
    """The part of nanoGPT's seconds that was needed, of runs with the same seed: the median, and all between."""
    by_seed = {row["seed"]: row[what] for row in anchors}
    shares = sorted(row[what] / by_seed[row["seed"]] for row in runs if row["seed"] in by_seed)
    if not shares:
        return "an unknown part"
    middle = median(shares)
    return f"{middle:.3f} = 1/{1 / middle:.1f} ({shares[0]:.3f} to {shares[-1]:.3f})"


def summary(rows: list[dict]) -> str:
    by = {name: found for name in RUNS if (found := [row for row in rows if row["variant"] == name])}
    lines = [f"{'':<12}{'seeds':>5}{'parameters':>12}{'nats at 64':>12}{'sd':>8}{'worst':>8}{'own T':>8}{'seconds':>9}"]
    lines[0] += f"{'with start':>12}"
    for name, runs in by.items():
        losses = [row["nats_at_64"] for row in runs]
        spread = stdev(losses) if len(losses) > 1 else 0.0
        own = mean(row["nats_at_own_length"] for row in runs)
        seconds, whole = (median(row[what] for row in runs) for what in ("seconds", "seconds_with_start"))
        lines.append(
            f"{name:<12}{len(runs):>5}{runs[0]['parameters']:>12,}{mean(losses):>12.4f}{spread:>8.4f}{max(losses):>8.4f}"
            f"{own:>8.4f}{seconds:>9.1f}{whole:>12.1f}"
        )
    for name in by.keys() - {"nanogpt"} if "nanogpt" in by else ():
        seconds, busy, whole = (
            share(by[name], by["nanogpt"], what) for what in ("seconds", "processor_seconds", "seconds_with_start")
        )
        lines.append(f"{name}: of nanogpt's seconds {seconds}; of its processor seconds {busy}; with start {whole}")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--seeds", type=int, default=5, help="of nanogpt and speedrun (default: %(default)s)")
    add("--long-seeds", type=int, default=3, help="of equal_time (default: %(default)s)")
    add("--first-seed", type=int, default=0)
    add("--threads", type=int, default=1)
    add("--device", default="cpu")
    add("--minutes", type=float, default=math.inf, help="begin no run after so many")
    add("--quick", action="store_true", help="five steps of each, once")
    add("--ledger", action="store_true", help="add the rows to lmkit/ledger/speedrun.jsonl")
    add("--worker", nargs=2, help=argparse.SUPPRESS)
    o = parser.parse_args()
    if o.worker:
        return worker(o.worker[0], int(o.worker[1]), o)
    from machine import where

    from lmkit.lab import ledger

    print(where())
    loss = counter()
    print(f"counting 5-grams: {loss:.4f} nats", flush=True)
    until = time.time() + 60 * o.minutes
    seeds = range(o.first_seed, o.first_seed + (1 if o.quick else max(o.seeds, o.long_seeds)))
    turns = [(s, name) for s in seeds for name in RUNS]
    turns = [(s, name) for s, name in turns if s - o.first_seed < (o.long_seeds if name == RUNS[2] else o.seeds)]
    rows, environment = [], os.environ | {"OMP_NUM_THREADS": str(o.threads)}
    for seed, name in turns:
        if time.time() > until:
            break
        command = [sys.executable, __file__, "--worker", name, str(seed), "--threads", str(o.threads)]
        command += ["--device", o.device] + ["--quick"] * o.quick
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=environment)
        row = json.loads(done.stdout.splitlines()[-1]) | dict(counter=loss / math.log(2))
        rows.append(row)
        print(f"{name:<12} seed {seed}  {row['nats_at_64']:.4f} nats  {row['seconds']:.1f} s", flush=True)
        if o.ledger:
            ledger.append(row)
    print(summary(rows))


if __name__ == "__main__":
    main()
