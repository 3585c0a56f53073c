"""The layout of a folder of token shards.

`shard-00000.bin`, `shard-00001.bin`, ... hold the token ids of a corpus one after the other; all but the last have the
same number. A shard is a header of 128 bytes and then its ids, all little-endian:

    bytes     what
    0..7      "LMKSHARD"
    8..11     version of this layout, 1
    12..15    bytes per id: 2 (at most 65,536 ids in the vocabulary) or 4, unsigned
    16..23    ids in this shard
    24..31    number of this shard, from 0
    32..39    ids in the shards before it
    40..47    the document that the id after this shard belongs to, from 0
    48..55    ids of that document that stand in this shard or before it
    56..63    the id that ends each document; 2^64 - 1 if none does
    64..95    sha256 of the tokenizer's vocabulary (`vocabulary_hash`)
    96..127   sha256 of bytes 0..95 and of the ids
    128..     the ids

So each shard says where the next one begins, and a preparation that was killed goes on after the last whole shard.
`index.json` says how the shards were made and, once they all are, how many they are. Shards and index are written under
a temporary name and then renamed, so that one that is there is whole.
"""

import hashlib
import json
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np

MAGIC, VERSION = b"LMKSHARD", 1
FIELDS = struct.Struct("<8sIIQQQQQQ32s")  # bytes 0..95
SIZE = FIELDS.size + 32  # of a header
NO_END = 2**64 - 1
INDEX = "index.json"
DTYPES = {2: np.dtype("<u2"), 4: np.dtype("<u4")}


@dataclass(frozen=True)
class Header:
    """What a shard says of itself; see the module's table."""

    width: int
    tokens: int
    number: int
    before: int
    document: int
    offset: int
    end: int
    vocabulary: bytes

    def pack(self) -> bytes:
        """Bytes 0..95."""
        return FIELDS.pack(MAGIC, VERSION, *vars(self).values())


def shard_name(number: int) -> str:
    return f"shard-{number:05}.bin"


def checksum(fields: bytes, ids) -> bytes:
    digest = hashlib.sha256(fields)
    digest.update(ids)
    return digest.digest()


def vocabulary_hash(tokenizer) -> str:
    """sha256 of the vocabulary: of [[token, id], ...] in the order of ids, as JSON in ASCII without spaces."""
    pairs = sorted(tokenizer.vocab.items(), key=lambda pair: (pair[1], pair[0]))
    return hashlib.sha256(json.dumps(pairs, separators=(",", ":")).encode("ascii")).hexdigest()


def read_shard(path: Path, number: int, check: bool = True) -> tuple[Header, np.ndarray]:
    """The header and the mapped ids of a shard; ValueError if it is missing, cut, damaged or not that shard.

    Without `check` the ids are not read, so a flipped bit among them goes unnoticed.
    """
    if not path.is_file():
        raise ValueError(f"{path} is missing")
    with path.open("rb") as file:
        head = file.read(SIZE)
    if head[:8] != MAGIC[: len(head)] or not head:
        raise ValueError(f"{path} is no token shard: it begins with {head[:8]!r}, expected {MAGIC!r}")
    size = path.stat().st_size
    if len(head) < SIZE:
        raise ValueError(f"{path} has {size} bytes, and a header alone has {SIZE}: it was cut short")
    _, version, *fields = FIELDS.unpack(head[: FIELDS.size])
    header = Header(*fields)
    if version != VERSION:
        raise ValueError(f"{path} has version {version} of the layout; this lmkit reads version {VERSION}")
    if header.width not in DTYPES:
        raise ValueError(f"{path} is damaged: it says {header.width} bytes per id, expected 2 or 4")
    expected = SIZE + header.tokens * header.width
    if size != expected:
        raise ValueError(f"{path} has {size} bytes, expected {expected}: it was cut short or is damaged")
    ids = np.memmap(path, DTYPES[header.width], mode="r", offset=SIZE, shape=(header.tokens,))
    if check and checksum(head[: FIELDS.size], ids) != head[FIELDS.size :]:
        raise ValueError(f"{path} is damaged: its bytes do not have the checksum that it names")
    if header.number != number:
        raise ValueError(f"{path} is shard {header.number} of a corpus, expected shard {number}: was it renamed?")
    return header, ids


def read_shards(folder: Path, count: int | None = None, check: bool = True) -> tuple[list[Header], list[np.ndarray]]:
    """The first `count` shards of a folder, or all there are; ValueError unless each follows on the one before."""
    headers, parts, before = [], [], 0
    while len(headers) < count if count is not None else (folder / shard_name(len(headers))).exists():
        path = folder / shard_name(len(headers))
        header, ids = read_shard(path, len(headers), check)
        kinds = {(h.vocabulary, h.end, h.width) for h in (*headers[:1], header)}
        if header.before != before or len(kinds) > 1:
            raise ValueError(f"{path} does not follow on the shards before it: it belongs to another corpus")
        headers.append(header)
        parts.append(ids)
        before += header.tokens
    return headers, parts


def read_index(folder: Path) -> dict:
    """What index.json says; ValueError if it is damaged."""
    try:
        index = json.loads((folder / INDEX).read_text(encoding="utf-8"))
        for name, kind in KINDS.items():
            if not isinstance(index[name], kind) or isinstance(index[name], bool) != (kind is bool):
                raise TypeError(name)
    except (ValueError, TypeError, KeyError):
        raise ValueError(f"{folder / INDEX} is damaged: it does not say how its shards were made") from None
    return index


NUMBER = int | None
KINDS = dict(
    finished=bool, vocabulary=str, source=str, tokens_per_shard=int, end=NUMBER, limit=NUMBER, shards=int, tokens=int,
    documents=int,
)  # fmt: skip
