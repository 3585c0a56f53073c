"""Tokenizer files: tokenizer.json and what older checkpoints have in its place, read as a tokenizer of ours."""

import hashlib
import json
from pathlib import Path

from .byte_bpe import BYTE, ByteBPE
from .bytes import Bytes
from .document import field, parts_of, tokens_of
from .patterns import GPT2, PATTERNS
from .wordpiece import SPECIAL as MARKS
from .wordpiece import WordPiece

PUBLISHED = Path(__file__).parent / "published"
GPT2_MERGES = "1ce1664773c50f3e0cc8842619a93edc4624525b728b188a9e0be33b7726adc5"  # sha256
END_OF_TEXT = "<|endoftext|>"
SPECIAL = [END_OF_TEXT, "<s>", "</s>", "<pad>", "<unk>", "<mask>"]  # a vocab.json does not say what is special


def load(path):
    """The tokenizer in a tokenizer.json, or in a folder with one, with vocab.json and merges.txt, or with vocab.txt.

    "gpt2" is the published tokenizer of GPT-2, which is part of lmkit. FileNotFoundError if there is nothing to read;
    ValueError, naming the file, for what is damaged, contradicts itself, or has parts that lmkit has not.
    """
    if path == "gpt2":
        return gpt2()
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"there is no tokenizer at {path}; give a file, a folder, or 'gpt2'")
    file = path / "tokenizer.json" if path.is_dir() else path
    try:
        if file.is_file():
            return from_json(_json(file))
        if (path / "vocab.json").is_file() and (path / "merges.txt").is_file():
            return _byte_pairs(path)
        if (path / "vocab.txt").is_file():
            file = path / "vocab.txt"
            return _word_pieces(path)
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise ValueError(f"{file if file.is_file() else path}: {error}") from None
    there = ", ".join(sorted(entry.name for entry in path.iterdir())[:5]) or "nothing"
    raise FileNotFoundError(f"{path} holds no tokenizer.json, vocab.json with merges.txt, or vocab.txt, but {there}")


def from_json(data: dict):
    """The content of a tokenizer.json -> a tokenizer of ours; ValueError for one with parts that lmkit has not."""
    from . import TOKENIZERS, from_dict

    if "kind" in data:  # one of lmkit's checkpoints
        return from_dict(data)
    kind = field(field(data, "model", dict, "tokenizer.json"), "type", str, "its model")
    name = {"BPE": "bpe", "WordPiece": "wordpiece", "Unigram": "unigram"}.get(kind)
    parts = parts_of(data.get("pre_tokenizer"), "pretokenizers", "its pre_tokenizer")
    if kind == "BPE" and any(part["type"] == "ByteLevel" for part in parts):
        name = "bytes" if parts[0].get("use_regex") is False and _only_bytes(data) else "byte_bpe"
    if kind == "WordLevel":
        name = next((n for n in ("characters", "words") if parts == [TOKENIZERS[n].pre_tokenizer]), None)
    if name not in TOKENIZERS:
        raise ValueError(f"its model is {kind}, with a pre_tokenizer that lmkit has not for it")
    return TOKENIZERS[name].from_json(data)


def vocabulary_files(tok) -> dict[str, str]:
    """{name: content} of what older checkpoints have; ValueError where reading it would give another tokenizer."""
    if type(tok) is ByteBPE:
        own = {name: getattr(tok, name) for name in ("added", "compose", "whole") if getattr(tok, name)}
        own |= {"pattern": tok.pattern} if PATTERNS.get(tok.pattern, tok.pattern) != GPT2 else {}
        own |= {"special": others} if (others := [token for token in tok.special if token not in SPECIAL]) else {}
        merges = "".join(f"{left} {right}\n" for left, right in tok.merges)
        files = {"vocab.json": json.dumps(tok.vocab, ensure_ascii=False), "merges.txt": f"#version: 0.2\n{merges}"}
    elif isinstance(tok, WordPiece):
        usual = {"unk": "[UNK]", "prefix": "##", "max_characters": 100, "cleanup": True}
        own = {name: getattr(tok, name) for name, value in usual.items() if getattr(tok, name) != value}
        rules = tok.rules
        own |= {} if rules.clean else {"clean": False}
        own |= {"special": others} if (others := [token for token in tok.special if token not in MARKS]) else {}
        said = {"do_lower_case": rules.lower, "strip_accents": rules.strip_accents}
        said |= {"tokenize_chinese_chars": rules.chinese}
        lines = "".join(f"{token}\n" for token in tok.by_id)
        files = {"vocab.txt": lines, "tokenizer_config.json": json.dumps(said, indent=1) + "\n"}
    else:
        raise ValueError(f"there are no older files for a {type(tok).__name__}; `save` writes a tokenizer.json")
    if own:
        raise ValueError(f"older files cannot say {', '.join(f'{name} {value!r}' for name, value in own.items())}")
    return files


def gpt2() -> ByteBPE:
    """GPT-2's tokenizer (Radford et al. 2019), 50,257 tokens, from the merges that OpenAI published.

    Its vocabulary follows from them: the bytes, what each merge makes, and the end of a document. ValueError if the
    file is not the published one.
    """
    file = PUBLISHED / "gpt2" / "merges.txt"
    content = file.read_bytes()
    if hashlib.sha256(content).hexdigest() != GPT2_MERGES:
        raise ValueError(f"{file} is damaged: its sha256 is not {GPT2_MERGES[:12]}…")
    merges = _merges(content.decode("utf-8"))
    tokens = [*sorted(BYTE), *(left + right for left, right in merges), END_OF_TEXT]
    return ByteBPE({token: i for i, token in enumerate(tokens)}, merges, special=[END_OF_TEXT])


def _byte_pairs(folder: Path) -> ByteBPE:
    vocab = _json(folder / "vocab.json")
    merges = _merges((folder / "merges.txt").read_bytes().decode("utf-8"))
    return ByteBPE(vocab, merges, special=[token for token in SPECIAL if token in vocab])


def _word_pieces(folder: Path) -> WordPiece:
    """Lower case unless tokenizer_config.json says otherwise; an id is the number of a line, so an empty one counts."""
    lines = (folder / "vocab.txt").read_bytes().decode("utf-8").split("\n")
    config = _json(folder / "tokenizer_config.json") if (folder / "tokenizer_config.json").is_file() else {}
    return WordPiece.from_vocab(
        [line.removesuffix("\r") for line in lines],
        lower=bool(config.get("do_lower_case", True)),
        strip_accents=config.get("strip_accents"),
        chinese=bool(config.get("tokenize_chinese_chars", True)),
    )


def _merges(text: str) -> list[tuple[str, str]]:
    """The lines of a merges.txt, "left right"; ValueError for one that is no pair."""
    pairs = []
    for number, line in enumerate(text.split("\n"), start=1):
        pair = tuple(line.removesuffix("\r").split(" "))
        if len(pair) == 2 and all(pair) and not line.startswith("#version"):
            pairs.append(pair)
        elif line.strip() and not line.startswith("#version"):
            raise ValueError(f"line {number} of merges.txt is {line[:60]!r}, which is no pair of tokens")
    return pairs


def _only_bytes(data: dict) -> bool:
    vocab, special, added = tokens_of(data)
    return not data["model"].get("merges") and not added and Bytes(sorted(special, key=vocab.get)).vocab == vocab


def _json(file: Path) -> dict:
    """The object in a JSON file; ValueError if there is none, or if a key stands twice in an object of it."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"), object_pairs_hook=_no_key_twice)
    except (RecursionError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ValueError(f"{file.name} is no JSON: {str(error) or type(error).__name__}") from None
    if not isinstance(content, dict):
        raise ValueError(f"{file.name} must be a JSON object, not {type(content).__name__}")
    return content


def _no_key_twice(pairs: list) -> dict:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for n, key in enumerate(keys) if key in keys[:n])
        raise ValueError(f"{twice!r} stands twice in one object")
    return found
