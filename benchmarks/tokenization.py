"""What tokenizers cost: training against the textbook and against Rust, and encoding a megabyte.

    python benchmarks/tokenization.py --quick            # half a minute
    python benchmarks/tokenization.py                    # some minutes, most of them the textbook's

"The textbook" counts all pairs of all pieces of the text anew before every merge and then walks through all of them to
merge (`lmkit.tokenizers.merges.recount`, given each piece as often as it occurs); this is the loop of most tutorials.
The quick trainer (`merges.learn`, behind `ByteBPE.train`) works on distinct pieces and changes only what a merge
changes. "Rust" is Hugging Face's `tokenizers`, called directly. Seconds are medians of runs that take turns.
"""

import argparse
import json
import os
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from statistics import median

import tokenizers as hub
from machine import in_turns, ratios, where

from lmkit.corpora import tales
from lmkit.tokenizers import BPE, ByteBPE, Bytes, Characters, Unigram, WordPiece, Words, fast, from_dict, load
from lmkit.tokenizers.byte_bpe import BYTE, letters
from lmkit.tokenizers.merges import recount
from lmkit.tokenizers.patterns import pieces

SHAKESPEARE = Path(__file__).resolve().parents[2] / "shared/data/tinyshakespeare.txt"
LEVEL = hub.pre_tokenizers.ByteLevel(add_prefix_space=False)


def read(path: Path | None) -> str:
    path = path or SHAKESPEARE
    return path.read_text(encoding="utf-8") if path.is_file() else tales.generate(220_000).text


def against_the_textbook(text: str, vocab_size: int) -> None:
    """From the text to the merges, both ways; what both begin with, cutting the text, is part of both."""
    found = {}

    def textbook():
        words = [(letters(piece.encode("utf-8")), 1) for piece in pieces("gpt2", text, gaps=True)]
        found["textbook"] = recount(words, sorted(BYTE), vocab_size)[1]

    def quick():
        found["quick"] = ByteBPE.train(text, vocab_size).merges

    seconds = in_turns({"textbook": textbook}, 1)["textbook"][0]
    ours = in_turns({"quick": quick}, 5)["quick"]
    same = "the same merges" if found["quick"] == found["textbook"] else "OTHER MERGES"
    print(f"training to {vocab_size}, {len(found['quick'])} merges: {same}")
    print(f"  textbook {seconds:.1f} s, quick {median(ours):.3f} s: {seconds / median(ours):.0f} times as fast")


def rust_trained(texts: list[str], vocab_size: int) -> hub.Tokenizer:
    rust = hub.Tokenizer(hub.models.BPE())
    rust.pre_tokenizer = LEVEL
    options = dict(vocab_size=vocab_size, initial_alphabet=[*BYTE], show_progress=False)
    rust.train_from_iterator(texts, hub.trainers.BpeTrainer(**options))
    return rust


def train_in_turns(text: str, vocab_size: int, rounds: int) -> dict:
    """Runs in a process of its own, since the number of Rust's threads is fixed when it first uses them."""
    lines = text.splitlines(keepends=True)
    contenders = {
        "lmkit": lambda: ByteBPE.train(text, vocab_size),
        "Rust, the text as one": lambda: rust_trained([text], vocab_size),
        "Rust, line by line": lambda: rust_trained(lines, vocab_size),
    }
    model = json.loads(rust_trained([text], vocab_size).to_str())["model"]
    same = [tuple(pair) for pair in model["merges"]] == ByteBPE.train(text, vocab_size).merges
    return {"seconds": in_turns(contenders, rounds), "same": same}


def against_rust(path: Path | None, vocab_size: int, rounds: int) -> None:
    for threads in ("1", None):
        command = [sys.executable, __file__, "--inside", f"{vocab_size},{rounds}", *(["--text", path] if path else [])]
        env = {key: value for key, value in os.environ.items() if key != "RAYON_NUM_THREADS"}
        env |= {"RAYON_NUM_THREADS": threads} if threads else {}
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
        found = json.loads(done.stdout.splitlines()[-1])
        same = "the same merges" if found["same"] else "OTHER MERGES"
        many = threads or f"up to {os.cpu_count()}"
        print(f"training to {vocab_size}, Rust with {many} threads: {same} from one text")
        ours = found["seconds"]["lmkit"]
        for name, seconds in found["seconds"].items():
            print(f"  {name:<22} {median(seconds):.3f} s   times lmkit's: {ratios(ours, seconds)}")


def encoding(text: str, rounds: int) -> None:
    ours, f = load("gpt2"), fast("gpt2")
    rust = hub.Tokenizer.from_str(json.dumps(ours.to_json()))

    def cold():
        ours._known.clear()
        return ours.encode(text)

    contenders: dict[str, Callable] = {
        "lmkit, no word seen before": cold,
        "lmkit, again": lambda: ours.encode(text),
        "Rust": lambda: rust.encode(text).ids,
        "lmkit.fast": lambda: f.encode(text),
    }
    assert cold() == rust.encode(text).ids == f.encode(text)
    print(f"GPT-2's tokens of {len(text.encode()) / 1e6:.2f} MB as one text")
    found = in_turns(contenders, rounds)
    for name, seconds in found.items():
        print(f"  {name:<28} {median(seconds):.3f} s   times as fast as Rust: {ratios(seconds, found['Rust'])}")


def overhead(text: str, rounds: int) -> None:
    """lmkit.fast against the same Rust tokenizer called directly; 0.95 or more is within 5 %."""
    f = fast("gpt2")
    rust = hub.Tokenizer.from_str(json.dumps(f.ours.to_json()))
    rust.encode_special_tokens = True
    lines = [line for line in text.split("\n") if line]
    short = lines[: len(lines) // 10]
    pairs = {
        "encode, a line at a time": (lambda: [f.encode(x) for x in short], lambda: [rust.encode(x).ids for x in short]),
        "encode, the text as one": (lambda: f.encode(text), lambda: rust.encode(text).ids),
        "encode_batch, all lines": (lambda: f.encode_batch(lines), lambda: [e.ids for e in rust.encode_batch(lines)]),
    }
    print("lmkit.fast, as fast as Rust called directly")
    for name, (mine, direct) in pairs.items():
        assert mine() == direct()
        found = in_turns({"mine": mine, "direct": direct}, rounds)
        print(f"  {name:<26} {median(found['mine']):.3f} s   {ratios(found['mine'], found['direct'])}")


def all_kinds(text: str, vocab_size: int, rounds: int) -> None:
    """In Python, each on a text of which it has seen no word."""
    words = "\n\n".join(" ".join(part.split()) for part in text.split("\n\n")).replace("--", "-")  # as Words knows it
    makers = {
        "characters": lambda: Characters.train(text),
        "words": lambda: Words.train(words),
        "bytes": Bytes,
        "bpe": lambda: BPE.train(text, vocab_size),
        "byte_bpe": lambda: ByteBPE.train(text, vocab_size),
        "wordpiece": lambda: WordPiece.train(text, vocab_size),
        "unigram": lambda: Unigram.train(text, vocab_size),
    }
    print(f"every kind at {vocab_size} tokens: training, and encoding {len(text.encode()) / 1e6:.2f} MB")
    for name, make in makers.items():
        made = {}
        training = in_turns({name: lambda make=make, made=made: made.update(tok=make())}, 1)[name][0]
        seconds = []
        for _ in range(rounds):
            new = from_dict(made["tok"].to_dict())  # with no word remembered
            read = words if name == "words" else text
            call = {name: lambda new=new, read=read, made=made: made.update(n=len(new.encode(read)))}
            seconds += in_turns(call, 1)[name]
        rate = f"{len(text.encode()) / made['n']:.2f} bytes per token"
        print(f"  {name:<11} trained in {training:6.2f} s, encodes in {median(seconds):.2f} s, {rate}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer merges for the textbook, fewer rounds")
    parser.add_argument("--text", type=Path, help="a file to read; default: tinyshakespeare, else tales")
    parser.add_argument("--inside", help=argparse.SUPPRESS)
    o = parser.parse_args()
    text = read(o.text)
    if o.inside:
        print(json.dumps(train_in_turns(text, *map(int, o.inside.split(",")))))
        return
    print(where(), f"; tokenizers {hub.__version__}", sep="")
    warnings.simplefilter("ignore")
    rounds = 3 if o.quick else 7
    against_the_textbook(text, 266 if o.quick else 512)
    against_rust(o.text, 4096, rounds)
    encoding(text, rounds)
    overhead(text, 2 * rounds)
    all_kinds(text[: 200_000 if o.quick else None], 1024 if o.quick else 4096, 1 if o.quick else 3)


if __name__ == "__main__":
    main()
