"""Ids of a text and text of ids, whichever of the two kinds of tokenizer `lmkit.load` gave."""


def ids_of(tokenizer, text: str) -> list[int]:
    """The ids of a text and nothing else: no [CLS], no end of text."""
    if hasattr(tokenizer, "to_str"):  # a tokenizers.Tokenizer of Hugging Face's library
        return tokenizer.encode(text, add_special_tokens=False).ids
    return list(tokenizer.encode(text))


def text_of(tokenizer, ids: list[int]) -> str:
    return tokenizer.decode(list(ids))
