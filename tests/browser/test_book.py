"""The built book as a reader meets it: offline, light and dark, on a phone, by keyboard, without scripts."""

import json
import re
from html.parser import HTMLParser
from urllib.parse import unquote, urljoin, urlsplit

import pytest
import yaml

from conftest import BOOK, ROOT, listen, visit

PAGES = sorted(str(path.relative_to(BOOK)) for path in BOOK.rglob("*.html") if "_static" not in path.parts)
CHAPTERS = [page for page in PAGES if page.startswith("chapters/")]
HTML = {page: (BOOK / page).read_text(encoding="utf-8") for page in CHAPTERS}
MAP, STEPS = "lmkit-attention-map", "lmkit-token-steps"
WIDGETS = [(page, found) for page in CHAPTERS for found in sorted(set(re.findall(r"<(lmkit-[a-z-]+)", HTML[page])))]
WITH_MAP, WITH_STEPS = ([page for page, found in WIDGETS if found == element] for element in (MAP, STEPS))
PHONE = {"viewport": {"width": 360, "height": 740}, "device_scale_factor": 2, "has_touch": True, "is_mobile": True}

every_page = pytest.mark.parametrize("reader", PAGES, indirect=True)
every_chapter = pytest.mark.parametrize("where", CHAPTERS)
every_map = pytest.mark.parametrize("where", WITH_MAP)
every_widget = pytest.mark.parametrize(("where", "element"), WIDGETS)
both_schemes = pytest.mark.parametrize("scheme", ["light", "dark"])


@pytest.fixture(scope="module")
def reader(request, browser, book):
    """Every page of the book in turn, loaded once for all tests that only look at it, in the light scheme."""
    context = browser.new_context(color_scheme="light")
    page = visit(listen(context.new_page()), book + request.param)
    page.where = request.param
    yield page
    context.close()


@pytest.fixture(autouse=True)
def as_before(request):
    """What a test changed of a page that others look at too."""
    yield
    if "reader" in request.fixturenames:
        page = request.getfixturevalue("reader")
        page.emulate_media(color_scheme="light")
        page.set_viewport_size({"width": 1280, "height": 720})


def test_the_book_is_built_with_its_chapters(book):
    notebooks = {path.stem for path in (ROOT / "chapters").glob("*.ipynb")}
    assert {page.split("/")[-1].removesuffix(".html") for page in CHAPTERS} == notebooks, "run make book"


def test_the_map_and_the_table_lead_to_every_chapter(open_page):
    page = open_page("index.html")
    for where in (".lm-map a", "article table a:not([href*='#'])"):
        links = page.locator(where).evaluate_all("all => all.map(one => one.getAttribute('href').split('#')[0])")
        assert set(links) == set(CHAPTERS), where
    assert page.locator(".lm-map a").first.evaluate("one => { one.focus(); return document.activeElement === one; }")


def test_the_instruments_see_faults(new_page, tmp_path):
    """A page with every fault that the tests below look for on each page."""
    bad = tmp_path / "bad.html"
    bad.write_text(
        """<article style="background: white"><p style="color: #bbb">faint</p><p style="color: #333">clear</p>
        <div style="width: 500px">wide</div><img alt="" src="https://example.invalid/x.png">
        <svg width=9 height=9><text fill="#eee">pale</text></svg><img alt="gone" src="gone.png">
        <script>console.error("said"); thrown.now()</script></article>""",
        encoding="utf-8",
    )
    page = visit(new_page(viewport=PHONE["viewport"]), bad.as_uri())
    assert page.outside == ["https://example.invalid/x.png"]
    assert [fault.split(": ")[0] for fault in page.complaints].count("failed") == 2
    assert any("said" in fault for fault in page.complaints)
    assert any("thrown is not defined" in fault for fault in page.complaints)
    assert [fault.split(": ")[2] for fault in page.evaluate(CONTRAST)] == ["faint", "pale"]
    assert page.evaluate(STICKS_OUT)[0].startswith("the page is 5")


@every_page
def test_quiet_and_offline(reader):
    reader.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    reader.mouse.wheel(0, 100_000)  # what loads only when it comes into sight
    reader.emulate_media(color_scheme="dark")
    reader.wait_for_load_state("networkidle")
    assert reader.outside == []
    assert reader.complaints == []


@every_page
def test_formulas(reader):
    math = reader.locator(".math")
    missing = math.evaluate_all(
        "all => all.filter(one => !one.querySelector('mjx-container')).map(one => one.textContent)"
    )
    assert missing == [], "formulas left raw"
    assert reader.locator("mjx-merror").all_text_contents() == []
    said = reader.evaluate("""() => {
        const body = document.querySelector('article, main').cloneNode(true);
        body.querySelectorAll('pre, code, script, style, mjx-container').forEach(one => one.remove());
        return body.textContent;
    }""")
    assert not re.search(r"\$\$|\\\(|\\\[|\{(?:ref|doc|cite|term|math)[^}]*\}`", said), "raw TeX or MyST in the text"


@both_schemes
@every_page
def test_contrast(reader, scheme):
    """WCAG 2.1: 4.5 to 1, and 3 to 1 for large letters, measured on every visible piece of the page's own text."""
    reader.emulate_media(color_scheme=scheme)
    reader.wait_for_function(f"document.documentElement.dataset.theme === '{scheme}'")
    reader.wait_for_timeout(200)  # colours may fade over
    reader.wait_for_function("document.getAnimations().every(one => one.playState !== 'running')")
    assert reader.evaluate(CONTRAST) == []


CONTRAST = r"""() => {
    const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
    const rgba = color => {
        canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1);
        const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data; return [r, g, b, a / 255];
    };
    const over = (top, below) => top.slice(0, 3).map((c, i) => c * top[3] + below[i] * (1 - top[3]));
    const luminance = color => color.map(c => c / 255)
        .map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
        .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
    const behind = one => {
        const layers = [];
        for (let at = one; at; at = at.parentElement) layers.push(rgba(getComputedStyle(at).backgroundColor));
        return layers.reverse().reduce((below, top) => over(top, below), [255, 255, 255]);
    };
    const found = new Set();
    const walk = document.createTreeWalker(document.querySelector('article, main'), NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) {
        const one = walk.currentNode.parentElement, text = walk.currentNode.textContent.trim();
        if (!/[\p{L}\p{N}]/u.test(text)) continue;
        if (!one.checkVisibility({visibilityProperty: true, opacityProperty: true})) continue;
        if (one.closest('script, style, mjx-assistive-mml, [aria-hidden=true]')) continue;
        const style = getComputedStyle(one), inSvg = one.closest('svg');
        const background = behind(one), color = over(rgba(inSvg ? style.fill : style.color), background);
        const [light, dark] = [luminance(color), luminance(background)].sort((a, b) => b - a);
        const ratio = (light + 0.05) / (dark + 0.05), size = parseFloat(style.fontSize);
        const large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
        if (ratio < (large ? 3 : 4.5) - 0.01)
            found.add(`${ratio.toFixed(2)}: ${one.tagName} ${one.getAttribute('class')}: ${text.slice(0, 40)}`);
    }
    return [...found];
}"""


@every_page
def test_narrow(reader):
    """360 px wide: nothing sticks out; what is wider scrolls inside its own box."""
    reader.set_viewport_size(PHONE["viewport"])
    reader.wait_for_timeout(300)
    assert reader.evaluate(STICKS_OUT) == []


@both_schemes
@every_chapter
def test_phone(open_page, where, scheme):
    page = open_page(where, color_scheme=scheme, **PHONE)
    assert page.evaluate(STICKS_OUT) == []
    assert page.outside == [] and page.complaints == []


STICKS_OUT = """() => {
    const root = document.scrollingElement, out = [];
    if (root.scrollWidth <= innerWidth && innerWidth <= 360) return out;
    for (const one of document.querySelectorAll('article *')) {
        const box = one.getBoundingClientRect();
        if (box.width && box.right > 361) out.push(`${one.tagName}.${one.getAttribute('class')} to ${box.right}`);
    }
    return [`the page is ${root.scrollWidth} px wide`, ...out.slice(0, 10)];
}"""


@every_page
def test_structure(reader):
    page = reader
    assert page.title().strip() and page.evaluate("document.documentElement.lang")
    levels = page.locator("article :is(h1, h2, h3, h4, h5, h6)").evaluate_all("all => all.map(one => +one.tagName[1])")
    if page.where not in ("genindex.html", "search.html"):
        assert levels.count(1) == 1 and levels[0] == 1, f"headings of levels {levels}"
    jumps = [(a, b) for a, b in zip(levels, levels[1:]) if b > a + 1]
    assert not jumps, f"headings jump over a level: {jumps}"
    unnamed = page.evaluate("""() => [...document.querySelectorAll('article :is(img, svg, canvas)')]
        .filter(one => !one.closest('[aria-hidden=true], [role=presentation]') && !one.parentElement.closest('svg'))
        .filter(one => !(one.alt || one.getAttribute('aria-label') || one.getAttribute('aria-labelledby')
                         || one.closest('[role=img][aria-label], button, a')))
        .map(one => one.outerHTML.slice(0, 200))""")
    assert unnamed == [], "pictures without a text alternative"
    silent = page.evaluate("""() => [...document.querySelectorAll('article :is(button, select, input, textarea)')]
        .filter(one => one.type !== 'hidden' && !(one.labels?.length || one.textContent.trim() || one.title
                         || one.getAttribute('aria-label') || one.getAttribute('aria-labelledby')))
        .map(one => one.outerHTML.slice(0, 200))""")
    assert silent == [], "controls without a name"
    twice = page.evaluate("""() => { const ids = [...document.querySelectorAll('[id]')].map(one => one.id);
        return ids.filter((id, i) => ids.indexOf(id) !== i); }""")
    assert twice == [], "ids that stand twice"


@every_page
def test_keyboard(reader, book):
    """The first Tab reaches the link that skips the menus, Enter follows it, and what has the focus can be seen."""
    page = visit(reader, book + reader.where)
    page.keyboard.press("Tab")
    focused = page.evaluate("document.activeElement.textContent.trim().toLowerCase()")
    assert focused.startswith("skip to main"), f"the first Tab reached {focused!r}"
    page.wait_for_function("document.activeElement.getBoundingClientRect().bottom > 0")  # it slides into sight
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#main-content"
    assert page.locator("#main-content").count() == 1


@every_chapter
def test_every_chapter_has_a_widget(where):
    assert any(page == where for page, _ in WIDGETS)


@every_widget
def test_widget_by_keyboard(open_page, where, element):
    """From the skip link, Tab alone reaches the first widget's controls."""
    page = open_page(where)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    for _ in range(1000):
        page.keyboard.press("Tab")
        if page.evaluate(f"!!document.activeElement.closest('{element}')"):
            return
    pytest.fail("1000 presses of Tab did not reach the widget")


@every_map
def test_map_is_alive(open_page, where):
    """Another layer or another head, another picture; in each of the page's maps that has more than one."""
    page = open_page(where)
    tried = 0
    for number in range(page.locator(MAP).count()):
        one = page.locator(MAP).nth(number)
        if not one.is_visible():
            continue
        assert one.evaluate("one => !!(one.shadowRoot || one).querySelector('canvas, svg')"), "the script did not run"
        one.scroll_into_view_if_needed()
        for select in one.locator("select").all():
            values = select.locator("option").evaluate_all("all => all.map(one => one.value)")
            current = select.input_value()
            for value in [value for value in values if value != current][:1]:
                before = one.screenshot()
                select.select_option(value)
                page.wait_for_timeout(200)
                assert one.screenshot() != before, f"choosing {value!r} changed nothing to be seen"
                tried += 1
    assert tried, "no map on this page has a choice of layers or heads"
    assert page.outside == [] and page.complaints == []


@pytest.mark.parametrize("where", WITH_STEPS)
def test_steps_are_alive(open_page, where):
    """The next step, another tokenizer, another text: each changes what is seen."""
    page = open_page(where)
    one = page.locator(STEPS).first
    one.scroll_into_view_if_needed()
    for change in (
        lambda: one.get_by_role("button", name="Next step").click(),
        lambda: one.get_by_role("radio").last.click(),
        lambda: one.locator("select").select_option(index=1),
    ):
        before = one.screenshot()
        change()
        page.wait_for_timeout(200)
        assert one.screenshot() != before
    assert page.outside == [] and page.complaints == []


@every_chapter
def test_without_scripts(open_page, where):
    """The text, and in the place of each map and figure a picture with a text alternative, or a table."""
    page = open_page(where, java_script_enabled=False)
    assert page.locator("article h1").is_visible()
    pictures = page.locator(f"{MAP} img")
    assert pictures.count() == page.locator(MAP).count()
    for picture in pictures.all():
        assert picture.get_attribute("alt").strip()
        if page.locator(MAP).count() and not picture.evaluate("one => !!one.closest('details, .cell_input')"):
            assert picture.is_visible() and picture.evaluate("one => one.naturalWidth > 0")
    for element in {found for there, found in WIDGETS if there == where} - {MAP}:
        for widget in page.locator(element).all():
            assert widget.locator("table caption").first.is_visible() and widget.locator("td").count()


@every_chapter
def test_from_a_file(open_page, where):
    """The page opened from the disk: complete, alive, and without complaint."""
    page = open_page(where, from_file=True)
    assert page.outside == [] and page.complaints == []
    assert page.locator(".math").count() == page.locator(".math:has(mjx-container)").count()
    for element in [found for there, found in WIDGETS if there == where]:
        for one in page.locator(element).all():
            assert one.evaluate("one => !!one.shadowRoot?.querySelector('button, input')")


def test_search(open_page):
    page = open_page("index.html")
    page.keyboard.press("Control+k")
    page.keyboard.type("attention")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search.html?q=attention*")
    first = page.locator("#search-results li a").first
    first.wait_for()
    page.wait_for_load_state("networkidle")
    assert page.outside == [] and page.complaints == []
    first.click()
    page.wait_for_load_state("load")
    assert "attention" in page.locator("article").text_content().lower()


@every_chapter
def test_notebook_can_be_had(open_page, where):
    """Download: the very notebook. Colab: the notebook in the book's repository, or the sentence that says why not."""
    page = open_page(where)
    notebook = where.replace(".html", ".ipynb")
    links = page.locator("a[href$='.ipynb']").evaluate_all("all => all.map(one => one.href)")
    downloads = [link for link in links if "_sources" in link]
    assert downloads, f"no link to download {notebook}"
    answer = page.request.get(downloads[0])
    assert answer.ok and answer.json() == json.loads((ROOT / notebook).read_text(encoding="utf-8"))
    settings = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["repository"]
    elsewhere = page.locator("a[href*='colab'], a[href*='github.com']").evaluate_all("all => all.map(one => one.href)")
    buttons = [link for link in elsewhere if "colab.research.google.com" in link]
    if settings["url"]:
        ours = urlsplit(settings["url"]).path.strip("/")
        assert buttons, "no Colab button"
        assert all(link.endswith(f"/github/{ours}/blob/{settings['branch']}/{notebook}") for link in buttons), buttons
    else:
        assert buttons == [], "the book's address is not set: whose notebook would this open?"
        said = page.locator("a[href$='#colab'], a[href*='running.html']").filter(has_text="Colab")
        assert said.count(), "neither a Colab button nor the sentence that says why there is none"
        assert "not set" in (
            said.first.get_attribute("title") or said.first.get_attribute("data-bs-original-title") or ""
        )


class Links(HTMLParser):
    """The ids of a page and what it links to."""

    def __init__(self, html):
        super().__init__()
        self.ids, self.links = set(), []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.ids |= {attrs[key] for key in ("id", "name") if attrs.get(key)}
        self.links += [attrs[key] for key in ("href", "src") if attrs.get(key)]


def test_links_inside_the_book(book):
    pages = {page: Links((BOOK / page).read_text(encoding="utf-8")) for page in PAGES}
    dead = []
    for page, found in pages.items():
        for link in found.links:
            address = urlsplit(link)
            if address.scheme or address.netloc:
                continue
            target = unquote(urlsplit(urljoin(f"/{page}", address.path or f"/{page}")).path).lstrip("/") or "index.html"
            if not (BOOK / target).exists():
                dead.append(f"{page}: {link}")
            elif address.fragment and target in pages and unquote(address.fragment) not in pages[target].ids:
                dead.append(f"{page}: {link} (no such place on that page)")
    assert dead == []


def test_errata_lead_to_the_cells_that_prove_them(open_page, book):
    """Each link lands at a code cell, which then stands in sight with what it prints."""
    page = open_page("errata.html")
    links = page.locator("article a[href*='#cell-']").evaluate_all("all => all.map(one => one.href)")
    assert len(links) >= 12
    for link in links:
        cell = visit(page, link).locator("div.cell:target")
        assert cell.count() == 1, link
        assert cell.locator(".cell_input pre").count() and cell.locator(".cell_output").count(), link
        top = cell.evaluate("one => one.getBoundingClientRect().top")
        assert 0 <= top < page.viewport_size["height"], f"{link} stands {top} px from the top"
