"""`make pdf`: the whole book as one PDF, printed by a browser from the pages in _build/html.

    .venv/bin/python tools/pdf.py [--to _build/lmkit.pdf]

The articles of all pages follow each other on one, in the order of _toc.yml, each with its own names for places (many
chapters have a section of the same name, and Sphinx's singlehtml builder does not keep them apart). What unfolds is
open on paper. No other host is asked for anything.
"""

import argparse
import posixpath
import re
import sys
import time
from pathlib import Path

import browser
import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "_ext"))
from lmkit_book import once

ROOT = Path(__file__).resolve().parents[1]
HTTP = re.compile(r"https?:|mailto:")
FOOTER = (
    '<div style="width: 100%; padding: 0 16mm; font: 8pt sans-serif; color: #555; display: flex; '
    'justify-content: space-between"><span class="title"></span><span class="pageNumber"></span></div>'
)

WHOLE = """<style>
body { padding: 0; }
.bd-article { padding: 0; }
.bd-article + .bd-article { break-before: page; }
.bd-article :is(p, li, dd) { max-width: none; }
</style>"""
# Figures on paper: what only answers a hand goes; links lead within the book.
PAPER = """
select { appearance: none; border: 0; padding: 0; font-weight: 600; }
.buttons, .sliders { display: none; }
"""
READY = """([style, places]) => {
  const blank = [];
  for (const figure of document.querySelectorAll("article *")) {
    if (!figure.localName.startsWith("lmkit-")) continue;
    const root = figure.shadowRoot;
    if (!root?.querySelector("div, svg, canvas")) { blank.push(figure.localName); continue; }
    [...root.querySelectorAll('[aria-label="View"] button')].at(-1)?.click();  // all tokenizers, side by side
    const sheet = document.createElement("style");
    sheet.textContent = style;
    root.append(sheet);
    for (const link of root.querySelectorAll("a[href]")) {
      const page = link.protocol === "file:" && link.pathname.split("/").at(-1).replace(".html", "");
      if (page in places) link.href = `#${places[page]}`;
    }
  }
  return blank;
}"""


def pages_of(contents):
    """The pages of a table of contents, in reading order, without their ending."""
    for part in [contents, *contents.get("parts", [])]:
        if page := part.get("root") or part.get("file"):
            yield page
        for chapter in [*part.get("chapters", []), *part.get("sections", [])]:
            yield from pages_of(chapter)


def place(page, name=""):
    """What a place of a page is called on the one page of all."""
    return page.replace("/", "-") + (f"--{name}" if name else "")


def article(html, page, pages):
    """The article of a built page, with its places and links renamed."""
    html = re.search(r'<article class="bd-article">(.*?)</article>', html, re.S)[1]
    folder = posixpath.dirname(page)

    def link(match):
        target, _, name = match[2].partition("#")
        if HTTP.match(target):
            return match[0]
        target = posixpath.normpath(posixpath.join(folder, target)).removesuffix(".html") if target else page
        # What is no page of the book, such as a file to download, is not there on paper.
        return f'{match[1]}href="#{place(target, name)}"' if target in pages else match[1]

    html = re.sub(r'(<a\b[^>]*?)\bhref="([^"]*)"', link, html)
    html = re.sub(r'(<img\b[^>]*?\bsrc=")(?!data:|https?:)([^"]*)', lambda m: m[1] + posixpath.join(folder, m[2]), html)
    html = re.sub(r'(<(?:section|span|div|dt|p|table)\b[^>]*?\bid=")([^"]*)', lambda m: m[1] + place(page, m[2]), html)
    html = re.sub(r"<details\b(?![^>]*\bopen\b)", "<details open", html)
    return f'<article class="bd-article" id="{place(page)}">{html}</article>'


def whole(book, contents, title):
    """All pages as one, to stand beside them."""
    pages = list(pages_of(contents))
    built = {page: (book / f"{page}.html").read_text(encoding="utf-8") for page in pages}
    chapter = next(page for page in pages if "mathjax" in built[page].lower())  # it brings what sets formulas
    styles = re.findall(r'<link\b[^>]*\brel="?stylesheet[^>]*>', built[chapter])
    formulas = re.findall(r"<script\b[^>]*>[^<]*</script>", built[chapter])
    formulas = [script for script in formulas if "mathjax" in script.lower()]  # the theme's want the theme's frame
    head = re.sub(r'\b(href|src)="(?:\.\./)+', r'\1="', "\n".join([*styles, *formulas]))
    articles = "\n".join(article(built[page], page, set(pages)) for page in pages)
    return (
        '<!doctype html>\n<html lang="en" data-theme="light" data-mode="light">'
        f'<head><meta charset="utf-8"><title>{title}</title>\n{head}\n{WHOLE}</head>\n'
        f'<body><div class="bd-content">{once(articles)}</div></body></html>\n'
    )


def print_pdf(chromium, html, places, to):
    """Print a page. An address elsewhere that it asks for, a figure not drawn or an error in it ends the program."""
    complaints = []
    page = chromium.new_page(viewport={"width": 900, "height": 1200}, color_scheme="light")
    page.on("request", lambda asked: HTTP.match(asked.url) and complaints.append(f"asked for {asked.url}"))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.emulate_media(media="print", color_scheme="light")
    page.goto(html.as_uri(), wait_until="load", timeout=120_000)
    page.wait_for_function("!window.MathJax?.startup || MathJax.startup.promise.then(() => true)", timeout=300_000)
    page.evaluate("document.fonts.ready.then(() => true)")
    complaints += [f"{name} is not drawn" for name in page.evaluate(READY, [PAPER, places])]
    printed = page.pdf(
        format="A4", scale=0.75, outline=True, tagged=True, print_background=True,
        display_header_footer=True, header_template="<span></span>", footer_template=FOOTER,
        margin=dict(top="15mm", bottom="17mm", left="16mm", right="16mm"),
    )  # fmt: skip
    page.close()
    if complaints:  # a PDF of earlier stays as it is
        sys.exit("The page of all pages is not as it should be: " + "; ".join(complaints[:5]))
    to.write_bytes(printed)


def book_as_pdf(chromium, book, contents, title, to):
    """Print the pages of a built book, in the order of its table of contents; return how many sheets that makes."""
    places = {page.split("/")[-1]: place(page) for page in pages_of(contents)}
    page = book / "whole-book.html"  # beside the pages, for their styles and pictures; gone afterwards
    try:
        page.write_text(whole(book, contents, title), encoding="utf-8")
        print_pdf(chromium, page, places, to)
    finally:
        page.unlink(missing_ok=True)
    return len(re.findall(rb"/Type\s*/Page\b", to.read_bytes()))


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--to", type=Path, default=ROOT / "_build" / "lmkit.pdf")
    to = parser.parse_args().to
    began = time.monotonic()
    contents, config = (yaml.safe_load((ROOT / f"_{name}.yml").read_text("utf-8")) for name in ("toc", "config"))
    with browser.opened("the PDF") as chromium:
        print("Printing the book, which takes about a minute ...", flush=True)
        n_pages = book_as_pdf(chromium, browser.BOOK, contents, config["title"], to)
    print(f"{to}: {n_pages} pages, {to.stat().st_size / 1e6:.1f} MB, in {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
