"""The hands of chapter 2 in a browser: they turn, by pointer and by key, and the score stays where it should."""

import pytest

from lmkit.widgets import page, rotation
from lmkit.widgets.rotation import score

SPEEDS = [1.0, 0.25, 0.06]


@pytest.fixture
def hands(show_html):
    def open_hands(query=9, key=4, longest=64, **how):
        return show_html(rotation(SPEEDS, query, key, longest=longest).html() + page.script("rotation"), **how)

    return open_hands


def said(opened):
    return opened.locator(".said").inner_text()


def test_it_says_the_score(hands):
    opened = hands()
    assert said(opened) == f"distance 5, score {score(SPEEDS, 5):.3f}"
    assert opened.locator(".dial").count() == 3
    assert opened.locator(".dial").first.inner_text().split("\n") == ["pair 0", "one turn in 6.3", "−74° apart"]


def test_moving_both_leaves_the_score(hands):
    opened = hands()
    before, hand = said(opened), opened.locator(".hand.query").first.get_attribute("x2")
    opened.get_by_role("button", name="both +1").click()
    assert said(opened) == before
    assert opened.locator("output").all_inner_texts() == ["10", "5"]
    assert opened.locator(".hand.query").first.get_attribute("x2") != hand


def test_moving_one_by_key_changes_it(hands):
    opened = hands()
    opened.get_by_label("position of the query").focus()
    opened.keyboard.press("ArrowRight")
    assert said(opened) == f"distance 6, score {score(SPEEDS, 6):.3f}"
    opened.get_by_label("position of the key").focus()
    opened.keyboard.press("End")
    assert said(opened) == f"distance −54, score {score(SPEEDS, 54):.3f}".replace("-", "−")


def test_both_stop_at_the_ends_and_so_does_playing(hands):
    opened = hands(query=3, key=2, longest=4)
    play = opened.get_by_role("button", name="play")
    play.click()
    opened.wait_for_function("document.querySelector('lmkit-rotation').at.query === 4")
    opened.wait_for_function("!document.querySelector('lmkit-rotation').timer")
    assert play.get_attribute("aria-pressed") == "false"
    opened.get_by_role("button", name="both +1").click()
    assert opened.locator("output").all_inner_texts() == ["4", "3"]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_fits_a_phone(hands, theme):
    opened = hands(width=360, theme=theme)
    assert opened.evaluate("document.documentElement.scrollWidth") <= 360
    assert ("dark" in opened.locator(".figure").get_attribute("class")) == (theme == "dark")


def test_without_scripts_there_is_a_table(hands):
    assert hands(scripts=False).locator("lmkit-rotation td").first.inner_text() == "6.3"
