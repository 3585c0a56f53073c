"""The hands of chapter 2 as HTML: they hold what was given, say it in words, and agree with lmkit.positions."""

import json
import math

import pytest
import torch
from test_widgets import HOSTILE, Page

from lmkit.positions import Rope
from lmkit.widgets import rotation
from lmkit.widgets.rotation import score

SPEEDS = [1.0, 0.25, 0.06]


def data_of(shown):
    (element, attributes), *_ = Page(shown._repr_mimebundle_()["text/html"]).tags
    assert element == "lmkit-rotation"
    return json.loads(attributes["data-figure"])


def test_the_score_is_that_of_turned_vectors():
    rope = Rope(8, 1, 8, 64)
    same = torch.ones(1, 1, 1, 8) / math.sqrt(8)
    for m, n in ((9, 4), (3, 3), (60, 1)):
        turned = rope.rotate(same, torch.tensor([m])) * rope.rotate(same, torch.tensor([n]))
        assert score(rope.frequencies(8).tolist(), m - n) == pytest.approx(turned.sum().item(), abs=1e-6)


def test_it_holds_what_was_given():
    assert data_of(rotation(SPEEDS, 9, 4, title="t")) == {
        "speeds": SPEEDS, "query": 9, "key": 4, "longest": 64, "title": "t",
    }  # fmt: skip


def test_words_and_table_say_the_same():
    shown = rotation([math.pi / 2, 0.25], 3, 2)
    said, table = repr(shown), shown.table()
    for word in ("4.0", "90", f"{(0 + math.cos(0.25)) / 2:.3f}"):
        assert word in said and word in table
    assert "-0" not in repr(rotation([2 * math.pi - 1e-9], 1, 0))


def test_equal_input_gives_equal_bytes_and_other_input_another_mark():
    assert rotation(SPEEDS).html() == rotation(SPEEDS).html() != rotation(SPEEDS, 7).html()


@pytest.mark.parametrize("text", HOSTILE)
def test_a_title_cannot_act(text):
    shown = rotation(SPEEDS, title=text)
    assert data_of(shown)["title"] == text
    assert {tag for tag, _ in Page(shown.html()).tags} <= {"lmkit-rotation", "table", "caption", "tr", "th", "td"}


@pytest.mark.parametrize(
    ("how", "problem"),
    [
        (dict(speeds=[]), "1 to 8 numbers above 0"),
        (dict(speeds=[1.0, 0.0]), "1 to 8 numbers above 0"),
        (dict(speeds=[math.nan]), "1 to 8 numbers above 0"),
        (dict(speeds=SPEEDS, query=65), "query is a position from 0 to 64, not 65"),
        (dict(speeds=SPEEDS, key=-1), "key is a position from 0 to 64, not -1"),
        (dict(speeds=SPEEDS, longest=0), "longest is a position from 1"),
    ],
)
def test_it_refuses_what_it_cannot_show(how, problem):
    with pytest.raises(ValueError, match=problem):
        rotation(**how)
