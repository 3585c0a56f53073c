"""What every tokenizer can do; an algorithm brings `train`, `encode`, `offsets`, `decode`, `show_work`, `vocab`."""

import json
from operator import index
from pathlib import Path

from .. import atomic
from .work import Work

SHOWN = {"\n": "⏎", " ": "␣", "\t": "⇥"}  # what a reader could not see in a picture


class Tokenizer:
    """A text to ids and back.

    vocab: {token: id}, the special tokens among them. special: {token: id} of those that mark a place in the data, such
    as the end of a document: `encode` never gives their ids, whatever the text says, so text cannot forge them; code
    that builds a sequence puts them in, `[*tok.encode(text), tok.special["<|endoftext|>"]]`.
    """

    vocab: dict[str, int]
    special: dict[str, int]

    def encode(self, text: str) -> list[int]:
        """Text -> ids."""
        raise NotImplementedError

    def offsets(self, text: str) -> list[tuple[int, int]]:
        """Text -> (start, end) of each token of `encode(text)`, such that text[start:end] is what it stands for."""
        raise NotImplementedError

    def decode(self, ids, special: bool = False) -> str:
        """Ids -> text; special tokens are left out unless `special`."""
        raise NotImplementedError

    def show_work(self, text: str) -> Work:
        """How `encode(text)` comes about, step by step."""
        raise NotImplementedError

    def encode_batch(self, texts) -> list[list[int]]:
        """One list of ids per text."""
        return [self.encode(text) for text in texts]

    def tokens(self, text: str) -> list[str]:
        """Text -> one visible label per token."""
        return [self.label(i) for i in self.encode(text)]

    def label(self, i: int) -> str:
        """The token of an id as a reader should see it: a space as ␣, a line's end as ⏎."""
        return "".join(SHOWN.get(c, c) for c in self.by_id[check_id(i, len(self))])

    @property
    def by_id(self) -> list[str]:
        """The tokens in the order of their ids."""
        if not hasattr(self, "_by_id"):
            self._by_id = sorted(self.vocab, key=self.vocab.get)
        return self._by_id

    def __len__(self) -> int:
        return len(self.vocab)

    def to_json(self) -> dict:
        """The content of a tokenizer.json that `tokenizers` and `transformers` open, with the same ids."""
        raise NotImplementedError

    def to_dict(self) -> dict:
        """What checkpoints keep, and `lmkit.tokenizers.from_dict` reads."""
        return {"kind": self.kind, **self.to_json()}

    @classmethod
    def from_dict(cls, saved: dict):
        return cls.from_json({key: value for key, value in saved.items() if key != "kind"})

    def save(self, path) -> None:
        """Write `path`, a tokenizer.json that `transformers` and `tokenizers` open, or that file into a folder."""
        path = Path(path)
        path = path / "tokenizer.json" if path.is_dir() or not path.suffix else path
        atomic.write(path, json.dumps(self.to_json(), ensure_ascii=False, indent=1) + "\n")

    def save_vocabulary(self, folder) -> None:
        """Write what older checkpoints have: vocab.json and merges.txt of a ByteBPE, vocab.txt of a WordPiece.

        `load` and `transformers` read the folder. ValueError for what these files cannot say.
        """
        from .files import vocabulary_files

        for name, content in vocabulary_files(self).items():
            atomic.write(Path(folder) / name, content)

    @classmethod
    def load(cls, path):
        """What `save` wrote, or a published tokenizer of this kind (`lmkit.tokenizers.load`); ValueError for others."""
        from .files import load

        found = load(path)
        if not isinstance(found, cls):
            raise ValueError(f"{path} holds a {type(found).__name__}, not a {cls.__name__}")
        return found


def check_id(i, vocab_size: int) -> int:
    """Return id `i` as an int; ValueError unless 0 <= i < vocab_size (a list would take -1 for its last)."""
    try:
        i = index(i)
    except TypeError:  # a row of a batch, a float
        raise TypeError(f"an id is a whole number, not {str(i)[:60]!r}; give the ids of one text") from None
    if not 0 <= i < vocab_size:
        raise ValueError(f"id {i} is not in 0..{vocab_size - 1}, the ids of this tokenizer")
    return i
