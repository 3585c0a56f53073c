"""Chapter 9. Pretrain a small model: `python -m lmkit.pretrain`, the run behind the book's own model.

Shows the loss beside its baseline (the exact floor of the tales, or a character n-gram counter for other texts), a
sample of the model's text, and leaves a checkpoint that `lmkit.checkpoints.load` reads.
"""

import argparse
import math
import platform
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import torch

from . import checkpoints, corpora, ngrams
from .atomic import check_free
from .corpora import tales
from .data import batches, windows
from .generate import generate
from .heads import LM
from .model import Config
from .objectives import next_token_loss
from .tokenizers import Characters, Words
from .train import evaluate, train

BODY = dict(norm="rmsnorm", positions="rope", init="fan_in", bias=False)
MOST_WORDS = 6_000_000  # of tales: what a few seconds make; longer runs read them again
SIZES = {"tales": dict(d_model=96, n_layers=2, n_heads=3), "text": dict(d_model=128, n_layers=4, n_heads=4)}


@dataclass
class Task:
    """What there is to learn: token ids, where windows begin, rows held out, and the loss to compare with."""

    tokenizer: Words | Characters
    ids: np.ndarray
    starts: np.ndarray | None
    rows: torch.Tensor  # (n, T + 1), held out
    baseline: float  # nats per token
    baseline_name: str
    bytes_per_token: float
    prompt: str


def tales_task(seq_len: int, words: int) -> Task:
    """Tales, with the exact floor of the very words held out."""
    tokenizer, sample, held_out = Words(tales.VOCABULARY), tales.generate(words), tales.generate(60_000, seed=1)
    rows = windows(tokenizer.ids(held_out.words), held_out.starts, seq_len)
    floor = -windows(held_out.logprobs, held_out.starts, seq_len)[:, 1:].mean()
    ids = np.array(tokenizer.ids(sample.words), dtype=np.uint16)
    per_token = len(sample.text.encode("utf-8")) / len(ids)
    rows = torch.from_numpy(rows.astype(np.int64))
    return Task(tokenizer, ids, sample.starts, rows, float(floor), "exact floor", per_token, "Once there")


def text_task(name: str, seq_len: int) -> Task:
    """Any other text by characters; its last tenth is held out, against a 5-gram counter of the rest."""
    text = corpora.text(name)
    tokenizer = Characters(text)
    if len(tokenizer) < 2:
        raise ValueError(f"{name!r} holds one character only; there is nothing to predict")
    ids = np.array(tokenizer.encode(text), dtype=np.uint16)
    cut = len(ids) * 9 // 10
    held_out = ids[cut:]
    if len(held_out) <= seq_len:
        raise ValueError(f"{name!r} has {len(ids)} characters; training needs at least {10 * (seq_len + 1)}")
    baseline = ngrams.fit(ids[:cut], order=5, vocab_size=len(tokenizer)).loss(held_out)
    rows = torch.from_numpy(windows(held_out, np.arange(0, len(held_out), seq_len), seq_len).astype(np.int64))
    per_token = len(text.encode("utf-8")) / len(ids)
    return Task(tokenizer, ids[:cut], None, rows, baseline, "5-gram counter", per_token, text[cut : cut + 20])


def arguments(argv=None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m lmkit.pretrain", description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--corpus", default="tales", help="tales, tinyshakespeare, or the path of a text file (default: %(default)s)")
    add("--out", help="the checkpoint's folder (default: runs/CORPUS)")
    add("--steps", type=int, default=2000, help="updates (default: %(default)s)")
    add("--batch-size", type=int, default=16, help="sequences per update (default: %(default)s)")
    add("--seq-len", type=int, default=128, help="tokens per sequence (default: %(default)s)")
    add("--lr", type=float, default=1e-2, help="peak learning rate (default: %(default)s)")
    add("--seed", type=int, default=0)
    add("--device", default="cuda" if torch.cuda.is_available() else "cpu", help="(default here: %(default)s)")
    options = parser.parse_args(argv)
    try:
        torch.empty(0, device=options.device)
    except (RuntimeError, AssertionError) as problem:
        parser.error(f"--device {options.device} cannot be used here: {str(problem).splitlines()[0]}")
    for name in ("steps", "batch_size", "seq_len", "lr"):
        if getattr(options, name) <= 0:
            parser.error(f"--{name.replace('_', '-')} must be above 0, not {getattr(options, name)}")
    return options


def main(argv=None) -> None:
    options = arguments(argv)
    try:
        run(options)
    except (ValueError, OSError) as problem:  # a sentence for the reader, who has nothing to debug here
        sys.exit(f"lmkit.pretrain: {problem}")


def run(o: argparse.Namespace) -> None:
    from tqdm.auto import tqdm

    is_tales = o.corpus == "tales"
    name = o.corpus if is_tales or o.corpus in corpora.CORPORA else Path(o.corpus).name
    out = check_free(o.out or f"runs/{name}")  # before the work, not after it
    words = min(o.steps * o.batch_size * o.seq_len, MOST_WORDS)
    task = tales_task(o.seq_len, words) if is_tales else text_task(o.corpus, o.seq_len)
    torch.manual_seed(o.seed)
    sizes = SIZES["tales" if is_tales else "text"]
    model = LM(Config(len(task.tokenizer), max_seq_len=2 * o.seq_len, **sizes, **BODY)).to(o.device)
    parameters = sum(p.numel() for p in model.parameters())
    bits = 1 / (math.log(2) * task.bytes_per_token)
    print(f"{name}: {len(task.ids):,} tokens, vocabulary of {len(task.tokenizer)}")
    print(f"{task.baseline_name}: {task.baseline:.4f} nats per token, {task.baseline * bits:.4f} bits per byte")
    print(f"{parameters:,} parameters on {o.device}", flush=True)

    def report(step: int) -> float:
        loss = evaluate(model, task.rows, next_token_loss)
        tqdm.write(f"step {step:5d}  held-out loss {loss:.4f} = {loss / task.baseline:.3f} x {task.baseline_name}")
        return loss

    began, done = time.perf_counter(), 0
    stream = batches(task.ids, o.batch_size, o.seq_len, task.starts, o.seed, o.device)
    autocast = torch.bfloat16 if o.device.startswith("cuda") else None
    how = dict(steps=o.steps, lr=o.lr, optimizer="muon", weight_decay=0.0, autocast=autocast)
    updates = train(model, stream, next_token_loss, **how)
    try:
        for s in (bar := tqdm(updates, total=o.steps, unit="step")):
            done = s.step + 1
            bar.set_postfix(loss=f"{s.loss:.3f}", refresh=False)
            if done % math.ceil(o.steps / 8) == 0 and done < o.steps:
                report(done)
    except KeyboardInterrupt:
        print("\nstopped; what was learned so far is kept")
    seconds = time.perf_counter() - began
    loss = report(done)
    tokens = done * o.batch_size * o.seq_len
    print(f"{tokens:,} tokens in {seconds:.0f} s, {tokens / seconds:,.0f} a second; {loss * bits:.4f} bits per byte\n")

    model = model.cpu()
    prompt = torch.tensor([task.tokenizer.encode(task.prompt)])
    print(task.tokenizer.decode(generate(model, prompt, 120, seed=o.seed)[0].tolist()))
    threads = f"{torch.get_num_threads()} threads"
    folder = checkpoints.save(
        model, out, task.tokenizer.to_dict(),
        corpus=name, command=f"python -m lmkit.pretrain --corpus {o.corpus} --steps {o.steps} "
        f"--batch-size {o.batch_size} --seq-len {o.seq_len} --lr {o.lr} --seed {o.seed}",
        date=f"{datetime.now(UTC):%Y-%m-%d}", hardware=f"{platform.machine()}, {threads}, {o.device}",
        torch=torch.__version__, steps=done, tokens=tokens, seconds=round(seconds), parameters=parameters,
        loss=round(loss, 4), **{task.baseline_name.replace(" ", "_"): round(task.baseline, 4)},
    )  # fmt: skip
    print(f"\nsaved in {folder}; load it with lmkit.checkpoints.load({str(folder)!r})")


if __name__ == "__main__":
    main()
