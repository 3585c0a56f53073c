"""The figure of the next word as HTML: it holds the scores and chances, says them in words, and no text can act."""

import json
import math

import pytest
import torch
from test_widgets import HOSTILE, Page, html_of

from lmkit.exercises import EXERCISES
from lmkit.sampling import top_p
from lmkit.widgets import next_word
from lmkit.widgets.next_word import LONGEST, MOST
from lmkit.widgets.page import script

SCRIPT = script("next_word")
ELEMENT = "lmkit-next-word"
LABELS = ["of", "mat", "moon", "sofa"]
LOGITS, TRUTH = torch.tensor([-3.0, 2.0, -1.0, 1.0]), torch.tensor([0.0, 0.75, 0.0, 0.25])


def shown(text="The cat sat on the", labels=LABELS, truth=TRUTH, **how):
    return next_word({text: (LOGITS, truth)}, labels, **how)


def data_of(figure):
    (element, attributes), *_ = Page(html_of(figure)).tags
    assert element == ELEMENT
    return json.loads(attributes["data-figure"])


def test_the_data_are_in_order_and_complete():
    data = data_of(shown(title="What next?"))
    (example,) = data["examples"]
    assert data["heading"] == "What next?" and data["labels"] == LABELS
    assert example["text"] == "The cat sat on the" and example["order"] == [1, 3, 2, 0]
    assert [z / data["round"] for z in example["z"]] == [2, 1, -1, -3]
    assert example["true"] == [[0, 0.75], [1, 0.25]]
    assert "true" not in data_of(shown(truth=None))["examples"][0]


def test_it_says_in_words_what_is_to_be_seen():
    figure = shown()
    assert repr(figure) == (
        "next word: 1 texts, 4 words\n  The cat sat on the … mat 70 % (exact 75 %), sofa 26 % (exact 25 %), "
        "moon 3 % (exact 0 %), of 0 % (exact 0 %)"
    )
    assert repr(figure) == figure._repr_mimebundle_()["text/plain"]
    assert "exact" not in repr(shown(truth=None))
    table = Page(figure.table()).text
    assert "The likeliest next words" in table and "mat 70 %, exact 75 %" in table
    assert "another caption" in Page(shown(alt="another caption").table()).text


def test_equal_input_gives_equal_bytes():
    assert html_of(shown()) == html_of(shown())
    assert shown().html() != shown(text="Another text").html()
    assert html_of(shown()).count("<script") == 1 and SCRIPT.count("<script") == 1


def test_a_long_text_keeps_its_end():
    text = "once " * 1000 + "there was"
    (example,) = data_of(shown(text=text))["examples"]
    assert len(example["text"]) == LONGEST and example["text"].startswith("…")
    assert example["text"].endswith("there was")


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_can_act(text):
    figure = shown(text=text, labels=[text, *LABELS[1:]], title=text, alt=text)
    page = Page(html_of(figure))
    names = [tag for tag, _ in page.tags]
    assert set(names) <= {ELEMENT, "table", "caption", "tr", "th", "td", "b", "bdi", "script"}
    assert names.count("script") == 1
    (_, attributes), *_ = page.tags
    assert set(attributes) == {"data-mark", "data-lm-suppress-shortcuts", "data-figure"}
    assert not any(ord(c) < 32 and c != "\n" for c in figure.html())


@pytest.mark.parametrize(
    ("examples", "labels", "what"),
    [
        ({}, LABELS, "at least one text"),
        ([LOGITS], LABELS, "must be a dict"),
        ({"a": LOGITS}, LABELS, "give a pair"),
        ({"a": (None, TRUTH)}, LABELS, "must be finite"),
        ({"a": (LOGITS * math.inf, None)}, LABELS, "must be finite"),
        ({"a": (LOGITS[:3], None)}, LABELS, r"logits has shape \(3,\); expected \(4,\)"),
        ({"a": (LOGITS, TRUTH[:3])}, LABELS, r"truth has shape \(3,\); expected \(4,\)"),
        ({"a": (LOGITS, 2 * TRUTH)}, LABELS, "must sum to 1"),
        ({"a": (LOGITS, None)}, LABELS[:1], "a vocabulary of 2 to"),
        ({"a": (LOGITS, None)}, LABELS * MOST, "a vocabulary of 2 to"),
    ],
)
def test_wrong_input_is_named(examples, labels, what):
    with pytest.raises(ValueError, match=what):
        next_word(examples, labels)


def test_the_exercises_agree_with_the_library_and_torch():
    g = torch.Generator().manual_seed(0)
    logits = torch.randn(30, generator=g)
    for p in (0.1, 0.5, 0.9):
        theirs = top_p(logits[None].double(), p).softmax(-1)[0]
        torch.testing.assert_close(EXERCISES["nucleus"].right(logits.double().softmax(-1), p), theirs)
    logits, ids = torch.randn(2, 6, 30, generator=g), torch.randint(30, (2, 6), generator=g)
    real = torch.tensor([[True] * 6, [True] * 4 + [False] * 2])
    labels = ids.masked_fill(~real, -100)[:, 1:].flatten()
    theirs = torch.nn.functional.cross_entropy(logits[:, :-1].flatten(0, 1), labels)
    torch.testing.assert_close(EXERCISES["next_token_nats"].right(logits, ids, real), theirs)
