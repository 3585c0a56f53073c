"""Tokenizers: text to a list of ids and back. One algorithm per file, the same methods for all, see `Tokenizer`."""

from .base import Tokenizer
from .bpe import BPE
from .byte_bpe import ByteBPE
from .bytes import Bytes
from .characters import Characters
from .files import load
from .patterns import GPT2, GPT4, LLAMA3, PATTERNS, QWEN2
from .rust import Fast, fast
from .unigram import Unigram
from .wordpiece import WordPiece
from .words import Words
from .work import Candidate, Piece, Step, Work

#: A tokenizer has train, encode, offsets, decode, tokens, show_work, save, vocab, special, len(), to_dict, from_dict.
TOKENIZERS = {"characters": Characters, "words": Words, "bytes": Bytes, "bpe": BPE, "byte_bpe": ByteBPE}
TOKENIZERS |= {"wordpiece": WordPiece, "unigram": Unigram}

__all__ = [
    "GPT2", "GPT4", "LLAMA3", "PATTERNS", "QWEN2", "TOKENIZERS", "BPE", "ByteBPE", "Bytes", "Candidate", "Characters",
    "Fast", "Piece", "Step", "Tokenizer", "Unigram", "WordPiece", "Words", "Work", "fast", "from_dict", "load",
]  # fmt: skip


def from_dict(saved):
    """Rebuild a tokenizer from what its `to_dict` returned; ValueError if `saved["kind"]` is not in TOKENIZERS."""
    kind = saved.get("kind")
    if kind not in TOKENIZERS:
        raise ValueError(f"tokenizer kind {kind!r} is not one of {sorted(TOKENIZERS)}")
    return TOKENIZERS[kind].from_dict(saved)
