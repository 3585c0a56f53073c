"""Characters as tokens: the simplest tokenizer, with the longest sequences."""

from .base import Tokenizer, check_id
from .checks import each_text, first_tokens
from .document import check_same, document, kept_of, tokens_of
from .work import Piece, Step, Work


class Characters(Tokenizer):
    """One id per distinct character, in code-point order, after the special tokens; `alphabet` holds them all.

    Raises ValueError for an empty alphabet, and for a character or id outside it.
    """

    kind = "characters"
    pre_tokenizer = {"type": "Split", "pattern": {"Regex": r"[\s\S]"}, "behavior": "Removed", "invert": True}

    def __init__(self, alphabet, special=()):
        self.characters = sorted(set(alphabet))
        if not self.characters:
            raise ValueError("the alphabet is empty; give a text with at least one character")
        tokens = first_tokens(special, self.characters, 1 << 30)
        self.vocab = {token: i for i, token in enumerate(tokens)}
        self.special = {token: self.vocab[token] for token in tokens[: -len(self.characters)]}
        self.index = {c: self.vocab[c] for c in self.characters}
        for token in self.special:
            if len(token) == 1:
                raise ValueError(f"special token {token!r} is a character, so text could forge it; write <{token}>")

    @classmethod
    def train(cls, texts, vocab_size=None, *, special=()):
        """Collect the characters of the texts; ValueError if vocab_size, where given, has no room for them all."""
        alphabet = sorted({c for text in each_text(texts) for c in text})
        first_tokens(special, alphabet, 1 << 30 if vocab_size is None else vocab_size)
        return cls(alphabet, special)

    def encode(self, text):
        """Text -> list of ids, one per character."""
        try:
            return [self.index[c] for c in text]
        except KeyError:
            i, c = next((i, c) for i, c in enumerate(text) if c not in self.index)
            known = len(self.characters)
            raise ValueError(
                f"character {c!r} (U+{ord(c):04X}) at position {i} is not among the {known} this tokenizer knows"
            ) from None

    def offsets(self, text):
        return [(n, n + 1) for n, _ in enumerate(self.encode(text))]

    def decode(self, ids, special=False):
        """Ids -> text; `decode(encode(text)) == text`."""
        tokens = [self.by_id[check_id(i, len(self))] for i in ids]
        return "".join(token for token in tokens if special or token not in self.special)

    def show_work(self, text):
        ids = enumerate(self.encode(text))
        return Work(self.kind, text, (Step("characters", tuple(Piece(self.label(i), n, n + 1, i) for n, i in ids)),))

    def to_dict(self):
        saved = {"kind": self.kind, "characters": "".join(self.characters)}
        return saved | {"special": list(self.special)} if self.special else saved

    @classmethod
    def from_dict(cls, saved):
        return cls(saved["characters"], saved.get("special", ()))

    def to_json(self):
        model = {"type": "WordLevel", "vocab": self.vocab, "unk_token": ""}
        return document(self, model, pre_tokenizer=self.pre_tokenizer, decoder={"type": "Fuse"})

    @classmethod
    def from_json(cls, data):
        vocab, special, added = tokens_of(data)
        if added:
            raise ValueError(f"added token {added[0]!r} is not special, and none of characters")
        tok = cls([token for token in vocab if token not in special], sorted(special, key=vocab.get))
        if any(len(c) > 1 for c in tok.characters):
            raise ValueError("the vocabulary is not one of characters")
        check_same(tok, data)
        tok.kept = kept_of(data)
        return tok
