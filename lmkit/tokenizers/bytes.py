"""Bytes as tokens (Xue et al. 2021, ByT5, arXiv:2105.13626): any text has ids, more of them than in any other way."""

from .base import Tokenizer, check_id
from .byte_bpe import LETTER, show_bytes
from .checks import check_vocab, each_text, first_tokens, utf8
from .document import check_same, document, kept_of, tokens_of
from .work import Piece, Step, Work


class Bytes(Tokenizer):
    """The UTF-8 bytes of a text, after the special tokens: id = byte + number of special tokens.

    The vocabulary writes bytes as GPT-2 does, in letters. ValueError for a text with a lone surrogate.
    """

    kind = "bytes"

    def __init__(self, special=()):
        tokens = first_tokens(special, [LETTER[byte] for byte in range(256)], 1 << 30)
        self.vocab = {token: i for i, token in enumerate(tokens)}
        self.first = len(self.vocab) - 256
        self.special = check_vocab(self.vocab, tokens[: self.first])

    @classmethod
    def train(cls, texts="", vocab_size=None, *, special=()):
        """There is nothing to learn. ValueError if vocab_size, where given, is not 256 and the special tokens."""
        list(each_text(texts))
        tok = cls(special)
        if vocab_size not in (None, len(tok)):
            raise ValueError(f"vocab_size is {vocab_size}, but 256 bytes and {tok.first} special tokens are {len(tok)}")
        return tok

    def encode(self, text):
        return [self.first + byte for byte in utf8(text)]

    def offsets(self, text):
        utf8(text)
        return [(n, n + 1) for n, c in enumerate(text) for _ in c.encode("utf-8")]

    def decode(self, ids, special=False):
        """Ids -> text; bytes that are no UTF-8 become U+FFFD."""
        ids = [check_id(i, len(self)) for i in ids]
        parts = [self.token_bytes(i) for i in ids if special or i >= self.first]
        return b"".join(parts).decode("utf-8", "replace")

    def token_bytes(self, i) -> bytes:
        """The bytes that an id stands for: one, or those of a special token's name."""
        i = check_id(i, len(self))
        return bytes([i - self.first]) if i >= self.first else self.by_id[i].encode("utf-8")

    def label(self, i):
        return show_bytes(self.token_bytes(i))

    def show_work(self, text):
        """Characters, and then their bytes."""
        steps = [Step("characters", tuple(Piece(show_bytes(utf8(c)), n, n + 1) for n, c in enumerate(text)))]
        ids = zip(self.encode(text), self.offsets(text))
        steps.append(Step("bytes of UTF-8", tuple(Piece(self.label(i), start, end, i) for i, (start, end) in ids)))
        return Work(self.kind, text, tuple(steps))

    def to_dict(self):
        return {"kind": self.kind, "special": list(self.special)}

    @classmethod
    def from_dict(cls, saved):
        return cls(saved["special"])

    def to_json(self):
        model = {
            "type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
            "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False, "ignore_merges": False,
            "vocab": self.vocab, "merges": [],
        }  # fmt: skip
        level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True}
        return document(self, model, pre_tokenizer={**level, "use_regex": False}, decoder={**level, "use_regex": True})

    @classmethod
    def from_json(cls, data):
        vocab, special, added = tokens_of(data)
        if added:
            raise ValueError(f"added token {added[0]!r} is not special, and none of bytes")
        tok = cls(sorted(special, key=vocab.get))
        check_same(tok, data)
        tok.kept = kept_of(data)
        return tok
