"""glossary.md: every term in both languages, in its place, with a chapter that exists behind it."""

import re
from pathlib import Path

import nbformat
from myst_parser.mdit_to_docutils.base import default_slugify

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "glossary.md").read_text(encoding="utf-8")
(WORDS,) = re.findall(r"^```\{glossary\}\n(.*?)^```$", TEXT, re.M | re.S)
ENTRIES = [entry.split("\n", 1) for entry in WORDS.strip("\n").split("\n\n")]
TERM = re.compile(r"(?P<english>[^()\u4e00-\u9fff]+) \((?P<chinese>[^()]*[\u4e00-\u9fff][^()]*)\)")


def test_every_term_is_in_both_languages():
    assert len(ENTRIES) > 150
    odd = [term for term, _ in ENTRIES if not TERM.fullmatch(term)]
    assert not odd, f"write a term as: attention map (注意力图); not as {odd}"
    for language in ("english", "chinese"):
        words = [TERM.fullmatch(term)[language].lower() for term, _ in ENTRIES]
        assert len(set(words)) == len(words), f"twice in {language}: {[w for w in words if words.count(w) > 1]}"


def test_every_term_is_defined_in_a_sentence_or_two():
    for term, text in ENTRIES:
        lines = text.split("\n")
        assert all(line.startswith("  ") and line.strip() for line in lines), f"{term}: indent its text by two spaces"
        assert text.rstrip().endswith((".", "?")) and len(text) < 500, f"{term}: a sentence or two"


def test_terms_stand_in_alphabetical_order():
    words = [term.lower() for term, _ in ENTRIES]
    wrong = [(a, b) for a, b in zip(words, words[1:], strict=False) if a > b]
    assert not wrong, f"the other way round: {wrong}"


def test_chapters_that_are_named_exist():
    places = {}
    for path in (ROOT / "chapters").glob("*.ipynb"):
        prose = "\n".join(c.source for c in nbformat.read(path, as_version=4).cells if c.cell_type == "markdown")
        places[path.name] = {default_slugify(title) for title in re.findall(r"^#{1,3} (.+)$", prose, re.M)}
    links = re.findall(r"\[Chapter (\d+)\]\(chapters/([\w.]+)(?:#([^)]+))?\)", WORDS)
    assert len(links) == WORDS.count("](") > 100
    for number, file, place in links:
        assert file in places, f"there is no chapters/{file}"
        assert int(file[:2]) == int(number), f"[Chapter {number}] leads to {file}"
        assert not place or place in places[file], f"chapters/{file} has no section #{place}"
