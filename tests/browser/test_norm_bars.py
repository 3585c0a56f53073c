"""The bars of norms in a browser: they show Python's numbers, move by key, and say what a button changed."""

import math
import re

import pytest

from lmkit.widgets import norm_bars
from lmkit.widgets.norm_bars import shown
from lmkit.widgets.page import script

SCRIPT = script("norm_bars")
ELEMENT = "lmkit-norm-bars"
VALUES = {"kind": 3.0, "tall": -1.0, "old": 0.5, "wet": 2.0}


@pytest.fixture
def show(show_html):
    return lambda bars, **how: show_html(bars.html() + SCRIPT, **how)


def numbers(page, norm):
    found = page.locator(f"[data-norm={norm}] .row .number").all_inner_texts()
    return [float(text.replace("−", "-")) for text in found]


def badges(page):
    return page.locator(".badge").all_inner_texts()


def press(page, name):
    page.get_by_role("button", name=name, exact=True).click()


def test_it_is_alive_and_has_pythons_numbers(show):
    bars = norm_bars(VALUES)
    page = show(bars)
    assert not page.locator("table").is_visible()
    for norm, expected in {"x": list(VALUES.values()), **bars.normed}.items():
        assert numbers(page, norm) == pytest.approx(expected, abs=0.0051)
    assert page.locator("[data-norm=RMSNorm] .foot").inner_text().endswith("rms 1.00")
    assert page.locator("[data-norm=LayerNorm] .foot").inner_text() == "mean 0.00 · rms 1.00"


def test_a_slider_moves_by_key(show):
    page = show(norm_bars(VALUES))
    slider = page.get_by_role("slider", name="tall")
    slider.focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    moved = norm_bars(VALUES | {"tall": -0.5})
    assert numbers(page, "x")[1] == -0.5
    for norm, expected in moved.normed.items():
        assert numbers(page, norm) == pytest.approx(expected, abs=0.0051)
    page.keyboard.press("End")
    assert numbers(page, "x")[1] == 5.0


def test_the_buttons_show_what_each_norm_does_not_notice(show):
    page = show(norm_bars(VALUES))
    press(page, "× 10")
    assert numbers(page, "x") == [30, -10, 5, 20]
    assert badges(page) == ["changed", "unchanged", "unchanged", "changed"]
    press(page, "÷ 10")
    press(page, "+ 3")
    assert numbers(page, "x") == [6, 2, 3.5, 5] and badges(page) == ["changed", "unchanged", "changed", "changed"]
    assert page.get_by_role("status").inner_text() == "+ 3: LayerNorm unchanged, RMSNorm changed, tanh changed"
    page.get_by_role("slider", name="old").press("ArrowRight")
    assert badges(page) == [""] * 4
    page.get_by_role("button", name="Reset", exact=True).focus()
    page.keyboard.press("Enter")
    assert numbers(page, "x") == list(VALUES.values())


def test_eps_is_a_floor(show):
    """A thousandth of the features has a mean square near eps, and the norms no longer bring it to one scale."""
    page = show(norm_bars(VALUES))
    for _ in range(3):
        press(page, "÷ 10")
    square = sum(v * v for v in VALUES.values()) / 4e6
    assert numbers(page, "RMSNorm")[0] == pytest.approx(3e-3 / math.sqrt(square + 1e-5), abs=0.0051)
    assert badges(page)[2] == "changed"
    for _ in range(9):
        press(page, "÷ 10")
    assert page.locator(".rule").inner_text() == "x = 0.0001 · slider + 0", "there is an end to it"


@pytest.mark.parametrize("width", [360, 320])
def test_a_phone_has_room(show, width):
    page = show(norm_bars({f"a rather long name {i}": 5.0 - i for i in range(8)}, title="T" * 80), width=width)
    for _ in range(6):
        press(page, "× 10")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    boxes = page.locator(".row .number").evaluate_all("all => all.map((n) => [n.scrollWidth, n.clientWidth])")
    assert all(inner <= outer + 1 for inner, outer in boxes)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_light_and_dark(show, theme):
    page = show(norm_bars(VALUES), theme=theme)
    press(page, "× 10")

    def luminance(colour):
        rgb = [float(c) / 255 for c in re.findall(r"[\d.]+", colour)[:3]]
        linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in rgb]
        return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    style = "(e, name) => getComputedStyle(e)[name]"
    wash = luminance(page.locator(".panel").first.evaluate(style, "backgroundColor"))
    assert (wash < 0.1) == (theme == "dark")
    for part in (".badge.same", ".badge.other", ".foot", ".row .name", ".row .number", ".soft"):
        ink = luminance(page.locator(part).first.evaluate(style, "color"))
        assert (max(ink, wash) + 0.05) / (min(ink, wash) + 0.05) >= 4.5, part
    page.evaluate(f"document.documentElement.dataset.theme = '{'light' if theme == 'dark' else 'dark'}'")
    page.wait_for_timeout(50)
    assert (luminance(page.locator(".panel").first.evaluate(style, "backgroundColor")) < 0.1) == (theme == "light")


def test_less_motion_when_asked(show):
    page = show(norm_bars(VALUES))
    duration = "(b) => getComputedStyle(b).transitionDuration.split(',')[0]"
    assert page.locator(".bar").first.evaluate(duration) == "0.16s"
    page.emulate_media(reduced_motion="reduce")
    assert page.locator(".bar").first.evaluate(duration) == "0s"


def test_without_scripts_or_with_damaged_data_there_is_a_table(show, show_html):
    page = show(norm_bars(VALUES), scripts=False)
    assert page.get_by_role("rowheader", name="kind").is_visible()
    assert page.get_by_role("cell", name=shown(norm_bars(VALUES).normed["LayerNorm"][0])).first.is_visible()
    page = show_html(norm_bars(VALUES).html().replace("data-figure='{", "data-figure='") + SCRIPT)
    assert page.locator("table").is_visible()
    assert "showing the plain table instead" in page.said.pop()


def test_names_do_nothing(show):
    texts = ["<img src=x onerror=alert(1)>", "</script><script>alert(2)</script>", '"><b>']
    page = show(norm_bars({text: 1.0 + i for i, text in enumerate(texts)}, title=texts[1]))
    assert page.locator("[data-norm=x] .name").all_inner_texts() == texts
    inside = f"[...document.querySelector('{ELEMENT}').shadowRoot.querySelectorAll('*')].map((e) => e.localName)"
    assert set(page.evaluate(inside)) <= set("style div span b i bdi label input button section".split())


def test_two_figures_and_two_scripts_do_no_harm(show_html):
    body = norm_bars(VALUES).html() + SCRIPT + norm_bars([1, 2]).html() + SCRIPT
    page = show_html(body)
    assert page.locator(ELEMENT).count() == 2 and page.get_by_role("slider").count() == 6
