"""Two stretches of text, and what is said of both: does the second follow the first, and in this order?

Each is made of whole sentences, as many as fit into half a row: "sentence" is BERT's word for it. Both kinds of pairs
are cut alike, and each for itself, so that lengths and broken sentences say nothing about the label.
"""

import numpy as np
import torch.nn.functional as F
from torch import Tensor, nn

from .losses import cross_entropy
from .masked import beside, mask
from .text import Marks, Text


def joined(first: list, second: list, marks: Marks, seq_len: int) -> tuple[list, list]:
    """[CLS] first [SEP] second [SEP], cut to seq_len at the end of the longer, and the segments 0 and 1."""
    first, second = list(first), list(second)
    while len(first) + len(second) > seq_len - 3:
        (first if len(first) > len(second) else second).pop()
    ids = [marks.cls, *first, marks.sep, *second, marks.sep]
    return ids, [0] * (len(first) + 2) + [1] * (len(second) + 1)


def borders(text: Text, longest: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Each place between two sentences of a document, with the stretches before and after it.

    Four arrays: where the first begins, the place, where the second ends, the number of the document. A stretch is the
    longest of whole sentences that has at most `longest` tokens, or a single sentence.
    """
    if text.sentences is None or text.documents is None:
        raise ValueError("pairs of sentences want a Text with sentences and documents")
    begins, ends = text.sentences, np.append(text.sentences[1:], len(text.ids))
    document = np.searchsorted(text.documents, begins, side="right") - 1
    at = np.flatnonzero(document[:-1] == document[1:]) + 1  # sentences that follow another one
    first, last = (np.searchsorted(document, document[at], side=side) for side in ("left", "right"))
    first = np.minimum(np.maximum(first, np.searchsorted(begins, begins[at] - longest)), at - 1)
    last = np.maximum(np.minimum(last, np.searchsorted(ends, begins[at] + longest, side="right")) - 1, at)
    return begins[first], begins[at], ends[last], document[at]


def pairs(
    text: Text, random: np.random.Generator, batch_size: int, seq_len: int, marks: Marks, second: str, rate: float
) -> dict:
    """Masked pairs with their label, padded to seq_len."""
    if seq_len < 5:
        raise ValueError(f"a pair with its three marks wants rows of at least 5 tokens, not {seq_len}")
    half = (seq_len - 3) // 2
    begins, places, ends, document = borders(text, half)
    if len(places) == 0 or (second == "other" and document[0] == document[-1]):
        raise ValueError("pairs of sentences want documents, two at the least, of two sentences or more each")
    ids, segments = np.full((batch_size, seq_len), marks.pad), np.zeros((batch_size, seq_len), dtype=np.int64)
    label = (random.random(batch_size) < 0.5).astype(np.int64)
    for row, i in enumerate(random.integers(len(places), size=batch_size)):
        j = i
        while label[row] and second == "other" and document[j] == document[i]:
            j = random.integers(len(places))
        one, two = text.ids[begins[i] : places[i]][:half], text.ids[places[j] : ends[j]][:half]
        if label[row] and second == "swapped":
            one, two = two, one
        told, parts = joined(one, two, marks, seq_len)
        ids[row, : len(told)], segments[row, : len(told)] = told, parts
    return mask(ids, random, marks, rate=rate) | {"segments": segments, "real": ids != marks.pad, "label": label}


def next_sentence(text, random, batch_size, seq_len, marks, rate=0.15) -> dict:
    """Half of the second stretches follow the first (label 0), half come from another document (label 1).

    Devlin et al. 2018, arXiv:1810.04805. Here one from elsewhere never begins a document, as one that follows cannot.
    """
    return pairs(text, random, batch_size, seq_len, marks, "other", rate)


def sentence_order(text, random, batch_size, seq_len, marks, rate=0.15) -> dict:
    """Two stretches in a row, half of them (label 1) in the wrong order. Lan et al. 2019, "ALBERT", arXiv:1909.11942.

    Unlike "from another document" this cannot be told by the topic alone.
    """
    return pairs(text, random, batch_size, seq_len, marks, "swapped", rate)


def pair_loss(model: nn.Module, batch: dict[str, Tensor]) -> Tensor:
    """The masked loss plus the mean of -log p(label | both stretches), in nats. `model` is a heads.Pretraining."""
    tokens, label = model(batch["ids"], **beside(batch))
    return cross_entropy(tokens, batch["targets"]) + F.cross_entropy(label, batch["label"])
