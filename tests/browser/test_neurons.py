"""The figure of neurons in a browser: it shows what Python gave, by pointer, by key, and without scripts."""

import pytest

from lmkit.widgets import neurons
from lmkit.widgets.page import script

SCRIPT = script("neurons")
ELEMENT = "lmkit-neurons"
FOUND = {
    "colors": {
        "texts": [[("a", 0.0), ("tiny", 8.0), ("red", -0.5)], [("the", 2.0), ("fat", 4.0)]],
        "promotes": [("red", 3.0), ("blue", 1.5)],
    },
    "ends": {"texts": [[(".", 1.0), ("So", 0.0)]], "promotes": [("¶", 2.0)]},
    "names": {"texts": [[("named", 1.0)]], "promotes": [("<b>Anna</b>", 2.0)]},
}


@pytest.fixture
def show(show_html):
    def open_page(found=FOUND, html=None, **how):
        return show_html(html or neurons(found, title="Three neurons").html() + SCRIPT, **how)

    return open_page


def reading(page):
    return page.locator(".reading").inner_text()


def words(page):
    return page.locator(".w").all_inner_texts()


def test_it_shows_what_python_gave(show):
    page = show()
    assert words(page) == ["a", "tiny", "red", "the", "fat"]
    much = page.locator(".w").evaluate_all("all => all.map((w) => w.style.getPropertyValue('--much'))")
    assert much == ["0%", "100%", "6%", "25%", "50%"]
    assert page.locator(".w.below").all_inner_texts() == ["red"]
    assert page.locator(".promotes .word").all_inner_texts() == ["red", "blue"]
    assert page.locator(".bar").evaluate_all("all => all.map((b) => b.style.width)") == ["100%", "50%"]
    assert reading(page) == "At tiny it fires at 100 % of its most here; the next word is red.", "it opens at the most"


def test_pointing_and_sliding_tell_of_a_word(show):
    page = show()
    page.locator(".w", has_text="fat").hover()
    assert reading(page) == "At fat it fires at 50 % of its most here."
    assert page.get_by_label("Word", exact=True).input_value() == "4"
    page.get_by_label("Word", exact=True).focus()
    page.keyboard.press("Home")
    assert reading(page) == "At a it is (nearly) silent; the next word is tiny."
    for _ in range(2):
        page.keyboard.press("ArrowRight")
    assert reading(page) == "At red it is pushed below zero.", "the end of a text has no next word"
    assert page.locator(".w.met").all_inner_texts() == ["red"]
    assert page.get_by_label("Word", exact=True).get_attribute("aria-valuetext") == "red: is pushed below zero"


def test_leaping_goes_from_one_place_to_the_next_and_round(show):
    page = show()
    places = []
    for _ in range(3):
        page.get_by_role("button", name="next place where it fires").click()
        places.append(page.locator(".w.met").inner_text())
    assert places == ["the", "fat", "tiny"]


def test_neurons_are_chosen_by_click_and_by_key(show):
    page = show()
    page.get_by_role("radio", name="ends").click()
    assert words(page) == [".", "So"]
    page.keyboard.press("ArrowRight")
    assert page.locator(".promotes .word").all_inner_texts() == ["<b>Anna</b>"] and page.locator("b b").count() == 0
    page.keyboard.press("ArrowRight")
    assert page.locator("[aria-checked=true]").inner_text() == "names", "it stays at the end"
    page.keyboard.press("Home")
    assert page.locator("[aria-checked=true]").inner_text() == "colors"
    assert page.evaluate("document.activeElement.shadowRoot.activeElement.textContent") == "colors"
    assert page.locator("[role=radio][tabindex='0']").count() == 1


@pytest.mark.parametrize("theme, paper", [("light", "rgb(255, 255, 255)"), ("dark", "rgb(21, 25, 31)")])
def test_light_and_dark(show, theme, paper):
    page = show(theme=theme)
    assert page.locator(".figure").evaluate("n => getComputedStyle(n).backgroundColor") == paper


def test_it_fits_a_phone(show):
    page = show(width=360)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_without_scripts_there_is_a_table(show):
    page = show(scripts=False)
    assert page.locator("caption").inner_text() == "Three neurons" and page.locator("td").count() == 6


def test_damaged_data_leaves_the_table(show):
    html = neurons(FOUND).html().replace('data-shades="', 'data-shades="AAAA') + SCRIPT
    page = show(html=html)
    assert page.locator("table").is_visible() and page.locator(".figure").count() == 0
    assert "showing the plain table instead" in page.said.pop()
