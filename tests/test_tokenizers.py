"""Tokenizers give back what they were given, and say what they do not know."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lmkit.tokenizers import TOKENIZERS, Characters, Words, from_dict
from lmkit.tokenizers.words import join, split


@given(st.text(min_size=1))
def test_characters_round_trip(text):
    tok = Characters(text)
    ids = tok.encode(text)
    assert tok.decode(ids) == text
    assert len(tok.tokens(text)) == len(ids) == len(text)
    assert all(0 <= i < len(tok) for i in ids)


@given(st.lists(st.sampled_from(["Anna", "sang", ".", ",", "!", "?", "“", "”", "’s", "\n\n", "two", "Ben"])))
def test_join_and_split_are_inverse(words):
    assert split(join(words)) == words


def test_words_by_hand():
    tok = Words(["Anna", "said", "“", "”", "Hello", ",", ".", "’s", "kite", "\n\n"])
    text = "“Hello,” said Anna. Anna’s kite.\n\n“Hello.”"
    assert tok.encode(text) == [2, 4, 5, 3, 1, 0, 6, 0, 7, 8, 6, 9, 2, 4, 6, 3]
    assert tok.decode(tok.encode(text)) == text
    assert tok.tokens("Anna.\n\n") == ["Anna", ".", "¶"]
    assert tok.ids(["said", "Anna"]) == [1, 0]


def test_characters_by_hand():
    tok = Characters("ba \n")
    assert len(tok) == 4
    assert tok.encode("ab") == [2, 3]
    assert tok.tokens("a b\n") == ["a", "␣", "b", "⏎"]


@pytest.mark.parametrize("tok", [Characters("some text"), Words(["some", "text", "\n\n"])])
def test_saved_and_rebuilt(tok):
    again = from_dict(tok.to_dict())
    assert type(again) is type(tok) and len(again) == len(tok)
    assert again.encode("some text") == tok.encode("some text")


@pytest.mark.parametrize(
    ("build", "says"),
    [
        (lambda: Characters(""), "the alphabet is empty"),
        (lambda: Characters("abc").encode("abxc"), r"character 'x' \(U\+0078\) at position 2 is not among the 3"),
        (lambda: Characters("abc").decode([3]), r"id 3 is not in 0\.\.2"),
        (lambda: Characters("abc").decode([-1]), r"id -1 is not in 0\.\.2"),
        (lambda: Words([]), "the vocabulary is empty"),
        (lambda: Words(["a", "b", "a"]), "holds 'a' twice, at 0 and 2"),
        (lambda: Words(["a", "good day"]), "entry 1, 'good day', is not one word"),
        (lambda: Words(["dragon", "hen"]).encode("dragoon"), "'dragoon' is not among the 2 words .*nearest are dragon"),
        (lambda: Words(["a"]).decode([1]), r"id 1 is not in 0\.\.0"),
        (lambda: from_dict({"kind": "runes"}), r"'runes' is not one of \['bpe', .*'words'\]"),
    ],
)
def test_bad_input_is_named(build, says):
    with pytest.raises(ValueError, match=says):
        build()


def test_the_menu_is_the_documentation():
    assert all(kind == tokenizer.kind for kind, tokenizer in TOKENIZERS.items())
