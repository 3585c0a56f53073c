"""The bars of norms as HTML: that they hold PyTorch's numbers, say them in words, and that no name can act."""

import json

import pytest
import torch
import torch.nn.functional as F
from test_widgets import HOSTILE, Page

from lmkit.norms import DyT
from lmkit.widgets import norm_bars
from lmkit.widgets.norm_bars import shown
from lmkit.widgets.page import script

SCRIPT = script("norm_bars")
VALUES = {"kind": 3.0, "tall": -1.0, "old": 0.5, "wet": 2.0}


def data_of(bars):
    (element, attributes), *_ = Page(bars.html()).tags
    assert element == "lmkit-norm-bars"
    return json.loads(attributes["data-figure"])


def test_the_numbers_are_torchs():
    x = torch.tensor(list(VALUES.values()), dtype=torch.float64)
    for eps, alpha in ((1e-5, 0.5), (0.3, 2.0)):
        ours = norm_bars(VALUES, eps=eps, alpha=alpha).normed
        theirs = F.layer_norm(x, (4,), eps=eps), F.rms_norm(x, (4,), eps=eps), DyT(4, alpha0=alpha).double()(x)
        for name, expected in zip(("LayerNorm", "RMSNorm", "tanh"), theirs, strict=True):
            torch.testing.assert_close(torch.tensor(ours[name], dtype=torch.float64), expected.detach())


def test_equal_input_gives_equal_bytes_and_other_input_another_name():
    html = norm_bars(VALUES, title="A").html()
    assert html == norm_bars(dict(VALUES), title="A").html()
    names = {Page(b.html()).tags[0][1]["data-mark"] for b in (norm_bars(VALUES), norm_bars([1, 2]), norm_bars([1, 3]))}
    assert len(names) == 3
    assert data_of(norm_bars(VALUES, title="A")) == {
        "heading": "A", "names": list(VALUES), "values": list(VALUES.values()), "eps": 1e-5, "alpha": 0.5,
    }  # fmt: skip
    assert data_of(norm_bars((1, -2)))["names"] == ["x1", "x2"]


def test_the_plain_table_and_the_words_hold_the_numbers():
    bars = norm_bars(VALUES, title="what is <seen>")
    rows = [line for line in Page(bars.html()).text.split("\n") if line]
    assert rows[:2] == ["what is <seen>", "featurexLayerNormRMSNormtanh"]
    assert rows[2:] == [
        name + "".join(map(shown, [value, *(bars.normed[norm][i] for norm in bars.normed)]))
        for i, (name, value) in enumerate(VALUES.items())
    ]
    said = repr(bars).split("\n")
    assert said[0] == "norm bars: 4 features, kind, tall, old, wet"
    assert said[1] == "  x: 3.00 −1.00 0.50 2.00" and said[3].startswith("  RMSNorm: 1.59 −0.53")
    assert shown(-0.001) == "0.00" and shown(-1.234) == "−1.23"


@pytest.mark.parametrize("text", HOSTILE)
def test_no_name_reaches_the_html_raw(text):
    bars = norm_bars({text: 1.0, "b": 2.0}, title=text)
    page = Page(bars.html())
    assert {tag for tag, _ in page.tags} == {"lmkit-norm-bars", "table", "caption", "tr", "th", "bdi", "td"}
    assert bars.html().count("<") == 2 * len(page.tags), "only our own tags"
    assert data_of(bars)["names"][0] == text


def test_the_script_asks_nobody_and_is_small():
    assert "http" not in SCRIPT.replace("http://www.w3.org/2000/svg", "")  # the name of SVG is no address
    assert len(SCRIPT) < 16_000 and SCRIPT.count("<script") == 1


@pytest.mark.parametrize(
    "values, options, message",
    [
        ("ab", {}, "values is a str"),
        (3, {}, "values is a int"),
        ([1], {}, "1 features; a norm needs 2 at least"),
        ([0] * 9, {}, "9 features"),
        ({"a": 1, "b": "2"}, {}, "the feature 'b' is '2'; expected a number from -5 to 5"),
        ({"a": 1, "b": True}, {}, "the feature 'b' is True"),
        ([1, 6], {}, "the feature 'x2' is 6"),
        ([1, float("nan")], {}, "the feature 'x2' is nan"),
        ([1, 2], {"eps": 0}, "eps is 0; expected a number above 0"),
        ([1, 2], {"alpha": -1}, "alpha is -1"),
    ],
)
def test_bad_input_is_one_clear_sentence(values, options, message):
    with pytest.raises(ValueError) as refusal:
        norm_bars(values, **options)
    assert message in str(refusal.value) and "\n" not in str(refusal.value)
