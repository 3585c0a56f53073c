"""The attention map in a browser: what it shows is what it was given, by pointer, by key, and without scripts."""

import io
import re

import numpy as np
import pytest
import torch
from PIL import Image

from lmkit.widgets import attention_map
from lmkit.widgets.attention_map import script
from lmkit.widgets.png import RAMP

WORDS = "The cat sat on the mat because it was warm".split()
HEAD = (
    "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'><title>t</title>"
)
ELEMENT = "lmkit-attention-map"
FOCUSED = f"document.querySelector('{ELEMENT}').shadowRoot.activeElement?.className"


def causal(*shape, seed=0):
    scores = torch.randn(shape, generator=torch.Generator().manual_seed(seed)) * 3
    allowed = torch.ones(shape[-2:], dtype=torch.bool).tril()
    return scores.masked_fill(~allowed, -torch.inf).softmax(-1)


MAPS = causal(2, 4, 10, 10)
READBACK = "Multiple readback operations using getImageData"  # these tests read pixels; the map itself does not


@pytest.fixture
def show(browser, tmp_path):
    """show(map, ...) -> a page with these maps; afterwards: no error was logged, and nothing else was requested."""
    contexts, said, asked = [], [], []

    def open_page(*maps, width=900, theme="light", scripts=True, body=None, coarse=False):
        file = tmp_path / f"page{len(contexts)}.html"
        body = body or "".join(shown.html() for shown in maps) + script()
        file.write_text(HEAD + body, encoding="utf-8")
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=theme, java_script_enabled=scripts, has_touch=coarse
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text) if READBACK not in message.text else None)
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("dialog", lambda dialog: (said.append(f"dialog {dialog.message}"), dialog.dismiss()))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(file.as_uri())
        if scripts:
            page.evaluate(f"Promise.all([...document.querySelectorAll('{ELEMENT}')].map((e) => e.ready))")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert said == []
    own = ("file://", "data:", "blob:")
    assert [url for url in asked if not url.startswith(own)] == []
    pages = [url for url in asked if url.startswith("file://")]
    assert len(pages) == len(contexts), "nothing but the pages themselves"


def middle_of(page, q, k, nth=0):
    """Viewport coordinates of the middle of a cell."""
    return (
        page.locator(ELEMENT)
        .nth(nth)
        .evaluate(
            """(e, [q, k]) => {
            const box = e.canvas.getBoundingClientRect(), v = e.view;
            return [box.left + v.left + (k + 0.5) * v.cell - e.pane.scrollLeft,
                    box.top + v.top + (q + 0.5) * v.cell - e.pane.scrollTop];
        }""",
            [q, k],
        )
    )


def reading(page, nth=0):
    return " ".join(page.locator(".reading").nth(nth).inner_text().split())


def pixel(page, q, k, nth=0):
    """The colour drawn near the corner of a cell, away from any number in it and from its outline."""
    return (
        page.locator(ELEMENT)
        .nth(nth)
        .evaluate(
            """(e, [q, k]) => {
            const v = e.view, dpr = e.canvas.width / v.width;
            const x = (v.left + (k + 0.22) * v.cell) * dpr, y = (v.top + (q + 0.22) * v.cell) * dpr;
            return [...e.canvas.getContext("2d").getImageData(x, y, 1, 1).data.slice(0, 3)];
        }""",
            [q, k],
        )
    )


def colour(weight, ramp=tuple(RAMP)):
    stops = np.array([list(bytes.fromhex(stop)) for stop in ramp], float)
    return [np.interp(weight * (len(stops) - 1), range(len(stops)), channel) for channel in stops.T]


# ---- the numbers ----


def test_every_cell_reads_the_weight_it_was_given(show):
    page = show(attention_map(MAPS, WORDS))
    page.locator("select").nth(0).select_option("1")
    page.locator("select").nth(1).select_option("2")
    for q in range(10):
        for k in range(0, 10, 3):
            page.mouse.move(*middle_of(page, q, k))
            said = reading(page)
            if k > q:
                assert said == f"{WORDS[q]} {q} → {WORDS[k]} {k} exactly 0"
            else:
                assert said.startswith(f"{WORDS[q]} {q} → {WORDS[k]} {k} ")
                assert abs(float(said.split()[-1]) - MAPS[1, 2, q, k].item()) <= 0.00051


def test_every_cell_has_the_colour_of_its_weight(show):
    page = show(attention_map(MAPS, WORDS, layer=1, head=3, query=0))
    page.mouse.move(0, 0)
    for q in range(1, 10):
        for k in range(10):
            expected = [255, 255, 255] if k > q else colour(MAPS[1, 3, q, k].item())
            assert np.abs(np.array(pixel(page, q, k)) - expected).max() <= 3, (q, k)


def test_cross_attention_reads_rows_as_queries(show):
    maps = causal(10, 10)[:, :6].div(causal(10, 10)[:, :6].sum(-1, keepdim=True))[6:]  # (T = 4, S = 6)
    page = show(attention_map(maps, (list("wxyz"), list("abcdef"))))
    page.mouse.move(*middle_of(page, 3, 5))
    assert reading(page) == f"z 3 → f 5 {maps[3, 5]:.3f}"
    strips = page.locator(".tokens")
    assert strips.count() == 2
    strips.nth(1).locator(".token").nth(4).hover()
    assert reading(page).startswith("e 4 is looked at most by")
    values = [float(v or 0) for v in strips.nth(0).locator("small").all_inner_texts()]
    assert np.abs(np.array(values) - maps[:, 4].numpy()).max() <= 0.00501


def test_the_strip_shows_the_row_of_the_chosen_token(show):
    page = show(attention_map(MAPS, WORDS))
    page.locator(".token").nth(7).hover()
    values = [float(v or 0) for v in page.locator(".token small").all_inner_texts()]
    assert np.abs(np.array(values) - MAPS[0, 0, 7].numpy()).max() <= 0.00501
    assert reading(page).startswith("it 7 looks most at")
    best = MAPS[0, 0, 7].argmax().item()
    assert reading(page).split("most at ")[1].startswith(f"{WORDS[best]} {best} ")
    page.wait_for_timeout(150)  # the shade fades in
    shade = page.locator(".token").nth(best).evaluate("(t) => getComputedStyle(t).backgroundColor")
    assert np.abs(np.array(re.findall(r"\d+", shade), float) - colour(MAPS[0, 0, 7, best].item())).max() <= 3


def test_512_tokens_deflated_and_zoomed(show):
    maps = causal(2, 512, 512)
    page = show(attention_map(maps, [f"t{i}" for i in range(512)], head=1))
    assert "“" not in reading(page)
    page.locator(".scroll").focus()
    page.keyboard.press("Control+Home")
    assert reading(page) == "t0 0 → t0 0 1.00"
    for _ in range(6):
        page.get_by_role("button", name="Larger cells").click(force=True)
        if page.get_by_role("button", name="Larger cells").is_disabled():
            break
    page.locator(".scroll").focus()
    page.keyboard.press("Control+End")
    assert page.locator(".scroll").evaluate("(s) => s.scrollLeft > 5000 && s.scrollTop > 5000")
    assert abs(float(reading(page).split()[-1]) - maps[1, 511, 511].item()) <= 0.008
    page.mouse.move(*middle_of(page, 505, 500))
    said = reading(page)
    assert said.startswith("t505 505 → t500 500 ") and abs(float(said.split()[-1]) - maps[1, 505, 500].item()) <= 0.008
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


# ---- pointer, keys, selectors ----


def test_layer_and_head_can_be_chosen_in_three_ways(show):
    page = show(attention_map({"enc.0": MAPS[:1], "enc.1": MAPS[1:]}, WORDS))
    at = middle_of(page, 9, 3)

    def weight():
        page.mouse.move(*at)
        value = float(reading(page).split()[-1])
        page.mouse.move(0, 0)
        return value

    assert weight() == pytest.approx(MAPS[0, 0, 9, 3].item(), abs=6e-4)
    page.get_by_label("Layer", exact=True).select_option("enc.1")
    assert weight() == pytest.approx(MAPS[1, 0, 9, 3].item(), abs=6e-4)
    page.get_by_role("radio", name="head 2").click()
    assert weight() == pytest.approx(MAPS[1, 2, 9, 3].item(), abs=6e-4)
    assert page.get_by_label("Head", exact=True).input_value() == "2"
    page.get_by_role("radio", name="head 2").press("ArrowRight")
    assert weight() == pytest.approx(MAPS[1, 3, 9, 3].item(), abs=6e-4)
    assert page.locator("[role=radio][aria-checked=true]").inner_text().strip() == "head 3"
    page.get_by_label("Head", exact=True).select_option("head 1")
    assert weight() == pytest.approx(MAPS[1, 1, 9, 3].item(), abs=6e-4)


def test_the_keyboard_alone_is_enough(show):
    page = show(attention_map(MAPS, WORDS))
    reached = []
    for _ in range(12):
        page.keyboard.press("Tab")
        reached.append(page.evaluate(FOCUSED))
        if reached[-1] == "scroll":
            break
    assert reached[-1] == "scroll", reached
    page.keyboard.press("ArrowUp")  # the first key sets foot on the map
    assert reading(page).startswith("warm 9 → The 0 ")
    for key in "ArrowUp", "ArrowUp", "ArrowRight", "ArrowRight":
        page.keyboard.press(key)
    assert reading(page) == f"it 7 → sat 2 {MAPS[0, 0, 7, 2]:.3f}"
    page.keyboard.press("End")
    assert reading(page) == "it 7 → warm 9 exactly 0"
    page.wait_for_timeout(300)
    assert " ".join(page.get_by_role("status").inner_text().split()) == reading(page)
    page.keyboard.press("Escape")
    assert reading(page).startswith("it 7 looks most at")
    for key in ["ArrowUp"] * 20:
        page.keyboard.press(key)
    assert reading(page).startswith("The 0 →"), "the edge holds"
    reached = [page.keyboard.press("Tab") or page.evaluate(FOCUSED) for _ in range(2)]
    assert reached == ["head", "token lit"], "one tab stop for the heads, one for the tokens"
    page.keyboard.press("ArrowRight")
    assert reading(page).startswith("cat 1 looks most at")


def test_hover_is_passing_and_a_click_stays(show):
    page = show(attention_map(MAPS, WORDS))
    before = reading(page)
    page.mouse.move(*middle_of(page, 5, 2))
    assert reading(page).startswith("mat 5 → sat 2")
    page.mouse.move(2, 2)
    assert reading(page) == before
    page.mouse.click(*middle_of(page, 5, 2))
    page.mouse.move(2, 2)
    assert reading(page).startswith("mat 5 → sat 2")
    page.wait_for_timeout(300)
    assert page.get_by_role("status").inner_text().strip() != ""


def test_hover_says_nothing_to_a_screen_reader(show):
    page = show(attention_map(MAPS, WORDS))
    page.mouse.move(*middle_of(page, 5, 2))
    page.wait_for_timeout(300)
    assert page.get_by_role("status").inner_text() == ""


def test_row_and_column_light_up(show):
    page = show(attention_map(MAPS, WORDS, query=0))

    def accents(x, y):
        """How much of the accent's orange is near a point of the canvas."""
        return page.locator(ELEMENT).evaluate(
            """(e, [x, y]) => { const d = e.canvas.getContext("2d").getImageData(x - 3, y - 3, 7, 7).data; let n = 0;
                for (let i = 0; i < d.length; i += 4) n += d[i] > d[i + 2] + 60; return n; }""",
            [x, y],
        )

    v = page.locator(ELEMENT).evaluate("(e) => e.view")
    row_edge = v["left"] + 8.5 * v["cell"], v["top"] + 6 * v["cell"]
    column_edge = v["left"] + 3 * v["cell"], v["top"] + 8.5 * v["cell"]
    assert accents(*row_edge) == 0 and accents(*column_edge) == 0
    page.mouse.move(*middle_of(page, 6, 3))
    assert accents(*row_edge) > 0 and accents(*column_edge) > 0
    assert "lit" in page.locator(".token").nth(6).get_attribute("class")
    assert "met" in page.locator(".token").nth(3).get_attribute("class")


def test_scale_each_row_changes_colours_not_numbers(show):
    page = show(attention_map(MAPS, WORDS, query=0))
    best = MAPS[0, 0, 9].argmax().item()
    page.get_by_label("Scale each row").check()
    page.mouse.move(0, 0)
    assert np.abs(np.array(pixel(page, 9, best)) - colour(1)).max() <= 3
    page.mouse.move(*middle_of(page, 9, best))
    assert reading(page).endswith(f"{MAPS[0, 0, 9, best]:.3f}")
    assert "maximum" in page.locator(".legend").inner_text()


def test_a_finger_can_choose(show):
    page = show(attention_map(MAPS, WORDS), width=360, coarse=True)
    page.touchscreen.tap(*middle_of(page, 5, 2))
    assert reading(page).startswith("mat 5 → sat 2")
    page.locator(".token").nth(8).tap()
    assert reading(page).startswith("was 8 looks most at")


# ---- where it stands ----


@pytest.mark.parametrize("name", ["two maps", "script first", "script twice", "map added later"])
def test_one_script_serves_the_page(show, name):
    one, two = attention_map(MAPS, WORDS, title="one"), attention_map(MAPS[:, 1:3], WORDS, title="two")
    bodies = {
        "two maps": one.html() + two.html() + script(),
        "script first": script() + one.html() + two.html(),
        "script twice": one.html() + script() + two.html() + script(),
        "map added later": one.html() + script(),
    }
    page = show(body=bodies[name])
    if name == "map added later":
        page.evaluate("(markup) => document.body.insertAdjacentHTML('beforeend', markup)", two.html())
        page.evaluate(f"document.querySelectorAll('{ELEMENT}')[1].ready")
    page.mouse.move(*middle_of(page, 9, 3))
    assert reading(page, 0) == f"warm 9 → on 3 {MAPS[0, 0, 9, 3]:.3f}"
    page.locator(ELEMENT).nth(1).scroll_into_view_if_needed()
    page.mouse.move(*middle_of(page, 9, 3, nth=1))
    assert reading(page, 1) == f"warm 9 → on 3 {MAPS[0, 1, 9, 3]:.3f}"


def test_a_map_that_was_moved_still_works(show):
    page = show(attention_map(MAPS, WORDS))
    page.evaluate(f"const e = document.querySelector('{ELEMENT}'); e.remove(); document.body.prepend(e)")
    page.mouse.move(*middle_of(page, 9, 3))
    assert reading(page).startswith("warm 9 → on 3")


def test_nothing_is_left_of_the_picture_where_scripts_run(show):
    page = show(attention_map(MAPS, WORDS, alt="each looks at itself"))
    assert not page.get_by_alt_text("each looks at itself").is_visible()
    assert page.locator(".title").count() == 0 and page.locator(ELEMENT).get_attribute("title") is None


def test_without_scripts_the_picture_is_seen(show):
    page = show(attention_map(MAPS, WORDS, alt="each looks at itself"), scripts=False)
    assert page.get_by_text("rows are queries").is_visible()
    image = page.get_by_alt_text("each looks at itself")
    assert image.is_visible() and image.bounding_box()["width"] > 200


def test_damaged_data_falls_back_to_the_picture(show, capfd):
    markup = re.sub(r'data-config="[^"]*"', 'data-config="{}"', attention_map(MAPS, WORDS, alt="the picture").html())
    page = show(body=markup)
    page.evaluate(script().split(">", 1)[1].rsplit("</script>", 1)[0].replace("console.warn", "void"))
    page.evaluate(f"document.querySelector('{ELEMENT}').ready")
    assert page.get_by_alt_text("the picture").is_visible()


@pytest.mark.parametrize(
    "node, attribute, dark, light",
    [
        ("documentElement", "data-theme", "dark", "light"),
        ("body", "data-jp-theme-light", "false", "true"),
        ("body", "data-vscode-theme-kind", "vscode-dark", "vscode-light"),
        ("body", "data-vscode-theme-kind", "vscode-high-contrast", "vscode-high-contrast-light"),
        ("documentElement", "theme", "dark", "light"),
    ],
)
def test_it_follows_the_theme_of_the_page(show, node, attribute, dark, light):
    page = show(attention_map(MAPS, WORDS), theme="light")
    paper = []
    for value in dark, light, dark:
        page.evaluate(f"document.{node}.setAttribute('{attribute}', '{value}')")
        page.wait_for_timeout(50)
        background = page.locator(".figure").evaluate("(m) => getComputedStyle(m).backgroundColor")
        canvas = page.locator(ELEMENT).evaluate(
            "(e) => [...e.canvas.getContext('2d').getImageData(2, 2, 1, 1).data.slice(0, 3)]"
        )
        assert re.findall(r"\d+", background) == [str(c) for c in canvas]
        paper.append(sum(canvas))
    assert paper[0] < 120 and paper[1] > 700 and paper[2] < 120


def test_dark_mode_of_the_system_and_the_dark_scale(show):
    page = show(attention_map(MAPS, WORDS, query=0), theme="dark")
    bar = page.locator(".bar").evaluate("(b) => [...b.getContext('2d').getImageData(0, 0, 256, 1).data]")
    linear = (np.array(bar).reshape(256, 4)[:, :3] / 255) ** 2.2
    assert (np.diff((linear @ [0.2126, 0.7152, 0.0722])[::8]) > 0).all(), "lighter all the way"
    page.emulate_media(color_scheme="light")
    page.wait_for_timeout(50)
    bar = page.locator(".bar").evaluate("(b) => [...b.getContext('2d').getImageData(0, 0, 256, 1).data]")
    assert np.abs(np.array(bar).reshape(256, 4)[128, :3] - colour(128 / 255)).max() <= 2


@pytest.mark.parametrize("tokens", [10, 64, 200])
def test_a_phone_is_wide_enough(show, tokens):
    labels = [f"word{i}" for i in range(tokens)]
    page = show(attention_map(causal(2, 12, tokens, tokens), labels, title="x" * 200), width=360)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.get_by_role("radio", name="head 11").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_targets_are_large_enough_for_a_finger(show):
    page = show(attention_map(MAPS, WORDS), width=360, coarse=True)
    for box in page.locator("button:visible, select:visible").evaluate_all(
        "(all) => all.map((e) => { const b = e.getBoundingClientRect(); return [b.width, b.height]; })"
    ):
        assert min(box) >= 24, box  # WCAG 2.2, 2.5.8


def test_every_control_has_a_name(show):
    page = show(attention_map(MAPS, WORDS))
    unnamed = page.evaluate(
        f"""[...document.querySelector('{ELEMENT}').shadowRoot.querySelectorAll('button, select, input, [role]')]
        .filter((e) => !e.hidden && !(e.getAttribute('aria-label') || e.textContent.trim() || e.labels?.length
            || e.getAttribute('role') === 'status')).map((e) => e.outerHTML)"""
    )
    assert unnamed == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_numbers_can_be_read_on_every_shade(show, theme):
    """WCAG 2.2, 1.4.3: at least 4.5 to 1."""
    shades = np.linspace(0, 1, 60)[None]
    page = show(attention_map(shades, (["all"], [f"t{i}" for i in range(60)])), theme=theme)
    page.emulate_media(reduced_motion="reduce")
    page.wait_for_timeout(200)
    pairs = page.locator(".tokens").nth(1).locator(".token").evaluate_all(
        "(all) => all.map((t) => [getComputedStyle(t).color, getComputedStyle(t).backgroundColor])"
    )  # fmt: skip
    for pair in pairs[1:]:
        rgb = np.array([[int(c) for c in re.findall(r"\d+", colour)[:3]] for colour in pair]) / 255
        linear = np.where(rgb <= 0.03928, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722]
        assert (linear.max() + 0.05) / (linear.min() + 0.05) >= 4.5, pair


def test_less_motion_when_asked(show):
    page = show(attention_map(MAPS, WORDS))
    seconds = "(t) => getComputedStyle(t).transitionDuration"
    assert page.locator(".token").first.evaluate(seconds) != "0s"
    page.emulate_media(reduced_motion="reduce")
    assert page.locator(".token").first.evaluate(seconds) == "0s"


def test_hostile_tokens_do_nothing(show):
    tokens = ["<img src=x onerror=alert(1)>", "</script><script>alert(2)</script>", "<svg/onload=alert(3)>", '"><b>',
              "\u202eevil", "\x00", "\ud800", "&lt;", "🙂", ""]  # fmt: skip
    page = show(attention_map(MAPS, tokens, title="<img src=x onerror=alert(4)>"))
    for q in range(10):
        page.mouse.move(*middle_of(page, q, 0))
    page.locator(".token").first.click()
    inside = page.evaluate(
        f"[...document.querySelector('{ELEMENT}').shadowRoot.querySelectorAll('*')].map((e) => e.localName)"
    )
    assert set(inside) <= set("style div span b i bdi label select option input button canvas small".split())
    assert page.locator(".token bdi").all_inner_texts()[:2] == ["<img␣src=x␣onerror=alert(1)>", tokens[1]]
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save this head as an SVG").click()
    svg = saved.value.path().read_text(encoding="utf-8")
    assert "<script" not in svg and "<img" not in svg and "&lt;img" in svg


# ---- saving, printing ----


def test_png_and_svg_can_be_saved(show):
    from xml.etree import ElementTree

    page = show(attention_map(MAPS, WORDS, title="A title"))
    page.get_by_role("radio", name="head 3").click()
    with page.expect_download() as saved:
        page.get_by_role("button", name="PNG").click()
    assert saved.value.suggested_filename == "attention-layer-0-head-3.png"
    image = Image.open(io.BytesIO(saved.value.path().read_bytes()))
    assert min(image.size) > 400 and len(image.convert("RGB").getcolors(1 << 20)) > 20
    with page.expect_download() as saved:
        page.get_by_role("button", name="SVG").click()
    assert saved.value.suggested_filename == "attention-layer-0-head-3.svg"
    root = ElementTree.parse(saved.value.path()).getroot()
    space = "{http://www.w3.org/2000/svg}"
    texts = [text.text for text in root.iter(f"{space}text")]
    assert texts[0] == "A title — layer 0, head 3" and all(texts.count(word) >= 2 for word in WORDS)
    assert len(list(root.iter(f"{space}rect"))) == 3 + 55, "paper, frame, legend, and every cell that is not exactly 0"


def test_large_maps_can_be_saved(show):
    page = show(attention_map(causal(256, 256), [f"t{i}" for i in range(256)]))
    for kind in "PNG", "SVG":
        with page.expect_download() as saved:
            page.get_by_role("button", name=kind).click()
        assert saved.value.path().stat().st_size > 20_000


def test_print_is_light(show):
    page = show(attention_map(MAPS, WORDS), theme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    page.wait_for_timeout(100)
    corner = page.locator(ELEMENT).evaluate("(e) => [...e.canvas.getContext('2d').getImageData(2, 2, 1, 1).data]")
    assert corner == [255] * 4 and not page.locator(".controls").is_visible()
