"""Tensors in *.safetensors files: what there is, read piece by piece into place, and written in shards."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ..presets.format import Part

SINGLE, INDEX = "model.safetensors", "model.safetensors.index.json"
DTYPES = {"F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}
PIECE = 1 << 20  # bytes read at a time, so that a tensor is never in memory twice


@dataclass(frozen=True)
class Stored:
    """One tensor of a file: where its bytes begin, and what they are."""

    file: Path
    name: str
    dtype: str
    shape: tuple[int, ...]
    start: int

    def __str__(self) -> str:
        return f"{self.file}: {self.name}"


def read_json(path: Path) -> dict:
    """The object in a JSON file; ValueError in one sentence if there is none."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError, OSError) as error:
        raise ValueError(f"{path} cannot be read as JSON: {str(error) or type(error).__name__}") from None
    if not isinstance(content, dict):
        raise ValueError(f"{path} must hold a JSON object, not {type(content).__name__}")
    return content


def stored_in(folder: Path) -> list[Stored]:
    """All tensors of a checkpoint folder, single or sharded; ValueError if a file is missing, damaged or pickled."""
    if (folder / SINGLE).is_file():
        return _in_file(folder / SINGLE)
    if not (folder / INDEX).is_file():
        raise ValueError(f"{folder} holds neither {SINGLE} nor {INDEX}")
    where = read_json(folder / INDEX).get("weight_map")
    if not isinstance(where, dict) or not where or not all(isinstance(shard, str) for shard in where.values()):
        raise ValueError(f"{folder / INDEX} has no weight_map from tensors to files")
    found = []
    for shard in sorted(set(where.values())):
        if Path(shard).name != shard or not (folder / shard).is_file():  # a name, never a path to elsewhere
            raise ValueError(f"{folder / INDEX} names the shard {shard!r}, which is not in this folder")
        found += _in_file(folder / shard)
    named, there = set(where.items()), {(tensor.name, tensor.file.name) for tensor in found}
    for name, shard in sorted(named ^ there):
        fact = "lacks" if (name, shard) in named else "does not mention"
        raise ValueError(f"{folder}: {shard if fact == 'lacks' else INDEX} {fact} the tensor {name!r} of the other")
    return found


def _in_file(path: Path) -> list[Stored]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt"):  # holds the header against the length of the file
            pass
        with open(path, "rb") as file:
            length = int.from_bytes(file.read(8), "little")
            header = json.loads(file.read(length))
    except (SafetensorError, ValueError, OSError) as error:
        raise ValueError(f"{path} is damaged or no safetensors file: {error}") from None
    header.pop("__metadata__", None)
    return [
        Stored(path, name, entry["dtype"], tuple(entry["shape"]), 8 + length + entry["data_offsets"][0])
        for name, entry in header.items()
    ]


def read_rows(stored: Stored, first: int, last: int) -> Iterator[tuple[int, Tensor]]:
    """Pieces of the rows first..last of a stored tensor, each with the number of its first row, all finite."""
    width = stored.shape[1:]
    row_bytes = DTYPES[stored.dtype].itemsize * torch.Size(width).numel()
    step = max(1, PIECE // max(1, row_bytes))
    with open(stored.file, "rb") as file:
        file.seek(stored.start + first * row_bytes)
        for row in range(first, last, step):
            piece = torch.empty(min(step, last - row), *width, dtype=DTYPES[stored.dtype])
            if file.readinto(piece.view(torch.uint8).numpy()) != piece.nbytes:
                raise ValueError(f"{stored} ends too early")
            yield row, piece


def read_into(out: Tensor, stored: Stored, part: Part) -> None:
    """Fill `out`, of any float dtype and device, from a stored tensor of the layout that `part` tells."""
    target = out.t() if part.transposed else out
    start = part.skipped + part.part * len(out)  # along the axis that is out's first
    first = 0 if part.transposed else start
    limit = min(torch.finfo(DTYPES[stored.dtype]).max, torch.finfo(out.dtype).max)
    for row, piece in read_rows(stored, first, first + len(target)):
        if part.transposed:
            piece = piece[:, start : start + len(out)]
        if piece.numel() and not (-limit <= (ends := piece.aminmax()).min and ends.max <= limit):
            problem = "holds nan or infinity" if out.dtype == piece.dtype else f"holds numbers that {out.dtype} has not"
            raise ValueError(f"{stored} {problem}")
        target[row - first : row - first + len(piece)].copy_(piece)


def equal(one: Stored, other: Stored) -> bool:
    """Whether two stored tensors are the same to the bit."""
    if (one.dtype, one.shape) != (other.dtype, other.shape):
        return False
    rows = one.shape[0] if one.shape else 1
    pairs = zip(read_rows(one, 0, rows), read_rows(other, 0, rows))
    return all(torch.equal(a.view(torch.uint8), b.view(torch.uint8)) for (_, a), (_, b) in pairs)


def write_tensors(tensors: dict[str, Tensor], folder: Path, max_shard_size: int) -> None:
    """Write one file, or, beyond `max_shard_size` bytes, several with an index; a tensor is never divided."""
    from safetensors.torch import save_file

    shards, size = [{}], 0
    for name, tensor in tensors.items():
        if size + tensor.nbytes > max_shard_size and shards[-1]:
            shards.append({})
            size = 0
        shards[-1][name] = tensor
        size += tensor.nbytes
    single = len(shards) == 1
    where = {}
    for number, shard in enumerate(shards, 1):
        file = SINGLE if single else f"model-{number:05}-of-{len(shards):05}.safetensors"
        save_file(shard, folder / file, metadata={"format": "pt"})
        where |= dict.fromkeys(shard, file)
    if not single:
        index = {"metadata": {"total_size": sum(t.nbytes for t in tensors.values())}, "weight_map": where}
        (folder / INDEX).write_text(json.dumps(index, indent=1) + "\n", encoding="utf-8")
