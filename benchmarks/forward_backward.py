"""Forward and backward of a GPT-2 shape: lmkit and transformers, eager and compiled, each in a process of its own.

The processes take turns. Peak memory is the resident set's during the measured steps (Linux: VmHWM, reset after the
warm-up), with weights and gradients but no optimizer; dropout is off and transformers keeps no cache.
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

import torch
from machine import in_turns, ratios, where
from transformers import GPT2Config, GPT2LMHeadModel

import lmkit
from lmkit import LM, next_token_loss

CONTENDERS = ["transformers eager", "lmkit eager", "transformers compiled", "lmkit compiled"]


def build(name: str, layers: int):
    """The step: ids (B, T + 1) -> loss, both looking at T positions."""
    torch.manual_seed(0)
    if name.startswith("lmkit"):
        model = LM(lmkit.Config(50257, n_layers=layers, ffn="gelu_tanh"))
        loss = torch.compile(next_token_loss) if name.endswith("compiled") else next_token_loss
        return model, lambda ids: loss(model, ids)  # compiled as theirs, with the model inside
    off = dict(resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0, use_cache=False)
    model = GPT2LMHeadModel(GPT2Config(n_layer=layers, **off))
    whole = torch.compile(model) if name.endswith("compiled") else model
    return model, lambda ids: whole(ids[:, :-1], labels=ids[:, :-1]).loss


def resident(field: str) -> float:
    """VmRSS or VmHWM (the peak) of this process, in MB."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(field))


def worker(name: str, args) -> None:
    """Warm up, then one step for every line that is sent, answered by its seconds; the peak at the end."""
    torch.set_num_threads(args.threads)
    model, loss_of = build(name, args.layers)
    ids = torch.randint(50257, (args.batch, args.length + 1), generator=torch.Generator().manual_seed(0))

    def step() -> float:
        began = time.perf_counter()
        loss_of(ids).backward()
        seconds = time.perf_counter() - began
        model.zero_grad()
        return seconds

    print(step() + step(), flush=True)
    Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")  # forget the peak so far
    for _ in sys.stdin:
        print(step(), flush=True)
    print(resident("VmHWM"), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--layers", type=int, default=12, help="blocks: fewer for a quick look (12)")
    parser.add_argument("--batch", type=int, default=4, help="sequences (4)")
    parser.add_argument("--length", type=int, default=256, help="tokens of each (256)")
    parser.add_argument("--rounds", type=int, default=7, help="measured steps of each contender (7)")
    parser.add_argument("--threads", type=int, default=2, help="threads of torch (2)")
    parser.add_argument("--only", nargs="*", default=["eager", "compiled"], help="eager, compiled, or both")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.worker:
        return worker(args.worker, args)

    torch.set_num_threads(args.threads)
    print(where())
    print(f"{args.layers} layers, {args.batch} x {args.length} tokens, {args.rounds} steps\n")
    options = [f"--{key}={getattr(args, key)}" for key in ("layers", "batch", "length", "rounds", "threads")]
    names = [name for name in CONTENDERS if name.split()[1] in args.only]
    workers, warm_up = {}, {}
    for name in names:  # one after the other, so that they do not compile against each other
        command = [sys.executable, __file__, *options, "--worker", name]
        workers[name] = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        warm_up[name] = float(workers[name].stdout.readline())

    def turn(process: subprocess.Popen) -> None:
        process.stdin.write("\n")
        process.stdin.flush()
        process.stdout.readline()

    seconds = in_turns({name: lambda process=process: turn(process) for name, process in workers.items()}, args.rounds)
    print(f"{'':<24}{'ms/step':>9}{'peak MB':>9}{'first 2':>10}   times transformers, memory")
    peaks = {}
    for name, process in workers.items():
        peaks[name] = float(process.communicate()[0].split()[-1])
        other = name.replace("lmkit", "transformers")
        against = f"{ratios(seconds[name], seconds[other])}, {peaks[name] / peaks[other]:.2f}"
        time_ms = 1000 * median(seconds[name])
        print(f"{name:<24}{time_ms:>9.0f}{peaks[name]:>9.0f}{warm_up[name]:>8.1f} s   {against}")


if __name__ == "__main__":
    main()
