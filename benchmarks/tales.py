"""The tales in numbers, level by level: speed, lengths, vocabulary, copies, exact floor, and n-grams against it.

Run: python benchmarks/tales.py
"""

import time

import numpy as np
from machine import where

from lmkit import ngrams
from lmkit.corpora import tales
from lmkit.tokenizers import Words

TRAIN, HELD_OUT, MANY, LABELLED = 1_000_000, 100_000, 10_000_000, 1_000  # words, words, words, stories


def speed(level):
    """Megabytes a second: of the text alone, and with words, probabilities and entropies."""
    tales.generate(10_000, level=level)  # the tables of the choices are made as they are met
    began = time.perf_counter()
    sample = tales.generate(TRAIN, level=level)
    megabytes = len(sample.text.encode("utf-8")) / 1e6
    text = time.perf_counter() - began
    assert len(sample.words) == len(sample.logprobs) == len(sample.entropies)
    everything = time.perf_counter() - began
    print(
        f"{len(sample.words):,} words, {megabytes:.1f} MB: {megabytes / text:.1f} MB/s of text, "
        f"{megabytes / everything:.1f} MB/s with words and probabilities"
    )
    return sample


def size(sample, level):
    lengths = np.diff([*sample.starts, len(sample.words)])
    words = tales.vocabulary(level)
    letters = {w.casefold() for w in words if w[0].isalpha()}
    print(f"vocabulary: {len(words)} tokens, {len(letters)} distinct words")
    bound = tales.survey(level).most + 1
    few, many = lengths.min(), lengths.max()
    print(f"stories: {len(lengths):,}, of {few} to {many} words (bound {bound}), mean {lengths.mean():.0f}")


def labels(level):
    stories = tales.stories(LABELLED, seed=2, level=level)
    began = time.perf_counter()
    for story in stories:
        assert story.roles and story.links and story.copies and story.questions and story.chinese.words
    rate = LABELLED / (time.perf_counter() - began)
    distances = np.array([copy.distance for story in stories for copy in story.copies])
    shares = ", ".join(f"{(distances >= far).mean():.0%} from {far}" for far in (5, 20, 100))
    print(f"labels and Chinese: {rate:,.0f} stories a second; {len(distances) / LABELLED:.1f} copies in one")
    print(f"copies: {shares} words away or farther, at most {distances.max()}")


def floors(level):
    held_out = tales.generate(HELD_OUT, seed=1, level=level)
    floor = tales.floor(held_out)
    print(
        f"floor: {floor.nats_per_word:.4f} +- {floor.standard_error:.4f} nats per word, "
        f"{floor.bits_per_byte:.4f} bits per byte"
    )
    many = tales.generate(MANY, seed=3, level=level)
    exact = tales.floor(many)
    print(
        f"of {MANY:,} words: {exact.nats_per_word:.5f} +- {exact.standard_error:.5f} by the surprise of "
        f"the words drawn, {many.entropies.mean():.5f} by the entropy of what they were drawn from"
    )
    parts = np.array_split(exact.by_position[: tales.survey(level).least], 4)
    print("by position, quarters of the shortest story:", ", ".join(f"{part.mean():.3f}" for part in parts), "nats")
    return held_out, floor


def counting(train, held_out, floor, level):
    tokenizer = Words(tales.vocabulary(level))
    ids, held_out_ids = np.array(tokenizer.ids(train.words)), np.array(tokenizer.ids(held_out.words))
    for order in range(1, 9):
        began = time.perf_counter()
        loss = ngrams.fit(ids, order, len(tokenizer)).loss(held_out_ids)
        seconds = time.perf_counter() - began
        print(f"{order}-grams: {loss:.4f} nats per word = {loss / floor.nats_per_word:5.2f} x floor  ({seconds:.1f} s)")


def main():
    print(where())
    for level in (1, 2, 3):
        print(f"\nlevel {level}")
        sample = speed(level)
        size(sample, level)
        labels(level)
        counting(sample, *floors(level), level)


if __name__ == "__main__":
    main()
