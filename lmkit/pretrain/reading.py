"""What a run reads, and what it is judged by: windows of text, packed rows, or what its objective makes of them."""

from collections.abc import Iterator
from math import ceil

import numpy as np
import torch
from torch import Tensor, nn

from .. import objectives
from ..corpora.labels import sentences
from ..data import batches
from ..distributed import World, loss_of, mean
from ..objectives import BATCHES, Marks, Text
from ..tokenizers import ByteBPE, Characters, Tokenizer, Unigram, WordPiece, Words
from ..train import parts
from .settings import Settings
from .tasks import Task

MOST_ROWS = 512  # held out, of objectives that draw their batches


def marks_for(s: Settings, what: Task) -> Marks | None:
    """The ids of marks, after those of the tokenizer; None for an objective that wants no marks."""
    if s.objective in ("causal", "prefix"):
        return None
    n_spans = ceil(0.05 * s.seq_len) + 2 if s.objective == "spans" else 0  # 15 % in spans of 3
    return Marks.after(len(what.tokenizer), n_spans)


def vocab_size(s: Settings, what: Task) -> int:
    marks = marks_for(s, what)
    return len(what.tokenizer) if marks is None else marks.vocab_size


def stream(s: Settings, what: Task, world: World, start: int = 0) -> Iterator[Tensor | dict]:
    """This rank's share of the batches from step `start` on."""
    if s.objective == "causal":
        share = dict(documents=what.documents, rank=world.rank, world_size=world.size)
        yield from batches(what.ids, s.batch_size, s.seq_len, what.starts, s.seed, world.device, start, **share)
    if s.batch_size % world.size:
        raise ValueError(f"a batch of {s.batch_size} cannot be shared evenly by {world.size} ranks")
    text, marks = text_of(s, what, what.ids, what.starts), marks_for(s, what) or Marks.after(len(what.tokenizer))
    make = BATCHES[s.objective]
    for batch in objectives.stream(make, text, s.batch_size, s.seq_len, marks, s.seed, start, world.device):
        yield {name: value.chunk(world.size)[world.rank] for name, value in batch.items()}


def held_out(s: Settings, what: Task) -> Tensor | dict[str, Tensor]:
    """The rows that the run is judged by: the same at every step."""
    if s.objective == "causal":
        return what.rows
    n, width = what.rows.shape
    text = text_of(s, what, what.rows.flatten().numpy(), np.arange(n) * width)
    marks = marks_for(s, what) or Marks.after(len(what.tokenizer))
    made = BATCHES[s.objective](text, np.random.default_rng(0), min(n, MOST_ROWS), s.seq_len, marks)
    return {name: torch.as_tensor(value) for name, value in made.items()}


@torch.no_grad()
def loss_on(
    rows: Tensor | dict[str, Tensor], wrapped: nn.Module, world: World, at_once: int, autocast: torch.dtype | None
) -> float:
    """The mean loss over rows, so many at once.

    Ranks share them where that comes out even: under FSDP2 all must read as many. An objective may draw: it is given
    the same numbers each time, and the generator of training stays where it was.
    """
    rows = rows if isinstance(rows, dict) else {"": rows}
    n, device, total = len(next(iter(rows.values()))), world.device, 0.0
    mine = {name: value[world.rank :: world.size] if n % world.size == 0 else value for name, value in rows.items()}
    number = ceil(len(next(iter(mine.values()))) / at_once)
    wrapped.eval()
    half = torch.autocast(device.type, dtype=autocast, enabled=autocast is not None)
    with torch.random.fork_rng([device] if device.type == "cuda" else []), half:
        torch.manual_seed(0)
        for part, weight in parts(mine, number):
            there = {name: value.to(device) for name, value in part.items()}
            total += weight * loss_of(wrapped, there.get("", there)).item()
    wrapped.train()
    return mean(total, world)


def text_of(s: Settings, what: Task, ids, starts) -> Text:
    """What objectives draw from; words and sentences where they want them."""
    words = word_begins(what.tokenizer, np.asarray(ids)) if s.objective in ("masked_words", "masked_spans") else None
    pairs = s.objective in ("next_sentence", "sentence_order")
    return Text(ids, starts, sentence_begins(what.tokenizer, np.asarray(ids), starts) if pairs else None, words)


def word_begins(tokenizer: Tokenizer, ids: np.ndarray) -> np.ndarray | None:
    """Where words begin, (N) bool; None if each token is a word."""
    if isinstance(tokenizer, Words):
        return None
    if isinstance(tokenizer, Characters):
        letter = np.array([token.isalnum() for token in tokenizer.by_id])[ids]
        return ~(letter & np.append(False, letter[:-1]))
    if not isinstance(tokenizer, ByteBPE | Unigram | WordPiece):
        raise ValueError("whole words are known of the tokenizers characters, words, byte_bpe, unigram and wordpiece")
    within = isinstance(tokenizer, WordPiece)
    return np.array([token.startswith("##") != within if within else token[:1] in "Ġ▁" for token in tokenizer.by_id])[
        ids
    ]


def sentence_begins(tokenizer: Tokenizer, ids: np.ndarray, starts: np.ndarray | None) -> np.ndarray:
    """The indices where sentences of documents begin; the last token of each ends it, and is in its last sentence."""
    if not isinstance(tokenizer, Words) or starts is None:
        raise ValueError("pairs of sentences are made of texts with documents, read word by word: of the tales")
    bounds, words = np.append(starts, len(ids)).tolist(), np.array(tokenizer.by_id)[ids].tolist()
    documents = [(begin, sentences(words[begin : end - 1])) for begin, end in zip(bounds, bounds[1:])]
    return np.array([begin + first for begin, found in documents for first, _ in found])
