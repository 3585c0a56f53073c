"""Words as tokens: punctuation marks, the possessive ’s and the blank line between paragraphs are words too."""

import re
from difflib import get_close_matches

from .characters import check_id

WORD = re.compile(r"\n\n|’s\b|\w+|[^\w\s]")
CLINGS_LEFT = re.compile(r" ([.,!?;:”]|’s\b)")


def split(text):
    """Text -> words. Spaces separate words and are not kept; a blank line is the word "\\n\\n"."""
    return WORD.findall(text)


def join(words):
    """Words -> text, with spaces where English puts them; for words of `split`, `split(join(words)) == words`."""
    text = CLINGS_LEFT.sub(r"\1", " ".join(words)).replace("“ ", "“")
    return text.replace(" \n\n", "\n\n").replace("\n\n ", "\n\n")


class Words:
    """One id per word of `vocabulary`, in the order given.

    Raises ValueError for an empty vocabulary, a word given twice, a word that `split` would break, and for a word or
    id outside the vocabulary.
    """

    def __init__(self, vocabulary):
        self.words = list(vocabulary)
        if not self.words:
            raise ValueError("the vocabulary is empty; give at least one word")
        self.index = {}
        for i, word in enumerate(self.words):
            if split(word) != [word]:
                raise ValueError(f"vocabulary entry {i}, {word!r}, is not one word but {split(word)}")
            if word in self.index:
                raise ValueError(f"the vocabulary holds {word!r} twice, at {self.index[word]} and {i}")
            self.index[word] = i

    def __len__(self):
        return len(self.words)

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
            raise ValueError(f"{word!r} is not among the {len(self)} words this tokenizer knows{hint}") from None

    def decode(self, ids):
        """Ids -> text."""
        return join([self.words[check_id(i, len(self))] for i in ids])

    def tokens(self, text):
        """Text -> one visible label per token (a blank line is shown as ¶)."""
        return ["¶" if word == "\n\n" else word for word in (self.words[i] for i in self.encode(text))]

    def to_dict(self):
        return {"kind": "words", "words": list(self.words)}

    @classmethod
    def from_dict(cls, saved):
        return cls(saved["words"])
