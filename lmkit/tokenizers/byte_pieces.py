"""Pieces for single bytes, "<0x41>": how characters without a piece are written, and read again."""

BYTES = [f"<0x{byte:02X}>" for byte in range(256)]
NUMBERS = {name: byte for byte, name in enumerate(BYTES)}


def utf8(text: str) -> bytes:
    """The text in UTF-8; ValueError for half of a surrogate pair, which has none."""
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        code = ord(text[error.start])
        raise ValueError(f"text holds a lone surrogate, U+{code:04X}, which UTF-8 cannot write") from None


def join_bytes(tokens: list[str]) -> list[str]:
    """Tokens, with each run of bytes as the text that it is in UTF-8, or as a � for each byte if it is none."""
    result, run = [], bytearray()
    for token in [*tokens, None]:
        if token in NUMBERS:
            run.append(NUMBERS[token])
            continue
        if run:
            try:
                result.append(run.decode("utf-8"))
            except UnicodeDecodeError:
                result.append("�" * len(run))
            run.clear()
        result.append(token)
    return result[:-1]
