"""Byte-pair encoding on words (Sennrich, Haddow, Birch 2016, arXiv:1508.07909): frequent pairs become tokens."""

import warnings
from functools import cached_property
from itertools import groupby

from . import bpe_files
from .base import SHOWN, Tokenizer, check_id
from .checks import check_vocab, first_tokens, utf8
from .merges import learn, neighbours, replay, standing
from .patterns import WORDS, count, pieces, spans
from .work import Piece, Step, Work

REMEMBERED = 1 << 17  # words whose tokens are kept, so that each word is worked on once
ADDED = "\ud800"  # stands before an added token among the pieces of a text, none of which can hold it


class BPE(Tokenizer):
    """Cut a text into words, a word into characters, and merge neighbours in the order in which training learned to.

    merges: pairs of tokens, the first learned first. pattern: what is a word, a regular expression or a name in
    patterns.PATTERNS; what it does not match is dropped. end: what the last symbol of a word carries. prefix: what all
    but the first symbol carry (of one merged to the right it is dropped). unk: the special token for a character that
    is not in the vocabulary, the one special token that a text can bring about; without it, such a character is
    refused. fuse_unk: one for a row of them. whole: a word that is in the vocabulary is that token, whatever the merges
    say. Raises ValueError for merges that do not fit the vocabulary, or would make a special token.
    """

    kind, symbols_are = "bpe", "characters"

    def __init__(
        self, vocab, merges, *, special=(), pattern=WORDS, end="</w>", prefix="", unk=None, fuse_unk=False, whole=False
    ):
        self.special = check_vocab(vocab, with_unk(special, unk), holes=True)
        self.vocab, self.merges = dict(vocab), [tuple(pair) for pair in merges]
        self.pattern, self.end, self.prefix = pattern, end or "", prefix or ""
        self.unk, self.fuse_unk, self.whole = unk, fuse_unk, whole
        self._known, self._pairs = {}, self._ranked()
        pieces(pattern, "", False)  # refuses what is no pattern

    def _ranked(self):
        """{(left id, right id): (rank, id of what they become)}."""
        pairs = {}
        for rank, (left, right) in enumerate(self.merges):
            token = left + right[len(self.prefix) :]
            for part in (left, right, token):
                if part not in self.vocab:
                    raise ValueError(f"merge {rank + 1}, {left!r} + {right!r}: {part!r} is not in the vocabulary")
                if part in self.special:
                    raise ValueError(f"merge {rank + 1}, {left!r} + {right!r}: {part!r} is a special token")
            pairs[self.vocab[left], self.vocab[right]] = rank, self.vocab[token]
        return pairs

    @classmethod
    def train(cls, texts, vocab_size, *, special=(), pattern=WORDS, end="</w>", unk=None):
        """Learn merges from a text, or from many. Ids: special tokens, symbols in the order of code points, merges.

        Raises ValueError if vocab_size is too small for all symbols; warns if the corpus yields fewer tokens.
        """
        special = with_unk(special, unk)
        words = {word: ([*word[:-1], word[-1] + end], n) for word, n in count(pattern, texts, gaps=False).items()}
        characters = {c for word in words for c in word}
        last = {symbols[-1] for symbols, _ in words.values()} - characters
        tokens = first_tokens(special, [*sorted(characters), *sorted(last)], vocab_size)
        tokens, merges = learned(words.values(), tokens, vocab_size, special)
        vocab = {token: i for i, token in enumerate(tokens)}
        return cls(vocab, merges, special=special, pattern=pattern, end=end, unk=unk)

    def encode(self, text):
        known = self._known
        return [i for word in self._pieces(text) for i in (known.get(word) or self._word(word))[0]]

    def offsets(self, text):
        found = []
        for word, starts, ends in self._cut(text):
            found += [(starts[a], ends[b - 1]) for a, b in (self._known.get(word) or self._word(word))[1]]
        return found

    def decode(self, ids, special=False):
        hidden = set() if special else set(self.special.values())
        ids = [check_id(i, len(self)) for i in ids]
        tokens = [self.token(i) for i in ids if i not in hidden]
        if not self.end or not tokens:
            return "".join(tokens)
        return "".join(token.replace(self.end, " ") for token in tokens[:-1]) + tokens[-1].replace(self.end, "")

    def token(self, i) -> str:
        """The token of an id, as the vocabulary has it."""
        if (token := self.by_id[check_id(i, len(self))]) is None:
            raise ValueError(f"no token has the id {int(i)}, though some have greater ones")
        return token

    def label(self, i):
        return "".join(SHOWN.get(c, c) for c in self.token(i))

    @cached_property
    def by_id(self):
        """The tokens in the order of their ids; None where an id is missing."""
        tokens = {i: token for token, i in self.vocab.items()}
        return [tokens.get(i) for i in range(max(tokens) + 1)]

    def __len__(self):
        return len(self.by_id)

    def show_work(self, text):
        """Words, their symbols, and then one step for each merge that this text needs, the lowest rank first."""
        words, row, places, sizes = [], [], [], []
        for word, starts, ends in self._cut(text):
            words.append(Piece("".join(SHOWN.get(c, c) for c in word.lstrip(ADDED)), starts[0], ends[-1]))
            ids, inner = self._at_once(word) or self._symbols(word)
            row += ids
            places += [(starts[a], ends[b - 1]) for a, b in inner]
            sizes.append(len(ids))
        steps = [Step("cut into words", tuple(words)), self._step(f"cut into {self.symbols_are}", row, places)]
        done = ((rank, p, list(row)) for rank, p in replay(row, *neighbours(sizes), self._pairs))
        for rank, places_merged in groupby(done, key=lambda merge: merge[0]):
            _, merged, rows = zip(*places_merged)
            left, right = self.merges[rank]
            left, right, token = (self.label(self.vocab[t]) for t in (left, right, left + right[len(self.prefix) :]))
            steps.append(self._step(f"merge {rank + 1}: {left} + {right} → {token}", rows[-1], places, merged))
        return Work(self.kind, text, tuple(steps))

    def _step(self, say, row, places, merged=()):
        at = [p for p, i in enumerate(row) if i >= 0]
        pieces = [Piece(self.label(i), start, end, i) for i, (start, end) in zip(*standing(row, places))]
        return Step(say, tuple(pieces), tuple(n for n, p in enumerate(at) if p in merged))

    def _pieces(self, text):
        """The words of a text."""
        utf8(text)
        return pieces(self.pattern, text, gaps=False)

    def _cut(self, text):
        """The words of a text, each with where its characters start and end."""
        utf8(text)
        return [(text[a:b], range(a, b), range(a + 1, b + 1)) for a, b in spans(self.pattern, text, gaps=False)]

    def _word(self, word):
        """A word -> ids of its tokens, and (start, end) of each in the word."""
        found = self._at_once(word)
        if found is None:
            row, places = self._symbols(word)
            for _ in replay(row, *neighbours([len(row)]), self._pairs):
                pass
            found = standing(row, places)
        if len(self._known) < REMEMBERED and len(word) < 256:
            self._known[word] = found
        return found

    def _at_once(self, word):
        if self.whole and word in self.vocab and word not in self.special:
            return [self.vocab[word]], [(0, len(word))]
        return None

    def _symbols(self, word):
        """A word -> ids of its symbols, and (start, end) of each in the word."""
        row, places = [], []
        for n, c in enumerate(word):
            symbol = (self.prefix if n else "") + c + (self.end if n == len(word) - 1 else "")
            if symbol in self.vocab and symbol not in self.special:
                row.append(self.vocab[symbol])
            elif self.unk is None:
                where = "at the end of" if n == len(word) - 1 else "in"
                raise ValueError(f"character {c!r} (U+{ord(c):04X}) {where} {word!r} is none that this tokenizer knows")
            elif self.fuse_unk and row and row[-1] == self.special[self.unk]:
                places[-1] = (places[-1][0], n + 1)
                continue
            else:
                row.append(self.special[self.unk])
            places.append((n, n + 1))
        return row, places

    def to_json(self):
        """The content of a tokenizer.json."""
        return bpe_files.words_to_json(self)

    @classmethod
    def from_json(cls, data):
        """The tokenizer of a tokenizer.json; ValueError for one with parts that are not known here."""
        return bpe_files.words_from_json(cls, data)


def with_unk(special, unk):
    """The special tokens, the one for what is unknown among them."""
    special = [special] if isinstance(special, str) else list(special)
    return special if unk is None or unk in special else [*special, unk]


def learned(words, tokens, vocab_size, special):
    """`merges.learn`, with a warning if the corpus yields fewer tokens than were asked for."""
    tokens, merges = learn(words, tokens, vocab_size, special=special)
    if len(tokens) < vocab_size:
        found = f"the text yields {len(tokens)} tokens, not {vocab_size}: there is nothing left to merge"
        warnings.warn(found, stacklevel=3)
    return tokens, merges
