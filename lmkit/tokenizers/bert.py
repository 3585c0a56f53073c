"""How BERT cuts a text into words: cleaning, lower case and accents first, then at spaces and punctuation."""

import re

from .normal_forms import normal_form
from .rust_unicode import is_control, is_mark, is_punctuation, lower

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
        """A stretch between spaces -> [(word, places)], the index in the stretch that each character came from."""
        if stretch.isascii() and stretch.isprintable():
            new, found = stretch.lower() if self.lower else stretch, PLAIN.finditer(stretch)
            return [(new[match.start() : match.end()], range(match.start(), match.end())) for match in found]
        words, inside = [], False
        for c, place in self.normalize(stretch):
            alone = is_punctuation(c)
            if c != " ":
                if alone or not inside:
                    words.append(([], []))
                words[-1][0].append(c)
                words[-1][1].append(place)
            inside = c != " " and not alone
        return [("".join(characters), places) for characters, places in words]

    def normalize(self, text):
        """Text -> [(character, place)]: what it becomes, and the index in the text that each character came from."""
        kept = [(c, i) for i, c in enumerate(text)]
        if self.clean:
            kept = [(c, i) for c, i in kept if not (c in "\0\ufffd" or is_control(c))]
        if self.chinese and CHINESE.search(text):
            kept = [(part, i) for c, i in kept for part in (f" {c} " if CHINESE.match(c) else c)]
        if self.lower if self.strip_accents is None else self.strip_accents:
            new, places = normal_form("".join(c for c, _ in kept), "NFD")
            places = range(len(new)) if places is None else places
            kept = [(c, kept[place][1]) for c, place in zip(new, places) if not is_mark(c)]
        if self.lower:
            kept = [(part, i) for c, i in kept for part in lower(c)]
        return kept
