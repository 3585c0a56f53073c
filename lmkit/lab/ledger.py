"""The ledger: one JSON object a line, one line a run, in one file per study. Rows are added and never changed."""

import json
import os
from collections.abc import Iterable, Iterator
from importlib import resources
from pathlib import Path

#: Where the ledger stands.
FOLDER = Path(str(resources.files("lmkit"))) / "ledger"


def append(row: dict, folder: str | Path = FOLDER) -> None:
    """Add a row to the file of its study: in one write, so that many processes can do so at once."""
    path = Path(folder) / f"{row['study']}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    line = (json.dumps(row, sort_keys=True) + "\n").encode()
    if path.exists() and path.stat().st_size and not path.read_bytes().endswith(b"\n"):
        line = b"\n" + line  # behind a line that a crash cut off
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        if os.write(handle, line) != len(line):
            raise OSError(f"the disk took only a part of a row of {path}")
    finally:
        os.close(handle)


def read(study: str | None = None, folder: str | Path = FOLDER) -> list[dict]:
    """The rows of a study, or of all; of those that were run again the newest. FileNotFoundError if there are none."""
    folder = Path(folder)
    paths = sorted(folder.glob("*.jsonl")) if study is None else [folder / f"{study}.jsonl"]
    if study is not None and not paths[0].is_file():
        known = ", ".join(sorted(path.stem for path in folder.glob("*.jsonl"))) or "none"
        raise FileNotFoundError(f"the ledger {folder} has no study {study!r}; it has: {known}")
    return newest(row for path in paths for row in lines(path))


def lines(path: Path) -> Iterator[dict]:
    *whole, rest = path.read_text(encoding="utf-8").split("\n")
    for number, line in enumerate([*whole, rest], start=1):
        try:
            row = json.loads(line) if line.strip() else None
        except ValueError:  # cut off by a crash: that run will be made again
            continue
        if row is not None and not isinstance(row, dict):
            raise ValueError(f"{path}, line {number} is no row of a ledger: {line[:60]!r}")
        if row is not None:
            yield row if "variant" in row else early(path.stem, row)


def early(study: str, row: dict) -> dict:
    """A row of 2026-11-28, from before there was a lab, with the names that rows have now."""
    size = f"{row['size']}, equal {row['budget']}"
    known = dict(study=study, variant=row["tokenizer"], size=size, result={"1": row["bits_per_byte"]}, counter=None)
    return row | known | dict(code=None, key=None, memory_bytes=None)


def newest(rows: Iterable[dict]) -> list[dict]:
    """One row per run: the last where there are several, such as one of older code and one of newer."""
    kept = {}
    for row in rows:
        labels = tuple(str(row[name]) for name in ("study", "corpus", "size", "variant", "seed", "swept", "lr"))
        kept.pop(labels, None)  # the newest comes last
        kept[labels] = row
    return list(kept.values())
