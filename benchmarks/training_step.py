"""A training step of GPT-2's 124M shape: lmkit and transformers in the same run, in time and in memory.

    python benchmarks/training_step.py                                  # on a processor: float32 and bfloat16
    python benchmarks/training_step.py --device cuda --compile --batch 32 --length 1024 --precision bfloat16

A step is forward, backward, clipping, and fused AdamW. lmkit forms its logits in chunks, or, compiled, lets the
compiler fuse them; transformers computes its own loss, with dropout off and no cache. On a processor each contender has
a process of its own, and they take turns; peak memory is that of the resident set during the measured steps (Linux:
VmHWM, reset after the warm-up). On a GPU they run one after the other. Beside tokens a second stands the share of the
peak that they use: the exact arithmetic of lmkit.count against the data sheet's figure and against what a large matrix
product reaches here.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

import torch
from machine import in_turns, ratios, where

import lmkit
from lmkit.hardware import ACCELERATORS
from lmkit.train import keep_memory

VOCAB = 50257


def step_of(who: str, precision: str, args):
    """A function that trains on ids (B, T + 1) and returns the loss."""
    torch.manual_seed(0)
    config = lmkit.Config(VOCAB, n_layers=args.layers, ffn="gelu_tanh", max_seq_len=args.length)
    if who == "lmkit":
        model, loss_of = lmkit.LM(config), lmkit.next_token_loss
    else:
        from transformers import GPT2Config, GPT2LMHeadModel

        off = dict(resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0, use_cache=False)
        model = GPT2LMHeadModel(GPT2Config(n_layer=args.layers, n_positions=args.length, **off))
        loss_of = lambda model, ids: model(ids[:, :-1], labels=ids[:, :-1]).loss  # noqa: E731
    model = model.to(args.device)
    if args.compile:
        loss_of = torch.compile(loss_of)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, fused=True)

    def step(ids):
        with torch.autocast(args.device, torch.bfloat16, enabled=precision == "bfloat16"):
            loss = loss_of(model, ids)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        return loss.detach()

    return step, config


def batch(args):
    return torch.randint(VOCAB, (args.batch, args.length + 1), generator=torch.Generator().manual_seed(0))


def resident(field: str) -> float:
    """VmHWM (the peak) of this process, in MB."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(field))


def worker(name: str, args) -> None:
    """Warm up, then one step for every line that is sent, answered by its seconds; the peak at the end."""
    torch.set_num_threads(args.threads)
    if "lmkit" in name or args.keep:
        keep_memory()  # as lmkit's own loop does
    step, _ = step_of(*name.split(), args)
    ids = batch(args)

    def timed() -> float:
        began = time.perf_counter()
        step(ids)
        return time.perf_counter() - began

    print(timed() + timed(), flush=True)
    Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")  # forget the peak so far
    for _ in sys.stdin:
        print(timed(), flush=True)
    print(resident("VmHWM"), flush=True)


def on_a_processor(names: list[str], args) -> list[dict]:
    workers = {}
    for name in names:
        command = [sys.executable, __file__, *sys.argv[1:], "--worker", name]
        workers[name] = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    warm_up = {name: float(process.stdout.readline()) for name, process in workers.items()}

    def turn(process: subprocess.Popen) -> None:
        process.stdin.write("\n")
        process.stdin.flush()
        process.stdout.readline()

    seconds = in_turns({name: lambda process=process: turn(process) for name, process in workers.items()}, args.rounds)
    peaks = {name: float(process.communicate()[0].split()[-1]) for name, process in workers.items()}
    return [
        dict(name=name, seconds=seconds[name], median=median(seconds[name]), peak_mb=peaks[name], first=warm_up[name])
        for name in names
    ]


def on_a_gpu(names: list[str], args) -> list[dict]:
    rows, ids = [], batch(args).to(args.device)
    for name in names:
        torch.cuda.empty_cache()
        began = time.perf_counter()
        step, config = step_of(*name.split(), args)
        for _ in range(3):
            loss = step(ids)
        torch.cuda.synchronize()
        first = time.perf_counter() - began
        torch.cuda.reset_peak_memory_stats()
        seconds = []
        for _ in range(args.rounds):
            began = time.perf_counter()
            for _ in range(5):
                loss = step(ids)
            torch.cuda.synchronize()
            seconds.append((time.perf_counter() - began) / 5)
        rows.append(
            dict(name=name, seconds=seconds, median=median(seconds), peak_mb=torch.cuda.max_memory_allocated() / 2**20)
            | dict(first=first, loss=loss.item())
        )
        del step
    return rows


def measured_peak(device: str) -> float:
    """FLOP/s of a product of two large matrices in bfloat16."""
    a, b = (torch.randn(8192, 8192, device=device, dtype=torch.bfloat16) for _ in range(2))
    for repeat in (3, 20):
        torch.cuda.synchronize()
        began = time.perf_counter()
        for _ in range(repeat):
            a @ b
        torch.cuda.synchronize()
    return 20 * 2 * 8192**3 / (time.perf_counter() - began)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--device", default="cpu")
    add("--precision", nargs="+", default=["float32", "bfloat16"], choices=["float32", "bfloat16"])
    add("--layers", type=int, default=12, help="blocks: fewer for a quick look (12)")
    add("--batch", type=int, default=4, help="sequences (4)")
    add("--length", type=int, default=256, help="tokens of each (256)")
    add("--rounds", type=int, default=5, help="measured steps of each contender; on a GPU, of five steps (5)")
    add("--threads", type=int, default=2, help="threads of torch on a processor (2)")
    add("--compile", action="store_true")
    add("--keep", action="store_true", help="let transformers, too, keep the memory that a step frees (processor)")
    add("--out", help="append the rows here, one JSON object a line")
    add("--worker", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.worker:
        return worker(args.worker, args)
    names = [f"{who} {precision}" for precision in args.precision for who in ("transformers", "lmkit")]
    said = where() if args.device == "cpu" else f"{torch.cuda.get_device_name()}, torch {torch.__version__}, {where()}"
    print(said)
    print(f"{args.layers} layers, {args.batch} x {args.length} tokens, {'compiled' if args.compile else 'eager'}")
    peak = None
    if args.device != "cpu":
        torch.backends.cuda.matmul.allow_tf32 = True
        peak = measured_peak(args.device)
        print(f"a product of 8192 x 8192 matrices in bfloat16: {peak / 1e12:.0f} TFLOP/s")
    rows = (on_a_processor if args.device == "cpu" else on_a_gpu)(names, args)
    config = lmkit.Config(VOCAB, n_layers=args.layers, ffn="gelu_tanh", max_seq_len=args.length)
    flops = lmkit.count(config, args.length).training_flops
    by = {row["name"]: row for row in rows}
    print(f"{'':<24}{'ms/step':>9}{'tokens/s':>10}{'peak MB':>9}{'first':>8}   times transformers, memory")
    for name, row in by.items():
        other = by[name.replace("lmkit", "transformers")]
        row["tokens_per_second"] = args.batch * args.length / row["median"]
        row["flops_per_second"] = row["tokens_per_second"] * flops
        line = f"{name:<24}{1000 * row['median']:>9.1f}{row['tokens_per_second']:>10,.0f}{row['peak_mb']:>9.0f}"
        against = f"{ratios(row['seconds'], other['seconds'])}, {row['peak_mb'] / other['peak_mb']:.2f}"
        line += f"{row['first']:>7.1f}s   {against}"
        if peak is not None:
            sheet = next((a.peak for card, a in ACCELERATORS.items() if card in torch.cuda.get_device_name()), None)
            row["share_of_measured_peak"] = row["flops_per_second"] / peak
            row["share_of_data_sheet"] = sheet and row["flops_per_second"] / sheet
            line += f"; {row['share_of_measured_peak']:.0%} of the measured peak"
            line += f", {row['share_of_data_sheet']:.0%} of the data sheet's" if sheet else ""
        print(line)
        if args.out:
            names = ("device", "layers", "batch", "length", "compile", "threads")
            settings = {key: getattr(args, key) for key in names}
            with open(args.out, "a", encoding="utf-8") as file:
                file.write(json.dumps(row | settings | {"where": said, "flops_per_token": flops}) + "\n")


if __name__ == "__main__":
    main()
