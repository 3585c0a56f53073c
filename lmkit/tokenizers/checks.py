"""What is asked of every vocabulary and every corpus before anything is made of them."""

from collections.abc import Iterable


def check_vocab(vocab: dict[str, int], special: Iterable[str] = (), holes: bool = False) -> dict[str, int]:
    """Return the special tokens and their ids; ValueError unless all ids are 0, 1, 2, ..., none twice and none missing.

    holes: ids may be missing, though not more of them than there are tokens, as in OpenAI's cl100k_base.
    """
    if not isinstance(vocab, dict) or not vocab:
        raise ValueError("the vocabulary is empty, or no dict of tokens and ids")
    tokens = {}
    for token, i in vocab.items():
        if not isinstance(i, int) or isinstance(i, bool) or i < 0:
            raise ValueError(f"token {token!r} has the id {i!r}, which is no number from 0 on")
        if i in tokens:
            raise ValueError(f"tokens {tokens[i]!r} and {token!r} have the same id {i}")
        tokens[i] = token
    if max(tokens) >= len(tokens) * (2 if holes else 1):
        hole = next(i for i in range(len(tokens)) if i not in tokens)
        raise ValueError(f"no token has the id {hole}, though ids go up to {max(tokens)}")
    for token in special:
        if token not in vocab:
            raise ValueError(f"special token {token!r} is not in the vocabulary")
    return {token: vocab[token] for token in special}


def each_text(texts: str | Iterable[str]) -> Iterable[str]:
    """The texts of a corpus: one, or any number."""
    for text in [texts] if isinstance(texts, str) else texts:
        if not isinstance(text, str):
            raise TypeError(f"a corpus is a str or an iterable of str, not of {type(text).__name__}")
        yield text


def first_tokens(special: Iterable[str], alphabet: list[str], vocab_size: int) -> list[str]:
    """What training begins with, special tokens first; ValueError if there is nothing, or more than vocab_size."""
    special = [special] if isinstance(special, str) else list(special)
    if odd := [token for token in special if not isinstance(token, str)]:
        raise TypeError(f"a special token is a str, not {type(odd[0]).__name__}: {odd[0]!r:.60}")
    if twice := next((token for n, token in enumerate(special) if token in special[:n]), None):
        raise ValueError(f"special token {twice!r} is given twice")
    if not alphabet:
        raise ValueError("the text is empty; there is nothing to learn from")
    if both := sorted(set(special) & set(alphabet)):
        raise ValueError(f"special token {both[0]!r} is also a symbol of the text, so text could forge it")
    if "" in special:
        raise ValueError("a special token must not be empty")
    if vocab_size < len(special) + len(alphabet):
        raise ValueError(
            f"vocab_size is {vocab_size}, but {len(special)} special tokens and {len(alphabet)} symbols of the text "
            f"need {len(special) + len(alphabet)}"
        )
    return [*special, *alphabet]


def utf8(text: str) -> bytes:
    """A text in UTF-8; ValueError if it holds half of a surrogate pair, which is no character."""
    if not isinstance(text, str):
        raise TypeError(f"a text is a str, not {type(text).__name__}")
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        half = f"U+{ord(text[error.start]):04X} at position {error.start}"
        raise ValueError(f"text holds a lone surrogate, {half}, which is no character") from None
