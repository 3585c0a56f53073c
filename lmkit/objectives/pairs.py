"""Two sentences, and what is said of both: does the second follow the first, and in this order?"""

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


def sentence_bounds(text: Text) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The begin and end of each sentence, and the number of its document."""
    if text.sentences is None or text.documents is None:
        raise ValueError("pairs of sentences want a Text with sentences and documents")
    ends = np.append(text.sentences[1:], len(text.ids))
    return text.sentences, ends, np.searchsorted(text.documents, text.sentences, side="right") - 1


def pairs(
    text: Text, random: np.random.Generator, batch_size: int, seq_len: int, marks: Marks, second: str, rate: float
) -> dict:
    """Masked pairs of sentences with their label, padded to seq_len."""
    begins, ends, document = sentence_bounds(text)
    followed = np.flatnonzero(document[:-1] == document[1:])
    if len(followed) == 0 or (second == "other" and len(text.documents) < 2):
        raise ValueError("pairs of sentences want documents of at least two sentences, and at least two documents")
    said = lambda i: text.ids[begins[i] : ends[i]].tolist()  # noqa: E731
    ids, segments = np.full((batch_size, seq_len), marks.pad), np.zeros((batch_size, seq_len), dtype=np.int64)
    label = (random.random(batch_size) < 0.5).astype(np.int64)
    for row, i in enumerate(random.choice(followed, size=batch_size)):
        j, other = i + 1, i
        if label[row] and second == "other":
            while document[other] == document[i]:
                other = random.integers(len(begins))
            j = other
        one, two = (said(j), said(i)) if label[row] and second == "swapped" else (said(i), said(j))
        told, parts = joined(one, two, marks, seq_len)
        ids[row, : len(told)], segments[row, : len(told)] = told, parts
    return mask(ids, random, marks, rate=rate) | {"segments": segments, "real": ids != marks.pad, "label": label}


def next_sentence(text, random, batch_size, seq_len, marks, rate=0.15) -> dict:
    """Half of the second sentences follow the first (label 0), half come from another document (label 1).

    Devlin et al. 2018, arXiv:1810.04805, with sentences where they have stretches of text.
    """
    return pairs(text, random, batch_size, seq_len, marks, "other", rate)


def sentence_order(text, random, batch_size, seq_len, marks, rate=0.15) -> dict:
    """Two sentences in a row, half of them (label 1) in the wrong order. Lan et al. 2019, "ALBERT", arXiv:1909.11942.

    Unlike "from another document" this cannot be told by the topic alone.
    """
    return pairs(text, random, batch_size, seq_len, marks, "swapped", rate)


def pair_loss(model: nn.Module, batch: dict[str, Tensor]) -> Tensor:
    """The masked loss plus the mean of -log p(label | both sentences), in nats. `model` is a heads.Pretraining."""
    tokens, label = model(batch["ids"], **beside(batch))
    return cross_entropy(tokens, batch["targets"]) + F.cross_entropy(label, batch["label"])
