"""Which tokenizer, and how large a vocabulary? The same model trained on the same text under each of them.

    python benchmarks/tokenizer_models.py --quick                       # a minute on a laptop, to see that it runs
    python benchmarks/tokenizer_models.py --device cuda --workers 12 --out lmkit/ledger/tokenizers.jsonl

All models of a size have the same number of parameters: what a larger vocabulary takes for its embedding, the
feed-forward networks give up. Windows hold the same number of *bytes*, so every tokenizer sees as much context, and the
loss is in bits per byte of held-out text, which can be compared where loss per token cannot. Two budgets: the same text
("bytes": equally many windows), and the same training arithmetic ("flops": what byte-level BPE of 512 tokens needs for
that text; short tokens get less of it, long ones more). The learning rate is swept for each tokenizer, on another seed.
On the tales the exact floor is known, and text is seldom seen twice; tinyshakespeare is read over and over.
"""

import argparse
import json
import math
import multiprocessing
import os
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

import numpy as np
import torch
import torch.nn.functional as F
from tqdm import tqdm

import lmkit
from lmkit import corpora
from lmkit.corpora import tales
from lmkit.data import batches, windows
from lmkit.tokenizers import BPE, ByteBPE, Bytes, Characters, Unigram, WordPiece, Words
from lmkit.train import train

CONTEXT = 640  # bytes: a whole tale of level 1
END = "<|endoftext|>"
SIZES = {"S": dict(d_model=96, n_layers=2, n_heads=3), "M": dict(d_model=192, n_layers=4, n_heads=6)}
D_FF = {"S": 768, "M": 1536}  # of the smallest vocabulary; the others get less
RATES = (6e-3, 1.2e-2, 2.4e-2)
VOCABULARIES = (512, 1024, 2048, 4096)
WINDOWS = 16  # per step


@dataclass
class Text:
    """What is read and what is held out; for the tales story by story, with the floor of the very stories held out."""

    name: str
    train: list[str]
    held_out: list[str]
    floor: float | None  # bits per byte


def read(name: str, quick: bool) -> Text:
    if name == "tales":
        n_words = (100_000, 2_000) if quick else (4_000_000, 40_000)
        parts = [tales.generate(n, seed) for seed, n in enumerate(n_words)]
        return Text(name, *(p.text.rstrip().split(tales.END) for p in parts), tales.floor(parts[1]).bits_per_byte)
    text = corpora.load(name)
    cut = len(text) * 9 // 10
    return Text(name, [text[:cut]], [text[cut:]], None)


def tokenizers(text: Text, quick: bool) -> dict:
    """Each trained on the first megabyte of what is read."""
    told, size = [], 0
    for story in text.train:
        told.append(story)
        size += len(story)
        if size > 1_000_000:
            break
    found = {"characters": Characters.train(told, special=(END,)), "bytes": Bytes(special=(END,))}
    if text.floor is not None:
        found["words"] = Words(tales.VOCABULARY, special=(END,))
    for vocab_size in VOCABULARIES[: 1 if quick else 2 if text.floor is not None else None]:
        found[f"byte_bpe {vocab_size}"] = ByteBPE.train(told, vocab_size, special=(END,))
        found[f"unigram {vocab_size}"] = Unigram.train(told, vocab_size, special=("<unk>", END))
        if text.floor is not None:  # these lose spaces and line ends, which in the tales the words determine
            found[f"wordpiece {vocab_size}"] = WordPiece.train(told, vocab_size, special=("[UNK]", END), lower=False)
            found[f"bpe {vocab_size}"] = BPE.train(told, vocab_size, special=(END,))
    return found


def encoded(tokenizer, texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """All texts one after the other, each behind an end-of-text token; and where each begins."""
    end, ids, starts = tokenizer.special[END], [], []
    for part in tokenizer.encode_batch(texts):
        starts.append(len(ids))
        ids += [end, *part]
    return np.array([*ids, end], dtype=np.uint16), np.array(starts)


def config_for(vocab_size: int, size: str, smallest: int, T: int) -> lmkit.Config | None:
    """The embedding takes its parameters from the feed-forward networks; None if it would take too many."""
    d, layers = SIZES[size]["d_model"], SIZES[size]["n_layers"]
    d_ff = D_FF[size] - round((vocab_size - smallest) * d / (2 * d * layers))
    if d_ff < d:
        return None
    how = dict(norm="rmsnorm", positions="rope", init="fan_in", bias=False)
    return lmkit.Config(vocab_size, max_seq_len=T, d_ff=d_ff, **SIZES[size], **how)


@dataclass(frozen=True)
class Run:
    corpus: str
    tokenizer: str
    size: str
    budget: str  # "bytes" or "flops"
    steps: int
    seed: int
    lr: float


READY = {}  # (corpus, tokenizer) -> what `prepare` returns; workers are forked, and inherit it


def prepare(tokenizer, text: Text) -> dict:
    ids, starts = encoded(tokenizer, text.train)
    held, held_starts = encoded(tokenizer, text.held_out)
    n_bytes = sum(len(part.encode()) + 2 for part in text.held_out)  # the end-of-text token stands for a blank line
    train_bytes = sum(len(part.encode()) + 2 for part in text.train)
    if text.floor is None:
        T = round(CONTEXT * len(ids) / train_bytes)
        rows, real = windows(held, np.arange(0, len(held), T), T), None
        n_bytes *= rows[:, 1:].size / len(held)
    else:
        ends = np.append(held_starts[1:], len(held) - 1)
        T = int((ends - held_starts).max())
        padded = np.append(held, np.zeros(T, dtype=held.dtype))
        rows = padded[held_starts[:, None] + np.arange(T + 1)]
        real = np.arange(1, T + 1) <= (ends - held_starts)[:, None]  # of one story, its end among them
    return dict(
        vocab_size=len(tokenizer), ids=ids, starts=None if text.floor is None else starts, rows=rows, real=real, T=T,
        held_out_bytes=n_bytes, bytes_per_token=train_bytes / len(ids), floor=text.floor,
    )  # fmt: skip


@torch.no_grad()
def bits_per_byte(model, data: dict, device: str) -> float:
    total = 0.0
    for i in range(0, len(data["rows"]), 64):
        rows = torch.from_numpy(data["rows"][i : i + 64].astype(np.int64)).to(device)
        losses = F.cross_entropy(model(rows[:, :-1]).float().flatten(0, 1), rows[:, 1:].flatten(), reduction="none")
        if data["real"] is not None:
            losses = losses[torch.from_numpy(data["real"][i : i + 64]).to(device).flatten()]
        total += losses.double().sum().item()
    return total / math.log(2) / data["held_out_bytes"]


def measure(job: tuple[Run, lmkit.Config, str, int]) -> dict:
    """Train one model; the row of the ledger that it gives."""
    run, config, device, threads = job
    torch.set_num_threads(threads)
    data = READY[run.corpus, run.tokenizer]
    torch.manual_seed(run.seed)
    model = lmkit.LM(config).to(device)
    stream = batches(data["ids"], WINDOWS, data["T"], data["starts"], run.seed, device)
    how = dict(steps=run.steps, lr=run.lr, optimizer="muon", autocast=torch.bfloat16 if device == "cuda" else None)
    began, curve = time.perf_counter(), []
    for s in train(model, stream, lmkit.next_token_loss, **how):
        if s.step % max(1, run.steps // 20) == 0:
            curve.append(round(s.loss / math.log(2) / data["bytes_per_token"], 4))
    seconds = time.perf_counter() - began
    found, counted = bits_per_byte(model, data, device), lmkit.count(config, data["T"])
    tokens = run.steps * WINDOWS * data["T"]
    hardware = torch.cuda.get_device_name() if device == "cuda" else f"{os.cpu_count()} CPU cores"
    return asdict(run) | dict(
        bits_per_byte=round(found, 5), floor=data["floor"] and round(data["floor"], 5),
        vocab_size=data["vocab_size"], bytes_per_token=round(data["bytes_per_token"], 3), T=data["T"],
        parameters=counted.total_parameters, embedding=counted.parameters["embeddings"], tokens=tokens,
        training_flops=tokens * counted.training_flops, seconds=round(seconds, 1), hardware=hardware, curve=curve,
        config=config.to_dict(),
    )  # fmt: skip


def jobs(o, corpus: str, sizes, budgets, rates, seeds) -> list[tuple]:
    """Runs with their configs; `rates` says the learning rates of each tokenizer. Seeds are the outermost loop."""
    names = [name for c, name in READY if c == corpus]
    smallest = min(READY[corpus, name]["vocab_size"] for name in names)
    found = []
    for seed in seeds:
        for size in sizes:
            configs, flops = {}, {}
            for name in names:
                data = READY[corpus, name]
                if config := config_for(data["vocab_size"], size, smallest, data["T"]):
                    configs[name] = config
                    flops[name] = data["T"] * lmkit.count(config, data["T"]).training_flops
            for name, config in configs.items():
                for budget in budgets:
                    less = flops[f"byte_bpe {VOCABULARIES[0]}"] / flops[name] if budget == "flops" else 1
                    for lr in rates[name]:
                        run = Run(corpus, name, size, budget, round(o.steps * less), seed, lr)
                        found.append((run, config, o.device, o.threads))
    return found


def run_all(todo: list, o, until: float, swept: bool) -> list[dict]:
    """The rows of all runs that are done by then, each written as it comes."""
    rows, said = [], dict(date=f"{datetime.now(UTC):%Y-%m-%d}", torch=torch.__version__, swept=swept)
    with multiprocessing.get_context("fork").Pool(o.workers) as pool:
        left = pool.imap_unordered(measure, todo)
        for _ in tqdm(range(len(todo)), unit="run", mininterval=5):
            try:
                rows.append(left.next(timeout=max(1.0, until - time.monotonic())))
            except multiprocessing.TimeoutError:
                print(f"the time is up: {len(rows)} of {len(todo)} runs are done", flush=True)
                break
            if o.out:
                with open(o.out, "a", encoding="utf-8") as file:
                    file.write(json.dumps(rows[-1] | said, sort_keys=True) + "\n")
        pool.terminate()
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    add = parser.add_argument
    add("--corpora", nargs="+", default=["tales", "tinyshakespeare"])
    add("--sizes", nargs="+", default=["S", "M"], choices=SIZES)
    add("--steps", type=int, default=1000, help="of the budget `bytes`, on the tales (default: %(default)s)")
    add("--seeds", type=int, default=3)
    add("--device", default="cpu")
    add("--workers", type=int, default=1)
    add("--threads", type=int, default=1)
    add("--minutes", type=float, default=10_000.0, help="stop then, with what is done")
    add("--out", help="append the rows here, one JSON object a line")
    add("--quick", action="store_true", help="a few steps of a few, to see that it runs")
    o = parser.parse_args()
    if o.quick:
        o.sizes, o.steps, o.seeds, o.corpora = ["S"], 3, 1, o.corpora[:1]
    began = time.monotonic()
    for number, corpus in enumerate(o.corpora):  # the last one has two fifths of the time
        until = began + 60 * o.minutes * (1 if number == len(o.corpora) - 1 else 0.6)
        text = read(corpus, o.quick)
        for name, tokenizer in tokenizers(text, o.quick).items():
            READY[corpus, name] = prepare(tokenizer, text)
            rate = READY[corpus, name]["bytes_per_token"]
            print(f"{corpus}, {name}: {len(tokenizer)} tokens, {rate:.2f} bytes per token", flush=True)
        names = [name for c, name in READY if c == corpus]
        rates = dict.fromkeys(names, RATES[:1] if o.quick else RATES)
        swept = run_all(jobs(o, corpus, o.sizes[:1], ["bytes"], rates, [100]), o, until, swept=True)
        best = {}
        for name in names:
            tried = [row for row in swept if row["tokenizer"] == name]
            if tried:
                best[name] = [min(tried, key=lambda row: row["bits_per_byte"])["lr"]]
            else:  # it fits into the larger size only, or the time was up: the rate of its kind's largest before it
                kin = [other for other in best if other.split()[0] == name.split()[0]]
                best[name] = best[kin[-1]] if kin else [RATES[1]]
                print(f"{name}: no rate was tried; it takes {best[name][0]:g}{' of ' + kin[-1] if kin else ''}")
        todo = jobs(o, corpus, o.sizes, ["bytes"], best, range(o.seeds))
        if text.floor is not None:  # a short text has no more to give
            todo += jobs(o, corpus, o.sizes[:1], ["flops"], best, range(o.seeds))
        rows = run_all(todo, o, until, swept=False)
        for key in sorted({(row["size"], row["budget"], row["tokenizer"]) for row in rows}):
            values = [row["bits_per_byte"] for row in rows if (row["size"], row["budget"], row["tokenizer"]) == key]
            spread = f"{min(values):.4f} to {max(values):.4f}"
            print(corpus, *key, f"lr {best[key[2]][0]:g}: {np.mean(values):.4f}, {spread}")


if __name__ == "__main__":
    main()
