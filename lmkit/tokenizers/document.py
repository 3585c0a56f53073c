"""The form of a tokenizer.json: written as Hugging Face's library does, and read with no part of it passed over."""


def document(tokenizer, model, *, normalizer=None, pre_tokenizer=None, decoder=None, added=()) -> dict:
    """A tokenizer as the content of a tokenizer.json; `tokenizer.kept` was read there, and is no part of encode."""
    kept = getattr(tokenizer, "kept", {})
    if lost := [token for token in tokenizer.vocab if any("\ud800" <= c <= "\udfff" for c in token)]:
        raise ValueError(f"token {lost[0]!r} holds a lone surrogate, which no file can")
    plain = dict(single_word=False, lstrip=False, rstrip=False, normalized=False)
    tokens = [{"id": i, "content": token, **plain, "special": True} for token, i in tokenizer.special.items()]
    tokens += [{"id": tokenizer.vocab[token], "content": token, **plain, "special": False} for token in added]
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": kept.get("added_tokens") or sorted(tokens, key=lambda token: token["id"]),
        "normalizer": normalizer,
        "pre_tokenizer": pre_tokenizer,
        "post_processor": kept.get("post_processor"),
        "decoder": decoder,
        "model": model,
    }


def kept_of(data: dict) -> dict:
    """What a tokenizer.json says about things that are no part of `encode`; it is written back as it was read."""
    kept = {key: data[key] for key in ("added_tokens", "post_processor") if data.get(key)}
    vocab = data["model"]["vocab"]  # of Unigram a list, in which nothing is left out
    outside = {token["content"] for token in kept.get("added_tokens", ()) if token["content"] not in vocab}
    return kept | {"outside": outside if isinstance(vocab, dict) else set()}


def check_same(tokenizer, data: dict) -> None:
    """ValueError unless `tokenizer` would be written as `data`, but for what is no part of encode."""
    for key, wanted in tokenizer.to_json().items():
        if key in ("normalizer", "pre_tokenizer", "decoder", "model") and data.get(key) != wanted:
            raise ValueError(f"its {key} is not the one of a tokenizer of {tokenizer.kind}")


def field(part: dict, name: str, kind, where: str):
    """part[name], checked to be of `kind`; ValueError in one sentence."""
    if not isinstance(part, dict) or not isinstance(part.get(name), kind):
        said = part.get(name) if isinstance(part, dict) else part
        wanted = kind.__name__ if isinstance(kind, type) else " or ".join(k.__name__ for k in kind)
        raise ValueError(f"{where} must have a field {name!r} of type {wanted}, not {str(said)[:60]}")
    return part[name]


def only(part: dict, where: str, **allowed) -> None:
    """ValueError if a field of `part` has a value that is not among the allowed ones, or is a field not known here.

    allowed: a tuple of values for each field, or ... for any value. A field that is missing or null is allowed.
    """
    for name, value in part.items():
        if name not in allowed:
            raise ValueError(f"{where} has a field {name!r} ({str(value)[:60]}), which lmkit has not")
        if value is not None and allowed[name] is not ... and value not in allowed[name]:
            said = " or ".join(map(repr, allowed[name])) or "nothing"
            raise ValueError(f"{where} has {name} {str(value)[:60]!r}; lmkit knows {said}")


def parts_of(part: dict | None, inside: str, where: str) -> list[dict]:
    """A part of a tokenizer.json as a list: of nothing, of itself, or of what its Sequence holds."""
    if part is None:
        return []
    if field(part, "type", str, where) == "Sequence":
        only(part, where, type=..., **{inside: ...})
        return [one for each in field(part, inside, list, where) for one in parts_of(each, inside, where)]
    return [part]


def tokens_of(data: dict) -> tuple[dict[str, int], list[str], list[str]]:
    """(vocabulary, special tokens, other added tokens) of a tokenizer.json whose vocabulary is an object.

    Added tokens that are not special, such as Qwen3's "<think>", are cut out of a text before anything else is done
    with it; they are refused if they want spaces or words around them looked at.
    """
    vocab = dict(field(field(data, "model", dict, "tokenizer.json"), "vocab", dict, "its model"))
    special, added, following = [], [], len(vocab)
    for number, token in enumerate(data.get("added_tokens") or []):
        where = f"added token {number}"
        content, i = field(token, "content", str, where), field(token, "id", int, where)
        if content not in vocab and i != following:  # Rust would number it so, whatever the file says
            raise ValueError(f"{where}, {content!r}, has the id {i}, but the next one to give is {following}")
        following = max(following, i + 1)
        if vocab.setdefault(content, i) != i:
            raise ValueError(f"{where}, {content!r}, has the id {i}, but the vocabulary gives it {vocab[content]}")
        if token.get("special"):
            special.append(content)
            continue
        for name in ("single_word", "lstrip", "rstrip"):
            if token.get(name):
                raise ValueError(f"{where}, {content!r}, is not special and has {name}, which lmkit has not")
        if not content:
            raise ValueError(f"{where} is empty")
        if token.get("normalized") and data.get("normalizer"):
            raise ValueError(f"{where}, {content!r}, is looked for in normalized text, which lmkit does not do")
        added.append(content)
    return vocab, special, added
