"""The steps of tokens in a browser: they show what the tokenizer said, by pointer, by key, and without scripts."""

import re

import numpy as np
import pytest

from lmkit.tokenizers.work import Candidate, Piece, Step, Work
from lmkit.widgets import token_steps
from lmkit.widgets.explore_tokens import TokenExplorer
from lmkit.widgets.token_steps import script

HEAD = (
    "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'><title>t</title>"
)
ELEMENT = "lmkit-token-steps"
TEXT = "low lower, newest newer\nlowest"
TOKENS = ".stack > .tokens:not(.ghost) .token"


def merges(text=TEXT, most=12):
    """Pairs of neighbours joined wherever they stand, the most frequent pair first."""
    spans, steps = [(i, i + 1) for i in range(len(text))], []

    def step(say, changed=()):
        shown = [text[a:b].replace(" ", "␣").replace("\n", "⏎") for a, b in spans]
        pieces = [Piece(label, a, b, sum(map(ord, label))) for label, (a, b) in zip(shown, spans, strict=True)]
        steps.append(Step(say, tuple(pieces), tuple(changed)))

    step("the characters")
    for n in range(most):
        pairs = [text[a : spans[i + 1][1]] for i, (a, _) in enumerate(spans[:-1])]
        if not pairs:
            break
        best = max(pairs, key=lambda pair: (pairs.count(pair), pair))
        changed, i = [], 0
        while i + 1 < len(spans):
            if text[spans[i][0] : spans[i + 1][1]] == best:
                spans[i : i + 2] = [(spans[i][0], spans[i + 1][1])]
                changed.append(i)
            i += 1
        step(f"merge {n + 1}: → {best}", changed)
    return Work("bpe", text, tuple(steps))


def characters(text=TEXT):
    return Work("characters", text, (Step("the characters", tuple(Piece(c, i, i + 1, i) for i, c in enumerate(text))),))


def in_bytes(text):
    """First the characters, not yet tokens; then the bytes, several of which may share a character."""
    pieces = [Piece(f"{byte:02X}", i, i + 1, byte) for i, c in enumerate(text) for byte in c.encode()]
    first = Step("the characters", tuple(Piece(c, i, i + 1) for i, c in enumerate(text)))
    return Work("bytes", text, (first, Step("their bytes", tuple(pieces))))


CANDIDATES = [("l", 0, 1, -3), ("o", 1, 2, -3.5), ("w", 2, 3, -4), ("lo", 0, 2, -4.25), ("low", 0, 3, -7.126)]
CANDIDATES += [(" ", 3, 4, -1), ("er", 4, 6, -2)]


def paths():
    """Two words, each with its candidates in a step of its own, and the tokens at the end."""
    fits = [Candidate(label, a, b, score, label in ("lo", "w", "er")) for label, a, b, score in CANDIDATES]
    words = (Piece("low", 0, 3), Piece("er", 4, 6))
    last = (Piece("lo", 0, 2, 1), Piece("w", 2, 3, 2), Piece("er", 4, 6, 3))
    steps = [Step("cut into words", words), Step("the first word", words, (), tuple(fits[:5]))]
    steps += [Step("the second word", words, (), tuple(fits[5:])), Step("the tokens", last, (0, 1, 2))]
    return Work("unigram", "low er", tuple(steps))


@pytest.fixture
def show(browser, tmp_path):
    """show(figure, ...) -> a page with these; afterwards: no error was logged, and nothing else was requested."""
    contexts, said, asked = [], [], []

    def open_page(*figures, width=900, theme="light", scripts=True, coarse=False, body=None, **more):
        file = tmp_path / f"page{len(contexts)}.html"
        body = body or "".join(shown.html() for shown in figures) + script()
        file.write_text(HEAD + body, encoding="utf-8")
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=theme, java_script_enabled=scripts, has_touch=coarse,
            **more,
        )  # fmt: skip
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("dialog", lambda dialog: (said.append(f"dialog {dialog.message}"), dialog.dismiss()))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(file.as_uri())
        page.said = said
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert said == []
    assert len(asked) == len(contexts) and all(url.startswith("file://") for url in asked), "nothing but the pages"


def pieces_shown(page):
    """(label, id) of each piece in the list."""
    return [tuple(token.split("\n")) for token in page.locator(TOKENS).all_inner_texts()]


def runs_shown(page):
    """(text, first piece) of each stretch of the coloured text, its line ends left out."""
    runs = page.locator(".text .run").evaluate_all("all => all.map((r) => [r.textContent, r.dataset.pieces])")
    return [(text, pieces) for text, pieces in runs]


def sentence(page):
    return page.locator(".say > :not(.ghost)").text_content()


def reading(page):
    return " ".join(page.locator(".reading").inner_text().split())


def spoken(page):
    page.wait_for_timeout(350)
    return page.get_by_role("status").inner_text()


def step(page, way="Next"):
    page.get_by_role("button", name=f"{way} step").click()


# ---- what is shown ----


def test_every_step_shows_its_pieces(show):
    work = merges()
    page = show(token_steps(work))
    for number, now in enumerate(work.steps):
        assert page.locator(".number").inner_text() == f"{number + 1} / {len(work.steps)}"
        assert sentence(page) == now.say.replace("\n", "⏎")
        assert pieces_shown(page) == [(piece.label, str(piece.id)) for piece in now.pieces]
        assert runs_shown(page) == [
            ("".join({" ": "␣", "\n": "⏎"}.get(c, c) for c in TEXT[piece.start : piece.end]), str(i))
            for i, piece in enumerate(now.pieces)
        ]
        new = page.locator(f"{TOKENS}.new").evaluate_all("all => all.map((t) => +t.dataset.pieces)")
        assert new == list(now.changed)
        assert page.locator(".text .run.new").count() == len(now.changed)
        assert page.locator(".text + .sizes").inner_text() == (
            f"{len(now.pieces)} tokens · {len(TEXT)} characters · {len(TEXT)} bytes"
        )
        if number < len(work.steps) - 1:
            step(page)
    assert page.get_by_role("button", name="Next step").get_attribute("aria-disabled") == "true"


def test_neighbours_differ_in_tint_and_the_others_keep_theirs(show):
    page = show(token_steps(merges()))
    tint = "all => all.map((t) => getComputedStyle(t).backgroundColor)"
    before = dict(zip(runs_shown(page), page.locator(TOKENS).evaluate_all(tint), strict=True))
    kept = 0
    for _ in range(12):
        step(page)
        page.wait_for_timeout(250)
        tints = page.locator(TOKENS).evaluate_all(tint)
        assert all(a != b for a, b in zip(tints, tints[1:], strict=False))
        assert page.locator(".text .run").evaluate_all(tint) == tints, "text and list agree"
        now = dict(zip(runs_shown(page), tints, strict=True))
        kept += sum(before.get(run) == tint for run, tint in now.items()) / len(now)
        before = now
    assert kept > 3, "a step recolours little"


LETTERS = """() => {
    const text = document.querySelector('lmkit-token-steps').shadowRoot.querySelector('.text'), range = new Range();
    const walk = document.createTreeWalker(text, NodeFilter.SHOW_TEXT), at = [];
    while (walk.nextNode()) for (let i = 0; i < walk.currentNode.length; i++) {
        range.setStart(walk.currentNode, i);
        range.setEnd(walk.currentNode, i + 1);
        const { left, top } = range.getBoundingClientRect();
        at.push([left, top]);
    }
    return at;
}"""


@pytest.mark.parametrize("width", [360, 900])
def test_nothing_moves_from_step_to_step(show, width):
    """Not a letter of the text, and neither what stands below the figure."""
    work = merges(TEXT * 3, 25)
    page = show(token_steps(work), width=width)
    letters, height = np.array(page.evaluate(LETTERS)), page.locator(ELEMENT).bounding_box()["height"]
    assert len(letters) == 3 * len(TEXT) and len(set(letters[:, 1])) >= 4
    places = [page.locator(part).bounding_box()["y"] for part in (".text", ".stack .tokens >> nth=1", ".reading")]
    for _ in work.steps[1:]:
        step(page)
        assert abs(np.array(page.evaluate(LETTERS)) - letters).max() < 0.6
        assert page.locator(ELEMENT).bounding_box()["height"] == height
        assert [page.locator(p).bounding_box()["y"] for p in (".text", ".stack .tokens >> nth=1", ".reading")] == places
    page.locator(TOKENS).first.hover()
    assert page.locator(ELEMENT).bounding_box()["height"] == height


def test_bytes_share_their_character(show):
    page = show(token_steps(in_bytes("é🙂a")))
    assert pieces_shown(page) == [("é",), ("🙂",), ("a",)] and "3 pieces" in page.locator(".text + .sizes").inner_text()
    step(page)
    assert runs_shown(page) == [("é", "0 1"), ("🙂", "2 3 4 5"), ("a", "6")]
    assert page.locator(".text .shared").count() == 2
    assert page.locator(".text + .sizes").inner_text() == "7 tokens · 3 characters · 7 bytes"
    page.locator(TOKENS).nth(3).hover()
    assert reading(page) == "9F id 159 place text[1:2] UTF-8, shared by 4 F0 9F 99 82"
    page.locator(".text .run").first.hover()
    assert page.locator(f"{TOKENS}.met").all_inner_texts() == ["C3\n195", "A9\n169"]


def test_what_is_left_out_stays_to_be_seen(show):
    """A space that no piece covers, and a piece that covers nothing."""
    step_ = Step("words", (Piece("[CLS]", 0, 0, 1), Piece("lo", 0, 2, 2), Piece("er", 3, 5, None)))
    page = show(token_steps(Work("words", "lo er", (step_,))))
    assert page.locator(".text").evaluate("(t) => t.textContent") == "lo␣er"
    assert page.locator(".text .gap").all_inner_texts() == ["␣"]
    page.locator(TOKENS).first.hover()
    assert reading(page) == "[CLS] id 1 place no character, at 0 UTF-8 none"
    page.locator(TOKENS).nth(2).hover()
    assert reading(page) == "er id none yet place text[3:5] UTF-8 65 72"
    assert not page.locator(".controls").is_visible() and not page.locator(".lattice").is_visible()
    assert not page.locator(".top").is_visible()


def test_scripts_of_the_world_stay_legible(show):
    """Marks on their own, right-to-left letters, joined emoji, lines, and nothing of it out of its place."""
    page = show(token_steps({"mark": {"c": characters("e\u0301")}, "rtl": {"c": characters("שלום ab")},
                             "zwj": {"c": in_bytes("👩‍👩")}, "lines": {"c": characters("a\n\nb")}}))  # fmt: skip
    assert page.locator(TOKENS).all_inner_texts() == ["e\n0", "◌\u0301\n1"]
    assert page.locator(".text .run").all_inner_texts() == ["e", "◌\u0301"]
    choose = page.get_by_label("Text", exact=True)
    choose.select_option("rtl")
    lefts = [token.bounding_box()["x"] for token in page.locator(TOKENS).all()]
    assert lefts == sorted(lefts, reverse=True), "the list runs as the text does"
    lefts = [box["x"] for box in (run.bounding_box() for run in page.locator(".text .run").all())]
    assert lefts == sorted(lefts, reverse=True)
    assert page.locator(".controls").evaluate("(c) => getComputedStyle(c).direction") == "ltr", "the rest does not"
    page.locator(TOKENS).first.focus()
    page.keyboard.press("ArrowLeft")
    assert reading(page).startswith("ל id 1 ")
    choose.select_option("zwj")
    assert page.locator(TOKENS).nth(1).inner_text() == "‹200D›"
    choose.select_option("lines")
    tops = [run.bounding_box()["y"] for run in page.locator(".text .run").all()]
    assert tops[0] == tops[1] < tops[2] < tops[3]


# ---- pointer and keys ----


def test_pointing_tells_id_place_and_bytes(show):
    work = merges()
    page = show(token_steps(work))
    usual = reading(page)
    page.keyboard.press("Tab")
    for number in (0, 5, 12):
        page.get_by_label("Step", exact=True).fill(str(number))
        for i in (0, 2, len(work.steps[number].pieces) - 1):
            piece = work.steps[number].pieces[i]
            label = piece.label if len(piece.label) <= 32 else piece.label[:32] + "…"
            codes = TEXT[piece.start : piece.end].encode().hex(" ").upper().split()
            said = f"{label} id {piece.id} place text[{piece.start}:{piece.end}] UTF-8 {' '.join(codes[:12])}"
            said += " …" if len(codes) > 12 else ""
            for where in page.locator(TOKENS), page.locator(".text .run"):
                where.nth(i).hover()
                assert reading(page) == said
                lit = page.locator(".met:visible").evaluate_all("all => all.map((m) => m.dataset.pieces)")
                assert lit == [str(i), str(i)], "in the text and in the list"
                page.mouse.move(2, 2)
                assert reading(page) == usual and page.locator(".met:visible").count() == 0
    page.locator(TOKENS).nth(2).click()
    page.mouse.move(2, 2)
    assert reading(page) != usual, "a click stays"
    page.keyboard.press("Escape")
    assert reading(page) == usual


def test_the_keyboard_alone_is_enough(show):
    page = show(token_steps({"bpe": merges(), "characters": characters()}))
    inside = f"document.querySelector('{ELEMENT}').shadowRoot.activeElement"
    names = []
    for _ in range(7):
        page.keyboard.press("Tab")
        names.append(page.evaluate(f"{inside}.ariaLabel ?? {inside}.textContent"))
    first = ["Step by step", "bpe", "Previous step", "Play", "Next step", "Step"]
    assert names[:6] == first and names[6].startswith("l"), "one stop for each choice, and one for all pieces"
    page.keyboard.press("Tab")
    assert page.evaluate(inside) is None, "and then out of it"
    for _ in range(2):
        page.keyboard.press("Shift+Tab")
    assert page.evaluate(f"{inside}.ariaLabel") == "Step", "the slider"
    for key, number in (
        ("ArrowRight", 2),
        ("ArrowRight", 3),
        ("ArrowLeft", 2),
        ("End", 13),
        ("ArrowRight", 13),
        ("Home", 1),
    ):
        page.keyboard.press(key)
        assert page.locator(".number").inner_text() == f"{number} / 13"
    page.keyboard.press("Shift+Tab")
    for key, number in ("ArrowRight", 2), ("End", 13), ("ArrowLeft", 12), ("Home", 1), ("Enter", 2), ("Space", 3):
        page.keyboard.press(key)
        assert page.locator(".number").inner_text() == f"{number} / 13"
    for _ in range(2):
        page.keyboard.press("Tab")
    assert reading(page).startswith("lo id 219 place text[0:2]")
    for key, at in ("ArrowRight", 1), ("ArrowDown", 2), ("ArrowUp", 1), ("End", -1), ("ArrowRight", -1), ("Home", 0):
        page.keyboard.press(key)
        label, number = pieces_shown(page)[at]
        assert reading(page).startswith(f"{label} id {number} ")
    page.get_by_role("radio", name="bpe").focus()
    page.keyboard.press("ArrowRight")
    assert page.get_by_role("radio", name="characters").get_attribute("aria-checked") == "true"
    assert page.evaluate(f"{inside}.textContent") == "characters" and not page.locator(".controls").is_visible()


def test_steps_are_spoken_and_hovering_is_not(show):
    page = show(token_steps(merges()))
    assert spoken(page) == ""
    page.locator(TOKENS).nth(3).hover()
    assert spoken(page) == ""
    step(page)
    now = merges().steps[1]
    assert spoken(page) == f"{now.say}. {len(now.pieces)} tokens."
    slider = page.get_by_label("Step", exact=True)
    assert slider.get_attribute("aria-valuetext") == f"step 2 of 13: {now.say}"
    page.locator(TOKENS).nth(1).click()
    assert spoken(page).split()[1:3] == ["id", str(now.pieces[1].id)]


def test_play_and_pause(show):
    page = show(token_steps(merges(most=2)))
    page.clock.install()
    page.get_by_role("button", name="Play").click()
    for number in 2, 3:
        assert page.locator(".number").inner_text() == f"{number - 1} / 3"
        page.clock.run_for(1400)
    assert page.locator(".number").inner_text() == "3 / 3"
    page.get_by_role("button", name="Play").click()
    assert page.locator(".number").inner_text() == "1 / 3", "from the start again"
    page.get_by_role("button", name="Pause").click()
    page.clock.run_for(5000)
    assert page.locator(".number").inner_text() == "1 / 3"
    page.get_by_role("button", name="Play").click()
    page.clock.run_for(1400)
    step(page, "Previous")
    page.clock.run_for(5000)
    assert page.locator(".number").inner_text() == "1 / 3", "who steps by hand has stopped it"
    page.get_by_role("button", name="Play").click()
    page.evaluate(f"document.querySelector('{ELEMENT}').remove()")
    page.clock.run_for(5000)


# ---- candidates ----


def test_candidates_span_their_letters(show):
    page = show(token_steps(paths()))
    seen = ".candidate:visible"
    assert page.locator(".lattice").is_visible() and page.locator(seen).count() == 0
    step(page)
    labels = [tuple(text.split("\n")) for text in page.locator(seen).all_inner_texts()]
    assert sorted(labels) == sorted((c[0], f"{c[3]:.2f}".replace("-", "−")) for c in CANDIDATES[:5])
    letters = [box.bounding_box() for box in page.locator(".letter:visible").all()]
    assert len(letters) == 3
    for bar in page.locator(seen).all():
        label, box = bar.inner_text().split("\n")[0], bar.bounding_box()
        _, start, end, score = next(c for c in CANDIDATES if c[0] == label)
        assert abs(box["x"] - letters[start]["x"]) < 5
        assert abs(box["x"] + box["width"] - letters[end - 1]["x"] - letters[end - 1]["width"]) < 5
        best = ", on the best path" if label in ("lo", "w") else ""
        assert bar.get_attribute("aria-label") == f"{label}, {score:.2f}{best}".replace("-", "−")
        assert bar.evaluate("(b) => b.classList.contains('best')") == bool(best)
    boxes = [bar.bounding_box() for bar in page.locator(seen).all()]
    for i, a in enumerate(boxes):
        for b in boxes[:i]:
            across, down = ((a["x"], a["width"]), (b["x"], b["width"])), ((a["y"], a["height"]), (b["y"], b["height"]))
            assert any(p + n <= q or q + m <= p for (p, n), (q, m) in (across, down)), "no bar lies on another"
    top = page.locator(".lattice").bounding_box()
    step(page)
    assert [text.split("\n")[0] for text in page.locator(f"{seen} bdi").all_inner_texts()] == ["␣", "er"]
    step(page)
    assert page.locator(seen).count() == 2, "the last ones stay to be seen beside the tokens"
    assert page.locator(".lattice").bounding_box() == top
    page.locator(".lattice .stack").focus()


# ---- side by side ----


def test_side_by_side(show):
    page = show(token_steps({"A": {"bpe": merges(), "characters": characters()}, "B": {"bytes": in_bytes("é")}}))
    page.get_by_role("radio", name="Side by side").click()
    assert not page.locator(".controls").is_visible()
    rows = page.locator(".beside li")
    n = len(merges().steps[-1].pieces)
    assert [row.locator(".sizes").inner_text() for row in rows.all()] == [
        f"{n} tokens · {len(TEXT) / n:.1f} characters each", f"{len(TEXT)} tokens · 1.0 characters each",
    ]  # fmt: skip
    assert rows.nth(0).locator(".token").all_inner_texts() == [p.label for p in merges().steps[-1].pieces]
    widths = [row.locator(".bar").bounding_box()["width"] for row in rows.all()]
    assert widths[0] / widths[1] == pytest.approx(n / len(TEXT), rel=0.02)
    height = page.locator(ELEMENT).bounding_box()["height"]
    token = merges().steps[-1].pieces[2]
    rows.nth(0).locator(".token").nth(2).hover()
    assert rows.nth(0).locator(".sizes").inner_text().split()[:2] == ["id", str(token.id)]
    assert (
        rows.nth(1).locator(".sizes").inner_text().startswith(f"{len(TEXT)} tokens")
        and page.locator(".met").count() == 1
    )
    assert page.locator(ELEMENT).bounding_box()["height"] == height
    rows.nth(1).locator(".name").click()
    assert page.get_by_role("radio", name="Step by step").get_attribute("aria-checked") == "true"
    assert page.get_by_role("radio", name="characters").get_attribute("aria-checked") == "true"
    assert len(pieces_shown(page)) == len(TEXT)
    page.get_by_role("radio", name="Side by side").click()
    page.get_by_label("Text", exact=True).select_option("B")
    assert pieces_shown(page) == [("é",)], "an example with one tokenizer has nothing to stand beside"
    page.get_by_label("Text", exact=True).select_option("A")
    assert page.locator(".text").inner_text().startswith("low"), "and the other text is back"


def test_a_live_figure_takes_over_what_was_chosen(show):
    """As when a reader types another text: the new figure opens as the old one was left."""

    class Tok:
        def __init__(self, work):
            self.show_work = work

    live = TokenExplorer({"characters": Tok(characters), "bpe": Tok(merges)}, TEXT, None)
    page = show(live.steps())
    page.get_by_role("radio", name="bpe").click()
    page.get_by_role("radio", name="Side by side").click()
    page.evaluate(f"document.body.append(document.querySelector('{ELEMENT}').cloneNode(true))")
    page.evaluate(f"document.querySelector('{ELEMENT}').remove()")
    assert page.locator(".beside").is_visible()
    assert page.get_by_role("radio", name="Side by side").get_attribute("aria-checked") == "true"
    page.get_by_role("radio", name="Step by step").click()
    assert page.locator(".number").inner_text() == "1 / 13"


# ---- where it stands ----


@pytest.mark.parametrize("width", [360, 320])
def test_a_phone_has_room(show, width):
    works = {
        "A": {kind: merges(TEXT * 2) for kind in ("characters", "bytes", "byte-level bpe", "wordpiece", "unigram")}
    }
    works |= {"a rather long name of an example": {"bpe": merges(), "unigram": characters()}}
    page = show(token_steps(works | {"C": {"unigram": paths()}}), width=width, coarse=True)
    for example in "A", "a rather long name of an example", "C":
        page.get_by_label("Text", exact=True).select_option(example)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        small = page.evaluate(
            f"""[...document.querySelector('{ELEMENT}').shadowRoot.querySelectorAll('button:not(.ghost *), select')]
            .filter((b) => b.checkVisibility()).map((b) => b.getBoundingClientRect())
            .filter((b) => b.height < 43.5 || b.width < 35.5).length"""
        )
        assert small == 0, "fingers need room"
    page.get_by_label("Text", exact=True).select_option("A")
    page.get_by_role("radio", name="Side by side").tap()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("radio", name="Step by step").tap()
    page.locator(TOKENS).nth(1).tap()
    assert reading(page).startswith("o id 111"), "a tap tells what hovering does"


COLOURS = """() => {
    const root = document.querySelector('lmkit-token-steps').shadowRoot, out = [];
    const behind = (node) => {
        for (let at = node; at; at = at.parentElement) {
            const colour = getComputedStyle(at).backgroundColor;
            if (!/, 0\\)$|transparent/.test(colour)) return colour;
        }
    };
    for (const node of root.querySelectorAll('*')) {
        const text = [...node.childNodes].some((c) => c.nodeType === 3 && c.textContent.trim());
        if (!text || node.localName === 'style' || !node.checkVisibility({ visibilityProperty: true })) continue;
        out.push([node.textContent.slice(0, 20), getComputedStyle(node).color, behind(node)]);
    }
    return out;
}"""


def assert_legible(page, what=COLOURS):
    page.wait_for_timeout(250)  # colours fade over
    found = page.evaluate(what)
    assert len(found) > 5
    for text, *pair in found:
        rgb = np.array([[float(c) for c in re.findall(r"[\d.]+", colour)[:3]] for colour in pair]) / 255
        linear = np.where(rgb <= 0.03928, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722]
        assert (linear.max() + 0.05) / (linear.min() + 0.05) >= 4.5, (text, pair)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_everything_is_legible_in_light_and_dark(show, theme):
    page = show(token_steps({"A": {"bpe": merges(), "c": characters()}, "C": {"unigram": paths()}}), theme=theme)
    for _ in range(4):
        step(page)
    page.locator(TOKENS).nth(4).hover()
    assert_legible(page)
    page.get_by_role("radio", name="Side by side").click()
    assert_legible(page)
    page.get_by_label("Text", exact=True).select_option("C")
    step(page)
    assert_legible(page)


def test_the_theme_is_the_pages_own(show):
    page = show(token_steps(merges()), theme="light")
    paper = "(e) => getComputedStyle(e.frame).backgroundColor"

    def is_dark():
        page.wait_for_timeout(50)
        return page.locator(ELEMENT).evaluate(paper) == "rgb(21, 25, 31)"

    assert not is_dark()
    for dark, light in (
        ("document.documentElement.dataset.theme = 'dark'", "delete document.documentElement.dataset.theme"),
        ("document.body.dataset.jpThemeLight = 'false'", "document.body.dataset.jpThemeLight = 'true'"),
        ("document.documentElement.setAttribute('theme', 'dark')", "document.documentElement.removeAttribute('theme')"),
    ):
        page.evaluate(dark)
        assert is_dark() or "theme', 'dark'" in dark, dark
        page.evaluate(light)
        assert not is_dark(), light
    page.evaluate("document.documentElement.dataset.theme = 'light'")
    page.emulate_media(color_scheme="dark")
    assert not is_dark(), "what the page says goes before what the system says"
    page.evaluate("delete document.documentElement.dataset.theme; delete document.body.dataset.jpThemeLight")
    assert is_dark()
    page.emulate_media(media="print", color_scheme="dark")
    assert not is_dark() and not page.locator(".controls").is_visible()


def test_less_motion_when_asked(show):
    page = show(token_steps(merges()))
    step(page)
    moves = "(t) => [getComputedStyle(t).animationName, getComputedStyle(t).transitionDuration.split(',')[0]]"
    assert page.locator(f"{TOKENS}.new").first.evaluate(moves) == ["arrive", "0.16s"]
    page.emulate_media(reduced_motion="reduce")
    assert page.locator(f"{TOKENS}.new").first.evaluate(moves) == ["none", "0s"]


def test_without_scripts_there_is_a_table(show):
    page = show(token_steps({"A": {"bpe": merges(), "c": characters()}}), scripts=False, width=360)
    assert page.locator("table").is_visible()
    assert page.get_by_role("rowheader", name="bpe").is_visible()
    assert page.locator("code").first.inner_text() == merges().tokens[0]
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page = show(token_steps(merges()))
    assert not page.locator("table").is_visible(), "where they run there is none"


def test_damaged_data_leave_the_table(show):
    page = show(body=token_steps(merges()).html().replace("data-figure='{", "data-figure='") + script())
    assert page.locator("table").is_visible()
    assert len(page.said) == 1 and "showing the plain table instead" in page.said.pop()


def test_two_figures_and_two_scripts_do_no_harm(show):
    body = token_steps(merges()).html() + script() + token_steps(characters()).html() + script()
    page = show(body=body)
    step_buttons = page.get_by_role("button", name="Next step")
    step_buttons.first.click()
    assert page.locator(".number").first.inner_text() == "2 / 13" and page.locator(ELEMENT).count() == 2


def test_hostile_text_does_nothing(show):
    texts = ["<img src=x onerror=alert(1)>", "</script><script>alert(2)</script>", "<svg/onload=alert(3)>", '"><b>',
             "' onclick='alert(4)", "\u202eevil", "\x00", "\ud800", "&lt;&amp;"]  # fmt: skip
    works = {}
    for text in texts:
        candidates = (Candidate(text, 0, len(text), -1.0, True),)
        piece = Piece(text, 0, len(text), 7)
        works[text] = {text: Work(text, text, (Step(text, (piece,), (0,), candidates),)), "other": characters(text)}
    page = show(token_steps(works, title=texts[0], alt=texts[1]))
    for i, text in enumerate(texts[:5]):
        page.get_by_label("Text", exact=True).select_option(index=i)
        page.locator(TOKENS).first.click()
        assert page.locator(TOKENS).first.locator("bdi").inner_text() == text.replace(" ", "␣")
        assert page.locator(".text").evaluate("(t) => t.textContent") == text.replace(" ", "␣")
        page.get_by_role("radio", name="Side by side").click()
        page.get_by_role("radio", name="Step by step").click()
    inside = page.evaluate(
        f"[...document.querySelector('{ELEMENT}').shadowRoot.querySelectorAll('*')].map((e) => e.localName)"
    )
    allowed = "style div span b i bdi br wbr label select option input button small svg path ul li"
    assert set(inside) <= set(allowed.split())
