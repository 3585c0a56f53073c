"""Normalizers: the texts and spans of the Rust library, on nasty texts and on every character."""

import base64
import struct
import unicodedata

import pytest
import tokenizers as hub
from tokenizer_texts import nasty_texts

from lmkit.tokenizers.normal_forms import normal_form
from lmkit.tokenizers.normalizers import Normalizer
from lmkit.tokenizers.rust_unicode import CLASSES, DECOMPOSITIONS

CHARACTERS = [chr(code) for code in range(0x110000) if not 0xD800 <= code <= 0xDFFF]


def darts(table):
    """A charsmap, {string: string} compiled as SentencePiece does it: a Darts double array, and the strings."""
    tree, strings = {}, b""
    for key, value in table.items():
        node = tree
        for byte in key.encode():
            node = node.setdefault(byte, {})
        node[0], strings = len(strings), strings + value.encode() + b"\0"
    units, taken = [0] * 65536, {0}

    def put(node, at):
        base = next(base for base in range(1, 65536) if not taken & {base ^ byte for byte in node})
        taken.update(base ^ byte for byte in node)
        units[at] |= (base ^ at) << 10 | (0 in node) << 8
        for byte, below in sorted(node.items()):
            units[base ^ byte] = below | 1 << 31 if byte == 0 else byte
        for byte, below in sorted(node.items()):
            if byte:
                put(below, base ^ byte)

    put(tree, 0)
    return struct.pack(f"<I{len(units)}I", 4 * len(units), *units) + strings


CHARSMAP = darts({
    "\n": " ", "\t": " ", "\u3000": " ", "\u200b": "", "ﬁ": "fi", "ﬃ": "ffi", "½": "1⁄2", "é": "é", "Ａ": "A",
    "e\u0301": "é", "A": "a", "㈠": "(一)", "\u0301": "", "中": "", "🙂": ":)", "\r": " ", "ab": "x", "각": "각",
    "…": "...", "ḍ̇": "ḍ̇", "’": "'", "ſ": "s", "١": "1",
})  # fmt: skip
CHARSMAP_TEXT = base64.b64encode(CHARSMAP).decode()


def step(name, **fields):
    return {"type": name, **fields}


QUOTES = [step("Replace", pattern={"String": old}, content='"') for old in ("``", "''")]
SPACES = step("Replace", pattern={"Regex": " {2,}"}, content=" ")
PRECOMPILED = step("Precompiled", precompiled_charsmap=CHARSMAP_TEXT)
there = hub.normalizers
NORMALIZERS = {
    **{name: ([name], getattr(there, name)()) for name in ("NFC", "NFD", "NFKC", "NFKD", "Lowercase", "StripAccents")},
    "Strip": ([step("Strip", strip_left=True, strip_right=True)], there.Strip()),
    "Strip left": ([step("Strip", strip_left=True, strip_right=False)], there.Strip(right=False)),
    "Strip right": ([step("Strip", strip_left=False, strip_right=True)], there.Strip(left=False)),
    "Replace": ([step("Replace", pattern={"String": "ab"}, content="xyz")], there.Replace("ab", "xyz")),
    "Replace lines": ([step("Replace", pattern={"Regex": r"\n"}, content="")], there.Replace(hub.Regex(r"\n"), "")),
    "Precompiled": ([PRECOMPILED], there.Precompiled(CHARSMAP)),
    "ALBERT": (
        [*QUOTES, "NFKD", "StripAccents", "Lowercase", PRECOMPILED, SPACES],
        there.Sequence([
            there.Replace("``", '"'), there.Replace("''", '"'), there.NFKD(), there.StripAccents(), there.Lowercase(),
            there.Precompiled(CHARSMAP), there.Replace(hub.Regex(" {2,}"), " "),
        ]),
    ),
}  # fmt: skip


def assert_normalized(name, texts):
    steps, rust = NORMALIZERS[name]
    ours = Normalizer(steps)
    tok = hub.Tokenizer(hub.models.Unigram([("<unk>", 0.0)], unk_id=0))
    tok.normalizer, tok.pre_tokenizer = rust, hub.pre_tokenizers.Split(hub.Regex(r"[\s\S]"), "isolated")
    for text in texts:
        new, places = ours(text)
        assert new == rust.normalize_str(text), text
        assert [(place, place + 1) for place in places] == tok.encode(text).offsets, text


@pytest.mark.parametrize("name", NORMALIZERS)
def test_normalizers(name):
    assert_normalized(name, nasty_texts(250, 3))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["NFC", "NFD", "NFKC", "NFKD", "Lowercase", "StripAccents", "Precompiled", "ALBERT"])
def test_normalizers_on_every_character_and_many_texts(name):
    steps, rust = NORMALIZERS[name]
    for start in range(0, len(CHARACTERS), 5000):
        text = "a".join(CHARACTERS[start : start + 5000])
        assert Normalizer(steps)(text)[0] == rust.normalize_str(text)
    assert_normalized(name, nasty_texts(2000, 4))


def test_marks_in_the_rust_library_s_order():
    """Every character between a mark that goes last and one that goes first; Python would order newer marks, too."""
    marks = sorted(CLASSES | DECOMPOSITIONS | {c for c in CHARACTERS if unicodedata.combining(c)}) + CHARACTERS[::193]
    for name in ("NFC", "NFD", "NFKC", "NFKD"):
        form = getattr(hub.normalizers, name)()
        for text in [f"x\u0345{c}\u0334y" for c in marks] + [f"e{c}\u0301" for c in marks]:
            assert normal_form(text, name)[0] == form.normalize_str(text), (name, text)
