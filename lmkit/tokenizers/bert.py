"""How BERT cuts a text into words: cleaning, lower case and accents first, then at spaces and punctuation."""

import re

from .rust_unicode import combining, decompose, is_control, is_mark, is_punctuation, lower

SPACES = " \t\n\r\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
STRETCH = {True: re.compile(f"[^{SPACES}]+"), False: re.compile(f"[^{SPACES}\v\f\x85]+")}  # by `clean`
PLAIN = re.compile(r"[0-9A-Za-z]+|[!-/:-@\[-`{-~]")
CHINESE = re.compile(
    "[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002a6df\U0002a700-\U0002b81f\U0002b920-\U0002ceaf"
    "\U0002f800-\U0002fa1f]"
)


class BertRules:
    """BERT's normalizer and basic tokenizer (Devlin et al. 2018), as the Rust library `tokenizers` has them.

    clean: drop control characters. chinese: each Chinese character is a word. lower: lower case, one character at a
    time. strip_accents: None means "as `lower` says". The Rust code differs from Devlin's in its older tables
    (`rust_unicode`), and in keeping U+2B820 to U+2B91F, Chinese characters, within words.
    """

    def __init__(self, lower=True, strip_accents=None, clean=True, chinese=True):
        self.lower, self.strip_accents, self.clean, self.chinese = lower, strip_accents, clean, chinese

    def stretches(self, text):
        """(start, stretch) of what stands between spaces: no rule looks beyond it, so each is worked on once."""
        return ((match.start(), match.group()) for match in STRETCH[self.clean].finditer(text))

    def words(self, stretch):
        """A stretch between spaces -> its words as (word, starts, ends), spans of each character in the stretch."""
        if stretch.isascii() and stretch.isprintable():
            found = [(match.group(), match.start(), match.end()) for match in PLAIN.finditer(stretch)]
            return [
                (word.lower() if self.lower else word, range(start, end), range(start + 1, end + 1))
                for word, start, end in found
            ]
        words, inside = [], False
        for c, start, end in self.normalize(stretch):
            alone = is_punctuation(c)
            if c == " ":
                inside = False
                continue
            if alone or not inside:
                words.append(([], [], []))
            for part, value in zip(words[-1], (c, start, end)):
                part.append(value)
            inside = not alone
        return [("".join(characters), starts, ends) for characters, starts, ends in words]

    def normalize(self, text):
        """Text -> [(character, start, end)]: what it becomes, and of which stretch of the text each character came."""
        spans = [(c, i, i + 1) for i, c in enumerate(text)]
        if self.clean:
            spans = [span for span in spans if not (span[0] in "\0\ufffd" or is_control(span[0]))]
        if self.chinese and CHINESE.search(text):
            spans = [(c, i, j) for char, i, j in spans for c in (f" {char} " if CHINESE.match(char) else char)]
        if self.lower if self.strip_accents is None else self.strip_accents:
            spans = [span for span in decomposed(spans) if not is_mark(span[0])]
        if self.lower:
            spans = [(c, start, end) for char, start, end in spans for c in lower(char)]
        return spans


def decomposed(spans, form="NFD"):
    """Each character decomposed, marks in canonical order.

    The spans are the Rust library's: a mark that changes places with another one takes over its span.
    """
    parts = []  # (combining class, character, whether it is the first of a decomposition)
    for char, _, _ in spans:
        parts += [(combining(c), c, i == 0) for i, c in enumerate(decompose(char, form))]
    start = 0
    while start < len(parts):
        end = start + 1
        if parts[start][0]:
            while end < len(parts) and parts[end][0]:
                end += 1
            parts[start:end] = sorted(parts[start:end], key=lambda part: part[0])
        start = end
    result, source = [], -1
    for _, c, first in parts:
        source += first
        result.append((c, *spans[source][1:]))
    return result
