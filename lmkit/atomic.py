"""Files and folders that are whole or not there: written under a temporary name, then given their own."""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MANIFEST = "manifest.json"  # the sha256 of every other file


def write(path: str | Path, data: bytes | str) -> None:
    """Replace the file in one step: a reader, or a power cut, sees the old content or the new. Text is UTF-8."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data.encode("utf-8") if isinstance(data, str) else data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, path.stat().st_mode & 0o777 if path.exists() else 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def sha256(path: Path) -> str:
    """The sha256 of a file, in hexadecimal, without holding the whole of it in memory."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_free(folder: str | Path) -> Path:
    """Return `folder`, unless something is there that was not written here: FileExistsError."""
    folder = Path(folder)
    if folder.exists() and not (folder / MANIFEST).is_file():
        raise FileExistsError(f"{folder} is there and is no checkpoint; give another name or remove it")
    return folder


@contextmanager
def new_folder(folder: str | Path) -> Iterator[Path]:
    """Give an empty folder to write into; at the end of the `with` it gets its manifest and its name.

    An older one of the name that has a manifest is replaced; any other folder or file is refused with FileExistsError.
    If the `with` raises, nothing is left.
    """
    folder = check_free(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    new = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        yield new
        manifest = {path.name: sha256(path) for path in sorted(new.iterdir())}
        (new / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
        for path in [*new.iterdir(), new]:  # temporary names are private; a checkpoint is as readable as other files
            path.chmod(0o755 if path.is_dir() else 0o644)
            _fsync(path)
        _rename(new, folder)
        _fsync(folder.parent)
    finally:
        shutil.rmtree(new, ignore_errors=True)


def check_manifest(folder: Path, others: bool = False) -> None:
    """Hold every file against the manifest: neither safetensors nor torch notices a flipped bit in weights.

    Raises ValueError for a file that is missing or changed, or that the manifest does not name, unless `others` may be
    there too.
    """
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        named = {str(file): str(digest) for file, digest in manifest.items()}
    except (ValueError, AttributeError):
        raise ValueError(f"{folder / MANIFEST} is damaged: it must name a sha256 for every file") from None
    there = {path.name for path in folder.iterdir()} - {MANIFEST}
    for file in sorted(named.keys() - there if others else named.keys() ^ there):
        raise ValueError(f"{folder / file} is {'missing' if file in named else f'not named in {MANIFEST}'}")
    for file, digest in named.items():
        if sha256(folder / file) != digest:
            raise ValueError(f"{folder / file} is damaged: its sha256 is not the manifest's {digest[:12]}…")


def _rename(new: Path, folder: Path) -> None:
    if not folder.exists():
        new.rename(folder)
        return
    old = new.with_name(new.name + "-old")
    folder.rename(old)
    try:
        new.rename(folder)
    except BaseException:
        old.rename(folder)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _fsync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
