"""Byte-level byte-pair encoding (Radford et al. 2019, GPT-2): merges on bytes, so that no text is out of vocabulary."""

import re

from . import bpe_files
from .base import SHOWN, check_id
from .bpe import ADDED, BPE, learned, with_unk
from .checks import first_tokens, utf8
from .normal_forms import normal_form
from .patterns import GPT2, count, pieces, spans

# GPT-2 writes each byte as a letter of its own, so that a vocabulary is readable text: those of Latin-1 that can be
# seen stand for themselves, the other 68 get the letters from U+0100 on, such as Ġ for a space.
SEEN = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
UNSEEN = [byte for byte in range(0x100) if byte not in SEEN]
LETTER = {**{byte: chr(byte) for byte in SEEN}, **{byte: chr(0x100 + n) for n, byte in enumerate(UNSEEN)}}
BYTE = {letter: byte for byte, letter in LETTER.items()}


def letters(data: bytes) -> str:
    """Bytes -> the letters that stand for them in a vocabulary."""
    return data.decode("latin-1").translate(LETTER)


def show_bytes(data: bytes) -> str:
    """Bytes as a reader should see them: characters where they are some, else two hexadecimal digits a byte."""
    shown = []
    for c in data.decode("utf-8", errors="surrogateescape"):
        if c in SHOWN or c.isprintable():
            shown.append(SHOWN.get(c, c))
        else:
            shown += [f"{byte:02X}" for byte in c.encode("utf-8", errors="surrogateescape")]
    return "".join(shown)


class ByteBPE(BPE):
    """Cut a text by a pattern that keeps everything, and merge the bytes of each piece.

    vocab, merges: bytes written as GPT-2 writes them, see `letters`. whole: a piece that is in the vocabulary is that
    token, whatever the merges say. added: tokens that are not special and are cut out of a text before the pattern is
    used, such as Qwen3's "<think>". compose: what is between them is put into Unicode's normal form C first. Raises
    ValueError if one of the 256 bytes has no token, and for a text with a lone surrogate.
    """

    kind, symbols_are = "byte_bpe", "bytes"

    def __init__(self, vocab, merges, *, special=(), pattern=GPT2, whole=False, added=(), compose=False):
        super().__init__(vocab, merges, special=special, pattern=pattern, end="", whole=whole)
        for byte, letter in LETTER.items():
            if letter not in vocab or letter in self.special:
                raise ValueError(f"the vocabulary has no token for the byte {byte:02X}, which GPT-2 writes {letter!r}")
        self.added, self.compose = tuple(added), compose
        longest_first = sorted([*self.added, *self.special], key=len, reverse=True)
        self._added_pattern = "|".join(re.escape(token) for token in longest_first)
        self._bytes = [self.vocab[LETTER[byte]] for byte in range(256)]

    @classmethod
    def train(cls, texts, vocab_size, *, special=(), pattern=GPT2):
        """Learn merges from a text, or from many. Ids: special tokens, the 256 bytes in GPT-2's order, merges.

        Raises ValueError if vocab_size is less than all special tokens and bytes; warns if the corpus yields fewer.
        """
        special = with_unk(special, None)
        counts = count(pattern, texts, gaps=True)
        if not counts:
            raise ValueError("the text is empty; there is nothing to learn from")
        words = [(letters(piece.encode("utf-8")), n) for piece, n in counts.items()]
        tokens, merges = learned(words, first_tokens(special, sorted(BYTE), vocab_size), vocab_size, special)
        return cls({token: i for i, token in enumerate(tokens)}, merges, special=special, pattern=pattern)

    def decode(self, ids, special=False):
        """Ids -> text; bytes that are no UTF-8, as in a character cut short, become U+FFFD."""
        hidden = set() if special else set(self.special.values())
        ids = [check_id(i, len(self)) for i in ids]
        known = {i: b"" if i in hidden else self.token_bytes(i) for i in set(ids)}
        return b"".join(known[i] for i in ids).decode("utf-8", "replace")

    def token_bytes(self, i) -> bytes:
        """The bytes that an id stands for."""
        token = self.token(i)
        if token in self.special or token in self.added or any(c not in BYTE for c in token):
            return token.encode("utf-8")
        return bytes(BYTE[c] for c in token)

    def label(self, i):
        return show_bytes(self.token_bytes(i))

    def _pieces(self, text):
        utf8(text)
        if self.added or self.compose:
            return [word for word, _, _ in self._cut(text)]
        return pieces(self.pattern, text, gaps=True)

    def _cut(self, text):
        utf8(text)
        found = []
        for first, last, token in self._parts(text):
            if token is not None:
                found.append((ADDED + token, range(first, last), range(first + 1, last + 1)))
                continue
            part, places = normal_form(text[first:last], "NFC") if self.compose else (text[first:last], None)
            for a, b in spans(self.pattern, part, gaps=True):
                if places is None:
                    found.append((part[a:b], range(first + a, first + b), range(first + a + 1, first + b + 1)))
                else:
                    starts = [first + n for n in places[a:b]]
                    found.append((part[a:b], starts, [n + 1 for n in starts]))
        return found

    def _parts(self, text):
        """(start, end, the added token that stands there or None) of all parts of a text."""
        last = 0
        for match in re.finditer(self._added_pattern, text) if self.added else ():
            if match.group() in self.added:  # what is special is found too, and left: nothing within it is added
                if last < match.start():
                    yield last, match.start(), None
                yield *match.span(), match.group()
                last = match.end()
        if last < len(text):
            yield last, len(text), None

    def _at_once(self, word):
        """The one token that a piece is without any merge, if it is."""
        if word[0] == ADDED:
            return [self.vocab[word[1:]]], [(0, len(word) - 1)]
        token = letters(word.encode("utf-8")) if self.whole else None
        if token in self.vocab and token not in self.special:
            return [self.vocab[token]], [(0, len(word))]
        return None

    def _symbols(self, word):
        """A piece -> ids of its bytes, and (start, end) of the character that each belongs to."""
        places = [(n, n + 1) for n, c in enumerate(word) for _ in c.encode("utf-8")]
        return [self._bytes[byte] for byte in word.encode("utf-8")], places

    def to_json(self):
        return bpe_files.bytes_to_json(self)

    @classmethod
    def from_json(cls, data):
        return bpe_files.bytes_from_json(cls, data)
