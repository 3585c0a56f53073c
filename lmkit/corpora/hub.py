"""Corpora of documents that Hugging Face `datasets` reads: streamed, or downloaded once; rank by rank."""

import re
from collections.abc import Iterable, Iterator
from itertools import islice

from .documents import Documents, check_text
from .known import Corpus, bytes_in_words
from .local import INSTALL

LARGE = 2_000_000_000  # bytes; what is larger is streamed unless somebody asks for it on disk
TITLE = re.compile(r" = [^=].* = \n?")  # of an article; " = = Section = = " is below it


class HubDocuments(Documents):
    """A split of a known corpus. `streaming`: read over the network, or download first; None: stream what is large.

    Raises ValueError for a split that the corpus does not have, ImportError without `datasets`, ConnectionError where
    the corpus cannot be reached or read.
    """

    def __init__(self, name: str, corpus: Corpus, split="train", streaming=None, rank=0, world_size=1):
        revision = f", revision {corpus.hub.revision[:8]}" if corpus.hub.revision else ""
        super().__init__(f"{name}, {split}{revision}", rank, world_size)
        self.corpus, self.hub, self.split = corpus, corpus.hub, split
        self.streaming = corpus.size > LARGE if streaming is None else bool(streaming)
        self.rows, self.count = None, 0
        if split not in self.hub.splits:
            raise ValueError(f"{name} has no split {split!r} but {list(self.hub.splits)}")
        try:
            import datasets  # noqa: F401
        except ImportError:
            raise ImportError(f"{name} needs the package datasets to be read: {INSTALL}") from None

    def load(self):
        """The rows of this rank, as a dataset of `datasets`."""
        from datasets import load_dataset
        from datasets.distributed import split_dataset_by_node

        hub = self.hub
        try:
            rows = load_dataset(
                hub.path, hub.config, split=self.split, revision=hub.revision, streaming=self.streaming, **hub.options
            )
        except Exception as error:
            raise self.trouble(error) from error
        if hub.text not in (rows.column_names or [hub.text]):
            raise ValueError(f"{self.name}, has no column {hub.text!r} but {rows.column_names}")
        rows = rows.select_columns([hub.text])
        # An article is many rows: a cut between rows would go through it, so its ranks take whole ones in turn instead.
        return (
            split_dataset_by_node(rows, self.rank, self.world_size)
            if self.world_size > 1 and not hub.articles
            else rows
        )

    def read(self, skip=0, mark=None):
        rows = self.load()
        if self.hub.articles:
            every = articles(row[self.hub.text] for row in self.watched(rows))
            yield from islice(every, self.rank + skip * self.world_size, None, self.world_size)
            return
        self.count = 0
        if not self.streaming:
            if skip >= len(rows):
                return
            rows, self.count = rows.select(range(skip, len(rows))), skip
        elif mark and mark[0] <= skip and mark[1] == version():
            rows.load_state_dict(mark[2])
            self.count = mark[0]
        self.rows = rows
        for row in self.watched(rows):
            self.count += 1
            if self.count > skip:
                yield check_text(row[self.hub.text], f"{self.name}, document {self.count - 1}")

    def mark(self):
        """Where a stream stands: `datasets` goes on there without reading the files before again."""
        return [self.count, version(), self.rows.state_dict()] if self.rows is not None and self.streaming else None

    def watched(self, rows) -> Iterator[dict]:
        rows = iter(rows)
        try:
            yield from rows
        except Exception as error:
            raise self.trouble(error) from error
        finally:  # what is still open when Python ends can crash in Arrow's threads
            if hasattr(rows, "close"):
                rows.close()

    def trouble(self, error: Exception) -> ConnectionError:
        """What `datasets` and all below it may raise, in one sentence."""
        while type(error).__name__ == "DatasetGenerationError" and error.__cause__:
            error = error.__cause__
        reason = (str(error).strip().splitlines() or [""])[0]
        advice = "without a network, give the path of files of your own"
        if not self.streaming:
            advice = f"it takes {bytes_in_words(self.corpus.size)} to download, and more on disk; {advice}"
        return ConnectionError(
            f"{self.name}, could not be read from {self.hub.path} ({type(error).__name__}: {reason}); {advice}"
        )


def version() -> str:
    """Of `datasets`: another one may count in another way."""
    import datasets

    return datasets.__version__


def articles(lines: Iterable[str]) -> Iterator[str]:
    """WikiText's lines -> its articles, byte for byte as they stand in the original file.

    An article begins with its title, " = Title = ", after an empty line. `datasets` has "" for a line that is empty,
    which in the original is " \\n" and is so again here.
    """
    article, told, before = [], False, ""
    for line in lines:
        if told and not before and TITLE.fullmatch(line):
            yield "".join(article)
            article = []
        article.append(line or " \n")
        told, before = told or line != "", line
    if told:
        yield "".join(article)
