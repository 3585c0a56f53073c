"""A corpus as documents: what can be read again from the start, from the middle, and by one rank of many."""

from collections.abc import Iterator


class Documents:
    """The documents (str) of a corpus, in an order that never changes; every `for` reads them anew.

    With `world_size` ranks, rank `rank` gets documents that no other rank gets, and together they get all.
    """

    def __init__(self, name: str, rank: int = 0, world_size: int = 1):
        for what, value in (("rank", rank), ("world_size", world_size)):
            if not isinstance(value, int) or isinstance(value, bool):
                raise ValueError(f"{what} is {value!r}; expected a whole number")
        if not 0 <= rank < world_size:
            raise ValueError(f"rank {rank} is not in 0..{world_size - 1}, the ranks of world_size {world_size}")
        self.name = name + f", rank {rank} of {world_size}" * (world_size > 1)
        self.rank, self.world_size = rank, world_size

    def read(self, skip: int = 0, mark=None) -> Iterator[str]:
        """The documents of this rank after the first `skip`; a `mark` of an earlier reading may shorten the way."""
        raise NotImplementedError

    def mark(self):
        """Where the latest `read` stands, as JSON: (documents read, more). None where the way is short anyway."""
        return None

    def __iter__(self) -> Iterator[str]:
        empty = True
        for document in self.read():
            empty = False
            yield document
        if empty:  # a rank without documents would leave the others waiting for it
            raise ValueError(f"there is no document in {self.name}")

    def __repr__(self):
        return f"<documents of {self.name}>"


class Given(Documents):
    """Documents that are in memory."""

    def __init__(self, name: str, documents: list[str], rank: int = 0, world_size: int = 1):
        super().__init__(name, rank, world_size)
        self.documents = documents[rank::world_size]

    def read(self, skip=0, mark=None):
        yield from self.documents[skip:]


def check_text(text, where: str) -> str:
    """Return a document; ValueError unless it is text that UTF-8 can say."""
    if not isinstance(text, str):
        raise ValueError(f"{where} holds {text!r:.80}; expected a text")
    if not text.isascii():
        try:
            text.encode("utf-8")
        except UnicodeEncodeError as error:
            raise ValueError(
                f"{where} holds U+{ord(text[error.start]):04X} at character {error.start}, half of a surrogate pair"
            ) from None
    return text
