"""Pieces for single bytes, "<0x41>": how characters without a piece are written, and read again."""

BYTES = [f"<0x{byte:02X}>" for byte in range(256)]
NUMBERS = {name: byte for byte, name in enumerate(BYTES)}


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
