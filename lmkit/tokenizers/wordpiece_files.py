"""WordPiece as the content of a tokenizer.json, and back: what is not known there is refused by name."""

from .document import document, field, kept_of, only, tokens_of


def to_json(tok) -> dict:
    rules = tok.rules
    normalizer = {
        "type": "BertNormalizer",
        "clean_text": rules.clean,
        "handle_chinese_chars": rules.chinese,
        "strip_accents": rules.strip_accents,
        "lowercase": rules.lower,
    }
    model = {
        "type": "WordPiece",
        "unk_token": tok.unk,
        "continuing_subword_prefix": tok.prefix,
        "max_input_chars_per_word": tok.max_characters,
        "vocab": tok.vocab,
    }
    decoder = {"type": "WordPiece", "prefix": tok.prefix, "cleanup": tok.cleanup}
    return document(tok, model, normalizer=normalizer, pre_tokenizer={"type": "BertPreTokenizer"}, decoder=decoder)


def from_json(cls, data: dict):
    model, normalizer, pre_tokenizer = (
        field(data, part, dict, "tokenizer.json of a WordPiece") for part in ("model", "normalizer", "pre_tokenizer")
    )
    only(model, "its model", type=("WordPiece",), unk_token=..., continuing_subword_prefix=...,
         max_input_chars_per_word=..., vocab=...)  # fmt: skip
    only(normalizer, "its normalizer", type=("BertNormalizer",), clean_text=(True, False), strip_accents=(True, False),
         handle_chinese_chars=(True, False), lowercase=(True, False))  # fmt: skip
    only(pre_tokenizer, "its pre_tokenizer", type=("BertPreTokenizer",))
    prefix = field(model, "continuing_subword_prefix", str, "its model")
    decoder = data.get("decoder") or {}
    only(decoder, "its decoder", type=("WordPiece",), prefix=(prefix,), cleanup=(True, False))
    vocab, special, added = tokens_of(data)
    if added:
        raise ValueError(f"added token {added[0]!r} is not special; lmkit has such tokens for byte-level BPE only")
    tok = cls(
        vocab,
        special=special,
        lower=field(normalizer, "lowercase", bool, "its normalizer"),
        strip_accents=normalizer.get("strip_accents"),
        clean=field(normalizer, "clean_text", bool, "its normalizer"),
        chinese=field(normalizer, "handle_chinese_chars", bool, "its normalizer"),
        unk=field(model, "unk_token", str, "its model"),
        prefix=prefix,
        max_characters=field(model, "max_input_chars_per_word", int, "its model"),
        cleanup=decoder.get("cleanup", True),
    )
    tok.kept = kept_of(data)
    return tok
