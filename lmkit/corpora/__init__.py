"""Text to train on: the embedded tales, known real corpora, and the reader's own files."""

import os
from dataclasses import dataclass
from pathlib import Path

from lmkit.corpora import tales
from lmkit.corpora.mirrors import cache_folder, download, sha256_of


@dataclass(frozen=True)
class Corpus:
    """A published text: where it may be had, and how to know that it is the one."""

    mirrors: tuple[str, ...]  # tried in this order
    sha256: str
    size: int  # bytes
    licence: str
    source: str
    citation: str


CORPORA = {
    "tinyshakespeare": Corpus(
        mirrors=(
            "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt",
            "https://storage.googleapis.com/download.tensorflow.org/data/shakespeare.txt",
            "https://raw.githubusercontent.com/dmlc/web-data/master/mxnet/tinyshakespeare/input.txt",
        ),
        sha256="86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
        size=1_115_394,
        licence="public domain",
        source="40,000 lines from the plays of William Shakespeare, collected for char-rnn",
        citation="Karpathy, The Unreasonable Effectiveness of Recurrent Neural Networks, 2015",
    ),
}


def load(name_or_path):
    """Return a text: "tales" (100,000 words of seed 0), a name in CORPORA, or the path of a UTF-8 file of your own.

    A known corpus is read from the folder LMKIT_DATA, else from the cache, else downloaded; always checked by sha256.
    Raises FileNotFoundError, ValueError (unknown name; file empty, not UTF-8 or not the one expected) or
    ConnectionError (no mirror could be reached).
    """
    name = str(name_or_path)
    if name == "tales":
        return tales.generate(100_000).text
    if name in CORPORA:
        return decode(fetch(name), name)
    path = Path(name_or_path)
    if path.is_file():
        return decode(path.read_bytes(), path)
    if path.is_dir():
        raise ValueError(f"{name!r} is a folder; expected a text file")
    if path.suffix or path.name != name:
        raise FileNotFoundError(f"there is no file {name!r} (looked from {Path.cwd()})")
    raise ValueError(f"{name!r} is neither a file nor one of the known corpora {sorted(['tales', *CORPORA])}")


def fetch(name):
    """Return the bytes of a known corpus, downloading them if they are not on this machine yet."""
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


def check(data, corpus, path):
    """Return `data` if it is the corpus; ValueError otherwise."""
    if sha256_of(data) != corpus.sha256:
        raise ValueError(
            f"{path} has {len(data)} bytes and sha256 {sha256_of(data)}, expected {corpus.size} and {corpus.sha256}"
        )
    return data


def decode(data, name):
    """Bytes -> text; ValueError if they are none, or not UTF-8."""
    if not data:
        raise ValueError(f"{name} is empty; expected a text")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        byte = f"byte {error.start} is 0x{data[error.start]:02x}"
        raise ValueError(f"{name} is not UTF-8: {byte} ({error.reason})") from None
