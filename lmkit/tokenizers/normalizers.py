"""Steps that change a text before it is cut, as a tokenizer.json names them, and where each character came from."""

import re

from .charsmap import Charsmap
from .document import field, only
from .normal_forms import moved, normal_form
from .rust_unicode import is_any_mark, lower

WHITE = "\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"  # inside [...]; Python's \s has four more
REGEXES = {" {2,}": " {2,}", r"\n": r"\n"}  # of published files; Rust's regular expressions are not Python's in all


class Normalizer:
    """Steps in the form of a tokenizer.json, {"type": "NFKC"} for instance, or the name alone where there is no more.

    Called with a text it gives the new text, and for each of its characters the index of the one that it came from.
    ValueError for a step that is not known here.
    """

    def __init__(self, steps=()):
        self.steps = [{"type": step} if isinstance(step, str) else dict(step) for step in steps]
        self.functions = [function_of(step) for step in self.steps]

    def __call__(self, text):
        places = range(len(text))
        for function in self.functions:
            text, sources = function(text)
            if sources is not None:
                places = [places[source] for source in sources]
        return text, places


def function_of(step):
    """One step -> a function from a text to (the new one, the index each character came from, or None if all)."""
    kind = field(step, "type", str, "a normalizer")
    if kind in ("NFC", "NFD", "NFKC", "NFKD"):
        only(step, f"the normalizer {kind}", type=...)
        return lambda text: normal_form(text, kind)
    if kind in ("Lowercase", "StripAccents"):
        only(step, f"the normalizer {kind}", type=...)
        return lowercase if kind == "Lowercase" else strip_accents
    if kind == "Strip":
        only(step, "the normalizer Strip", type=..., strip_left=(True, False), strip_right=(True, False))
        left, right = (f"[{WHITE}]*" if step.get(f"strip_{side}") else "" for side in ("left", "right"))
        return lambda text: strip(re.compile(f"{left}([\\s\\S]*?){right}\\Z"), text)
    if kind == "Replace":
        only(step, "the normalizer Replace", type=..., pattern=..., content=...)
        pattern, content = field(step, "pattern", dict, "Replace"), field(step, "content", str, "Replace")
        only(pattern, "the pattern of Replace", String=..., Regex=tuple(REGEXES))
        regex = REGEXES[pattern["Regex"]] if "Regex" in pattern else re.escape(field(pattern, "String", str, "Replace"))
        if not regex:
            raise ValueError("the normalizer Replace looks for an empty text")
        return lambda text: replace(re.compile(regex), content, text)
    if kind == "Precompiled":
        only(step, "the normalizer Precompiled", type=..., precompiled_charsmap=...)
        return Charsmap(field(step, "precompiled_charsmap", str, "Precompiled"))
    raise ValueError(f"the normalizer {kind!r} is none that lmkit has")


def lowercase(text):
    """Character by character, without Python's rule for a Σ at the end of a word."""
    if text.isascii():
        return text.lower(), None
    return moved([(part, int(n > 0)) for c in text for n, part in enumerate(lower(c))])


def strip_accents(text):
    if text.isascii():
        return text, None
    kept = [i for i, c in enumerate(text) if not is_any_mark(c)]
    return "".join(text[i] for i in kept), kept


def strip(pattern, text):
    first, last = pattern.match(text).span(1)
    return text[first:last], range(first, last)


def replace(pattern, content, text):
    """What is put in the place of a match comes from its last character."""
    parts, sources, done = [], [], 0
    for match in pattern.finditer(text):
        parts += [text[done : match.start()], content]
        sources += [*range(done, match.start()), *[match.end() - 1] * len(content)]
        done = match.end()
    if not done:
        return text, None
    return "".join([*parts, text[done:]]), [*sources, *range(done, len(text))]
