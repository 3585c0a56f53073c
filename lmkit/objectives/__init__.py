"""Chapter 9. Objectives: what a model is trained to predict.

An objective is loss(model, batch) -> scalar, in nats, so that all of them share the loop of train.py. The causal one
reads ids (B, T + 1). For the others BATCHES makes the batch out of a Text, as a pure function of a random generator,
and HEADS says which model answers:

    >>> batches = stream(BATCHES["masked"], Text(ids), 16, 128, marks)
    >>> train(HEADS["masked"](config), batches, OBJECTIVES["masked"], steps=1000)
"""

from functools import partial

from ..heads import LM, MaskedLM, Pretraining
from .causal import next_token_loss
from .losses import cross_entropy, linear_cross_entropy
from .masked import by_span, by_token, by_word, mask, masked, masked_loss
from .pairs import next_sentence, pair_loss, sentence_order
from .prefix import prefix_loss, prefixed
from .replaced import Detector, replaced_loss
from .spans import span_loss, spans
from .text import NOT_ASKED, Marks, Text, stream

#: The losses: loss(model, batch) -> scalar, in nats.
OBJECTIVES = {
    "causal": next_token_loss,
    "masked": masked_loss,
    "masked_words": masked_loss,
    "masked_spans": masked_loss,
    "next_sentence": pair_loss,
    "sentence_order": pair_loss,
    "replaced": replaced_loss,
    "spans": span_loss,
    "prefix": prefix_loss,
}
#: How a batch is made: make(text, random, batch_size, seq_len, marks) -> dict of arrays.
BATCHES = {
    "masked": masked,
    "masked_words": partial(masked, choose=by_word),
    "masked_spans": partial(masked, choose=by_span),
    "next_sentence": next_sentence,
    "sentence_order": sentence_order,
    "replaced": partial(masked, shares=(1.0, 0.0)),  # its generator sees the mask alone
    "spans": spans,
    "prefix": prefixed,
}
#: The model that answers, built from a Config: "spans" wants encoder layers, all "masked" ones no causal mask.
HEADS = {
    "causal": LM,
    "masked": MaskedLM,
    "masked_words": MaskedLM,
    "masked_spans": MaskedLM,
    "next_sentence": Pretraining,
    "sentence_order": Pretraining,
    "replaced": Detector,
    "spans": LM,
    "prefix": LM,
}

__all__ = [
    "BATCHES", "HEADS", "NOT_ASKED", "OBJECTIVES", "Detector", "Marks", "Text", "by_span", "by_token", "by_word",
    "cross_entropy", "linear_cross_entropy", "mask", "next_token_loss", "stream",
]  # fmt: skip
