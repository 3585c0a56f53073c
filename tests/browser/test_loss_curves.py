"""The clinic in a browser: the curves are Python's, a diagnosis is judged, by mouse and by key, in light and dark."""

import math
import re

import pytest

from lmkit.widgets import loss_curves
from lmkit.widgets.loss_curves import DIAGNOSES, options, recorded
from lmkit.widgets.page import script

SCRIPT = script("loss_curves")
NAMES = list(DIAGNOSES)


@pytest.fixture
def show(show_html):
    return lambda figure, **how: show_html(figure.html() + SCRIPT, **how)


def points(page, cls):
    """The losses of a curve, read back from its drawing with the help of the grid."""
    grid = page.locator("line.grid").evaluate_all("all => all.map((l) => +l.getAttribute('y1'))")
    words = page.locator("line.grid + text").all_text_contents()
    (y0, t0), (y1, t1) = [(y, math.log(float(t))) for y, t in zip(grid, words, strict=True)][:: len(grid) - 1]
    path = page.locator(f"path.{cls}").get_attribute("d")
    ys = [float(y) for y in re.findall(r"[ML][\d.]+ ([\d.]+)", path)]
    return [math.exp(t0 + (y - y0) / (y1 - y0) * (t1 - t0)) for y in ys]


def test_it_is_alive_and_draws_pythons_numbers(show):
    page = show(loss_curves())
    assert not page.locator("table").is_visible()
    for i in (0, 4, 6):
        page.get_by_role("button", name=f"Patient {i + 1}", exact=True).click()
        for cls, curve in {
            "train": recorded()["curves"][NAMES[i]]["train"],
            "held": recorded()["curves"][NAMES[i]]["held"],
            "healthy": recorded()["curves"]["healthy"]["train"],
        }.items():
            assert points(page, cls) == pytest.approx([max(y, 0.01) for y in curve], rel=0.02)
    label = page.locator("svg").get_attribute("aria-label")
    assert label.startswith("Patient 7: the training loss goes from 6.0") and "Healthy: from 6.0" in label


def test_a_diagnosis_is_judged(show):
    page = show(loss_curves())
    status = page.get_by_role("status")
    assert page.get_by_role("radio").count() == 4 and status.inner_text() == ""
    wrong = next(name for name in options(NAMES[0]) if name != NAMES[0])
    page.get_by_role("radio", name=wrong).check()
    assert status.inner_text() == f"No. If {wrong}, one would see this: {DIAGNOSES[wrong][0]}."
    assert "0 of 9" in page.locator(".row").inner_text()
    page.get_by_role("radio", name=NAMES[0]).check()
    looks, repair, _ = DIAGNOSES[NAMES[0]]
    assert status.inner_text() == f"Yes. If {NAMES[0]}: {looks}. Repair: {repair}"
    assert "1 of 9" in page.locator(".row").inner_text()
    page.get_by_role("button", name="Patient 2", exact=True).click()
    assert page.get_by_role("radio", checked=True).count() == 0 and status.inner_text() == ""
    assert page.get_by_role("button", name="Patient 1, diagnosed").inner_text() == "1 ✓"


def test_it_goes_by_key(show):
    page = show(loss_curves())
    page.get_by_role("button", name="Patient 3", exact=True).focus()
    page.keyboard.press("Enter")
    assert page.get_by_role("button", name="Patient 3", exact=True).get_attribute("aria-pressed") == "true"
    page.get_by_role("radio").first.focus()
    page.keyboard.press("Space")
    for _ in range(4):
        if page.get_by_role("status").inner_text().startswith("Yes"):
            break
        page.keyboard.press("ArrowDown")
    assert page.get_by_role("status").inner_text().startswith("Yes")


@pytest.mark.parametrize("width", [360, 320])
def test_a_phone_has_room(show, width):
    page = show(loss_curves(title="T" * 80), width=width)
    for i, name in enumerate(NAMES, start=1):
        page.get_by_role("button", name=f"Patient {i}", exact=True).click()
        page.get_by_role("radio", name=name).check()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_light_and_dark(show, theme):
    page = show(loss_curves(), theme=theme)

    def luminance(colour):
        rgb = [float(c) / 255 for c in re.findall(r"[\d.]+", colour)[:3]]
        linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in rgb]
        return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    style = "(e, name) => getComputedStyle(e)[name]"
    paper = luminance(page.locator(".figure").evaluate(style, "backgroundColor"))
    assert (paper < 0.1) == (theme == "dark")
    for option, part in ((NAMES[0], ".good"), (next(o for o in options(NAMES[0]) if o != NAMES[0]), ".bad")):
        page.get_by_role("radio", name=option).check()
        for what, name in ((part, "color"), ("svg text", "fill"), (".soft", "color"), ("path.train", "stroke")):
            ink = luminance(page.locator(what).first.evaluate(style, name))
            assert (max(ink, paper) + 0.05) / (min(ink, paper) + 0.05) >= 4.5, what


def test_without_scripts_or_with_damaged_data_there_is_a_table(show, show_html):
    page = show(loss_curves(), scripts=False)
    assert page.get_by_role("cell", name=NAMES[3], exact=True).is_visible()
    page = show_html(loss_curves().html().replace("data-figure='{", "data-figure='") + SCRIPT)
    assert page.locator("table").is_visible()
    assert "showing the plain table instead" in page.said.pop()


def test_two_figures_do_no_harm(show_html):
    page = show_html(loss_curves().html() + SCRIPT + loss_curves(NAMES[:2], title="<b>").html() + SCRIPT)
    assert page.get_by_role("radio").count() == 8
    page.get_by_role("radio").nth(0).check()
    page.get_by_role("radio").nth(5).check()
    assert page.get_by_role("radio", checked=True).count() == 2
