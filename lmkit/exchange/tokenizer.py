"""Tokenizer files: tokenizer.json, or what older checkpoints have in its place; tokenizers of ours as one."""

import json
import warnings
from pathlib import Path

from .. import tokenizers


def read_tokenizer(folder: Path):
    """The `tokenizers.Tokenizer` of a checkpoint folder; None if it has none."""
    if (folder / "tokenizer.json").is_file():
        from tokenizers import Tokenizer

        try:
            return Tokenizer.from_file(str(folder / "tokenizer.json"))
        except Exception as error:  # the package raises Exception itself
            raise ValueError(f"{folder / 'tokenizer.json'} cannot be read as a tokenizer: {error}") from None
    if (folder / "vocab.json").is_file() and (folder / "merges.txt").is_file() or (folder / "vocab.txt").is_file():
        return _older(folder)
    if (folder / "tokenizer.model").is_file():
        warnings.warn(f"{folder} has its tokenizer as tokenizer.model only, so lmkit returns None for it", stacklevel=3)
    return None


def _older(folder: Path):
    """What `lmkit.tokenizers` reads, and what the families of such files put around a text: [CLS] and [SEP], or <s>."""
    from tokenizers import Tokenizer, processors

    ours = tokenizers.load(folder)
    found = Tokenizer.from_str(json.dumps(ours.to_json()))
    found.post_processor = processors.ByteLevel(trim_offsets=False)
    if isinstance(ours, tokenizers.WordPiece):
        if missing := [token for token in ("[CLS]", "[SEP]") if token not in ours.vocab]:
            raise ValueError(f"{folder / 'vocab.txt'} lacks {missing[0]}")
        found.post_processor = processors.BertProcessing(*((name, ours.vocab[name]) for name in ("[SEP]", "[CLS]")))
    elif "<s>" in ours.vocab and "</s>" in ours.vocab:
        ends = [(token, ours.vocab[token]) for token in ("</s>", "<s>")]
        found.post_processor = processors.RobertaProcessing(*ends, trim_offsets=True, add_prefix_space=False)
    return found


def write_tokenizer(tokenizer, folder: Path) -> None:
    """Write tokenizer.json, and the tokenizer_config.json that tells other libraries to read it."""
    if isinstance(tokenizer, tokenizers.Tokenizer):
        content = json.dumps(tokenizer.to_json(), ensure_ascii=False, indent=1) + "\n"
    elif hasattr(tokenizer, "to_str"):
        content = tokenizer.to_str()
    else:
        raise TypeError(f"a tokenizer is one of lmkit.tokenizers or a tokenizers.Tokenizer, not {tokenizer!r}")
    (folder / "tokenizer.json").write_text(content, encoding="utf-8")
    said = {"tokenizer_class": "PreTrainedTokenizerFast", "clean_up_tokenization_spaces": False}
    (folder / "tokenizer_config.json").write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")
