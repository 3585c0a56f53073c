"""make pdf: a small book with the difficulties of ours, and the book itself."""

import re

import pdf
import pytest
import yaml

from conftest import BOOK, ROOT
from lmkit.widgets import norm_bars

CONTENTS = {
    "root": "index",
    "parts": [{"chapters": [{"file": "chapters/one", "sections": [{"file": "chapters/two"}]}]}],
}
PAGE = """<html><head><link rel="stylesheet" href="{up}_static/a.css"><script>window.MathJax = undefined</script></head>
<body><nav>theme</nav><article class="bd-article"><section id="{name}"><h1>Page {name}</h1>
<section id="recap"><h2>Recap of {name}</h2><a href="#recap">here</a>{more}</section></section>
</article></body></html>"""


@pytest.fixture
def small(tmp_path):
    """small(what stands in the second chapter) -> a built book of three pages."""
    (tmp_path / "chapters").mkdir()

    def write(more):
        links = (
            '<a href="chapters/two.html#recap">there</a> <a href="chapters/one.html">one</a> <a href="file.txt">x</a>'
        )
        (tmp_path / "index.html").write_text(PAGE.format(up="", name="index", more=links))
        (tmp_path / "chapters/one.html").write_text(PAGE.format(up="../", name="one", more="<details>deep</details>"))
        (tmp_path / "chapters/two.html").write_text(PAGE.format(up="../", name="two", more=more))
        return tmp_path

    return write


def bookmarks(path):
    """The titles of a PDF's bookmarks, and the places that its links lead to, each with whether it is there."""
    data = path.read_bytes()
    assert b"/Outlines" in data
    titles = [
        t[1] or bytes.fromhex(t[2].decode()).decode("utf-16")
        for t in re.finditer(rb"/Title (?:\((.*?)\)|<(\w+)>)\n", data)
    ]
    titles = [t.decode("latin-1").replace("\\", "") if isinstance(t, bytes) else t for t in titles]
    named = re.search(rb"/Dests (\d+) 0 R", data)[1]
    there = re.search(rb"\n%s 0 obj(.*?)endobj" % named, data, re.S)[1]
    return titles, {place.decode(): b"/" + place + b" " in there for place in re.findall(rb"/Dest /(\S+)", data)}


def test_a_small_book(small, browser, tmp_path):
    figure = norm_bars({"a": 1.0, "b": -2.0})._repr_mimebundle_()["text/html"]
    book = small(figure + figure)
    html = pdf.whole(book, CONTENTS, "Small")
    assert html.count("<script data-lmkit-script") == 1 and "<nav>" not in html and "<details open>deep" in html
    n_pages = pdf.book_as_pdf(browser, book, CONTENTS, "Small", tmp_path / "small.pdf")
    titles, places = bookmarks(tmp_path / "small.pdf")
    assert n_pages == 3 and not (book / "whole-book.html").exists()
    assert [f"{kind} {name}" in titles for name in ("index", "one", "two") for kind in ("Page", "Recap of")] == [
        True
    ] * 6
    # A section of the same name is found in its own chapter; what is no page of the book is no link.
    wanted = {"index--recap", "chapters-one", "chapters-one--recap", "chapters-two--recap"}
    assert wanted <= set(places) and all(places.values())
    assert b"file.txt" not in (tmp_path / "small.pdf").read_bytes()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("<lmkit-thing data-figure='{}'><p>plain</p></lmkit-thing>", "lmkit-thing is not drawn"),
        ('<img src="http://127.0.0.1:9/a.png">', "asked for http://127.0.0.1:9/a.png"),
        ("<script>undefined.x</script>", "undefined"),
    ],
)
def test_what_is_wrong_with_a_page_is_said(small, browser, tmp_path, more, said):
    with pytest.raises(SystemExit, match=re.escape(said)):
        pdf.book_as_pdf(browser, small(more), CONTENTS, "Small", tmp_path / "small.pdf")
    assert not (tmp_path / "small.pdf").exists()


def test_without_a_browser_it_says_what_to_do(small, monkeypatch):
    monkeypatch.setattr(pdf.browser, "installed", lambda: None)
    monkeypatch.setattr(pdf.browser, "BOOK", small(""))
    monkeypatch.setattr("sys.argv", ["pdf.py"])
    with pytest.raises(SystemExit, match="install Chromium"):
        pdf.main()


def test_the_book(book, browser, tmp_path):
    """Every page has a bookmark; a blank figure, or a request to another host, ends it with an error."""
    contents = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    n_pages = pdf.book_as_pdf(browser, BOOK, contents, "The book", tmp_path / "book.pdf")
    titles, places = bookmarks(tmp_path / "book.pdf")
    pages = list(pdf.pages_of(contents))
    heads = [re.search(r"<h1>(.*?)<a", (BOOK / f"{page}.html").read_text(encoding="utf-8"))[1] for page in pages]
    missing = [head for head in heads if re.sub(r"<.*?>", "", head) not in titles]
    assert not missing and n_pages > 20 * len(list((ROOT / "chapters").glob("*.ipynb")))
    assert len(places) > 100 and not [place for place, is_there in places.items() if not is_there]
