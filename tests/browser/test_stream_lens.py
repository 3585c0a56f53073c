"""The lens of the stream in a browser: the right numbers, by pointer and by key, in light and dark, without scripts."""

import pytest
import torch

from lmkit.heads import LM
from lmkit.model import Config
from lmkit.widgets import stream_lens
from lmkit.widgets.page import script

SCRIPT = script("stream_lens")
ELEMENT = "lmkit-stream-lens"


class Letters:
    """A tokenizer whose words are the letters a to h."""

    def encode(self, text):
        return ["abcdefgh".index(c) for c in text]

    def decode(self, ids):
        return "".join("abcdefgh"[i] for i in ids)


def truth(words):
    """After any word the same word again, or an a."""
    return {words[-1]: 0.75, "a": 0.25} if words[-1] != "a" else {"a": 1.0}


@pytest.fixture(scope="module")
def shown():
    torch.manual_seed(0)
    model = LM(Config(8, 16, 2, 2, positions="rope", init="fan_in")).eval()
    return stream_lens(model, Letters(), {"one": "abcah", "two": "hg"}, truth, title="What it says")


@pytest.fixture
def show(show_html):
    return lambda shown, **how: show_html(shown.html() + SCRIPT, **how)


def cells(page):
    """(word, percent) of each cell, by rows."""
    rows = page.locator(".figure tbody tr")
    return [[tuple(t.split("\n")) for t in row.locator("button").all_inner_texts()] for row in rows.all()]


def bars(page):
    words = page.locator(f"{ELEMENT} .bars .word").all_inner_texts()
    return dict(zip(words, page.locator(f"{ELEMENT} .bars .pair").all_inner_texts(), strict=True))


def percent(p):
    return "100 %" if p > 0.9995 else "0 %" if p < 0.0005 else f"{100 * p:.{1 if p < 0.0995 else 0}f} %"


def test_the_numbers_are_pythons(show, shown):
    page, example = show(shown), shown.examples["one"]
    seen = cells(page)
    assert len(seen) == 6 and page.locator(".figure tbody th").all_inner_texts() == [*example["points"], "exact"]
    for row, guesses in zip(seen, example["guesses"], strict=False):
        assert row == [(cell[0][0], percent(cell[0][1])) for cell in guesses]
    assert seen[-1] == [("a", "100 %"), ("b", "75 %"), ("c", "75 %"), ("a", "100 %"), ("h", "75 %")]
    page.locator(".figure tbody tr").nth(2).locator("button").nth(1).click()
    assert "after a b, read at ffn 0" in page.locator(".where").inner_text()
    for word, p, q in example["guesses"][2][1]:
        assert bars(page)[word].split("\n") == [percent(p), percent(q)]
    right = page.locator(f"{ELEMENT} .cell.right:not(.exact)").count()
    assert right == sum(cell[0][2] > 0 for row in example["guesses"] for cell in row)


def test_keys_walk_and_stay_inside(show, shown):
    page = show(shown)
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    where = page.locator(".where")
    assert "read at ffn 1" in where.inner_text()
    for key, said in (
        ("ArrowUp", "after a, read at attn 1"), ("ArrowRight", "after a b, read at attn 1"),
        ("End", "after a b c a h, read at attn 1"), ("ArrowRight", "after a b c a h, read at attn 1"),
        ("ArrowDown", "read at ffn 1"), ("ArrowDown", "read at the grammar"), ("ArrowDown", "read at the grammar"),
        ("Home", "after a, read at the grammar"),
    ):  # fmt: skip
        page.keyboard.press(key)
        assert said in where.inner_text()
    assert page.locator(f"{ELEMENT} button[tabindex='0']").count() == 1, "one tab stop"
    assert list(bars(page)) == ["a"]


def test_another_text(show, shown):
    page = show(shown)
    page.get_by_label("Text").select_option(index=1)
    assert page.locator(".figure thead th").all_inner_texts() == ["after", "h", "g"]
    assert len(cells(page)[0]) == 2


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_phone_and_themes(show, shown, theme):
    page = show(shown, width=360, theme=theme)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.locator(f"{ELEMENT} .figure.dark").count() == (theme == "dark")
    assert page.locator(".title").inner_text() == "What it says"
    moves = "(bar) => getComputedStyle(bar).transitionDuration"
    assert page.locator(".track i").first.evaluate(moves) == "0.14s"
    page.emulate_media(reduced_motion="reduce")
    assert page.locator(".track i").first.evaluate(moves) == "0s"


def test_without_scripts_there_is_a_table(show, shown):
    page = show(shown, scripts=False)
    assert page.locator("table").is_visible() and page.get_by_role("columnheader", name="attn 1").first.is_visible()


def test_damaged_data_leave_the_table(show_html, shown):
    page = show_html(shown.html().replace("data-figure='{", "data-figure='") + SCRIPT)
    assert page.locator(f"{ELEMENT} > table").is_visible()
    assert "showing the plain table instead" in page.said.pop()
