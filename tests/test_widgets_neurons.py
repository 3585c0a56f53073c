"""The figure of neurons as HTML: that it holds what was given, says it in words, and that no text can act."""

import base64
import json

import pytest
from test_widgets import HOSTILE, Page

from lmkit.widgets import neurons
from lmkit.widgets.neurons import STEPS
from lmkit.widgets.page import script

SCRIPT = script("neurons")
ELEMENT = "lmkit-neurons"
COLORS = {
    "texts": [[("a", 0.0), ("tiny", 8.0), ("red", -0.5)], [("the", 2.0), ("fat", 4.0)]],
    "promotes": [("red", 3.0), ("blue", 1.5)],
}
FOUND = {"colors": COLORS, "ends": {"texts": [[(".", 1.0)]], "promotes": [("¶", 2.0)]}}


def attributes(shown):
    tag, found = Page(shown._repr_mimebundle_()["text/html"]).tags[0]
    assert tag == ELEMENT
    return found


def test_the_element_holds_words_and_shades():
    found = attributes(neurons(FOUND, title="Two neurons"))
    data = json.loads(found["data-figure"])
    assert data["heading"] == "Two neurons"
    assert data["neurons"] == [
        {"name": "colors", "texts": [["a", "tiny", "red"], ["the", "fat"]], "promotes": ["red", "blue"]},
        {"name": "ends", "texts": [["."]], "promotes": ["¶"]},
    ]
    shades = [byte - STEPS for byte in base64.b64decode(found["data-shades"])]
    assert shades == [0, 100, -6, 25, 50, 100, 50, 100, 100], "per cent of the neuron's most, in the order of the words"


def test_a_neuron_that_is_silent_everywhere():
    found = attributes(neurons({"n": {"texts": [[("a", 0.0)]], "promotes": []}}))
    assert base64.b64decode(found["data-shades"]) == bytes([STEPS])


def test_equal_input_gives_equal_bytes_and_the_name_comes_from_the_content():
    first = neurons(FOUND, title="A").html()
    assert first == neurons(FOUND, title="A").html()
    others = neurons(FOUND, title="B"), neurons({"ends": FOUND["ends"]}, title="A")
    assert len({attributes(shown)["data-mark"] for shown in (neurons(FOUND, title="A"), *others)}) == 3


def test_in_words_and_as_a_plain_table():
    assert repr(neurons(FOUND)).split("\n") == [
        "neurons: 2 neurons",
        "  colors: fires most at tiny, fat; promotes red, blue",
        "  ends: fires most at .; promotes ¶",
    ]
    page = Page(neurons(FOUND, alt="what is <seen>").html())
    assert [line for line in page.text.split("\n") if line] == [
        "what is <seen>", "neuronfires most atpromotes", "colorstiny fatred blue", "ends.¶",
    ]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_reaches_the_html_raw(text):
    shown = neurons({text: {"texts": [[(text, 1.0)]], "promotes": [(text, 1.0)]}}, title=text, alt=text)
    markup, page = shown.html(), Page(shown.html())
    assert [tag for tag, _ in page.tags] == [
        ELEMENT, "table", "caption", "tr", "th", "th", "th", "tr", "th", "td", "bdi", "td", "bdi",
    ]  # fmt: skip
    assert markup.count("<") == 26, "only our own tags"
    assert set(page.tags[0][1]) == {"data-mark", "data-lm-suppress-shortcuts", "data-shades", "data-figure"}
    assert not any(ord(c) < 32 and c != "\n" for c in markup)
    markup.encode("utf-8")
    assert "\x1b" not in repr(shown) and "\u202e" not in repr(shown)


@pytest.mark.parametrize(
    "found, message",
    [
        ({}, "neurons wants a dict from names to neurons, not {}"),
        ([COLORS], "neurons wants a dict"),
        ({"n": [1]}, "neuron 'n' has the wrong parts"),
        ({"n": {"texts": [[("a", 1.0)]]}}, "neuron 'n' has the wrong parts"),
        ({"n": {"texts": [[]], "promotes": []}}, "a text without words"),
        ({"n": {"texts": [], "promotes": []}}, "neuron 'n' has no text"),
        ({"n": {"texts": [[("a", float("nan"))]], "promotes": []}}, "the value of 'a' is nan, which is no number"),
        ({"n": {"texts": [[("a", 1.0)]], "promotes": [("b", float("inf"))]}}, "the value of 'b' is inf"),
    ],
)
def test_bad_input_is_one_clear_sentence(found, message):
    with pytest.raises(ValueError) as refusal:
        neurons(found)
    assert message in str(refusal.value) and "\n" not in str(refusal.value)


def test_it_stays_small():
    assert len(SCRIPT) < 20_000
