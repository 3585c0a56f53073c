"""SentencePiece's way with spaces: each is written "▁" and belongs to the word behind it, so nothing joins tokens."""

import re

from .normalizers import WHITE

SPACE = "▁"  # U+2581
WORD = re.compile(f"{SPACE}[^{SPACE}]*|[^{SPACE}]+")
STRETCH = re.compile(f"[^{WHITE}]+")
ALL = re.compile(r"[\s\S]+")


class Spaces:
    """Cut a text into words that begin with "▁" (Kudo and Richardson 2018, arXiv:1808.06226), and join such words.

    prepend: "always" puts a "▁" before the text, too, so that its first word looks like any other, and before each part
    of it; "first" only before a part that stands at the very beginning; "never". split_words: cut before each "▁".
    split_spaces: all white space parts the text, and is lost; otherwise the text is one part.
    """

    def __init__(self, prepend="always", split_words=True, split_spaces=False):
        if prepend not in ("always", "first", "never"):
            raise ValueError(f"prepend {prepend!r} is not one of ['always', 'first', 'never']")
        self.prepend, self.split_words, self.split_spaces = prepend, split_words, split_spaces

    def words(self, text, places):
        """A text, with the places of a Normalizer -> [(word, at, lead)].

        text[at] is word[lead]; lead is 1 if a "▁" was put before the word, and 0 if not.
        """
        found = []
        for match in (STRETCH if self.split_spaces else ALL).finditer(text):
            stretch, at = match.group().replace(" ", SPACE), match.start()
            wanted = self.prepend == "always" or (self.prepend == "first" and places[at] == 0)
            lead = int(wanted and not stretch.startswith(SPACE))
            for word in (WORD if self.split_words else ALL).finditer(SPACE * lead + stretch):
                start = word.start()
                found.append((word.group(), at + max(start - lead, 0), 0 if start else lead))
        return found

    def join(self, tokens):
        """Tokens -> text; a "▁" in the first one is taken to be put there by `prepend`."""
        if tokens and self.prepend != "never":
            tokens = [tokens[0].replace(SPACE, ""), *tokens[1:]]
        return "".join(tokens).replace(SPACE, " ")


def span(found, start, end, places):
    """Where word[start:end] stands in the text; a "▁" put before it stands where its first character does.

    found: a word as `Spaces.words` gives it. places: of a Normalizer.
    """
    _, at, lead = found
    return places[at + max(start - lead, 0)], places[at + max(end - 1 - lead, 0)] + 1
