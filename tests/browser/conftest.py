"""A browser, the built book on a server of its own, and pages that write down all they ask for and complain about.

    def test_something(open_page):
        page = open_page("chapters/03_attention.html", color_scheme="dark")
        ...
        assert page.complaints == []

`page` is a blank page of the same kind. Without a browser these tests are skipped, and say so; where the variable CI
is set they fail. They look at _build/html, so run `make book` first.
"""

import os
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest

ROOT = Path(__file__).parents[2]
BOOK = ROOT / "_build" / "html"
QUIET = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
QUIET += ["--disable-component-update", "--disable-sync"]

HEAD = (
    "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'><title>t</title>"
)

sys.path.insert(0, str(ROOT / "tools"))


def pytest_collection_modifyitems(items):
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker("browser")


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture(scope="session")
def book():
    """The address of the built book, on a server of this test run."""
    if not (BOOK / "index.html").exists():
        pytest.fail(f"the book is not built ({BOOK / 'index.html'} is missing): run make book first", pytrace=False)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(BOOK)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()


@pytest.fixture(scope="session")
def browser():
    """A Chromium that is installed here."""
    import browser as finder
    from playwright.sync_api import sync_playwright

    path = finder.installed()
    if path is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(finder.HELP)
    with sync_playwright() as p:
        chromium = p.chromium.launch(executable_path=path, args=QUIET)
        yield chromium
        chromium.close()


def listen(page):
    """Give the page `outside`, the addresses on other hosts that it asked for, and `complaints`, what went wrong."""
    page.outside, page.complaints = [], []

    def asked(request):
        address = urlsplit(request.url)
        if address.scheme not in ("data", "blob", "file", "about") and address.hostname != "127.0.0.1":
            page.outside.append(request.url)

    def answered(response):
        if response.status >= 400:
            page.complaints.append(f"{response.status} for {response.url}")

    def logged(said):
        if said.type == "error":
            page.complaints.append(f"console: {said.text} ({said.location.get('url', '')})")

    page.on("request", asked)
    page.on("response", answered)
    page.on("requestfailed", lambda request: page.complaints.append(f"failed: {request.url} ({request.failure})"))
    page.on("pageerror", lambda error: page.complaints.append(f"uncaught: {error}"))
    page.on("console", logged)
    return page


def visit(page, address, scripts=True):
    """Load an address; wait for its formulas and for whatever its scripts fetch."""
    page.goto(address, wait_until="load")
    if scripts:
        page.wait_for_function("!window.MathJax?.startup?.promise || MathJax.startup.promise.then(() => true)")
        page.wait_for_load_state("networkidle")
    return page


@pytest.fixture
def new_page(browser):
    """new_page(**options of Playwright's new_context) -> a blank page of its own that is listened to."""
    contexts = []

    def new(**options):
        context = browser.new_context(**options)
        context.set_default_timeout(30_000)
        contexts.append(context)
        return listen(context.new_page())

    yield new
    for context in contexts:
        context.close()


@pytest.fixture
def page(new_page):
    return new_page()


@pytest.fixture
def open_page(new_page, book):
    """open_page("running.html", **options) -> the page, loaded, its formulas set; from_file=True opens it as a file."""

    def open_(where, from_file=False, **options):
        address = f"{BOOK.as_uri()}/{where}" if from_file else book + where
        return visit(new_page(**options), address, options.get("java_script_enabled", True))

    return open_


@pytest.fixture
def show_html(new_page, tmp_path):
    """show_html(html of figures, ...) -> a page with it; afterwards: it had nothing to say, and asked nobody."""
    pages = []

    def show(html, width=900, theme="light", scripts=True, **more):
        file = tmp_path / f"page{len(pages)}.html"
        file.write_text(HEAD + html, encoding="utf-8")
        size = {"width": width, "height": 900}
        page = new_page(viewport=size, color_scheme=theme, java_script_enabled=scripts, **more)
        page.said = []
        page.on("console", lambda message: page.said.append(message.text))
        page.goto(file.as_uri())
        pages.append(page)
        return page

    yield show
    for page in pages:
        assert page.said == [] and page.complaints == [] and page.outside == []
