"""Tiny Shakespeare by characters: how soon is nanoGPT's loss reached, and how low does one come in nanoGPT's time?

    LMKIT_DATA=../shared/data python benchmarks/speedrun.py            # about 25 minutes on one core
    python benchmarks/speedrun.py --quick                              # a few steps, to see that it runs

Three recipes of lmkit.recipes, each run in a process of its own, taking turns seed by seed: "nanogpt", its documented
recipe for a processor, expressed in lmkit; "speedrun", the same shape; "equal_time", another shape that trains as long
as nanoGPT's. Under them stands what counting characters gives. The loss is that of the whole validation split (the last
tenth) in windows of 64 characters that do not overlap, in nats. Seconds are those of training; in the second figure
those from the start of the process to the last step, with Python, PyTorch and the data.
"""

import argparse
import json
import os
import subprocess
import sys
import time

import numpy as np

RUNS = ["nanogpt", "speedrun", "equal_time"]


def split():
    """The ids of the first nine tenths, of the last, and the size of the alphabet."""
    from lmkit import corpora
    from lmkit.tokenizers import Characters

    text = corpora.text("tinyshakespeare")
    tokenizer = Characters(text)
    ids = np.array(tokenizer.encode(text), dtype=np.uint16)
    cut = len(ids) * 9 // 10
    return ids[:cut], ids[cut:], len(tokenizer)


def held_out(model, ids, T: int) -> float:
    import torch

    from lmkit.data import windows
    from lmkit.objectives import next_token_loss
    from lmkit.train import evaluate

    rows = torch.from_numpy(windows(ids, np.arange(0, len(ids), T), T).astype(np.int64))
    return evaluate(model, rows, next_token_loss, batch_size=256)


def worker(name: str, seed: int, steps: int | None, threads: int) -> None:
    """One run; a line of JSON."""
    began = time.time() - since_start()
    import torch

    from lmkit.recipes import RECIPES, begin

    torch.set_num_threads(threads)
    train_ids, val_ids, vocab_size = split()
    settings = RECIPES[name] if steps is None else RECIPES[name] | {"steps": steps}
    model, run = begin(settings, train_ids, vocab_size, seed)
    ready = time.time()
    for _ in run:
        pass
    done = time.time()
    found = dict(
        recipe=name, seed=seed, seconds=done - ready, with_start=done - began, loss=held_out(model, val_ids, 64),
        parameters=sum(p.numel() for p in model.parameters()), settings=settings, torch=torch.__version__,
    )  # fmt: skip
    if settings["seq_len"] != 64:
        found["loss_at_own_length"] = held_out(model, val_ids, settings["seq_len"])
    print(json.dumps(found))


def since_start() -> float:
    """Seconds since this process began (Linux; elsewhere since this module was read)."""
    try:
        ticks = int(open("/proc/self/stat", encoding="utf-8").read().rsplit(")", 1)[1].split()[19])
        uptime = float(open("/proc/uptime", encoding="utf-8").read().split()[0])
        return uptime - ticks / os.sysconf("SC_CLK_TCK")
    except OSError:
        return time.process_time()


def counter() -> tuple[float, float]:
    """The loss and the seconds of a counting 5-gram."""
    from lmkit import ngrams

    train_ids, val_ids, vocab_size = split()
    began = time.perf_counter()
    loss = ngrams.fit(train_ids, order=5, vocab_size=vocab_size).loss(val_ids)
    return loss, time.perf_counter() - began


def summary(rows: list[dict]) -> str:
    from statistics import mean, median, stdev

    by = {name: [r for r in rows if r["recipe"] == name] for name in RUNS}
    lines = [f"{'':<12}{'seeds':>6}{'loss':>9}{'spread':>9}{'own T':>9}{'seconds':>9}{'with start':>12}   x nanogpt"]
    for name, runs in by.items():
        if not runs:
            continue
        losses = [r["loss"] for r in runs]
        own = f"{mean(r['loss_at_own_length'] for r in runs):.4f}" if "loss_at_own_length" in runs[0] else ""
        pairs = [(r, n) for r in runs for n in by["nanogpt"] if n["seed"] == r["seed"]]
        shares = [[r[what] / n[what] for r, n in pairs] for what in ("seconds", "with_start")]
        against = ", ".join(f"1/{1 / median(s):.1f} ({min(s):.4f} to {max(s):.4f})" for s in shares) if pairs else ""
        spread = stdev(losses) if len(losses) > 1 else 0.0
        seconds, whole = (median(r[what] for r in runs) for what in ("seconds", "with_start"))
        found = f"{name:<12}{len(runs):>6}{mean(losses):>9.4f}{spread:>9.4f}{own:>9}{seconds:>9.1f}{whole:>12.1f}"
        lines.append(f"{found}   {against}")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--seeds", type=int, default=5, help="of nanogpt and speedrun (default: %(default)s)")
    add("--long-seeds", type=int, default=3, help="of equal_time (default: %(default)s)")
    add("--threads", type=int, default=1)
    add("--quick", action="store_true", help="five steps of each, once")
    add("--out", help="append the rows here, one JSON object a line")
    add("--worker", nargs=2, help=argparse.SUPPRESS)
    o = parser.parse_args()
    steps = 5 if o.quick else None
    if o.worker:
        return worker(o.worker[0], int(o.worker[1]), steps, o.threads)
    from machine import where

    print(where())
    loss, seconds = counter()
    print(f"counting 5-grams: {loss:.4f} nats in {seconds:.1f} s", flush=True)
    rows = []
    for seed in range(1 if o.quick else max(o.seeds, o.long_seeds)):
        for name in RUNS:
            if seed >= (o.long_seeds if name == "equal_time" else o.seeds):
                continue
            command = [sys.executable, __file__, "--worker", name, str(seed), "--threads", str(o.threads)]
            environment = os.environ | {"OMP_NUM_THREADS": str(o.threads)}
            done = subprocess.run(
                command + ["--quick"] * o.quick, capture_output=True, text=True, check=True, env=environment
            )
            rows.append(json.loads(done.stdout.splitlines()[-1]) | {"threads": o.threads, "date": time.strftime("%F")})
            row = rows[-1]
            print(f"{name:<12} seed {seed}  {row['loss']:.4f} nats  {row['seconds']:.1f} s", flush=True)
            if o.out:
                with open(o.out, "a", encoding="utf-8") as file:
                    file.write(json.dumps(row | {"hardware": where()}, sort_keys=True) + "\n")
    print(summary(rows))


if __name__ == "__main__":
    main()
