"""Byte-pair encoding: the merges of Hugging Face's trainer, the ids of its encoder, and GPT-2's published numbers."""

import hashlib
import json
import random
from collections import Counter
from pathlib import Path

import pytest
import tokenizers as hub
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizer_texts import disputed, nasty_texts, undisputed_texts

from lmkit.corpora import tales
from lmkit.tokenizers import BPE, GPT2, GPT4, LLAMA3, PATTERNS, QWEN2, ByteBPE, load
from lmkit.tokenizers.byte_bpe import BYTE, LETTER, letters, show_bytes
from lmkit.tokenizers.merges import learn, recount
from lmkit.tokenizers.patterns import pieces, spans

SHAKESPEARE = Path(__file__).resolve().parents[2] / "shared/data/tinyshakespeare.txt"
ENCODER_JSON = "196139668be63f3b5d6574427317ae82f612a97c5d1cdaf36ed2256dbf636783"  # sha256 of OpenAI's file
WORDS = st.lists(st.text("ab#", min_size=1, max_size=12), min_size=1, max_size=12)


@pytest.fixture(scope="module")
def gpt2():
    return load("gpt2")


@pytest.fixture(scope="module")
def mixed():
    """English, and some of everything else."""
    return tales.generate(20_000, seed=5).text + " ".join(nasty_texts(300, seed=5))


def shakespeare():
    if not SHAKESPEARE.is_file():
        pytest.skip("tinyshakespeare.txt is not here")
    return SHAKESPEARE.read_text(encoding="utf-8")


def rust_of(tok):
    rust = hub.Tokenizer.from_str(json.dumps(tok.to_json()))
    rust.encode_special_tokens = True
    return rust


def trained_by_rust(texts, vocab_size, pre_tokenizer, **options):
    """(tokens in the order of their ids, merges)."""
    rust = hub.Tokenizer(hub.models.BPE())
    rust.pre_tokenizer = pre_tokenizer
    rust.train_from_iterator(texts, hub.trainers.BpeTrainer(vocab_size=vocab_size, show_progress=False, **options))
    model = json.loads(rust.to_str())["model"]
    return sorted(model["vocab"], key=model["vocab"].get), [tuple(pair) for pair in model["merges"]]


def in_words(words, prefix="", end=""):
    return [
        ([(prefix if n else "") + c + (end if n == len(word) - 1 else "") for n, c in enumerate(word)], count)
        for word, count in Counter(words).items()
    ]


# Training


def test_the_example_of_the_paper():
    """Sennrich et al. (2016), figure 1, where ties fall to the smallest ids."""
    tok = BPE.train("low " * 5 + "lower " * 2 + "newest " * 6 + "widest " * 3, 22)
    alphabet = ["d", "e", "i", "l", "n", "o", "r", "s", "t", "w", "r</w>", "t</w>", "w</w>"]
    assert tok.by_id[:13] == alphabet
    assert tok.merges[:3] == [("e", "s"), ("es", "t</w>"), ("l", "o")]
    assert tok.merges[3:7] == [("e", "w"), ("n", "ew"), ("new", "est</w>"), ("lo", "w</w>")]
    assert tok.tokens("lowest newest") == ["lo", "w", "est</w>", "newest</w>"]
    assert tok.decode(tok.encode("lowest newest")) == "lowest newest"


@settings(max_examples=300, deadline=None)
@given(WORDS, st.integers(3, 60), st.sampled_from(["", "#"]), st.sampled_from([(), ("ab",), ("a##b", "aa")]))
def test_the_quick_trainer_is_the_textbook(words, vocab_size, prefix, special):
    words = in_words(words, prefix=prefix)
    tokens = sorted({symbol for symbols, _ in words for symbol in symbols})
    wanted = recount(words, tokens, vocab_size, prefix=prefix, special=special)
    assert learn(words, tokens, vocab_size, prefix=prefix, special=special) == wanted
    assert not set(wanted[0]) & set(special)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text("abc", min_size=1, max_size=15), min_size=1, max_size=12), st.integers(1, 80))
def test_random_corpora_as_rust_learns_them(words, vocab_size):
    tokens = sorted(set("".join(words)))
    wanted = trained_by_rust([" ".join(words)], vocab_size, hub.pre_tokenizers.WhitespaceSplit())
    assert learn(in_words(words), tokens, vocab_size) == wanted


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text("abc", min_size=1, max_size=15), min_size=1, max_size=12), st.integers(1, 80))
@pytest.mark.parametrize(("prefix", "end"), [("##", ""), ("", "</w>"), ("##", "</w>")])
def test_marks_of_words_as_rust_learns_them(prefix, end, words, vocab_size):
    """Rust numbers the symbols with a mark in the order of a hash table, so that ties fall anew in each of its runs."""
    options = {"continuing_subword_prefix": prefix} if prefix else {}
    options |= {"end_of_word_suffix": end} if end else {}
    wanted = trained_by_rust([" ".join(words)], vocab_size, hub.pre_tokenizers.WhitespaceSplit(), **options)
    marked = in_words(words, prefix, end)
    symbols = {symbol for symbols, _ in marked for symbol in symbols} | set("".join(words))
    assert learn(marked, wanted[0][: len(symbols)], vocab_size, prefix=prefix) == wanted


@pytest.mark.parametrize("pattern", ["gpt2", "gpt4"])
def test_byte_level_merges_are_those_of_rust(mixed, pattern):
    text = mixed.translate(dict.fromkeys(map(ord, disputed())))
    split = hub.pre_tokenizers.Split(hub.Regex(PATTERNS[pattern]), "isolated")
    level = hub.pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    options = dict(special_tokens=["<|endoftext|>"], initial_alphabet=[*BYTE])
    wanted = trained_by_rust([text], 1500, hub.pre_tokenizers.Sequence([split, level]), **options)
    tok = ByteBPE.train(text, 1500, pattern=pattern, special=["<|endoftext|>"])
    assert (tok.by_id, tok.merges) == wanted


@pytest.mark.slow
def test_shakespeare_at_4096_as_rust_learns_it():
    text = shakespeare()
    level = hub.pre_tokenizers.ByteLevel(add_prefix_space=False)
    tok = ByteBPE.train(text, 4096)
    assert (tok.by_id, tok.merges) == trained_by_rust([text], 4096, level, initial_alphabet=[*BYTE])
    tokens, merges = trained_by_rust([text], 4096, hub.pre_tokenizers.Whitespace(), end_of_word_suffix="</w>")
    marked = in_words(pieces("words", text, gaps=False), end="</w>")
    symbols = {symbol for symbols, _ in marked for symbol in symbols} | set("".join(text.split()))
    assert learn(marked, tokens[: len(symbols)], 4096) == (tokens, merges)


@pytest.mark.slow
def test_shakespeare_as_the_textbook_learns_it():
    counts = Counter(pieces("gpt2", shakespeare(), gaps=True))
    words = [(letters(word.encode()), count) for word, count in counts.items()]
    wanted = recount(words, sorted(BYTE), 400)
    assert learn(words, sorted(BYTE), 400) == wanted and len(wanted[1]) == 144


def test_what_is_special_is_never_learned():
    text = "<s> and <s> and </s> " * 50
    tok = BPE.train(text, 13, special=["<s>", "</s>", "and"], pattern=r"\S+", end="")
    assert not {"<s>", "</s>", "and"} & {left + right for left, right in tok.merges}
    assert not set(tok.encode(text)) & set(tok.special.values()) and tok.decode(tok.encode("<s>and")) == "<s>and"
    tok = ByteBPE.train(text, 263, special=["<s>", " and"])
    assert tok.decode(tok.encode(text)) == text and not set(tok.encode(text)) & set(tok.special.values())


# GPT-2


def test_gpt2_is_the_published_one(gpt2):
    assert len(gpt2) == 50257 and gpt2.special == {"<|endoftext|>": 50256} and len(gpt2.merges) == 50_000
    assert hashlib.sha256(json.dumps(gpt2.vocab).encode()).hexdigest() == ENCODER_JSON


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("Hello world", [15496, 995]),
        ("Hello, my dog is cute", [15496, 11, 616, 3290, 318, 13779]),
        ("<|endoftext|>", [27, 91, 437, 1659, 5239, 91, 29]),
        (" the\n ", [262, 198, 220]),
    ],
)
def test_gpt2_by_numbers(gpt2, text, ids):
    assert gpt2.encode(text) == ids and gpt2.decode(ids) == text


def test_letters_for_bytes_are_those_of_rust():
    assert set(BYTE) == set(hub.pre_tokenizers.ByteLevel.alphabet()) and len(BYTE) == 256
    level = hub.pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    for text in nasty_texts(200, seed=8):
        assert letters(text.encode()) == "".join(part for part, _ in level.pre_tokenize_str(text))
    assert [LETTER[byte] for byte in b" \n\0a"] == ["Ġ", "Ċ", "Ā", "a"]


# Encoding


@pytest.fixture(scope="module")
def zoo(gpt2, mixed):
    """Tokenizers of all sorts."""
    llama = ByteBPE.train(mixed, 1200, pattern=LLAMA3, special=["<|end|>", "[CLS]"])
    order = [*llama.merges[::2], *llama.merges[1::2]]  # so that some tokens are not reached by merges
    return {
        "gpt2": gpt2,
        "gpt4": ByteBPE.train(mixed, 1200, pattern="gpt4", special=["<|endoftext|>"]),
        "llama3": ByteBPE(llama.vocab, order, special=llama.special, pattern=LLAMA3, whole=True),
        "qwen2": ByteBPE.train(mixed, 1200, pattern=QWEN2),
        "anything": ByteBPE.train(mixed, 600, pattern=r"[^\n]{1,30}|\n"),
        "words": BPE.train(mixed, 2500, unk="[UNK]"),
        "no mark": BPE.train(mixed, 2500, unk="[UNK]", pattern=r"\S+", end=""),
        "prefix": with_prefix(mixed),
    }


def with_prefix(text, end="@"):
    words = in_words(pieces("words", text[:60_000], gaps=False), "##", end)
    tokens, merges = learn(words, ["[UNK]", *sorted({s for symbols, _ in words for s in symbols})], 1500, prefix="##")
    vocab = {token: i for i, token in enumerate(tokens)}
    return BPE(vocab, merges, unk="[UNK]", special=["[UNK]"], end=end, prefix="##", fuse_unk=True)


def compare(tok, texts, back=True):
    rust, draw = rust_of(tok), random.Random(4)
    for text in texts:
        wanted = rust.encode(text)
        assert tok.encode(text) == wanted.ids, text
        assert tok.offsets(text) == wanted.offsets, text
        if not back:
            continue
        some = wanted.ids + draw.choices(range(len(tok)), k=8)
        assert tok.decode(some) == rust.decode(some)
        assert tok.decode(some, special=True) == rust.decode(some, skip_special_tokens=False)


def test_random_texts_as_rust_cuts_them(zoo):
    for number, tok in enumerate(zoo.values()):
        compare(tok, undisputed_texts(800, seed=number))


def test_known_texts_as_rust_cuts_them(zoo):
    for tok in zoo.values():
        compare(tok, [tales.generate(5000, seed=1).text])


@pytest.mark.slow
def test_100_000_random_texts_as_rust_cuts_them(zoo):
    for number, name in enumerate(("gpt2", "words")):
        compare(zoo[name], undisputed_texts(100_000, seed=100 + number), back=False)


@pytest.mark.slow
def test_shakespeare_as_rust_cuts_it(zoo):
    for name in ("gpt2", "llama3", "words"):
        compare(zoo[name], [shakespeare()])


def test_what_unicode_got_since(zoo):
    """Characters that only one of the two libraries knows are cut in other places, but they are kept all the same."""
    text = "".join(sorted(disputed())[::50])
    for name in ("gpt2", "gpt4", "llama3", "qwen2", "anything"):
        assert zoo[name].decode(zoo[name].encode(text)) == text


def test_whole_pieces_come_before_merges(zoo):
    tok = zoo["llama3"]
    merely_merged = ByteBPE(tok.vocab, tok.merges, special=tok.special, pattern=LLAMA3)
    text = tales.generate(3000, seed=1).text
    assert tok.encode(text) != merely_merged.encode(text) and tok.decode(tok.encode(text)) == text


def test_merges_with_a_tie_of_strings():
    """Two ways to one token: Rust's heap looks at what a merge makes, not at which merge it was."""
    vocab = {token: i for i, token in enumerate(["a", "b", "aa", "aab", "ab", "aaab", "ba", "aba"])}
    merges = [("a", "ab"), ("a", "a"), ("aa", "b"), ("a", "b"), ("aa", "ab"), ("a", "aab"), ("b", "a"), ("ab", "a")]
    merges += [("a", "ba")]
    tok, draw = BPE(vocab, merges, end="", pattern=r"\S+"), random.Random(1)
    compare(tok, ["".join(draw.choices("ab", k=draw.randrange(1, 12))) for _ in range(2000)])


def test_a_row_of_100_000_letters(gpt2):
    text = "a" * 100_000
    assert gpt2.decode(gpt2.encode(text)) == text and len(gpt2.encode(text)) < 30_000


# Showing the work


def test_work_by_hand():
    tok = ByteBPE.train("low low lower newest newest", 262)
    assert [left + right for left, right in tok.merges] == ["lo", "we", "ewe", "newe", "st", "Ġlo"]
    work = tok.show_work("newe lo é")
    assert [step.say.partition(":")[0] for step in work.steps] == ["cut into words", "cut into bytes"] + [
        f"merge {number}" for number in (1, 2, 3, 4, 6)
    ]
    assert str(work.steps[2].say) == "merge 1: l + o → lo" and work.steps[-1].say == "merge 6: ␣ + lo → ␣lo"
    assert [piece.label for piece in work.steps[0].pieces] == ["newe", "␣lo", "␣é"]
    assert [piece.label for piece in work.steps[3].pieces] == ["n", "e", "we", "␣", "lo", "␣", "C3", "A9"]
    assert [piece.id is None for piece in work.steps[0].pieces] == [True] * 3 and work.steps[3].changed == (2,)
    assert [(piece.start, piece.end) for piece in work.steps[3].pieces][4:] == [(5, 7), (7, 8), (8, 9), (8, 9)]
    assert work.tokens == ["newe", "␣lo", "␣", "C3", "A9"]


def test_each_step_is_one_merge(gpt2):
    for tok in (gpt2, BPE.train("low low lower newest newest widest", 26)):
        text = "newest low low lower low"
        work, ranks = tok.show_work(text), []
        for before, after in zip(work.steps[1:], work.steps[2:]):
            number, _, what = after.say.removeprefix("merge ").partition(": ")
            ranks.append(int(number) - 1)
            pair, _, made = what.partition(" → ")
            assert [tok.label(tok.vocab[token]) for token in tok.merges[ranks[-1]]] == pair.split(" + ")
            assert after.changed and all(after.pieces[n].label == made for n in after.changed)
            assert len(before.pieces) - len(after.pieces) == len(after.changed)
            old = {(piece.start, piece.end) for piece in before.pieces}
            new = {n for n, piece in enumerate(after.pieces) if (piece.start, piece.end) not in old}
            assert new == set(after.changed)
        assert ranks == sorted(set(ranks)) and len(ranks) > 3


def test_bytes_as_a_reader_sees_them():
    shown = {" a": "␣a", "\n": "⏎", "é": "é", "🙂": "🙂", "\0": "00", "\u200b": "E2808B", "\x85": "C285"}
    assert {text: show_bytes(text.encode()) for text in shown} == shown
    assert show_bytes(b"a\xe4") == "aE4" and show_bytes(b"\x80\xff") == "80FF"
    assert show_bytes("你".encode() + b"\xe5") == "你E5"


# Patterns


def test_patterns_by_hand():
    text = "I'LL say:  don't\n\n 12345 x"
    assert pieces("gpt2", text, gaps=True) == ["I", "'", "LL", " say", ":", " ", " don", "'t", "\n\n", " 12345", " x"]
    assert pieces("gpt4", text, gaps=True) == ["I", "'LL", " say", ":", " ", " don"] + [
        "'t", "\n\n", " ", "123", "45", " x"
    ]  # fmt: skip
    assert pieces(QWEN2, "12 x", gaps=True) == ["1", "2", " x"]
    assert pieces("words", "don't stop", gaps=False) == ["don", "'", "t", "stop"]
    assert pieces(r"\d+", "a12b", gaps=True) == ["a", "12", "b"] and spans(r"\d+", "a12b", gaps=False) == [(1, 3)]
    assert PATTERNS["llama3"] == LLAMA3 == GPT4 and PATTERNS["gpt2"] == GPT2


def test_empty_matches_are_no_pieces():
    assert pieces(r"a*", "baab", gaps=True) == ["b", "aa", "b"] and pieces(r"a*", "baab", gaps=False) == ["aa"]


# What is wrong is said


def vocab_of(*tokens):
    return {token: i for i, token in enumerate(tokens)}


@pytest.mark.parametrize(
    ("build", "says"),
    [
        (lambda: BPE(vocab_of("a", "b"), [("a", "b")]), r"merge 1, 'a' \+ 'b': 'ab' is not in the vocabulary"),
        (lambda: BPE(vocab_of("a", "ab"), [("a", "b")]), "'b' is not in the vocabulary"),
        (lambda: BPE(vocab_of("a", "b", "ab"), [("a", "b")], special=["ab"]), "'ab' is a special token"),
        (lambda: BPE(vocab_of("a"), [], special=["<s>"]), "special token '<s>' is not in the vocabulary"),
        (lambda: BPE(vocab_of("a"), [], unk="<unk>"), "special token '<unk>' is not in the vocabulary"),
        (lambda: BPE(vocab_of("a", "a</w>"), []).encode("ab"), r"character 'b' \(U\+0062\) at the end of 'ab' is none"),
        (lambda: BPE(vocab_of("a"), [], pattern="("), r"pattern '\(' is no regular expression"),
        (lambda: BPE(vocab_of("a"), [], pattern="(a)"), "groups that capture"),
        (lambda: BPE.train("abc abc", 3), "vocab_size is 3, but 0 special tokens and 4 symbols of the text need 4"),
        (lambda: BPE.train("abc abc", 3, special=["<s>"]), "1 special tokens and 4 symbols of the text need 5"),
        (lambda: BPE.train("   ", 30), "the text is empty"),
        (lambda: ByteBPE.train("abc", 200), "vocab_size is 200, but 0 special tokens and 256 symbols"),
        (lambda: ByteBPE(vocab_of("a"), []), "no token for the byte 21"),
        (lambda: ByteBPE.train("a\udcffb", 300), r"lone surrogate, U\+DCFF at position 1"),
    ],
)
def test_bad_input_is_named(build, says):
    with pytest.raises(ValueError, match=says):
        build()
