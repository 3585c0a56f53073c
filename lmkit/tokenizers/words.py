"""Words as tokens: punctuation marks, the possessive ’s and the blank line between paragraphs are words too."""

import re
import warnings
from collections import Counter
from difflib import get_close_matches

from .base import Tokenizer, check_id
from .checks import each_text, first_tokens
from .document import check_same, document, kept_of, tokens_of
from .work import Piece, Step, Work

WORD = re.compile(r"\n\n|’s\b|\w+|[^\w\s]")
# The same for the Rust library, whose own \w has marks such as the vowel signs of Hindi, and whose \s lacks four.
LETTERS = r"\p{L}\p{N}_"
RUST_WORD = rf"\n\n|’s(?![{LETTERS}])|[{LETTERS}]+|[^{LETTERS}\s\x1c-\x1f]"
CLINGS_LEFT = re.compile(r" ([.,!?;:”’])")  # ’ ends a quote, or begins the possessive ’s


def split(text):
    """Text -> words. Spaces separate words and are not kept; a blank line is the word "\\n\\n"."""
    return WORD.findall(text)


def join(words):
    """Words -> text, with spaces where English puts them; for words of `split`, `split(join(words)) == words`."""
    text = CLINGS_LEFT.sub(r"\1", " ".join(words)).replace("“ ", "“").replace("‘ ", "‘")
    return text.replace(" \n\n", "\n\n").replace("\n\n ", "\n\n")


class Words(Tokenizer):
    """One id per word of `vocabulary`, in the order given, after the special tokens.

    Raises ValueError for an empty vocabulary, a word given twice, a word that `split` would break, and for a word or
    id outside the vocabulary.
    """

    kind = "words"
    pre_tokenizer = {"type": "Split", "pattern": {"Regex": RUST_WORD}, "behavior": "Removed", "invert": True}

    def __init__(self, vocabulary, special=()):
        self.words = list(vocabulary)
        if not self.words:
            raise ValueError("the vocabulary is empty; give at least one word")
        tokens = first_tokens(special, self.words, 1 << 30)[: -len(self.words)]
        self.special = {token: i for i, token in enumerate(tokens)}
        self.vocab = dict(self.special)
        for token in tokens:
            if split(token) == [token]:
                raise ValueError(f"special token {token!r} is a word, so text could forge it; write it as <{token}>")
        self.index = {}
        for i, word in enumerate(self.words):
            if split(word) != [word]:
                raise ValueError(f"vocabulary entry {i}, {word!r}, is not one word but {split(word)}")
            if word in self.index:
                first = self.words.index(word)
                raise ValueError(f"the vocabulary holds {word!r} twice, at {first} and {i}")
            self.vocab[word] = self.index[word] = len(self.special) + i

    @classmethod
    def train(cls, texts, vocab_size=None, *, special=()):
        """Collect the words of the texts, the most frequent first, as many as vocab_size has room for."""
        counts = Counter(word for text in each_text(texts) for word in split(text))
        ranked = sorted(counts, key=lambda word: (-counts[word], word))
        tokens = first_tokens(special, ranked[:1], 1 << 30 if vocab_size is None else vocab_size)
        room = None if vocab_size is None else vocab_size - len(tokens) + 1
        if room is not None and len(ranked) < room:
            warnings.warn(f"the text holds {len(ranked)} words, not {room}", stacklevel=2)
        return cls(ranked[:room], special)

    def encode(self, text):
        """Text -> list of ids, one per word."""
        return self.ids(split(text))

    def ids(self, words):
        """Words -> list of ids, for text that is already split."""
        try:
            return [self.index[w] for w in words]
        except KeyError as missing:
            word = missing.args[0]
            near = get_close_matches(word, self.words, n=3)
            hint = f"; the nearest are {', '.join(near)}" if near else ""
            raise ValueError(f"{word!r} is not among the {len(self.words)} words this tokenizer knows{hint}") from None

    def offsets(self, text):
        self.encode(text)
        return [match.span() for match in WORD.finditer(text)]

    def decode(self, ids, special=False):
        """Ids -> text."""
        words = [self.by_id[check_id(i, len(self))] for i in ids]
        return join([word for word in words if special or word not in self.special])

    def label(self, i):
        """The word, or ¶ for a blank line."""
        return "¶" if self.by_id[check_id(i, len(self))] == "\n\n" else super().label(i)

    def show_work(self, text):
        cut = zip(self.encode(text), self.offsets(text))
        pieces = tuple(Piece(self.label(i), start, end, i) for i, (start, end) in cut)
        return Work(self.kind, text, (Step("words and punctuation", pieces),))

    def to_dict(self):
        saved = {"kind": self.kind, "words": list(self.words)}
        return saved | {"special": list(self.special)} if self.special else saved

    @classmethod
    def from_dict(cls, saved):
        return cls(saved["words"], saved.get("special", ()))

    def to_json(self):
        """`split` as a pattern, and `join` as a row of replacements: spaces between all words, then fewer."""
        steps = [
            {"type": "Replace", "pattern": {"Regex": r"\A"}, "content": " "},
            {"type": "Fuse"},
            {"type": "Strip", "content": " ", "start": 1, "stop": 0},
            {"type": "Replace", "pattern": {"Regex": r" (?=[.,!?;:”’])"}, "content": ""},
            {"type": "Replace", "pattern": {"String": "“ "}, "content": "“"},
            {"type": "Replace", "pattern": {"String": "‘ "}, "content": "‘"},
            {"type": "Replace", "pattern": {"String": " \n\n"}, "content": "\n\n"},
            {"type": "Replace", "pattern": {"String": "\n\n "}, "content": "\n\n"},
        ]
        model = {"type": "WordLevel", "vocab": self.vocab, "unk_token": ""}
        decoder = {"type": "Sequence", "decoders": steps}
        return document(self, model, pre_tokenizer=self.pre_tokenizer, decoder=decoder)

    @classmethod
    def from_json(cls, data):
        vocab, special, added = tokens_of(data)
        if added:
            raise ValueError(f"added token {added[0]!r} is not special, and none of words")
        in_order = sorted(vocab, key=vocab.get)
        tok = cls([token for token in in_order if token not in special], sorted(special, key=vocab.get))
        check_same(tok, data)
        tok.kept = kept_of(data)
        return tok
