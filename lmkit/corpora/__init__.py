"""Text to train on: the generated tales, known real corpora, and the reader's own files."""

import os
from importlib import resources
from pathlib import Path

from lmkit.corpora import tales
from lmkit.corpora.documents import Documents, Given
from lmkit.corpora.hub import HubDocuments
from lmkit.corpora.known import CORPORA, Corpus, Hub
from lmkit.corpora.local import READERS, Files, decode, split_folder
from lmkit.corpora.mirrors import cache_folder, download, sha256_of

__all__ = ["CORPORA", "Corpus", "Documents", "Hub", "documents", "fetch", "load", "text"]
OFFLINE = ["excerpt", "tales"]  # these come with the library
TEXTS = [*OFFLINE, *(name for name, corpus in CORPORA.items() if not corpus.hub)]


def load(name_or_path, split=None, *, streaming=None, rank=0, world_size=1):
    """Return `text(name_or_path)`, a str, of what is one text; of all else, or where a split is named, `documents`."""
    name = known_name(name_or_path)
    one_text = not CORPORA[name].hub if name in CORPORA else name in OFFLINE or is_text_file(name)
    if one_text and split is None and streaming is None and world_size == 1:
        return text(name_or_path)
    return documents(name_or_path, split, streaming=streaming, rank=rank, world_size=world_size)


def text(name_or_path) -> str:
    """Return a text: "tales" (100,000 words of seed 0), "excerpt" (the first fifth of Tiny Shakespeare, part of the
    library), "tinyshakespeare", or the path of a UTF-8 file of your own.

    A known text is read from the folder LMKIT_DATA, else from the cache, else downloaded; always checked by sha256.
    Raises FileNotFoundError, ValueError (unknown name; file empty, not UTF-8 or not the one expected) or
    ConnectionError (no mirror could be reached).
    """
    name = known_name(name_or_path)
    if name == "tales":
        return tales.generate(100_000).text
    if name == "excerpt":
        return whole((resources.files("lmkit.corpora") / "excerpt.txt").read_bytes(), name)
    if name in CORPORA:
        if CORPORA[name].hub:
            raise ValueError(f"{name} is a corpus of documents, not one text; expected one of {TEXTS} or a text file")
        return whole(fetch(name), name)
    path = checked_path(name_or_path)
    if not is_text_file(path):
        raise ValueError(f"{name!r} is {'a folder' if path.is_dir() else 'a file of documents'}; expected a text file")
    return whole(path.read_bytes(), path)


def documents(name_or_path, split=None, *, streaming=None, column="text", rank=0, world_size=1) -> Documents:
    """Return the documents (str) of a split, "train" unless said otherwise, to be read by `for`, again and again.

    A known corpus with `datasets` (the extra `data`): over the network if `streaming`, else downloaded first;
    None streams what is larger than 2 GB. A folder's .txt (a document each), .jsonl (one per line, its `column`) and
    .parquet files, by name; its subfolder where `split` names one. The tales, a document each; of other single texts
    the first nine tenths are "train" and the rest "validation". Each of `world_size` ranks gets documents of its own.
    Raises ValueError, FileNotFoundError, ImportError and ConnectionError, each in one sentence.
    """
    name = known_name(name_or_path)
    split = "train" if split is None else str(split)
    if name in CORPORA and CORPORA[name].hub:
        return HubDocuments(name, CORPORA[name], split, streaming, rank, world_size)
    if name == "tales":
        told = tales.generate(100_000 if check_split(name, split) == "train" else 60_000, seed=int(split != "train"))
        return Given(f"tales, {split}", [tale for tale in told.text.split("\n\n") if tale], rank, world_size)
    if name in CORPORA or name == "excerpt" or is_text_file(name):
        all_of_it = text(name_or_path)
        part = parts(all_of_it)[check_split(name, split) == "validation"]
        return Given(f"{name}, {split} ({len(part):,} characters)", [part], rank, world_size)
    path = checked_path(name_or_path)
    if path.is_dir():
        return Files(split_folder(path, split), column, rank, world_size)
    return Files(path, column, rank, world_size)


def parts(text: str) -> tuple[str, str]:
    """The first nine tenths of a text, to train on, and the rest, which is held out."""
    cut = len(text) * 9 // 10
    return text[:cut], text[cut:]


def known_name(name_or_path) -> str:
    """The name of a known corpus as it stands in CORPORA, or the path as a string."""
    name = str(name_or_path)
    return name.lower() if name.lower() in (*OFFLINE, *CORPORA) else name


def is_text_file(path) -> bool:
    return Path(path).is_file() and Path(path).suffix.lower() not in READERS.keys() - {".txt"}


def check_split(name, split: str) -> str:
    if split not in ("train", "validation"):
        raise ValueError(f"{name} has no split {split!r} but ['train', 'validation']")
    return split


def checked_path(name_or_path) -> Path:
    """The path of what is there; else an error that says what could have been meant."""
    name, path = str(name_or_path), Path(name_or_path)
    if not name:
        raise ValueError("the name of the corpus is empty; for the folder that you are in give '.'")
    if path.exists():
        return path
    if path.suffix or path.name != name:
        raise FileNotFoundError(f"there is no file {name!r} (looked from {Path.cwd()})")
    raise ValueError(f"{name!r} is neither a file nor one of the known corpora {sorted([*OFFLINE, *CORPORA])}")


def fetch(name) -> bytes:
    """Return the bytes of a known text, downloading them if they are not on this machine yet."""
    corpus, filename = CORPORA[name], f"{name}.txt"
    if os.environ.get("LMKIT_DATA"):
        folder = Path(os.environ["LMKIT_DATA"]).expanduser()
        if not folder.is_dir():
            raise FileNotFoundError(f"LMKIT_DATA names {str(folder)!r}, which is not a folder")
        if (folder / filename).is_file():
            return check((folder / filename).read_bytes(), corpus, folder / filename)
    cached = cache_folder() / filename
    if cached.is_file() and sha256_of(data := cached.read_bytes()) == corpus.sha256:
        return data
    return download(name, corpus.mirrors, cached, corpus.sha256, corpus.size)


def check(data: bytes, corpus: Corpus, path) -> bytes:
    """Return `data` if it is the corpus; ValueError otherwise."""
    if sha256_of(data) != corpus.sha256:
        raise ValueError(
            f"{path} has {len(data)} bytes and sha256 {sha256_of(data)}, expected {corpus.size} and {corpus.sha256}"
        )
    return data


def whole(data: bytes, name) -> str:
    """Bytes -> text; ValueError if they are none, or not UTF-8."""
    if not (text := decode(data, name)):
        raise ValueError(f"{name} is empty; expected a text")
    return text
