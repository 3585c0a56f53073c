"""Prepare a corpus: documents -> token shards, once, in a way that a kill or a full disk does not undo."""

import errno
import json
import re
from collections.abc import Iterable, Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path

import numpy as np

from ... import atomic
from ..documents import Documents
from ..mirrors import progress_bar
from .format import (
    DTYPES,
    FIELDS,
    INDEX,
    NO_END,
    SIZE,
    Header,
    checksum,
    read_index,
    read_shards,
    shard_name,
    vocabulary_hash,
)
from .reading import Shards, open

MARK = "resume.json"  # where the documents stood: a shortcut, which may be missing
LEFT = re.compile(r"\.(shard-\d+\.bin|index\.json|resume\.json)\.\w+")  # by a kill in the middle of `atomic.write`
BATCH = 1_000_000  # characters that are encoded at a time


def prepare(
    documents: Iterable[str],
    tokenizer,
    folder,
    *,
    tokens_per_shard: int = 50_000_000,
    end: int | None = None,
    limit: int | None = None,
    source: str | None = None,
) -> Shards:
    """Encode documents, in their order, into shards of `tokens_per_shard` ids; return them opened.

    After each document comes the id `end` (default: the tokenizer's special <|endoftext|>, if it has one); an empty
    document leaves nothing. `limit` is the most ids to write. After a kill, a full disk or a lost network the same call
    goes on after the last whole shard, and the shards have the same bytes as if nothing had happened; of documents that
    are not one of `lmkit.corpora`, those already done are read and passed over. Give such documents a name of their own
    as `source`: it is by their name that a folder knows whether it was made of the same.
    Raises ValueError if the folder was begun in another way, FileExistsError if it holds something else, OSError if the
    disk is full.
    """
    folder, name = Path(folder), getattr(documents, "name", "") if source is None else source
    documents = [documents] if isinstance(documents, str) else documents
    size = 1 + max(tokenizer.vocab.values())
    end = getattr(tokenizer, "special", {}).get("<|endoftext|>") if end is None else end
    for what, value, least in (("tokens_per_shard", tokens_per_shard, 1), ("limit", limit, 1), ("end", end, 0)):
        if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < least):
            raise ValueError(f"{what} is {value!r}; expected a whole number of at least {least}")
    if end is not None and end >= size:
        raise ValueError(f"end is {end}, but the ids of this tokenizer are 0..{size - 1}")
    plan = dict(
        vocabulary=vocabulary_hash(tokenizer), source=name, tokens_per_shard=tokens_per_shard, end=end, limit=limit
    )
    if begin(folder, plan):
        return finished(folder, tokenizer, check=True)
    writer = Writer(folder, plan, width=2 if size <= 65_536 else 4)
    if not writer.complete:
        mark, bar = read_mark(folder, writer.document), progress_bar(limit, name, unit=" ids", initial=writer.before)
        with bar as bar, closing(encoded(documents, tokenizer, end, size, writer.document, mark)) as every:
            for number, ids, standing in every:
                writer.add(number, ids, standing)
                bar.update(len(ids))
                if writer.complete:
                    break
        writer.close()
    if not writer.before:
        raise ValueError(f"{name or 'the corpus'} has no documents with a token in them")
    totals = dict(shards=writer.number, tokens=writer.before, documents=writer.document)
    save(folder / INDEX, json.dumps(dict(plan, **totals, finished=True), indent=1) + "\n", writer.number)
    return finished(folder, tokenizer, check=False)


def finished(folder: Path, tokenizer, check: bool) -> Shards:
    (folder / MARK).unlink(missing_ok=True)
    return open(folder, tokenizer, check)


def begin(folder: Path, plan: dict) -> bool:
    """Make the folder, or see that it was begun by the same plan; True if it is finished."""
    there = list(folder.iterdir()) if folder.is_dir() else []
    half_written = [path for path in there if LEFT.fullmatch(path.name)]
    begun = (folder / INDEX).is_file()
    if not begun and (len(there) > len(half_written) or folder.exists() and not folder.is_dir()):
        raise FileExistsError(f"{folder} is there and holds no token shards; give another name or remove it")
    for path in half_written:
        path.unlink()
    if not begun:
        unknown = dict(shards=0, tokens=0, documents=0)
        save(folder / INDEX, json.dumps(dict(plan, **unknown, finished=False), indent=1) + "\n", 0)
        return False
    index = read_index(folder)
    for key, value in plan.items():
        if index[key] != value:
            raise ValueError(
                f"{folder} was begun with {key} {index[key]!r}, not {value!r}; give another folder or remove it"
            )
    return index["finished"]


class Writer:
    """Ids into shards, from where the shards that are there end."""

    def __init__(self, folder: Path, plan: dict, width: int):
        self.folder, self.width, self.limit = folder, width, plan["limit"]
        self.vocabulary = bytes.fromhex(plan["vocabulary"])
        self.end = NO_END if plan["end"] is None else plan["end"]
        headers, _ = read_shards(folder)
        self.number, self.before = len(headers), sum(header.tokens for header in headers)
        self.document, self.offset = (headers[-1].document, headers[-1].offset) if headers else (0, 0)
        self.short = bool(headers) and headers[-1].tokens < plan["tokens_per_shard"]  # the last one of the corpus
        most = plan["tokens_per_shard"] if self.limit is None else min(self.limit, plan["tokens_per_shard"])
        self.buffer = bytearray(SIZE + most * width)  # a whole shard, its header first
        self.ids, self.filled = np.frombuffer(self.buffer, DTYPES[width], offset=SIZE), 0

    @property
    def complete(self) -> bool:
        return self.short or self.before == self.limit

    @property
    def room(self) -> int:
        """The ids that go into this shard."""
        return len(self.ids) if self.limit is None else min(len(self.ids), self.limit - self.before)

    def add(self, number: int, ids: np.ndarray, mark) -> None:
        """Take the ids of document `number`, all but those that stand in the shards before."""
        done = self.offset
        while done < len(ids) and not self.complete:
            piece = ids[done : done + self.room - self.filled]
            self.ids[self.filled : self.filled + len(piece)] = piece
            self.filled, done = self.filled + len(piece), done + len(piece)
            self.document, self.offset = (number, done) if done < len(ids) else (number + 1, 0)
            if self.filled == self.room:
                self.flush()
                if mark is not None:
                    save(self.folder / MARK, json.dumps(mark), self.number)
        if done == len(ids):
            self.document, self.offset = number + 1, 0

    def close(self) -> None:
        if self.filled:
            self.flush()

    def flush(self) -> None:
        header = Header(
            self.width, self.filled, self.number, self.before, self.document, self.offset, self.end, self.vocabulary
        )
        shard = memoryview(self.buffer)[: SIZE + self.filled * self.width]
        shard[: FIELDS.size] = header.pack()
        shard[FIELDS.size : SIZE] = checksum(header.pack(), shard[SIZE:])
        save(self.folder / shard_name(self.number), shard, self.number)
        self.number, self.before, self.filled = self.number + 1, self.before + self.filled, 0


def encoded(documents, tokenizer, end, size: int, skip: int, mark) -> Iterator[tuple[int, np.ndarray, object]]:
    """(number, ids, mark before it) of each document after the first `skip`."""
    ours = isinstance(documents, Documents)
    texts = documents.read(skip, mark) if ours else (text for text in islice(documents, skip, None))
    with closing(texts):
        number, rest = skip, True
        while rest:
            mark, batch, characters = documents.mark() if ours else None, [], 0
            for text in texts:
                batch.append(text)
                characters += len(text)
                if characters >= BATCH or len(batch) >= 4096:
                    break
            else:
                rest = False
            for ids in encode_batch(tokenizer, batch, number):
                ids = np.asarray(ids, dtype=np.int64)
                if len(ids) and not 0 <= ids.min() <= ids.max() < size:
                    raise ValueError(f"document {number} has ids {ids.min()}..{ids.max()}, expected 0..{size - 1}")
                yield number, np.append(ids, end) if len(ids) and end is not None else ids, mark
                number += 1


def encode_batch(tokenizer, batch: list[str], number: int) -> list:
    """The ids of documents `number`, `number` + 1, ...; ValueError with the number of the one that has none."""
    try:
        return tokenizer.encode_batch(batch)
    except ValueError:
        for i, text in enumerate(batch):
            try:
                tokenizer.encode_batch([text])
            except ValueError as error:
                raise ValueError(f"document {number + i} cannot be encoded: {error}") from None
        raise


def save(path: Path, data, whole: int) -> None:
    """Write a file in one step; OSError in a sentence where the disk is full."""
    try:
        atomic.write(path, data)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)):
            raise
        raise OSError(
            error.errno,
            f"the disk is full: {path.name} ({len(data):,} bytes) does not fit into {path.parent}; "
            f"{whole} shards are whole there, and the same call goes on after them",
        ) from None


def read_mark(folder: Path, document: int):
    """The mark left by a killed preparation, if it is one and stands before the document to go on with."""
    try:
        mark = json.loads((folder / MARK).read_text(encoding="utf-8"))
        return mark if mark[0] <= document else None
    except (OSError, ValueError, TypeError, LookupError):
        return None
