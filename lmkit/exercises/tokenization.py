"""Exercises of chapter 1, tokenization."""

import math
from functools import cache

from .engine import Exercise


def _merge(symbols, pair):
    out, i = [], 0
    while i < len(symbols):
        if tuple(symbols[i : i + 2]) == tuple(pair):
            out.append(symbols[i] + symbols[i + 1])
            i += 2
        else:
            out.append(symbols[i])
            i += 1
    return out


def _replay(word, merges, rounds=10**6, rare_first=False):
    symbols, rank = list(word), {tuple(pair): i for i, pair in enumerate(merges)}
    for _ in range(rounds):
        here = [pair for pair in zip(symbols, symbols[1:]) if pair in rank]
        if not here:
            break
        symbols = _merge(symbols, (max if rare_first else min)(here, key=rank.get))
    return symbols


def _left_to_right(word, merges):
    symbols, known = list(word), {tuple(pair) for pair in merges}
    while here := [i for i in range(len(symbols) - 1) if tuple(symbols[i : i + 2]) in known]:
        symbols[here[0] : here[0] + 2] = ["".join(symbols[here[0] : here[0] + 2])]
    return symbols


def _longest(word, pieces):
    out = []
    while word:
        end = next(end for end in range(len(word), 0, -1) if word[:end] in pieces)
        out, word = [*out, word[:end]], word[end:]
    return out


def _longest_of_merges(word, merges):
    return _longest(word, {"".join(pair) for pair in merges} | set(word))


def _fewest(word, pieces):
    @cache
    def least(start):
        """The number of pieces for word[start:]."""
        if start == len(word):
            return 0
        ends = [end for end in range(start + 1, len(word) + 1) if word[start:end] in pieces]
        return min((1 + least(end) for end in ends), default=math.inf)

    return least(0)


def _most(word, pieces):
    return len(word) if all(c in pieces for c in word) else _fewest(word, pieces)


def _fallback(text, vocab, form="<0x{:02X}>", code="utf-8", whole=False):
    out = []
    for c in text:
        if c in vocab and not (whole and any(other not in vocab for other in text)):
            out.append(c)
        else:
            out += [form.format(byte) for byte in c.encode(code, errors="replace")]
    return out


def _stream(chunks):
    out, kept = [], b""
    for chunk in chunks:
        kept += chunk
        for cut in range(len(kept), -1, -1):
            try:
                out.append(kept[:cut].decode("utf-8"))
            except UnicodeDecodeError:
                continue
            kept = kept[cut:]
            break
    return out


def _whole_chunks(chunks):
    out, kept = [], b""
    for chunk in chunks:
        kept += chunk
        try:
            out.append(kept.decode("utf-8"))
            kept = b""
        except UnicodeDecodeError:
            out.append("")
    return out


_MERGES = [("u", "g"), ("h", "ug"), ("g", "s"), ("p", "u"), ("b", "u"), ("n", "g"), ("l", "o"), ("o", "w"), ("l", "ow")]
_PIECES = {"a", "b", "c", "d", "e", "ab", "abc", "cde"}
_LETTERS = set("abcdefghijklmnopqrstuvwxyz ")
_OK = "好的，🙂 ok".encode()
_PAIRS = [_OK[i : i + 2] for i in range(0, len(_OK), 2)]
_CHUNKS = [_PAIRS, [b"a", b"\xc3", b"\xa9", b"t", b"\xc3\xa9"], [b"plain ", b"text"]]

EXERCISES = {
    "bits_per_byte": Exercise(
        right=(1.3 / math.log(2), 3.9 * 0.27 / math.log(2)),
        mistakes={
            "those are nats per byte; a bit is ln 2 nats, so divide by ln 2": (1.3, 3.9 * 0.27),
            "B's loss is still per token: it has 270,000 tokens for 1,000,000 bytes": (
                1.3 / math.log(2),
                3.9 / math.log(2),
            ),
            "B has fewer tokens than bytes: multiply its loss by tokens per byte, do not divide": (
                1.3 / math.log(2),
                3.9 / 0.27 / math.log(2),
            ),
            "the wrong way between nats and bits: a nat is more than a bit, so divide by ln 2": (
                1.3 * math.log(2),
                3.9 * 0.27 * math.log(2),
            ),
            "those are the given losses, per character and per token: convert both": (1.3, 3.9),
            "the other way round: the answer is (A, B)": (3.9 * 0.27 / math.log(2), 1.3 / math.log(2)),
        },
    ),
    "room_for": Exercise(
        right=20_000_000 // 4 // 256,
        mistakes={
            "that is with an output matrix of its own; it is tied, so one table serves both ends": (
                20_000_000 // 4 // 512
            ),
            "that is a quarter of the *other* parameters; the embedding is part of the 20 million": (
                20_000_000 // 5 // 256
            ),
            "those are the parameters of the table; each token has 256 of them": 20_000_000 // 4,
            "that would be the whole model; the embedding may take a quarter": 20_000_000 // 256,
            "that is a quarter of a model of bytes: parameters are counted, not their 4 bytes": 20_000_000 // 16 // 256,
        },
    ),
    "replay": Exercise(
        right=_replay,
        inputs=[(word, _MERGES) for word in ("hugs", "pugs", "bungs", "hughug", "low", "q")],
        mistakes={
            "merges are applied from left to right as they are met; the one learned first must go first": (
                _left_to_right
            ),
            "that is longest match (WordPiece's rule): BPE never looks at whole tokens, it replays merges": (
                _longest_of_merges
            ),
            "it stops after the first merge; go on until no pair is left that was learned": (
                lambda word, merges: _replay(word, merges, rounds=1)
            ),
            "it begins with the merge learned last; the earliest has the lowest rank and goes first": (
                lambda word, merges: _replay(word, merges, rare_first=True)
            ),
        },
    ),
    "fewest": Exercise(
        right=_fewest,
        inputs=[(word, _PIECES) for word in ("abcde", "abcabcde", "cdeab", "aa", "ax", "")],
        mistakes={
            "that is how many the longest match needs; taking the longest piece first can cost one more later": (
                lambda word, pieces: len(_longest(word, pieces)) if set(word) <= pieces else math.inf
            ),
            "that is the largest number of pieces, not the smallest": _most,
            "a word that cannot be cut has no number of pieces: return math.inf, not 0": (
                lambda word, pieces: 0 if _fewest(word, pieces) == math.inf else _fewest(word, pieces)
            ),
        },
    ),
    "fallback": Exercise(
        right=_fallback,
        inputs=[("a 好", _LETTERS), ("né", _LETTERS), ("🙂", _LETTERS), ("plain", _LETTERS), ("\n", _LETTERS)],
        mistakes={
            "a character that is in the vocabulary stays as it is; only the others become bytes": (
                lambda text, vocab: _fallback(text, vocab, whole=True)
            ),
            "those are code points, not bytes: encode the character as UTF-8 first": (
                lambda text, vocab: [c if c in vocab else f"<0x{ord(c):02X}>" for c in text]
            ),
            "that is Latin-1, which has one byte for é and none for 好; text is UTF-8": (
                lambda text, vocab: _fallback(text, vocab, code="latin-1")
            ),
            "capitals, as SentencePiece writes them: <0xE5>, not <0xe5>": (
                lambda text, vocab: _fallback(text, vocab, form="<0x{:02x}>")
            ),
            "always two digits: <0x0A>, not <0xA>": lambda text, vocab: _fallback(text, vocab, form="<0x{:X}>"),
        },
    ),
    "complete": Exercise(
        right=_stream,
        inputs=[(chunks,) for chunks in _CHUNKS],
        mistakes={
            "each chunk is decoded by itself, so that a character in two chunks becomes �: keep its beginning back": (
                lambda chunks: [chunk.decode("utf-8", "replace") for chunk in chunks]
            ),
            "half a character is thrown away; keep it until its other bytes come": (
                lambda chunks: [chunk.decode("utf-8", "ignore") for chunk in chunks]
            ),
            "it waits for the end; say with every chunk what is complete by then": (
                lambda chunks: [""] * (len(chunks) - 1) + [b"".join(chunks).decode("utf-8")]
            ),
            "the complete characters of a chunk wait for the broken one; hold back only its bytes": _whole_chunks,
            "it gives the whole text so far each time; give only what is new": (
                lambda chunks: ["".join(_stream(chunks)[: i + 1]) for i in range(len(chunks))]
            ),
        },
    ),
}
