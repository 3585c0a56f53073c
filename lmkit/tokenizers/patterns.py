"""What a text is cut into before any merge: the regular expressions of published tokenizers, by name.

No token of theirs crosses the edge of such a piece, so the pattern decides what can become a token at all: whether a
space goes with the word behind it, how many digits stay together, what happens to a row of line ends.
"""

from collections import Counter
from functools import cache

from .checks import each_text, utf8

# Words and runs of punctuation; spaces between them are dropped ("Whitespace" in Hugging Face's library).
WORDS = r"\w+|[^\w\s]+"
#: Radford et al. 2019, encoder.py: a space belongs to the word behind it; English endings are words.
GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
# cl100k_base of OpenAI's tiktoken, 2022: endings in either case, three digits at most, line ends at the end.
GPT4 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
LLAMA3 = GPT4  # Grattafiori et al. 2024 took it over
QWEN2 = GPT4.replace(r"\p{N}{1,3}", r"\p{N}")  # Yang et al. 2024: every digit by itself
#: All of them, by name.
PATTERNS = {"words": WORDS, "gpt2": GPT2, "gpt4": GPT4, "llama3": LLAMA3, "qwen2": QWEN2}


@cache
def compiled(pattern: str):
    """A name in PATTERNS, or a regular expression -> it, compiled; ValueError if it is none or has groups that capture.

    The package `regex` is used: the standard library's `re` has no \\p{L}, and takes combining marks for no part of a
    word. What is a letter, it takes from the newest Unicode; Hugging Face's Rust library knows that of 2022 (15.0), so
    the two differ in characters that Unicode did not have by then.
    """
    try:
        import regex
    except ImportError:
        raise ImportError("patterns of tokenizers need the package regex: pip install regex") from None
    try:
        found = regex.compile(PATTERNS.get(pattern, pattern))
    except regex.error as error:
        raise ValueError(f"pattern {pattern!r} is no regular expression: {error}") from None
    if found.groups:
        raise ValueError(f"pattern {pattern!r} has groups that capture; write (?:...) for (...)")
    return found


def spans(pattern: str, text: str, gaps: bool) -> list[tuple[int, int]]:
    """(start, end) of every match in order and, if `gaps`, of what lies between; an empty match is none."""
    found, last = [], 0
    for match in compiled(pattern).finditer(text):
        start, end = match.span()
        if gaps and last < start:
            found.append((last, start))
        if start < end:
            found.append((start, end))
        last = end
    if gaps and last < len(text):
        found.append((last, len(text)))
    return found


def pieces(pattern: str, text: str, gaps: bool) -> list[str]:
    """The stretches of `spans` as texts, for all who need not know where they stand."""
    found = compiled(pattern).findall(text)
    if gaps and sum(map(len, found)) < len(text) or not all(found):
        return [text[start:end] for start, end in spans(pattern, text, gaps)]
    return found


def count(pattern: str, texts, gaps: bool) -> Counter:
    """How often each piece occurs in a corpus, a text or many."""
    counts = Counter()
    for text in each_text(texts):
        utf8(text)
        counts.update(pieces(pattern, text, gaps))
    return counts
