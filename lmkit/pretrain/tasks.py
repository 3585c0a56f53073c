"""What there is to learn in a run: token ids, what is held out, and the loss to compare with."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from .. import corpora, ngrams, tokenizers
from ..corpora import CORPORA, shards, tales
from ..data import packed, windows
from ..tokenizers import Characters, Tokenizer, Words

MOST_WORDS = 6_000_000  # of tales: what a few seconds make; longer runs read them again
HELD_OUT = 1024  # rows of a corpus of shards, from its end
KINDS = ("characters", "words", "bytes", "bpe:SIZE", "byte_bpe:SIZE", "wordpiece:SIZE", "unigram:SIZE")


@dataclass
class Task:
    """What there is to learn: token ids, where windows begin, rows held out, and the loss to compare with."""

    tokenizer: Tokenizer
    ids: np.ndarray
    starts: np.ndarray | None
    rows: torch.Tensor  #: (n, T + 1), held out
    baseline: float  #: nats per token
    baseline_name: str
    bytes_per_token: float
    prompt: str
    end: int | None = None  #: the token that ends a document
    documents: np.ndarray | None = None  #: of packed rows: the document of each token


def packed_task(what: Task, seq_len: int) -> Task:
    """The same documents, packed into rows. What is held out stays as it is."""
    if what.end is None:
        raise ValueError(
            "a text without ends of documents cannot be packed: give the tales, or shards that have an end"
        )
    ends = np.flatnonzero(np.asarray(what.ids) == what.end)
    documents = np.split(np.asarray(what.ids), ends + 1)
    ids, numbers = packed((document[:-1] for document in documents if len(document)), seq_len, what.end)
    starts = np.arange(len(ids)) * (seq_len + 1)
    ids, numbers = ids.astype(what.ids.dtype).ravel(), numbers.astype(np.int32).ravel()
    return replace(what, ids=ids, starts=starts, documents=numbers)


def task(corpus: str, tokenizer: str | None, seq_len: int, words: int) -> Task:
    """The task of a corpus; of tales, at least so many words. ValueError and OSError say what is wrong."""
    if corpus == "tales" and tokenizer in (None, "words"):
        return tales_task(seq_len, words)
    if (Path(corpus) / shards.format.INDEX).is_file():
        return shards_task(corpus, tokenizer, seq_len)
    if corpus in CORPORA and CORPORA[corpus].hub:
        raise ValueError(
            f"{corpus} is a corpus of documents; make token shards of it first (python -m lmkit.corpora.shards --help) "
            f"and give their folder as the corpus"
        )
    return text_task(corpus, seq_len, tokenizer)


def tales_task(seq_len: int, words: int) -> Task:
    """Tales, with the exact floor of the very words held out."""
    tokenizer, sample, held_out = Words(tales.VOCABULARY), tales.generate(words), tales.generate(60_000, seed=1)
    rows = windows(tokenizer.ids(held_out.words), held_out.starts, seq_len)
    floor = -windows(held_out.logprobs, held_out.starts, seq_len)[:, 1:].mean()
    ids = np.array(tokenizer.ids(sample.words), dtype=np.uint16)
    per_token = len(sample.text.encode("utf-8")) / len(ids)
    rows = torch.from_numpy(rows.astype(np.int64))
    end = tokenizer.vocab[tales.END]
    return Task(tokenizer, ids, sample.starts, rows, float(floor), "exact floor", per_token, "Once there", end)


def text_task(name: str, seq_len: int, tokenizer: str | None = None) -> Task:
    """Any other text, by characters unless said otherwise; its last tenth is held out, against a 5-gram counter."""
    text = corpora.text(name)
    to_read, rest = corpora.parts(text)
    chosen = Characters(text) if tokenizer in (None, "characters") else tokenizer_for(tokenizer, to_read)
    if len(chosen) < 2:
        raise ValueError(f"{name!r} holds one character only; there is nothing to predict")
    ids, held_out = (np.array(chosen.encode(part), dtype=np.uint32) for part in (to_read, rest))
    if min(len(ids), len(held_out)) <= seq_len:
        raise ValueError(
            f"{name!r} has {len(ids) + len(held_out)} tokens; training needs at least {10 * (seq_len + 1)} for a "
            f"context of {seq_len}: give a longer text or a smaller --seq-len"
        )
    baseline = ngrams.fit(ids, order=5, vocab_size=len(chosen)).loss(held_out)
    rows = torch.from_numpy(windows(held_out, np.arange(0, len(held_out), seq_len), seq_len).astype(np.int64))
    per_token = len(text.encode("utf-8")) / (len(ids) + len(held_out))
    return Task(chosen, ids, None, rows, baseline, "5-gram counter", per_token, rest[:20])


def shards_task(folder: str, tokenizer: str | None, seq_len: int) -> Task:
    """Token shards; their last rows are held out, against a counter of the first million tokens."""
    if tokenizer is None:
        raise ValueError(f"{folder} holds token shards; say by --tokenizer which tokenizer.json made them")
    chosen = tokenizer_for(tokenizer, None)
    ids = shards.open(folder, chosen)
    n = min(HELD_OUT, len(ids) // (10 * (seq_len + 1)))
    if n < 1:
        raise ValueError(f"{folder} holds {len(ids)} tokens; training needs at least {10 * (seq_len + 1)}")
    cut = len(ids) - n * (seq_len + 1)
    rows = np.asarray(ids[cut : len(ids)], dtype=np.int64).reshape(n, seq_len + 1)
    kept = shards.Shards([*cut_parts(ids, cut)], ids.end, ids.name)
    counter = ngrams.fit(np.asarray(ids[: min(cut, 1_000_000)]), order=3, vocab_size=len(chosen))
    sample = chosen.decode(rows[: min(n, 100)].flatten().tolist())
    per_token = len(sample.encode("utf-8")) / (min(n, 100) * (seq_len + 1))
    baseline = float(np.mean([counter.losses(row)[1:].mean() for row in rows[:100]]))
    prompt = chosen.decode(rows[0, :8].tolist())
    return Task(chosen, kept, None, torch.from_numpy(rows), baseline, "3-gram counter", per_token, prompt, ids.end)


def cut_parts(ids, cut: int):
    """The parts of Shards up to `cut`."""
    for part, begins in zip(ids.parts, ids.bounds):
        if begins < cut:
            yield part[: cut - begins]


def tokenizer_for(said: str, text: str | None) -> Tokenizer:
    """ "byte_bpe:4096", trained on the text, or the path of a tokenizer.json."""
    kind, _, size = said.partition(":")
    if kind not in tokenizers.TOKENIZERS:
        if Path(said).exists():
            return tokenizers.load(said)
        raise ValueError(f"--tokenizer {said!r} is no file and none of {', '.join(KINDS)}")
    if text is None:
        raise ValueError(f"--tokenizer {said!r} would be trained anew; shards want the tokenizer.json that made them")
    if kind == "bytes":
        return tokenizers.Bytes()
    if kind in ("characters", "words"):
        return tokenizers.TOKENIZERS[kind].train(text)
    if not size.isdigit():
        raise ValueError(f"--tokenizer {said!r}: say how many tokens, as in {kind}:4096")
    return tokenizers.TOKENIZERS[kind].train(text, int(size))
