"""Ids of a text and text of ids, whichever of the two kinds of tokenizer `lmkit.load` gave."""


def ids_of(tokenizer, text: str) -> list[int]:
    """The ids of a text and nothing else: no [CLS], no end of text."""
    if hasattr(tokenizer, "to_str"):  # a tokenizers.Tokenizer of Hugging Face's library
        return tokenizer.encode(text, add_special_tokens=False).ids
    return list(tokenizer.encode(text))


def end_of(tokenizer) -> int | None:
    """The id that ends a text, <|endoftext|> or </s>; None if the tokenizer has neither."""
    find = getattr(tokenizer, "token_to_id", None) or getattr(tokenizer, "special", {}).get
    return next((found for name in ("<|endoftext|>", "</s>") if (found := find(name)) is not None), None)


def text_of(tokenizer, ids: list[int]) -> str:
    """The text of `ids`."""
    return tokenizer.decode(list(ids))
