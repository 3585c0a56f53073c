"""Characters as tokens: the simplest tokenizer, with the longest sequences."""

SHOWN = {"\n": "⏎", " ": "␣", "\t": "⇥"}  # what a reader could not see in a picture


class Characters:
    """One id per distinct character, in code-point order; `alphabet` is any text that holds them all.

    Raises ValueError for an empty alphabet, and for a character or id outside it.
    """

    def __init__(self, alphabet):
        self.characters = sorted(set(alphabet))
        if not self.characters:
            raise ValueError("the alphabet is empty; give a text with at least one character")
        self.index = {c: i for i, c in enumerate(self.characters)}

    def __len__(self):
        return len(self.characters)

    def encode(self, text):
        """Text -> list of ids, one per character."""
        try:
            return [self.index[c] for c in text]
        except KeyError:
            i, c = next((i, c) for i, c in enumerate(text) if c not in self.index)
            raise ValueError(
                f"character {c!r} (U+{ord(c):04X}) at position {i} is not among the {len(self)} this tokenizer knows"
            ) from None

    def decode(self, ids):
        """Ids -> text; `decode(encode(text)) == text`."""
        return "".join(self.characters[check_id(i, len(self))] for i in ids)

    def tokens(self, text):
        """Text -> one visible label per token (a space is shown as ␣, a line's end as ⏎)."""
        return [SHOWN.get(self.characters[i], self.characters[i]) for i in self.encode(text)]

    def to_dict(self):
        return {"kind": "characters", "characters": "".join(self.characters)}

    @classmethod
    def from_dict(cls, saved):
        return cls(saved["characters"])


def check_id(i, vocab_size):
    """Return id `i` as an int; ValueError unless 0 <= i < vocab_size (a list would take -1 for its last)."""
    if not 0 <= i < vocab_size:
        raise ValueError(f"id {int(i)} is not in 0..{vocab_size - 1}, the ids of this tokenizer")
    return int(i)
