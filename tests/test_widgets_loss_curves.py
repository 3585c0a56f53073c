"""The clinic as HTML: curves of real runs, each diagnosis told apart, and nothing given away before it is asked."""

import json
import math
import sys
from pathlib import Path

import pytest
import torch
from test_widgets import HOSTILE, Page

from lmkit.widgets import loss_curves
from lmkit.widgets.loss_curves import DIAGNOSES, HEALTHY, options, recorded
from lmkit.widgets.page import script

SCRIPT = script("loss_curves")


def data_of(figure):
    (element, attributes), *_ = Page(figure.html()).tags
    assert element == "lmkit-loss-curves"
    return json.loads(attributes["data-figure"])


def test_every_diagnosis_has_a_curve_and_four_options():
    assert recorded()["curves"].keys() == {HEALTHY, *DIAGNOSES}
    for name in DIAGNOSES:
        assert len(set(options(name))) == 4 and set(options(name)) <= set(DIAGNOSES) and name in options(name)
    places = {options(name).index(name) for name in DIAGNOSES}
    assert len(places) >= 3, "the right answer stands now here, now there"


def test_the_curves_show_what_their_words_say():
    curves, lines = recorded()["curves"], recorded()["lines"]
    floor, ln_v = lines["exact floor"], lines["ln V"]
    assert ln_v == pytest.approx(math.log(464), abs=1e-3)
    ends = {name: (curve["train"][-1], curve["held"][-1]) for name, curve in curves.items()}
    assert floor < ends[HEALTHY][0] < 0.8 and floor < ends[HEALTHY][1] < 0.8
    assert max(ends["the targets are not shifted"]) < 0.1 and max(ends["the causal mask is missing"]) < floor
    small = curves["the text is too small"]
    assert small["train"][-1] < floor and small["held"][-1] > min(small["held"]) + 0.3 > floor
    assert curves["the losses of the parts are summed"]["train"][0] == pytest.approx(
        8 * curves[HEALTHY]["train"][0], rel=0.02
    )
    late = curves["the schedule is over too soon"]["held"][3:]
    assert max(late) - min(late) < 0.01 and curves["the schedule is over too soon"]["held"][2] == pytest.approx(
        late[0], abs=0.01
    )
    assert 4 < ends["the targets are shuffled"][0] < 5.2 and ends["the rate is too low"][0] > 5
    assert all(
        ends[name][1] > 3 * ends[HEALTHY][1] for name in ("the rate is too high", "the gradients are not cleared")
    )
    assert all(curve["says"].startswith("Once there was a") for curve in curves.values())


@pytest.mark.slow
def test_the_stored_curves_are_those_of_the_benchmark(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "benchmarks"))
    monkeypatch.delitem(sys.modules, "clinic", raising=False)
    import clinic

    torch.set_num_threads(1)
    text = clinic.Text()
    for name in (HEALTHY, "the causal mask is missing"):
        found, stored = clinic.run(text, 240, **clinic.CASES[name]), recorded()["curves"][name]
        assert found["train"][:10] == pytest.approx(stored["train"][:10], abs=0.02)
        assert found["held"][-1] == pytest.approx(stored["held"][-1], abs=0.1)


def test_words_tell_what_is_seen_and_not_the_diagnosis():
    said = repr(loss_curves()).split("\n")
    assert said[0].startswith("loss curves: 9 patients beside a healthy run, 6.0") and len(said) == 10
    assert not any(name in line for name in DIAGNOSES for line in said)


def test_equal_input_gives_equal_bytes_and_other_input_another_name():
    two = ["the rate is too low", "the text is too small"]
    assert loss_curves(two).html() == loss_curves(tuple(two)).html() != loss_curves(two[::-1]).html()
    held = data_of(loss_curves(two, title="A"))
    assert held["heading"] == "A" and [p["is"] for p in held["patients"]] == two
    assert held["patients"][0]["train"] == recorded()["curves"][two[0]]["train"]
    assert len(held["healthy"]["train"]) * held["each"] == len(held["healthy"]["held"]) * held["look"] == 240


def test_the_plain_table_tells_all():
    text = Page(loss_curves(title="seen <so>").html()).text
    assert "seen <so>" in text
    for name, (looks, repair, _) in DIAGNOSES.items():
        assert name in text and looks in text and repair in text


@pytest.mark.parametrize("text", HOSTILE)
def test_no_title_reaches_the_html_raw(text):
    figure = loss_curves(title=text)
    page = Page(figure.html())
    assert {tag for tag, _ in page.tags} == {"lmkit-loss-curves", "table", "caption", "tr", "th", "td"}
    assert figure.html().count("<") == 2 * len(page.tags), "only our own tags"
    assert data_of(figure)["heading"] == text


def test_the_script_asks_nobody_and_is_small():
    assert SCRIPT.replace("http://www.w3.org/2000/svg", "").count("http") == 0
    assert len(SCRIPT) < 16_000 and SCRIPT.count("<script") == 1


@pytest.mark.parametrize(
    "patients, message",
    [
        ("the rate is too low", "patients is the text 'the rate is too low'; give a list"),
        ([], "no patients; expected some of"),
        (["a cold"], "there is no patient 'a cold'; expected some of"),
        ([HEALTHY], "there is no patient 'healthy'"),
    ],
)
def test_wrong_input_is_told_in_a_sentence(patients, message):
    with pytest.raises(ValueError, match=message):
        loss_curves(patients)
