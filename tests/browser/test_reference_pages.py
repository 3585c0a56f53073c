"""The reference as it is built: every public name has its entry, and what stands there is set as it was meant."""

import importlib
import sys
from pathlib import Path

import pytest
from sphinx.util.inventory import InventoryFile

sys.path.insert(0, str(Path(__file__).parents[1]))
from test_reference import PAGES, ROOT, TOLD, offered

BUILT = [path.relative_to(ROOT).with_suffix(".html").as_posix() for path in PAGES]
ENTRIES = """() => [...document.querySelectorAll("dl.py > dt[id]")].map(dt => [
    dt.id, [...dt.parentElement.children].some(dd => dd.tagName == "DD" && dd.innerText.trim())])"""
# What is not code and not a link: reStructuredText that was read as it was not meant leaves its signs there.
PROSE = """() => [...document.querySelectorAll("article p, article li")].map(p => {
    p = p.cloneNode(true); p.querySelectorAll("code, a, pre").forEach(e => e.remove()); return p.textContent})"""


def test_the_inventory_has_every_public_name(book):
    with open(ROOT / "_build" / "html" / "objects.inv", "rb") as file:
        inventory = InventoryFile.load(file, "", lambda address, there: there)
    names = {name for kind, entries in inventory.items() if kind.startswith("py:") for name in entries}
    modules = {name: importlib.import_module(name) for name in TOLD if name != "lmkit"}
    wanted = {f"{name}.{thing}" for name, module in modules.items() for thing in offered(module)}
    wanted -= {"lmkit.model.Block", "lmkit.model.Config"}  # told where they are defined
    assert len(wanted) > 300 and wanted <= names, sorted(wanted - names)


@pytest.mark.parametrize("page", BUILT)
def test_entries_say_something_and_show_no_markup(open_page, page):
    shown = open_page(page, viewport={"width": 360, "height": 800})
    assert not [name for name, says in shown.evaluate(ENTRIES) if not says]
    prose = shown.evaluate(PROSE)
    assert prose and not [text for text in prose if any(sign in text for sign in ("`", "\\ ", "\\_", ":py:", "“", "”"))]
    assert shown.evaluate("document.documentElement.scrollWidth") <= 360
    assert shown.outside == [] and shown.complaints == []


def test_menus_show_their_names(open_page):
    shown = open_page("reference/components.html")
    norms = shown.locator("dl.py:has(> dt[id='lmkit.norms.NORMS']) li")
    assert norms.count() == 6 and "rmsnorm: RMSNorm. Divide by" in norms.nth(1).inner_text()
    assert norms.nth(1).locator("a").first.get_attribute("href") == "#lmkit.norms.RMSNorm"


def test_the_front_door_leads_to_every_entry(open_page):
    shown = open_page("reference.html")
    names = importlib.import_module("lmkit").__all__
    links = shown.locator("article li > p > a:first-child").all_inner_texts()
    assert set(links) == {f"lmkit.{name}" for name in names}
