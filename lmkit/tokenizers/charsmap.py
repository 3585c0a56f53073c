"""SentencePiece's own normalization: a table from strings to strings, compiled into a Darts double-array trie."""

import base64
import struct

from .normal_forms import moved


class Charsmap:
    """The normalizer `Precompiled` of a tokenizer.json: "nmt_nfkc" for T5, and what else SentencePiece was given.

    The data: the size of a trie in bytes, the trie, and strings with a zero byte behind each. A unit of the trie is 32
    bits: the byte that leads to it, whether strings end there, and how far away what follows is. A string ends at the
    first match, the shortest, and a grapheme is replaced as a whole: odd, but SentencePiece's texts were made so.
    """

    def __init__(self, charsmap: str):
        try:
            data = base64.b64decode(charsmap, validate=True)
            (size,) = struct.unpack_from("<I", data)
            self.units = struct.unpack_from(f"<{size // 4}I", data, 4)
            self.strings = data[4 + size :]
            self.strings.decode("utf-8")
            if not self.units or self.strings[-1:] != b"\0":
                raise ValueError("it ends too early")
        except (ValueError, struct.error) as error:  # of base64 and UTF-8, too
            raise ValueError(f"the charsmap of a Precompiled normalizer is damaged: {error}") from None
        self.known = {}

    def find(self, part: str) -> str | None:
        """What the table has for the shortest beginning of `part` that it knows."""
        if part not in self.known:
            self.known[part] = self.search(part.encode("utf-8", "surrogatepass"))
        return self.known[part]

    def search(self, key: bytes) -> str | None:
        place = offset(self.units[0])
        for byte in key:
            place ^= byte
            if not byte or place >= len(self.units) or self.units[place] & 0x800000FF != byte:
                return None
            ends, place = self.units[place] >> 8 & 1, place ^ offset(self.units[place])
            if ends:
                start = self.units[place] & 0x7FFFFFFF
                return self.strings[start : self.strings.index(0, start)].decode("utf-8")
        return None

    def __call__(self, text):
        changes, changed = [], False
        for grapheme in graphemes(text):
            whole = self.find(grapheme) if len(grapheme.encode("utf-8", "surrogatepass")) < 6 else None
            for part in grapheme if whole is None else [grapheme]:
                new = self.find(part) if whole is None else whole
                if new is None:
                    changes.append((part, 0))
                    continue
                changed = True
                more = len(new) - len(part)
                changes += [(c, int(n >= len(part))) for n, c in enumerate(new)]
                if more < 0 and changes:
                    changes[-1] = changes[-1][0], changes[-1][1] + more
        return moved(changes) if changed else (text, None)


def offset(unit):
    return (unit >> 10) << ((unit & 1 << 9) >> 6)


def graphemes(text):
    import regex

    return regex.findall(r"\X", text)
