"""Tokenizers: text to a list of ids and back. One algorithm per file, the same five methods for all."""

from .characters import Characters
from .words import Words

# A tokenizer has encode(text) -> ids, decode(ids) -> text, tokens(text) -> labels to show, len(), to_dict, from_dict.
TOKENIZERS = {"characters": Characters, "words": Words}

__all__ = ["TOKENIZERS", "Characters", "Words", "from_dict"]


def from_dict(saved):
    """Rebuild a tokenizer from what its `to_dict` returned; ValueError if `saved["kind"]` is not in TOKENIZERS."""
    kind = saved.get("kind")
    if kind not in TOKENIZERS:
        raise ValueError(f"tokenizer kind {kind!r} is not one of {sorted(TOKENIZERS)}")
    return TOKENIZERS[kind].from_dict(saved)
