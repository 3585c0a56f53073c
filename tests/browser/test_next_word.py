"""The next word in a browser: the knobs give what lmkit.sampling gives, by pointer and by key, in light and dark."""

import math
import re

import pytest
import torch

from lmkit.sampling import FILTERS
from lmkit.widgets import next_word
from lmkit.widgets.page import script

SCRIPT = script("next_word")
ELEMENT = "lmkit-next-word"
LABELS = [f"w{i}" for i in range(20)]
LOGITS = (torch.randn(20, generator=torch.Generator().manual_seed(0)) * 2).double()
LOGITS = (LOGITS * 1000).round() / 1000
TRUTH = torch.zeros(20).index_fill(0, LOGITS.topk(4).indices, 0.25)
KS = [1, 2, 3, 5, 8, 12, 20, 50, math.inf]


def figure(**how):
    return next_word({"a beginning": (LOGITS, TRUTH), "another": (-LOGITS, None)}, LABELS, **how)


@pytest.fixture
def show(show_html):
    return lambda shown, **how: show_html(shown.html() + SCRIPT, **how)


def turn(page, name, value):
    page.get_by_label(name, exact=True).evaluate(
        "(e, v) => { e.value = v; e.dispatchEvent(new Event('input', { bubbles: true })); }", str(value)
    )


def rows(page):
    """[(word, the model's percent, the exact percent, drawn, dropped)] of the rows below the head."""
    found = []
    for row in page.locator(".row:not(.head)").all():
        numbers = row.locator(".number").all_inner_texts()
        found.append((row.locator("bdi").inner_text(), *numbers, "dropped" in row.get_attribute("class")))
    return found


def expected(logits, temperature=1.0, **filters):
    logits = logits[None] / temperature
    for name, bound in filters.items():
        logits = FILTERS[name](logits, bound)
    return logits.softmax(-1)[0]


def percent(x):
    return "0 %" if x == 0 else "<0.1 %" if x < 0.001 else f"{100 * x:.1f} %"


CASES = [
    ({}, {}),
    ({"temperature": 0.5}, {"temperature": 0.5}),
    ({"temperature": 2}, {"temperature": 2.0}),
    ({"top-k": 3}, {"top_k": 5}),
    ({"top-p": 0.9}, {"top_p": 0.9}),
    ({"top-p": 0.05}, {"top_p": 0.05}),
    ({"min-p": 0.1}, {"min_p": 0.1}),
    (
        {"temperature": 1.5, "top-k": 5, "top-p": 0.8, "min-p": 0.2},
        {"temperature": 1.5, "top_k": 12, "top_p": 0.8, "min_p": 0.2},
    ),
]


@pytest.mark.parametrize(("knobs", "how"), CASES)
def test_the_knobs_do_what_the_library_does(show, knobs, how):
    page = show(figure())
    for name, value in knobs.items():
        turn(page, name, value)
    p, order = expected(LOGITS, **how), LOGITS.sort(descending=True).indices
    wanted = [(LABELS[i], percent(p[i]), percent(TRUTH[i]), "", bool(p[i] == 0)) for i in order[:12].tolist()]
    rest = p[order[12:]].sum()
    wanted.append(("8 more", percent(rest), "0 %", "", bool(rest == 0)))
    assert rows(page) == wanted
    facts, bits = page.locator(".facts").inner_text(), abs(torch.xlogy(p, p).sum().item()) / math.log(2)
    assert facts.startswith(f"{(p > 0).sum()} word") and f"entropy {bits:.3f} bits" in facts
    far = sum(q * math.log2(q / p[i]) if p[i] else math.inf for i, q in enumerate(TRUTH.tolist()) if q)
    assert ("∞" in facts) if far == math.inf else (f"truth {far:.3f} bits" in facts)


def test_temperature_zero_takes_the_likeliest(show):
    page = show(figure())
    turn(page, "temperature", 0)
    assert rows(page)[0][1] == "100.0 %" and all(row[-1] for row in rows(page)[1:])
    assert page.locator(".facts").inner_text().startswith("1 word may be drawn; entropy 0.000 bits")


def test_drawing_counts_and_repeats(show):
    page = show(figure())
    turn(page, "top-p", 0.8)
    counts = []
    for _ in range(2):
        for n in (20, 40):
            page.get_by_role("button", name="Draw 20").click()
            drawn = [int(row[3].removeprefix("×")) for row in rows(page)]
            assert sum(drawn) == n and f"; {n} drawn." in page.locator(".facts").inner_text()
            assert not any(row[-1] and count for row, count in zip(rows(page), drawn, strict=True))
        counts.append(drawn)
        page.get_by_role("button", name="Reset").click()
        assert "drawn." not in page.locator(".facts").inner_text()
        turn(page, "top-p", 0.8)
    assert counts[0] == counts[1], "the same seed, the same words"


def test_it_works_by_key_and_another_beginning_has_no_truth(show):
    page = show(figure(title="A title"))
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    inside = f"document.querySelector('{ELEMENT}').shadowRoot.activeElement.ariaLabel"
    assert page.evaluate(inside) == "temperature"
    page.keyboard.press("Home")
    assert rows(page)[0][1] == "100.0 %"
    page.keyboard.press("End")
    assert page.locator("output").first.inner_text() == "2.00"
    page.get_by_label("Beginning").select_option("another")
    assert rows(page)[0][2] == "" and "KL" not in page.locator(".facts").inner_text()
    assert page.locator(".title").inner_text() == "A title"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_light_and_dark_and_a_phone(show, theme):
    page = show(figure(), width=360, theme=theme)
    paper = page.locator(ELEMENT).evaluate("(e) => getComputedStyle(e.frame).backgroundColor")
    assert paper == ("rgb(21, 25, 31)" if theme == "dark" else "rgb(255, 255, 255)")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    colours = page.locator(".facts").evaluate("(e) => getComputedStyle(e).color")
    assert (sum(map(int, re.findall(r"\d+", colours))) > 400) == (theme == "dark")


def test_less_motion_when_asked(show):
    page = show(figure())
    moves = "(e) => getComputedStyle(e).transitionDuration"
    assert page.locator(".bar").first.evaluate(moves) == "0.15s"
    page.emulate_media(reduced_motion="reduce")
    assert page.locator(".bar").first.evaluate(moves) == "0s"


def test_without_scripts_there_is_a_table(show):
    page = show(figure(), scripts=False)
    assert page.locator("table").is_visible() and "a beginning" in page.locator("table").inner_text()


def test_damaged_data_leave_the_table(show_html):
    page = show_html(figure().html().replace("data-figure='{", "data-figure='") + SCRIPT)
    assert page.locator("table").is_visible()
    assert "showing the plain table instead" in page.said.pop()


def test_hostile_text_does_nothing(show):
    text = "<img src=x onerror=alert(1)>"
    page = show(next_word({text: (LOGITS, None)}, [text, *LABELS[1:]], title=text))
    assert page.locator(".text").inner_text() == f"{text} …"
