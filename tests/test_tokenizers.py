"""What all tokenizers promise: ids and back, spans, files that others open, special tokens that no text can forge."""

import json
import random
import warnings

import numpy as np
import pytest
import tokenizers as hub
import torch
import transformers as hf
from hypothesis import given
from hypothesis import strategies as st
from tokenizer_texts import FORGERIES, nasty_texts, undisputed_texts

from lmkit.tokenizers import TOKENIZERS, Bytes, Characters, Fast, Tokenizer, Words, Work, fast, from_dict, load
from lmkit.tokenizers.checks import check_vocab
from lmkit.tokenizers.words import join, split

CORPUS = [
    "The lower and the lowest of the newest windows widened slowly, said Anna. “Well,” said Ben, “how slow?”\n\n",
    "Anna’s low window was the widest. Who said that? Ben said so! 3 windows, 12 widows; don't ask...\n",
] * 3
MADE_OF = " ".join(CORPUS)
MARKS = ["<|endoftext|>", "[CLS]", "<pad>"]
SIZES = dict.fromkeys(["bytes", "characters", "words"])
SIZES |= {"bpe": 120, "byte_bpe": 330, "unigram": 110, "wordpiece": 100}
OWN = {"wordpiece": "[UNK]", "unigram": "<unk>", "bpe": "<unk>"}  # what an unknown character becomes there


def trained(kind, special=MARKS):
    options = {"unk": OWN[kind]} if kind in OWN else {}
    special = [*special, OWN[kind]] if kind in OWN else special
    return TOKENIZERS[kind].train(CORPUS, SIZES[kind], special=special, **options)


@pytest.fixture(scope="module", params=sorted(TOKENIZERS))
def tok(request):
    return trained(request.param)


def test_every_kind_is_tried():
    assert set(SIZES) == set(TOKENIZERS)
    assert all(kind == tokenizer.kind and issubclass(tokenizer, Tokenizer) for kind, tokenizer in TOKENIZERS.items())


def test_ids_and_back(tok):
    text = CORPUS[0] + CORPUS[1]
    ids = tok.encode(text)
    assert ids and all(type(i) is int and 0 <= i < len(tok) for i in ids)
    assert tok.encode_batch([text, "", text[:9]]) == [ids, [], tok.encode(text[:9])]
    assert tok.encode("") == tok.offsets("") == tok.tokens("") == [] and tok.decode([]) == ""
    assert len(tok) == len(tok.vocab) == len(set(tok.vocab.values()))
    again = tok.decode(ids)
    if tok.kind in ("characters", "bytes", "byte_bpe"):
        assert again == text
    else:
        letters, found = ("".join(c for c in each if c.isalnum()) for each in (text, again))
        assert found == (letters.lower() if tok.kind == "wordpiece" else letters)
    assert tok.encode(again) == ids, "what was decoded is cut in the same way"


def test_spans_cover_what_tokens_stand_for(tok):
    text = CORPUS[0]
    spans = tok.offsets(text)
    assert len(spans) == len(tok.encode(text)) == len(tok.tokens(text))
    assert all(0 <= start < end <= len(text) for start, end in spans)
    assert spans == sorted(spans)
    covered = {n for start, end in spans for n in range(start, end)}
    assert all(n in covered or c.isspace() for n, c in enumerate(text))


def test_work_ends_in_the_tokens(tok):
    text = "Anna widened the lowest window.\n\n"
    work = tok.show_work(text)
    assert isinstance(work, Work) and work.kind == tok.kind and work.text == text
    last = work.steps[-1].pieces
    assert [piece.id for piece in last] == tok.encode(text)
    assert [(piece.start, piece.end) for piece in last] == tok.offsets(text)
    assert work.tokens == tok.tokens(text)
    assert all(step.say and "\n" not in step.say for step in work.steps)
    assert all(0 <= n < len(step.pieces) for step in work.steps for n in step.changed)
    assert tok.show_work("").tokens == []


def test_saved_as_a_dict(tok):
    again = from_dict(json.loads(json.dumps(tok.to_dict())))
    assert type(again) is type(tok) and again.vocab == tok.vocab and again.special == tok.special
    assert again.encode(MADE_OF) == tok.encode(MADE_OF)


def test_a_class_loads_its_own_kind_only(tok, tmp_path):
    tok.save(tmp_path / "mine.json")
    again = type(tok).load(tmp_path / "mine.json")
    assert type(again) is type(tok) and again.encode(MADE_OF) == tok.encode(MADE_OF)
    assert Fast.load(tmp_path / "mine.json").encode(MADE_OF) == tok.encode(MADE_OF)
    other = Words if tok.kind == "bytes" else Bytes
    with pytest.raises(ValueError, match=f"mine.json holds a {type(tok).__name__}, not a {other.__name__}$"):
        other.load(tmp_path / "mine.json")


def test_files_that_all_libraries_open(tok, tmp_path):
    tok.save(tmp_path / "one.json")
    tok.save(tmp_path)
    assert (tmp_path / "one.json").read_bytes() == (tmp_path / "tokenizer.json").read_bytes()
    again = load(tmp_path)
    assert type(again) is type(tok) and again.vocab == tok.vocab and again.special == tok.special
    assert again.to_json() == tok.to_json()
    rust = hub.Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    transformers = hf.PreTrainedTokenizerFast(tokenizer_file=str(tmp_path / "tokenizer.json"))
    for text in CORPUS[:2]:
        ids = tok.encode(text)
        assert again.encode(text) == rust.encode(text).ids == transformers(text).input_ids == ids
        assert again.decode(ids) == rust.decode(ids) == tok.decode(ids)
    assert rust.get_vocab() == tok.vocab and len(transformers) == len(tok)


def test_random_texts_as_rust_cuts_them(tok):
    """Words and Characters refuse what they do not know, so theirs are made of what they know."""
    rust = hub.Tokenizer.from_str(json.dumps(tok.to_json()))
    rust.encode_special_tokens = True
    draw = random.Random(2)
    texts = {
        "characters": ["".join(draw.choices(MADE_OF, k=30)) for _ in range(200)],
        "words": [" ".join(draw.choices(split(MADE_OF), k=30)) for _ in range(200)],
    }.get(tok.kind) or list(undisputed_texts(300, seed=20))
    if tok.kind == "unigram":  # Rust takes a typed "<unk>" for the piece of this name
        texts = [text for text in texts if not any(token in text for token in tok.special)]
    assert len(texts) >= 200
    for text in texts:
        wanted = rust.encode(text)
        assert tok.encode(text) == wanted.ids and tok.offsets(text) == wanted.offsets, text


@pytest.mark.parametrize("build", [lambda tok: tok, fast], ids=["python", "rust"])
def test_no_text_forges_a_special_token(tok, build):
    """The one for unknown characters excepted: it says that something is unknown, and marks no place in the data."""
    tok = build(tok)
    forbidden = {i for token, i in tok.special.items() if token != OWN.get(getattr(tok, "ours", tok).kind)}
    assert len(forbidden) == len(MARKS)
    typed = {*FORGERIES, *MARKS}
    texts = [f"{before}{token}{after}" for token in typed for before in ("", "a", "Ben ") for after in ("", "b")]
    texts += [token * n for token in MARKS for n in (1, 3)] + [" ".join(MARKS), "".join(MARKS)]
    texts += ["＜pad＞", "<|endof\u200btext|>", "<pa\u0301d>", "[cls]", "[CLS\u00ad]"]
    for text in [*texts, *nasty_texts(100, seed=3)]:
        try:
            ids = tok.encode(text)
        except ValueError:  # a closed vocabulary
            assert getattr(tok, "ours", tok).kind in ("characters", "words")
            continue
        assert not forbidden & set(ids), f"{text!r} -> {tok.tokens(text)}"
        assert tok.encode_batch([text]) == [ids]
        assert len(tok.offsets(text)) == len(ids)


def test_special_tokens_are_put_in_by_code(tok):
    assert list(tok.special)[:3] == MARKS or set(MARKS) <= set(tok.special)
    assert sorted(tok.special.values()) == list(range(len(tok.special))), "they come first"
    ids = [tok.special["[CLS]"], *tok.encode("Anna said"), tok.special["<|endoftext|>"]]
    assert tok.decode(ids) == tok.decode(tok.encode("Anna said"))
    shown = tok.decode(ids, special=True)
    assert shown.startswith("[CLS]") and shown.rstrip().endswith("<|endoftext|>")


def test_ids_out_of_range(tok):
    for i in (-1, len(tok), 10**9):
        with pytest.raises(ValueError, match=rf"id {i} is not in 0\.\.{len(tok) - 1}"):
            tok.decode([0, i])
        with pytest.raises(ValueError, match=rf"id {i} is not in 0\.\.{len(tok) - 1}"):
            fast(tok).decode([i, 0])


def test_half_a_surrogate_pair(tok):
    says = r"lone surrogate, U\+D83D at position 5|'\\ud83d'.* is not among"
    for each in [fast(tok), *([] if tok.kind in ("unigram", "wordpiece") else [tok])]:
        with pytest.raises(ValueError, match=says) as caught:
            each.encode("Anna \ud83d")
        assert "\n" not in str(caught.value)
        with pytest.raises(ValueError, match=says):
            each.encode_batch(["Anna", "Anna \ud83d"])
    with pytest.raises(TypeError):
        fast(tok).encode(3)


@pytest.mark.parametrize("kind", sorted(TOKENIZERS))
def test_training_says_what_is_wrong(kind):
    cls, size = TOKENIZERS[kind], SIZES[kind] or 300
    if kind != "bytes":  # which learns nothing
        for empty in ("", [], ["", ""]):
            with pytest.raises(ValueError, match="empty"):
                cls.train(empty, size)
        with pytest.raises(TypeError, match="str"):
            cls.train([b"bytes"], size)
    with pytest.raises(ValueError, match="vocab_size|256"):
        cls.train(CORPUS, 3, special=MARKS)
    with pytest.raises(ValueError, match="twice"):
        cls.train(CORPUS, size, special=["<s>", "<s>"])
    with pytest.raises(ValueError, match="symbol|forge|character"):
        cls.train("a b c a b", size if kind == "byte_bpe" else None if kind == "bytes" else 60, special=["a"])


@pytest.mark.parametrize("kind", ["bpe", "byte_bpe", "wordpiece", "unigram", "words"])
def test_a_corpus_too_short_to_merge(kind):
    with pytest.warns(UserWarning, match="yields|holds"):
        tok = TOKENIZERS[kind].train("a", 400)
    assert 1 <= len(tok.encode("a")) <= 2


@pytest.mark.parametrize("kind", sorted(TOKENIZERS))
def test_one_text_or_many(kind):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        train, size = TOKENIZERS[kind].train, SIZES[kind]
        assert train("the cat sat on a mat", size).vocab == train(iter(["the cat sat on a mat"]), size).vocab
        assert len(train(["the cat", "sat on", "a mat"], size)) > 5


def test_training_is_the_same_each_time(tok):
    again = trained(tok.kind)
    assert again.vocab == tok.vocab and again.to_json() == tok.to_json()


@given(st.text(min_size=1))
def test_characters_round_trip(text):
    tok = Characters(text)
    ids = tok.encode(text)
    assert tok.decode(ids) == text
    assert len(tok.tokens(text)) == len(ids) == len(text)
    assert all(0 <= i < len(tok) for i in ids)


@given(st.lists(st.sampled_from(["Anna", "sang", ".", ",", "!", "?", "“", "”", "‘", "’", "’s", "\n\n", "two", "Ben"])))
def test_join_and_split_are_inverse(words):
    assert split(join(words)) == words


def test_words_by_hand():
    tok = Words(["Anna", "said", "“", "”", "Hello", ",", ".", "’s", "kite", "\n\n"])
    text = "“Hello,” said Anna. Anna’s kite.\n\n“Hello.”"
    assert tok.encode(text) == [2, 4, 5, 3, 1, 0, 6, 0, 7, 8, 6, 9, 2, 4, 6, 3]
    assert tok.decode(tok.encode(text)) == text
    assert tok.tokens("Anna.\n\n") == ["Anna", ".", "¶"]
    assert tok.ids(["said", "Anna"]) == [1, 0]
    assert tok.offsets("Anna said") == [(0, 4), (5, 9)]


@pytest.mark.parametrize(
    "text", ["नमस्ते दुनिया", "e\u0301 ½ ²x a_b", "Anna’s\u0301 ’s ’sa", "a\x1cb\x1fc", "a‿b", "🙂\u200d🙂"]
)
def test_words_in_rust_are_those_of_python(text):
    tok = Words.train(text)
    assert fast(tok).encode(text) == tok.encode(text) and fast(tok).offsets(text) == tok.offsets(text)


def test_words_are_learned_by_frequency():
    tok = Words.train(["b a a", "c c c"], 4, special=["<s>", "</s>"])
    assert tok.vocab == {"<s>": 0, "</s>": 1, "c": 2, "a": 3}
    assert Words.train("b a a c c c").vocab == {"c": 0, "a": 1, "b": 2}


def test_characters_by_hand():
    tok = Characters("ba \n")
    assert len(tok) == 4
    assert tok.encode("ab") == [2, 3]
    assert tok.tokens("a b\n") == ["a", "␣", "b", "⏎"]
    assert Characters.train(["ba", "cb"], special=["<s>"]).vocab == {"<s>": 0, "a": 1, "b": 2, "c": 3}


def test_bytes_by_hand():
    tok = TOKENIZERS["bytes"](special=["<pad>", "</s>"])
    assert tok.encode("aé€") == [2 + 0x61, 2 + 0xC3, 2 + 0xA9, 2 + 0xE2, 2 + 0x82, 2 + 0xAC]
    assert tok.offsets("aé€") == [(0, 1), (1, 2), (1, 2), (2, 3), (2, 3), (2, 3)]
    assert tok.tokens("a é\n") == ["a", "␣", "C3", "A9", "⏎"]
    assert str(tok.show_work("aé")) == "characters       a é\nbytes of UTF-8   a C3 A9"
    assert tok.decode([2 + 0xC3, 1, 2 + 0x61]) == "\ufffda"


def test_the_format_of_older_checkpoints():
    assert from_dict({"kind": "characters", "characters": "abc"}).encode("cab") == [2, 0, 1]
    assert from_dict({"kind": "words", "words": ["some", "text"]}).encode("text some") == [1, 0]
    assert Characters("abc").to_dict() == {"kind": "characters", "characters": "abc"}
    assert Words(["a", "b"]).to_dict() == {"kind": "words", "words": ["a", "b"]}


@pytest.mark.parametrize(
    ("build", "says"),
    [
        (lambda: Characters(""), "the alphabet is empty"),
        (lambda: Characters("abc").encode("abxc"), r"character 'x' \(U\+0078\) at position 2 is not among the 3"),
        (lambda: Characters("abc").decode([3]), r"id 3 is not in 0\.\.2"),
        (lambda: Characters("abc").decode([-1]), r"id -1 is not in 0\.\.2"),
        (lambda: Characters("abc", special=["x"]), "special token 'x' is a character"),
        (lambda: Characters("abc\ud800").save("never.json"), "lone surrogate"),
        (lambda: Words([]), "the vocabulary is empty"),
        (lambda: Words(["a", "b", "a"]), "holds 'a' twice, at 0 and 2"),
        (lambda: Words(["a", "good day"]), "entry 1, 'good day', is not one word"),
        (lambda: Words(["dragon", "hen"]).encode("dragoon"), "'dragoon' is not among the 2 words .*nearest are dragon"),
        (lambda: Words(["a"]).decode([1]), r"id 1 is not in 0\.\.0"),
        (lambda: Words(["a"], special=["END"]), "special token 'END' is a word"),
        (lambda: from_dict({"kind": "runes"}), r"'runes' is not one of \['bpe', .*'words'\]"),
        (lambda: TOKENIZERS["bytes"].train("", 100), "vocab_size is 100, but 256 bytes and 0 special tokens are 256"),
        (lambda: Characters("ab", special=[""]), "must not be empty"),
        (lambda: check_vocab({}), "the vocabulary is empty"),
        (lambda: check_vocab({"a": 0, "b": 0}), "'a' and 'b' have the same id 0"),
        (lambda: check_vocab({"a": 0, "b": 2}), "no token has the id 1, though ids go up to 2"),
        (lambda: check_vocab({"a": 1, "b": 2}), "no token has the id 0"),
        (lambda: check_vocab({"a": True}), "the id True, which is no number"),
        (lambda: check_vocab({"a": -1}), "the id -1"),
        (lambda: check_vocab({"a": 0}, ["<s>"]), "special token '<s>' is not in the vocabulary"),
    ],
)
def test_bad_input_is_named(build, says):
    with pytest.raises(ValueError, match=says):
        build()


@pytest.mark.parametrize("ids", [[[0, 1]], np.zeros((2, 3), int), np.zeros(2), torch.zeros(1, 2).long(), ["a"], [None]])
def test_ids_that_are_none_are_named(tok, ids):
    for each in (tok, fast(tok)):
        with pytest.raises(TypeError, match="an id is a whole number, not"):
            each.decode(ids)


@pytest.mark.parametrize("make", [list, iter, np.array, torch.tensor, lambda ids: [np.int64(i) for i in ids]])
def test_ids_in_any_form(tok, make):
    ids = tok.encode(MADE_OF)
    assert tok.decode(make(ids)) == fast(tok).decode(make(ids)) == tok.decode(ids)


def test_what_is_no_text_is_named():
    for tok in (Bytes(), load("gpt2")):
        for text in (None, b"abc", ["abc"]):
            with pytest.raises(TypeError, match=f"a text is a str, not {type(text).__name__}"):
                tok.encode(text)
    with pytest.raises(TypeError, match="a special token is a str, not int: 5"):
        Words.train("a b", special=[5])


def test_fast_is_one_of_ours(tok):
    rust = fast(tok)
    assert isinstance(rust, Fast) and isinstance(rust, Tokenizer) and fast(rust) is rust
    assert rust.vocab == tok.vocab and rust.special == tok.special and len(rust) == len(tok)
    ids = tok.encode(MADE_OF)
    assert rust.encode(MADE_OF) == ids and rust.encode_batch(iter([MADE_OF, ""])) == [ids, []]
    assert rust.decode(ids) == tok.decode(ids) and rust.offsets(MADE_OF) == tok.offsets(MADE_OF)
    assert rust.tokens(MADE_OF) == tok.tokens(MADE_OF)
    assert rust.show_work("Anna") == tok.show_work("Anna")
    assert rust.to_dict() == tok.to_dict()
