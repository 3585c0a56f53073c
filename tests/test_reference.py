"""The reference tells all that is public: every module, and of each what it offers, with a docstring."""

import importlib
import inspect
import re
from pathlib import Path

import pytest

import lmkit

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "reference.md", *sorted((ROOT / "reference").glob("*.md"))]
TEXT = "\n".join(path.read_text(encoding="utf-8") for path in PAGES)
TOLD = re.findall(r"^\.\. automodule:: (\S+)$", TEXT, re.M)


def offered(module):
    """The functions and classes that a module offers: its __all__, or what it defines itself."""
    names = getattr(module, "__all__", None)
    here = [name for name, thing in vars(module).items() if getattr(thing, "__module__", "") == module.__name__]
    things = {name: getattr(module, name) for name in names or here if not name.startswith("_")}
    return {name: thing for name, thing in things.items() if inspect.isfunction(thing) or inspect.isclass(thing)}


def test_every_module_stands_in_the_reference_once():
    parts = [path.stem for path in Path(lmkit.__file__).parent.glob("*.py")]
    parts += [path.parent.name for path in Path(lmkit.__file__).parent.glob("*/__init__.py")]
    public = {"lmkit", *(f"lmkit.{part}" for part in parts if not part.startswith("_"))}
    assert public <= set(TOLD), f"no page of reference/ has {sorted(public - set(TOLD))}"
    assert len(TOLD) == len(set(TOLD))


@pytest.mark.parametrize("name", TOLD)
def test_everything_public_has_a_docstring_of_its_own(name):
    things = offered(importlib.import_module(name))
    bare = [key for key, thing in things.items() if not vars(thing).get("__doc__", thing.__doc__)]
    assert not bare, f"{name}: {bare} have no docstring, so the reference does not tell them"


def test_every_page_is_in_the_table_of_contents():
    contents = (ROOT / "_toc.yml").read_text(encoding="utf-8")
    for path in PAGES:
        assert f"file: {path.relative_to(ROOT).with_suffix('')}\n" in contents
