"""The map of a model in a browser: its numbers are Python's, by pointer, by key, and without scripts."""

import pytest
import torch
from test_token_steps import assert_legible

from lmkit import count, presets
from lmkit.widgets import model_map
from lmkit.widgets.page import script

SCRIPT = script("model_map")
ELEMENT = "lmkit-model-map"
MODELS = {"GPT-2": "gpt2", "BERT": "bert-base", "T5": "t5-small", "Llama 3": "llama-3-8b"}
LINKS = {"attention": ("Chapter 3", "03_attention")}
COLOURS = """() => {
    const root = document.querySelector('lmkit-model-map').shadowRoot, out = [];
    for (const node of root.querySelectorAll('*')) {
        const text = [...node.childNodes].some((c) => c.nodeType === 3 && c.textContent.trim());
        if (!text || ['style', 'option'].includes(node.localName)) continue;
        let at = node, behind;
        while (!behind) {
            const colour = getComputedStyle(at).backgroundColor;
            if (!/, 0\\)$|transparent/.test(colour)) behind = colour; else at = at.parentElement;
        }
        out.push([node.textContent.slice(0, 20), getComputedStyle(node).color, behind]);
    }
    return out;
}"""


@pytest.fixture(scope="module")
def shown():
    return model_map(MODELS, links=LINKS, title="Models")


@pytest.fixture
def show(show_html, shown):
    return lambda **how: show_html(shown.html() + SCRIPT, **how)


def totals(page):
    names, values = (page.locator(f".totals {tag}").all_inner_texts() for tag in ("dt", "dd"))
    return dict(zip(names, values, strict=True))


@pytest.mark.parametrize("name", MODELS)
def test_the_numbers_are_those_of_python(show, name):
    page = show()
    page.get_by_label("Model", exact=True).select_option(name)
    config = presets.get(MODELS[name])
    slider = page.get_by_label("Length of the text")
    for key, T in ("End", config.max_seq_len), ("Home", 16), ("ArrowRight", 32):
        slider.press(key)
        assert page.locator(".number").inner_text() == f"{T:,} tokens"
        found, seen = count(config, T, torch.bfloat16), totals(page)
        assert seen["parameters"] == f"{found.total_parameters:,}"
        number, unit = seen["FLOPs per token"].split()
        assert float(number) * {"M": 1e6, "G": 1e9}[unit[0]] == pytest.approx(found.forward_flops, rel=0.005)
        page.locator(".box", has_text="attention").first.click()
        share = found.flops["attention"] / found.forward_flops
        assert f"({100 * share:.1f}\u00a0%)" in page.locator(".about").inner_text().split("\n")[2]
    if config.causal and not config.n_encoder_layers:
        number, unit = totals(page)["KV cache of the text"].split()
        per_token = found.cache_bytes / (found.T - 1)
        assert float(number) * {"KiB": 2**10, "MiB": 2**20}[unit] == pytest.approx(per_token * 32, rel=0.005)
    assert ("none" in totals(page)["KV cache per token"]) == (not config.causal)


def test_by_keyboard(show):
    page = show()
    select = page.get_by_label("Model", exact=True)
    select.focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Home")
    assert page.locator(".number").inner_text() == "16 tokens"
    for _ in range(2):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.locator(".about .name").inner_text() == "positions"
    assert page.locator(".box[aria-pressed=true]").all_inner_texts() == ["positions"]
    select.select_option("T5")
    assert page.locator(".heading").all_inner_texts() == ["6 × encoder block", "6 × decoder block"]
    assert page.locator(".box", has_text="cross-attention").count() == 1


def test_links_lead_to_the_form_that_is_read(show):
    page = show()
    assert page.locator("a").get_attribute("href") == "03_attention.html"
    assert page.locator("a").inner_text() == "Chapter 3"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [900, 360])
def test_it_fits_and_is_legible(show, scheme, width):
    page = show(width=width, theme=scheme)
    page.get_by_label("Model", exact=True).select_option("T5")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert_legible(page, COLOURS)


def test_without_scripts_there_is_a_table(show):
    page = show(scripts=False, width=360)
    assert page.locator("table").is_visible()
    assert page.get_by_role("rowheader", name="feed-forward").count() == len(MODELS)


def test_damaged_data_leave_the_table(show_html, shown):
    page = show_html(shown.html().replace("data-figure='{", "data-figure='") + SCRIPT)
    assert page.locator("table").is_visible()
    assert "showing the plain table instead" in page.said.pop()


def test_two_figures_and_two_scripts_do_no_harm(show_html, shown):
    page = show_html((shown.html() + SCRIPT) * 2)
    page.locator(ELEMENT).nth(1).locator(".box").first.click()
    assert page.locator(".about .name").all_inner_texts() == ["attention", "embeddings"]
