"""BPE and ByteBPE as the content of a tokenizer.json, and back: what is not known there is refused by name."""

from .document import document, field, kept_of, only, parts_of, tokens_of
from .patterns import GPT2, PATTERNS, WORDS

WHITESPACE = {"Whitespace": WORDS, "WhitespaceSplit": r"\S+"}  # the Rust library's own \w is that of WORDS here
ANYTHING = r"[\s\S]+"  # the whole text as one piece


def words_to_json(tok) -> dict:
    decoder = {"type": "BPEDecoder", "suffix": tok.end} if tok.end else {"type": "Fuse"}
    known = {pattern: {"type": name} for name, pattern in WHITESPACE.items()}
    pre_tokenizer = known.get(PATTERNS.get(tok.pattern, tok.pattern)) or _split(tok, "Removed", True)
    return document(tok, _model(tok), pre_tokenizer=pre_tokenizer, decoder=decoder)


def words_from_json(cls, data: dict):
    vocab, special, added, merges, how = _read(data)
    parts = parts_of(data.get("pre_tokenizer"), "pretokenizers", "its pre_tokenizer")
    if len(parts) != 1 or parts[0]["type"] not in (*WHITESPACE, "Split"):
        raise ValueError(f"BPE on words needs the pre_tokenizer Split or Whitespace(Split), not {_names(parts)}")
    if normal := parts_of(data.get("normalizer"), "normalizers", "its normalizer"):
        raise ValueError(f"the normalizer {_names(normal)} is none that lmkit has for BPE on words")
    if added:
        raise ValueError(f"added token {added[0]!r} is not special; lmkit has such tokens for byte-level BPE only")
    pattern = WHITESPACE.get(parts[0]["type"]) or _pattern(parts[0], "Removed", True)
    decoders = parts_of(data.get("decoder"), "decoders", "its decoder")
    wanted = {"type": "BPEDecoder", "suffix": how["end"]} if how["end"] else {"type": "Fuse"}
    if decoders != [wanted]:
        raise ValueError(f"BPE on words with the end mark {how['end']!r} needs the decoder {wanted}, not {decoders}")
    tok = cls(vocab, merges, special=special, pattern=pattern, **how)
    tok.kept = kept_of(data)
    return tok


def bytes_to_json(tok) -> dict:
    level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True}
    if PATTERNS.get(tok.pattern, tok.pattern) == GPT2:
        parts = {**level, "use_regex": True}
    else:
        parts = {"type": "Sequence", "pretokenizers": [_split(tok, "Isolated", False), {**level, "use_regex": False}]}
    decoder = {**level, "use_regex": True}
    normalizer = {"type": "NFC"} if tok.compose else None
    return document(
        tok, _model(tok), normalizer=normalizer, pre_tokenizer=parts, decoder=decoder, added=tok.added
    )


def bytes_from_json(cls, data: dict):
    vocab, special, added, merges, how = _read(data)
    if odd := [name for name in ("end", "prefix", "unk", "fuse_unk") if how[name]]:
        raise ValueError(f"byte-level BPE with {odd[0]} {how[odd[0]]!r} is none that lmkit has")
    normal = parts_of(data.get("normalizer"), "normalizers", "its normalizer")
    if normal not in ([], [{"type": "NFC"}]):
        raise ValueError(f"the normalizer {_names(normal)} is none that lmkit has for byte-level BPE")
    parts = parts_of(data.get("pre_tokenizer"), "pretokenizers", "its pre_tokenizer")
    if [part["type"] for part in parts] not in (["ByteLevel"], ["Split", "ByteLevel"]):
        raise ValueError(f"byte-level BPE needs the pre_tokenizer ByteLevel, or Split before it, not {_names(parts)}")
    level = {"add_prefix_space": True, "use_regex": True, **parts[-1]}  # what is missing is true
    regex = (True, False) if len(parts) == 1 else (False,)
    only(level, "its ByteLevel", type=..., trim_offsets=..., add_prefix_space=(False,), use_regex=regex)
    own = GPT2 if level["use_regex"] else ANYTHING
    pattern = own if len(parts) == 1 else _pattern(parts[0], "Isolated", False)
    decoders = parts_of(data.get("decoder"), "decoders", "its decoder")
    if [part["type"] for part in decoders] != ["ByteLevel"]:
        raise ValueError(f"byte-level BPE needs the decoder ByteLevel, not {_names(decoders)}")
    tok = cls(vocab, merges, special=special, pattern=pattern, whole=how["whole"], added=added, compose=bool(normal))
    tok.kept = kept_of(data)
    return tok


def _model(tok) -> dict:
    outside = getattr(tok, "kept", {}).get("outside", ())  # tokens that were read among the added ones alone
    return {
        "type": "BPE",
        "dropout": None,
        "unk_token": tok.unk,
        "continuing_subword_prefix": tok.prefix or None,
        "end_of_word_suffix": tok.end or None,
        "fuse_unk": tok.fuse_unk,
        "byte_fallback": False,
        "ignore_merges": tok.whole,
        "vocab": {token: i for token, i in tok.vocab.items() if token not in outside},
        "merges": [list(pair) for pair in tok.merges],
    }


def _read(data: dict):
    """(vocabulary, special, added, merges, options of BPE)."""
    vocab, special, added = tokens_of(data)
    model, end, prefix = data["model"], "end_of_word_suffix", "continuing_subword_prefix"
    only(
        model, "its BPE", type=("BPE",), vocab=..., merges=..., unk_token=..., fuse_unk=(True, False), dropout=(0,),
        ignore_merges=(True, False), byte_fallback=(False,), **{end: ..., prefix: ...},
    )  # fmt: skip
    merges = []
    for number, merge in enumerate(field(model, "merges", list, "its BPE")):
        pair = merge.split(" ") if isinstance(merge, str) else merge
        if not isinstance(pair, list) or len(pair) != 2 or not all(isinstance(part, str) for part in pair):
            raise ValueError(f"merge {number + 1} is {merge!r}, which is no pair of tokens")
        merges.append(tuple(pair))
    options = {"end": model.get(end) or "", "prefix": model.get(prefix) or "", "unk": model.get("unk_token")}
    for name, value in options.items():
        if not isinstance(value, str | None):
            raise ValueError(f"its BPE has for {name} {value!r}, which is no text")
    return vocab, special, added, merges, {
        **options, "fuse_unk": bool(model.get("fuse_unk")), "whole": bool(model.get("ignore_merges"))
    }  # fmt: skip


def _split(tok, behavior: str, invert: bool) -> dict:
    pattern = PATTERNS.get(tok.pattern, tok.pattern)
    return {"type": "Split", "pattern": {"Regex": pattern}, "behavior": behavior, "invert": invert}


def _pattern(part: dict, behavior: str, invert: bool) -> str:
    only(part, "its Split", type=("Split",), pattern=..., behavior=(behavior,), invert=(invert,))
    return field(field(part, "pattern", dict, "its Split"), "Regex", str, "the pattern of its Split")


def _names(parts: list[dict]) -> str:
    return " + ".join(part["type"] for part in parts) or "none"
