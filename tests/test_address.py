"""The book's address is one setting, and everything that bears it agrees; what installs lmkit installs ours."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import stamp

ROOT = Path(__file__).resolve().parents[1]
EXAMPLE = "https://github.com/someone/somewhere"


@pytest.fixture
def copy(tmp_path):
    """A root with what bears the address, and one chapter."""
    (tmp_path / "tools").mkdir()
    (tmp_path / "chapters").mkdir()
    for name in ("_config.yml", "CITATION.cff", "README.md", "tools/setup_cell.py"):
        (tmp_path / name).write_text((ROOT / name).read_text(encoding="utf-8"), encoding="utf-8")
    source = "# @title Setup\\nLMKIT_SOURCE = 1"
    (tmp_path / "chapters" / "01_x.ipynb").write_text(
        '{"cells": [{"cell_type": "markdown", "id": "a", "metadata": {}, "source": "# X"}, {"cell_type": "code", "id": '
        f'"b", "metadata": {{}}, "source": "{source}", "outputs": [], "execution_count": 1}}], "metadata": {{}}, '
        '"nbformat": 4, "nbformat_minor": 5}',
        encoding="utf-8",
    )
    return tmp_path


def set_address(root, url):
    config = (root / "_config.yml").read_text(encoding="utf-8")
    (root / "_config.yml").write_text(re.sub(r'(\n  url: )"[^"]*"', rf'\1"{url}"', config), encoding="utf-8")


def test_everything_bears_the_address():
    wrong = [path.name for path, text in stamp.stamped().items() if path.read_text(encoding="utf-8") != text]
    assert not wrong, f"{wrong} do not bear the address of _config.yml: make stamp"


def test_there_and_back(copy):
    before = stamp.stamped(copy)
    assert {path.name for path in before} == {"01_x.ipynb", "CITATION.cff", "README.md"}
    assert not any(EXAMPLE in text for text in before.values())
    set_address(copy, EXAMPLE + "/")
    after = stamp.stamped(copy)
    assert all(EXAMPLE in text and EXAMPLE + "/" not in text for text in after.values())
    for path, text in after.items():
        path.write_text(text, encoding="utf-8")
    assert stamp.stamped(copy) == after, "stamping twice must change nothing"
    set_address(copy, "")
    assert stamp.stamped(copy) == before


@pytest.mark.parametrize("url", ["http://github.com/a/b", "https://github.com/a", "github.com/a", 'https://h/a/b"; x'])
def test_an_address_that_is_none_is_refused(copy, url):
    set_address(copy, url.replace('"', '\\"'))
    with pytest.raises(ValueError, match=re.escape("_config.yml") if '"' in url else re.escape(repr(url))):
        stamp.address(copy)


def test_a_chapter_without_setup_cell_is_refused(copy):
    path = copy / "chapters" / "01_x.ipynb"
    path.write_text(path.read_text(encoding="utf-8").replace("LMKIT_SOURCE", "OTHER"), encoding="utf-8")
    with pytest.raises(ValueError, match="01_x.ipynb: the first code cell is no setup cell"):
        stamp.stamped(copy)


# What the setup cell does, run as it stands, in an isolated Python that sees neither this checkout nor .venv's lmkit.
STAGE = """
import importlib.util, subprocess, sys, types
find, there = importlib.util.find_spec, types.SimpleNamespace(origin="there") if {there} else None
importlib.util.find_spec = lambda name, *rest: there if name == "lmkit" else find(name, *rest)
def run(command, **how):
    print(*command[1:], flush=True)
    sys.modules["lmkit"] = types.SimpleNamespace(__version__="0")
    return types.SimpleNamespace(returncode={status}, stderr="pip says no")
subprocess.run = run
cuda = types.SimpleNamespace(is_available=lambda: False)
sys.modules["torch"] = types.SimpleNamespace(__version__="{torch}", cuda=cuda)
if there:
    sys.modules["lmkit"] = types.SimpleNamespace(__version__="0")
{change}
"""


def run_setup(url="", source=None, there=False, status=0, torch="2.13.0+cpu", change="", folder=None):
    environment = {key: value for key, value in os.environ.items() if key != "LMKIT_SOURCE"}
    if source is not None:
        environment["LMKIT_SOURCE"] = source
    script = STAGE.format(there=there, status=status, torch=torch, change=change) + stamp.setup_cell(url)
    done = subprocess.run(
        [sys.executable, "-I", "-c", script], capture_output=True, text=True, env=environment, cwd=folder or "/"
    )
    return done.returncode, done.stdout.strip(), done.stderr.strip()


def test_setup_where_lmkit_is_there_installs_nothing():
    status, out, err = run_setup(url=EXAMPLE, source="elsewhere", there=True)
    assert (status, out) == (0, "")  # nothing on stdout: the stored outputs are the same on every machine
    assert re.fullmatch(r"lmkit 0, PyTorch 2\.13\.0\+cpu, Python 3\.\d+\.\d+\S*, cpu", err)


@pytest.mark.parametrize(
    "url, source, wanted",
    [
        (EXAMPLE, None, f"lmkit[notebook] @ git+{EXAMPLE}"),
        (EXAMPLE, "", f"lmkit[notebook] @ git+{EXAMPLE}"),
        (EXAMPLE, "git+file:///somewhere", "lmkit[notebook] @ git+file:///somewhere"),
        ("", "{folder}", "{folder}[notebook]"),
    ],
)
def test_setup_installs_ours(tmp_path, url, source, wanted):
    source, wanted = source and source.format(folder=tmp_path), wanted.format(folder=tmp_path)
    status, out, _ = run_setup(url=url, source=source)
    assert (status, out) == (0, f"-m pip install -q {wanted}")


@pytest.mark.parametrize(
    "how, said",
    [
        ({}, "lmkit is not installed here and the book's address is not set yet"),
        ({"source": "/nowhere", "status": 1}, "pip could not install lmkit from /nowhere:\npip says no"),
        ({"there": True, "torch": "2.9.1"}, "lmkit needs PyTorch 2.10 or newer; this kernel has 2.9.1."),
        ({"there": True, "change": "sys.version_info = (3, 10, 9)"}, "lmkit needs Python 3.11 or newer"),
    ],
)
def test_setup_says_why_it_stops(how, said):
    status, out, err = run_setup(**how)
    assert status and "RuntimeError: " + said in err


def test_the_page_on_running_quotes_the_setup_cell():
    said = re.search(r'RuntimeError\("(lmkit is not.*?)"\n\s*"(.*?)"\)', stamp.setup_cell(""), re.S)
    page = " ".join((ROOT / "running.md").read_text(encoding="utf-8").replace("\n> ", "\n").split())
    assert (said[1] + said[2]).replace("  ", " ") in page


def test_setup_cell_is_short_and_plain():
    lines = stamp.setup_cell(EXAMPLE).split("\n")
    assert len(lines) <= 25 and not any(line.lstrip().startswith(("!", "%")) for line in lines)


def test_nothing_installs_lmkit_by_its_bare_name():
    """The name may not be ours on a package index."""
    bare = re.compile(r"pip3? install[^\n|`]*?(?<![\w./@-])lmkit(?!\[?\w*\]? @)(?![\w./-])")
    for path in [*ROOT.glob("*.md"), *ROOT.glob("chapters/*.ipynb"), *ROOT.glob("tools/*.py"), ROOT / "Makefile"]:
        assert not bare.search(path.read_text(encoding="utf-8")), path.name
    assert bare.search("pip install -q lmkit") and not bare.search("pip install 'lmkit[notebook] @ git+https://x/y/z'")


PAGES = sorted((ROOT / "_build" / "html" / "chapters").glob("*.html"))


@pytest.mark.skipif(not PAGES, reason="the book is not built: make book")
@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_buttons_lead_home(page):
    html, url = page.read_text(encoding="utf-8"), stamp.address()
    colab = re.findall(r'href="(https://colab[^"]*)"', html)
    chapter = f"chapters/{page.stem}.ipynb"
    assert f"_sources/{chapter}" in html and (ROOT / "_build/html/_sources" / chapter).exists()
    if url:
        owner = url.removeprefix("https://github.com/")
        assert colab == [f"https://colab.research.google.com/github/{owner}/blob/main/{chapter}"]
    else:
        assert not colab and "btn-colab-not-set" in html
        assert "address is not set yet, so there is nothing to open there" in html
    assert "executablebooks" not in html
