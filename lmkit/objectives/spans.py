"""Span corruption: spans are taken out, each leaving a sentinel, and a decoder says what stood there (T5)."""

import numpy as np
from torch import Tensor, nn

from .losses import cross_entropy
from .text import Marks, Text, rows


def parts(random: np.random.Generator, total: int, number: int) -> np.ndarray:
    """`number` lengths of at least 1 with the sum `total`, every way of cutting alike."""
    cuts = np.sort(random.choice(total - 1, size=number - 1, replace=False)) + 1
    return np.diff([0, *cuts, total])


def noise(random: np.random.Generator, seq_len: int, rate: float, mean_length: float) -> np.ndarray:
    """Which positions are taken out, (seq_len) bool: a text begins with what is kept, and spans never touch."""
    if seq_len < 2:
        raise ValueError(
            f"a row of {seq_len} tokens is too short to take out a span and keep something: give 2 or more"
        )
    n_out = min(max(round(seq_len * rate), 1), seq_len - 1)
    n_spans = min(max(round(n_out / mean_length), 1), n_out, seq_len - n_out)
    kept, out = parts(random, seq_len - n_out, n_spans), parts(random, n_out, n_spans)
    return np.repeat(np.tile([False, True], n_spans), np.stack([kept, out], axis=1).flatten())


def cut_out(ids: np.ndarray, out: np.ndarray, marks: Marks) -> tuple[list, list]:
    """What is left, with a sentinel for each span; and each sentinel with its span, ended by one sentinel more."""
    source, target, used = [], [], 0
    for i, (token, gone) in enumerate(zip(ids.tolist(), out)):
        if gone and (i == 0 or not out[i - 1]):
            if used + 1 >= len(marks.sentinels):
                n = int(out[0]) + np.count_nonzero(out[1:] & ~out[:-1]) + 1
                raise ValueError(
                    f"marks have {len(marks.sentinels)} sentinels, and a row of {len(ids)} tokens wants {n}: give "
                    f"Marks.after(n_tokens, n_sentinels={n})"
                )
            source.append(marks.sentinels[used])
            target.append(marks.sentinels[used])
            used += 1
        (target if gone else source).append(token)
    return source, [*target, marks.sentinels[used]]


def spans(
    text: Text, random: np.random.Generator, batch_size: int, seq_len: int, marks: Marks, rate=0.15, mean_length=3.0
) -> dict:
    """A batch of windows with spans taken out: source (B, S), ids that the decoder reads and targets, both (B, T).

    Raffel et al. 2019, arXiv:1910.10683: 15 % of the tokens, in spans of 3 on average. The decoder begins with `pad`.
    """
    cut = [
        cut_out(text.ids[at], noise(random, seq_len, rate, mean_length), marks)
        for at in rows(text, random, batch_size, seq_len)
    ]
    source, targets = (np.array(part) for part in zip(*cut))
    ids = np.concatenate([np.full((batch_size, 1), marks.pad), targets[:, :-1]], axis=1)
    return {"source": source, "ids": ids, "targets": targets}


def span_loss(model: nn.Module, batch: dict[str, Tensor]) -> Tensor:
    """Mean cross-entropy, in nats per token that the decoder says. `model` is an LM with encoder layers."""
    return cross_entropy(model(batch["ids"], source=batch["source"]), batch["targets"])
