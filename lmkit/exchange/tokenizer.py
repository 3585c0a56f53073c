"""Tokenizer files: tokenizer.json, or what older checkpoints have in its place; tokenizers of ours as one."""

import json
import warnings
from pathlib import Path

from ..tokenizers import Tokenizer
from .tensors import read_json


def read_tokenizer(folder: Path):
    """The `tokenizers.Tokenizer` of a checkpoint folder; None if it has none."""
    if (folder / "tokenizer.json").is_file():
        from tokenizers import Tokenizer

        try:
            return Tokenizer.from_file(str(folder / "tokenizer.json"))
        except Exception as error:  # the package raises Exception itself
            raise ValueError(f"{folder / 'tokenizer.json'} cannot be read as a tokenizer: {error}") from None
    if (folder / "vocab.json").is_file() and (folder / "merges.txt").is_file():
        return _byte_pairs(folder)
    if (folder / "vocab.txt").is_file():
        return _word_pieces(folder)
    if (folder / "tokenizer.model").is_file():
        warnings.warn(f"{folder} has its tokenizer as tokenizer.model only, so lmkit returns None for it", stacklevel=3)
    return None


def _byte_pairs(folder: Path):
    """Byte-level BPE; where the vocabulary has <s> and </s>, a text is put between them."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors

    vocabulary = read_json(folder / "vocab.json")
    try:
        model = models.BPE.from_file(str(folder / "vocab.json"), str(folder / "merges.txt"))
    except Exception as error:  # the package raises Exception itself
        raise ValueError(f"{folder}: vocab.json and merges.txt do not make a tokenizer: {error}") from None
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    if "<s>" in vocabulary and "</s>" in vocabulary:
        ends = [(token, vocabulary[token]) for token in ("</s>", "<s>")]
        tokenizer.post_processor = processors.RobertaProcessing(*ends, trim_offsets=True, add_prefix_space=False)
    special = ["<|endoftext|>", "<s>", "</s>", "<pad>", "<unk>", "<mask>"]
    tokenizer.add_special_tokens([token for token in special if token in vocabulary])
    return tokenizer


def _word_pieces(folder: Path):
    """WordPiece with [CLS] and [SEP] around each text; lower case unless tokenizer_config.json says otherwise."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

    words = (folder / "vocab.txt").read_text(encoding="utf-8").split("\n")
    vocabulary = {word: number for number, word in enumerate(words[:-1] if not words[-1] else words)}
    if missing := [token for token in ("[UNK]", "[CLS]", "[SEP]") if token not in vocabulary]:
        raise ValueError(f"{folder / 'vocab.txt'} lacks {missing[0]}")
    path = folder / "tokenizer_config.json"
    lower = read_json(path).get("do_lower_case", True) if path.is_file() else True
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=bool(lower))
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    ends = [(token, vocabulary[token]) for token in ("[SEP]", "[CLS]")]
    tokenizer.post_processor = processors.BertProcessing(*ends)
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer.add_special_tokens([token for token in special if token in vocabulary])
    return tokenizer


def write_tokenizer(tokenizer, folder: Path) -> None:
    """Write tokenizer.json, and the tokenizer_config.json that tells other libraries to read it."""
    if isinstance(tokenizer, Tokenizer):
        content = json.dumps(tokenizer.to_json(), ensure_ascii=False, indent=1) + "\n"
    elif hasattr(tokenizer, "to_str"):
        content = tokenizer.to_str()
    else:
        raise TypeError(f"a tokenizer is one of lmkit.tokenizers or a tokenizers.Tokenizer, not {tokenizer!r}")
    (folder / "tokenizer.json").write_text(content, encoding="utf-8")
    said = {"tokenizer_class": "PreTrainedTokenizerFast", "clean_up_tokenization_spaces": False}
    (folder / "tokenizer_config.json").write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")
