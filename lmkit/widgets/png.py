"""Maps as a PNG, with numpy and zlib alone: the picture that is seen where scripts do not run."""

import base64
import struct
import zlib

import numpy as np

# One hue, ever darker: the same order for every kind of colour vision, and in print. attention_map.js has it too.
RAMP = ["e9eef6", "b7cce6", "739fd0", "37699f", "0d2b57"]
LEVELS = 32  # few enough to compress well, more than an eye tells apart
PAPER = LEVELS  # palette entry of the white between heads, and of cells that are exactly 0 in every head
GAP = 12  # pixels between two heads


def picture(heads: np.ndarray, columns: int = 4) -> tuple[str, int]:
    """All heads of one layer, (n_heads, T, S), side by side -> base64 of a PNG, and its width in pixels."""
    index = np.rint(heads * (LEVELS - 1)).astype(np.uint8)
    index[:, (heads == 0).all(axis=0)] = PAPER
    index = np.stack([magnified(head, 480 if len(heads) == 1 else 200) for head in index])
    n, (height, width) = min(columns, len(index)), index.shape[1:]
    rows = -(-len(index) // n)
    sheet = np.full((rows * (height + GAP) + GAP, n * (width + GAP) + GAP), PAPER, np.uint8)
    for i, head in enumerate(index):
        top, left = GAP + i // n * (height + GAP), GAP + i % n * (width + GAP)
        sheet[top : top + height, left : left + width] = head
    palette = np.vstack([colours(LEVELS), [255, 255, 255]]).astype(np.uint8)
    return base64.b64encode(png(sheet, palette)).decode(), sheet.shape[1]


def magnified(head: np.ndarray, side: int) -> np.ndarray:
    """Every cell a square of pixels, as many as fit into `side`; larger maps shrink, each pixel its block's maximum."""
    longest = max(head.shape)
    if longest <= side:
        return head.repeat(side // longest, axis=0).repeat(side // longest, axis=1)
    block = -(-longest // side)
    shown = np.where(head == PAPER, 0, head + 1)  # paper is the least of all
    shown = np.pad(shown, [(0, -n % block) for n in head.shape])
    shown = shown.reshape(shown.shape[0] // block, block, -1, block).max(axis=(1, 3))
    return np.where(shown == 0, PAPER, shown - 1)


def colours(n: int) -> np.ndarray:
    """n colours along RAMP, (n, 3) bytes."""
    stops = np.array([list(bytes.fromhex(stop)) for stop in RAMP], dtype=float)
    at = np.linspace(0, len(stops) - 1, n)
    return np.rint(np.stack([np.interp(at, range(len(stops)), channel) for channel in stops.T], axis=1))


def png(index: np.ndarray, palette: np.ndarray) -> bytes:
    """index (height, width) into palette (colours, 3), both bytes -> the PNG file (RFC 2083)."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    height, width = index.shape
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)  # 8 bits a pixel, indices into a palette
    lines = np.pad(index.astype(np.uint8), [(0, 0), (1, 0)])  # each line starts with its filter, 0: none
    chunks = (
        chunk(b"IHDR", header),
        chunk(b"PLTE", palette.tobytes()),
        chunk(b"IDAT", zlib.compress(lines.tobytes(), 9)),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks) + chunk(b"IEND", b"")
