"""The reader's own files as documents: a .txt is one, a .jsonl has one per line, a .parquet one per row."""

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from .documents import Documents, check_text

INSTALL = "pip install datasets"


class Files(Documents):
    """The documents of a folder's files, in the order of their names, or of one file; rank by rank in turn.

    `column` is what the text is called in .jsonl and .parquet files. Other files, and hidden ones, are passed over.
    """

    def __init__(self, path, column: str = "text", rank: int = 0, world_size: int = 1):
        self.path, self.column = Path(path), column
        self.files = [self.path] if self.path.is_file() else list(readable(self.path))
        if not self.files:
            raise ValueError(f"{str(path)!r} holds no {', '.join(sorted(READERS))} file; expected at least one")
        count, size = len(self.files), sum(file.stat().st_size for file in self.files)
        # Size and column are in the name so that other texts are not taken for the same corpus (see `shards`).
        name = f"{self.path} ({count} file{'s' * (count > 1)}, {size:,} bytes)"
        super().__init__(name if column == "text" else f"{name}, column {column!r}", rank, world_size)

    def read(self, skip=0, mark=None):
        every = (document for file in self.files for document in READERS[file.suffix.lower()](file, self.column))
        yield from islice(every, self.rank + skip * self.world_size, None, self.world_size)


def readable(folder: Path) -> Iterator[Path]:
    """The files of a folder and of those in it that can be read here, by name."""
    for path in sorted(folder.rglob("*"), key=lambda path: path.relative_to(folder).as_posix()):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path.suffix.lower() in READERS and path.is_file() and not hidden:
            yield path


def split_folder(folder: Path, split: str | None) -> Path:
    """The folder of a split: the subfolder of that name, or for "train" all of it, if nothing is held out."""
    if split is not None and (folder / split).is_dir():
        return folder / split
    if split in (None, "train"):
        held_out = [name for name in ("validation", "test") if (folder / name).is_dir()]
        if held_out:
            raise ValueError(f"{str(folder)!r} has {held_out} but no 'train': all of it would mix in what is held out")
        return folder
    raise ValueError(f"{str(folder)!r} has no split {split!r}: a split is a folder of that name in it")


def decode(data: bytes, where, start: int = 0) -> str:
    """Bytes -> text; ValueError if they are not UTF-8. `start` is where they stand in the file `where`.

    The byte order mark that some editors put at the start of a file is no part of the text.
    """
    try:
        text = data.decode("utf-8")
        return text if start else text.removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        byte = f"byte {start + error.start} is 0x{data[error.start]:02x}"
        raise ValueError(f"{where} is not UTF-8: {byte} ({error.reason})") from None


def read_txt(path: Path, column: str) -> Iterator[str]:
    yield decode(path.read_bytes(), path)


def read_jsonl(path: Path, column: str) -> Iterator[str]:
    start = 0
    with open(path, "rb") as file:
        for number, line in enumerate(file, start=1):
            text, where = decode(line, path, start), f"{path}, line {number},"
            start += len(line)
            if not text.strip():
                continue
            try:
                row = json.loads(text.strip())
            except (ValueError, RecursionError) as error:
                raise ValueError(f"{where} is not JSON: {error}") from None
            if not isinstance(row, dict) or column not in row:
                names = sorted(row) if isinstance(row, dict) else type(row).__name__
                raise ValueError(f"{where} has no field {column!r} but {names}")
            yield check_text(row[column], where)


def read_parquet(path: Path, column: str) -> Iterator[str]:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise ImportError(f"{path} needs the package pyarrow to be read: {INSTALL}") from None
    try:
        with pq.ParquetFile(path) as file:
            if column not in file.schema_arrow.names:
                raise ValueError(f"{path} has no column {column!r} but {file.schema_arrow.names}")
            row = 0
            for batch in file.iter_batches(batch_size=1024, columns=[column]):
                for value in batch.column(0):
                    try:
                        text = value.as_py()
                    except UnicodeDecodeError as error:
                        raise ValueError(
                            f"{path}, row {row}, is not UTF-8: byte {error.start} of it is "
                            f"0x{error.object[error.start]:02x} ({error.reason})"
                        ) from None
                    yield check_text(text, f"{path}, row {row},")
                    row += 1
    except (FileNotFoundError, PermissionError):
        raise
    except (pa.ArrowException, OSError) as error:  # Arrow says OSError too where bytes make no sense
        raise ValueError(f"{path} is no whole parquet file: {str(error).splitlines()[0]}") from None


READERS = {".txt": read_txt, ".jsonl": read_jsonl, ".parquet": read_parquet}
