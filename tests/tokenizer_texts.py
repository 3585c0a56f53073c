"""Texts to break tokenizers with: every plane of Unicode, marks, spaces, what looks like special tokens, long runs."""

import random
from collections.abc import Iterator
from functools import cache

import regex
import tokenizers as hub

SPACES = "\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u180e\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009"
SPACES += "\u200a\u200b\u2028\u2029\u202f\u205f\u2060\u3000\ufeff"
MARKS = "\u0300\u0301\u0308\u0327\u0345\u05bf\u0651\u093c\u094d\u0e31\u1ab0\u20d0\u20dd\u20e3\u302a"
MARKS += "\ufe0e\ufe0f\ufe20\U000e0100"
EDGES = "\0\x01\x07\x1b\x7f\x80\x9f\xad\u034f\u061c\u200c\u200d\u200e\u200f\u202a\u202e\u2066\u2069\ud7ff\ue000"
EDGES += "\uf8ff\ufdd0\ufff9\ufffc\ufffd\ufffe\uffff\U00010000\U0001f1e6\U0001f1ff\U0001f3fb\U0001ffff\U000e0001"
EDGES += "\U0010fffd\U0010ffff"
CASES = "aAzZßẞİıſKÅΣσςΑάΐŉǅǆﬁﬃﬀᾳᾼԵևÀÉñŻøŁÐþдДёЁюяғԱაႠⴀᏸꭰ𐐀𐐨ⅰⅠⓐⒶａＡ"
NUMBERS = "0123456789٠٣٩०५௧௰୳²³¼½⅕Ⅷⅻ〇一二㈠①⑩㊱𝟎𝟗𐄇𒐀𑁒"
SCRIPTS = "中文字漢豈龘㐀𠀀𪜀丽ひらがなカタｶﾅ한국어각ㄱ각עבריתالعربيةไทยहिन्दीবাংলাதமிழ်ქართულიአማርኛᐊᓄ"
SYMBOLS = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~¡§«»¿‘’“”–—…€₹°©™×÷√∞≠←⇒■☃♥⚠、。「」！？～￥▁#Ġ·"
EMOJI = ["🙂", "👩‍👩‍👧‍👦", "🏳️‍🌈", "👍🏽", "🇩🇪", "1️⃣", "❤️", "🤷🏿‍♂️", "🇦", "🏴\U000e0067\U000e0062\U000e007f"]
WORDS = ["the", "The", "THE", " unhappiness", "don't", "I'LL", "it’s", "we'Ve", "naïve", "résumé"]
WORDS += ["re\u0301sume\u0301", "Straße"]
WORDS += ["hello", "world", "to be or", "O Romeo", "ΟΔΟΣ", "İstanbul", "https://a.b/c?d=e", "12,345.67", "x=1\r\n"]
WORDS += ["\r\n\r\n", "''s"]
FORGERIES = ["<|endoftext|>", "[CLS]", "[UNK]", "[MASK]", "<s>", "</s>", "<unk>", "<pad>", "</w>", "##s"]
FORGERIES += ["<0x41>", "<|end", "▁a"]
POOLS = [SPACES, MARKS, EDGES, CASES, NUMBERS, SCRIPTS, SYMBOLS, EMOJI, WORDS, FORGERIES]


def any_character(draw: random.Random) -> str:
    """One code point that UTF-8 can write, from all planes, the first two more often than their share."""
    while True:
        code = draw.randrange(draw.choice([0x80, 0x300, 0x3000, 0x10000, 0x20000, 0x110000]))
        if not 0xD800 <= code <= 0xDFFF:
            return chr(code)


def nasty_texts(n: int, seed: int) -> Iterator[str]:
    """n random texts, the same ones for the same seed; one in 200 holds a run of 10,000 characters."""
    draw = random.Random(seed)
    for number in range(n):
        pools = draw.sample(POOLS, draw.choice([1, 2, 3, len(POOLS)]))
        parts = []
        for _ in range(draw.choice([0, 1, 2, 4, 8, 16, 32])):
            part = any_character(draw) if draw.random() < 0.15 else draw.choice(draw.choice(pools))
            parts.append(part * draw.choice([1, 1, 1, 1, 1, 2, 3, 5]))
            if draw.random() < 0.25:
                parts.append(draw.choice([" ", " ", "  ", "\n", "\t", "\r\n", "\xa0"]))
        if number % 200 == 199:
            run = draw.choice(["a", " ", "!", "\n", "é", "ab", "0", "中", "\u0301", "🙂", "\0", "a ", " \n"])
            parts.insert(draw.randrange(len(parts) + 1), run * (10_000 // len(run)))
        yield "".join(parts)


@cache
def disputed() -> frozenset[str]:
    """The characters that Python's `regex` and the Rust library put into different classes, found by asking both.

    They are those that Unicode got after 2022, which only the newer of the two knows: 17,559 with regex 2026.11 beside
    tokenizers 0.23.3. Asked about is what `regex` or `unicodedata` call assigned.
    """
    every = "".join(chr(code) for code in range(0x110000) if not 0xD800 <= code <= 0xDFFF)
    asked = "".join(regex.findall(r"[^\p{Cn}\p{Co}]", every))
    found = set()
    for pattern in (r"\p{L}", r"\p{N}", r"\s"):
        runs = hub.pre_tokenizers.Split(hub.Regex(pattern + "+"), "removed", invert=True).pre_tokenize_str(asked)
        found |= set(regex.findall(pattern, asked)) ^ set("".join(run for run, _ in runs))
    runs = hub.pre_tokenizers.Whitespace().pre_tokenize_str("".join(f"a{c}\n" for c in asked))
    word = {run[1] for run, _ in runs if len(run) == 2 and run[0] == "a"}
    return frozenset(found | word ^ set(regex.findall(r"\w", asked)))


def undisputed_texts(n: int, seed: int) -> Iterator[str]:
    """nasty_texts, less the characters of which Python's and Rust's tables of Unicode say different things."""
    no = dict.fromkeys(map(ord, disputed()))
    return (text.translate(no) for text in nasty_texts(n, seed))
