"""The tales in numbers: speed of the generator, vocabulary, exact floor, and what counting n-grams reaches.

Run: python benchmarks/tales.py
"""

import time

import numpy as np

from lmkit import ngrams
from lmkit.corpora import tales
from lmkit.tokenizers import Words

TRAIN, HELD_OUT = 1_000_000, 100_000  # words


def main():
    began = time.perf_counter()
    train = tales.generate(TRAIN, seed=0)
    seconds = time.perf_counter() - began
    megabytes = len(train.text.encode("utf-8")) / 1e6
    print(f"{len(train.words):,} words, {megabytes:.1f} MB in {seconds:.1f} s = {megabytes / seconds:.2f} MB/s")

    lengths = np.diff([*train.starts, len(train.words)])
    letters = {w.casefold() for w in tales.VOCABULARY if w[0].isalpha()}
    print(f"vocabulary: {len(tales.VOCABULARY)} tokens, {len(letters)} distinct words")
    print(f"stories: {len(lengths):,}, of {lengths.min()} to {lengths.max()} words, {lengths.mean():.0f} on average")

    held_out = tales.generate(HELD_OUT, seed=1)
    floor = tales.floor(held_out)
    print(
        f"floor: {floor.nats_per_word:.4f} +- {floor.standard_error:.4f} nats per word, "
        f"{floor.bits_per_byte:.4f} bits per byte"
    )

    tokenizer = Words(tales.VOCABULARY)
    ids, held_out_ids = np.array(tokenizer.ids(train.words)), np.array(tokenizer.ids(held_out.words))
    for order in range(1, 9):
        began = time.perf_counter()
        loss = ngrams.fit(ids, order, len(tokenizer)).loss(held_out_ids)
        seconds = time.perf_counter() - began
        print(f"{order}-grams: {loss:.4f} nats per word = {loss / floor.nats_per_word:5.2f} x floor  ({seconds:.1f} s)")


if __name__ == "__main__":
    main()
