"""Unigram as the content of a tokenizer.json, and back: what is not known there is refused by name."""

import math
from decimal import Decimal

from .document import document, field, kept_of, only, parts_of, tokens_of

DECODERS = [[], ["Metaspace"], ["ByteFallback", "Metaspace"]]


def to_json(tok) -> dict:
    space = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": tok.spaces.prepend}
    space["split"] = tok.spaces.split_words
    pre_tokenizer, decoder = space, space
    if tok.spaces.split_spaces:
        pre_tokenizer = {"type": "Sequence", "pretokenizers": [{"type": "WhitespaceSplit"}, space]}
    if tok.byte_fallback:
        decoder = {"type": "Sequence", "decoders": [{"type": "ByteFallback"}, space]}
    steps = tok.normalizer.steps
    normalizer = {"type": "Sequence", "normalizers": steps} if len(steps) > 1 else steps[0] if steps else None
    model = {
        "type": "Unigram",
        "unk_id": tok.special.get(tok.unk),
        "vocab": [[piece, score] for piece, score in tok.scores],
        "byte_fallback": tok.byte_fallback,
    }
    return document(tok, model, normalizer=normalizer, pre_tokenizer=pre_tokenizer, decoder=decoder)


def from_json(cls, data: dict):
    model = field(data, "model", dict, "tokenizer.json")
    only(model, "its model", type=("Unigram",), unk_id=..., vocab=..., byte_fallback=(True, False))
    pieces, unk = field(model, "vocab", list, "its model"), model.get("unk_id")
    for number, row in enumerate(pieces):
        if not (isinstance(row, list) and len(row) == 2 and isinstance(row[0], str) and type(row[1]) in (int, float)):
            raise ValueError(f"entry {number} of the vocabulary is {str(row)[:60]}, no piece and its log-probability")
    if unk is not None and not (type(unk) is int and 0 <= unk < len(pieces)):
        raise ValueError(f"unk_id is {unk!r}, but there are {len(pieces)} pieces")
    known = {"vocab": {piece: i for i, (piece, _) in enumerate(pieces)}}
    vocab, special, added = tokens_of({**data, "model": known})
    if added:
        raise ValueError(f"added token {added[0]!r} is not special; lmkit has such tokens for byte-level BPE only")
    pieces += [[token, 0.0] for token in sorted(vocab, key=vocab.get)[len(known["vocab"]) :]]
    spaces, space = pre_tokenizer_of(data)
    decoders = [part["type"] for part in parts_of(data.get("decoder"), "decoders", "its decoder")]
    if decoders not in DECODERS:
        raise ValueError(f"Unigram needs the decoder Metaspace, or ByteFallback before it, not {', '.join(decoders)}")
    tok = cls(
        [(piece, as_rust_reads(score)) for piece, score in pieces],
        special=special,
        unk=None if unk is None else pieces[unk][0],
        byte_fallback=bool(model.get("byte_fallback")),
        normalizer=parts_of(data.get("normalizer"), "normalizers", "its normalizer"),
        prepend=space.get("prepend_scheme", "always"),
        split_words=space.get("split", True),
        split_spaces=spaces,
    )
    tok.kept = kept_of(data)
    return tok


def pre_tokenizer_of(data: dict) -> tuple[bool, dict]:
    """Whether all white space parts words, and what the file says of Metaspace."""
    parts = parts_of(data.get("pre_tokenizer"), "pretokenizers", "its pre_tokenizer")
    types = [part["type"] for part in parts]
    if types not in (["Metaspace"], ["WhitespaceSplit", "Metaspace"]):
        raise ValueError(f"Unigram needs the pre_tokenizer Metaspace, or WhitespaceSplit before it, not {types}")
    space = parts[-1]
    prepend = {"prepend_scheme": ("always", "first", "never")}
    prepend["add_prefix_space"] = (space.get("prepend_scheme") != "never",)  # of older files, which say it so
    only(space, "its Metaspace", type=..., replacement=("▁",), str_rep=("▁",), split=(True, False), **prepend)
    return len(parts) == 2, space


def as_rust_reads(score: float) -> float:
    """What the Rust library makes of a number in JSON: its digits as a float, divided by a power of ten.

    That rounds twice, so of numbers with 16 or more digits one in four is off by its last bit. It matters: aa + aaa and
    aaa + aa are equally probable, and then the last bit says which one is the best path. What was so read is written
    and read again as it is.
    """
    if not math.isfinite(score):
        return score  # and is refused
    sign, digits, exponent = Decimal(repr(float(score))).as_tuple()
    whole, power = float(int("".join(map(str, digits)))), float(f"1e{abs(exponent)}")
    return (-1.0 if sign else 1.0) * (whole / power if exponent < 0 else whole * power)
