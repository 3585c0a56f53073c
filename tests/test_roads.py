"""The tools behind the Makefile, and what the book's extension does to a page."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import browser
import check
import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "_ext"))
import lmkit_book  # noqa: E402


def test_each_script_once_a_page():
    one = '<script data-lmkit-script="map">let a = "</p>";\nrun()</script>\n'
    other = '<script data-lmkit-script="curve">b()</script>'
    plain = "<script>c()</script>"
    page = f"<p>1</p>{one}<p>2</p>{one}{other}{plain}{plain}<p>3</p>{one}"
    assert lmkit_book.once(page) == f"<p>1</p>{one}<p>2</p>{other}{plain}{plain}<p>3</p>"


def test_folded_cells_bear_their_title():
    def cell(first):
        return (
            '<details class="admonition hide above-input">\n<summary aria-label="Toggle hidden content">\n'
            '<p class="collapsed admonition-title">Show code cell content</p>\n'
            '<p class="expanded admonition-title">Hide code cell content</p>\n</summary>\n'
            '<div class="cell_input docutils container">\n<div class="highlight-ipython3 notranslate">'
            f'<div class="highlight"><pre><span></span>{first}</pre></div></div></div></details>'
        )

    titled = lmkit_book.named(cell('<span class="c1"># @title Solution</span>\nx'))
    assert '<summary><p class="admonition-title">Solution</p></summary>' in titled and "# @title Solution" in titled
    other = cell('<span class="n">x</span>')
    assert lmkit_book.named(other) == other


@pytest.mark.parametrize(
    "line, closing",
    [
        ("132 passed in 9.46s", "132 passed in 9.46s"),
        ("1 failed, 18 passed, 1 skipped in 65.78s (0:01:05)", "1 failed, 18 passed, 1 skipped in 65.78s (0:01:05)"),
        ("=========== 2 passed, 3 warnings in 0.10s ===========", "2 passed, 3 warnings in 0.10s"),
        ("no tests ran in 0.01s", "no tests ran in 0.01s"),
        ("FAILED tests/test_x.py::test_y - took 3 passed in", None),
    ],
)
def test_the_closing_line_of_pytest_is_found(line, closing):
    found = check.CLOSING.match(line)
    assert (found and (found[1] or found[2])) == closing


def test_a_failing_stage_fails_the_whole(monkeypatch, capfd):
    def stages(slow):
        yield "good", [sys.executable, "-c", "print('3 passed in 0.1s')"]
        yield "bad", [sys.executable, "-c", "print('1 failed in 0.1s'); raise SystemExit(1)"]
        yield "after", [sys.executable, "-c", "print('4 passed in 0.1s')"]

    monkeypatch.setattr(check, "stages", stages)
    monkeypatch.setattr(sys, "argv", ["check.py"])
    assert check.main() is True
    out = capfd.readouterr().out
    assert "FAILED: bad" in out and "4 passed in 0.1s" in out.split("--- summary")[1]


def test_a_wrong_browser_is_named(monkeypatch):
    monkeypatch.setenv("LMKIT_BROWSER", sys.executable)
    with pytest.raises(SystemExit, match="which does not start as a Chromium or Chrome"):
        browser.installed()


def test_an_old_python_is_refused_in_a_sentence():
    pretend = "import sys, runpy; sys.version_info = (3, 10, 1); sys.argv = ['setup.py']; "
    pretend += "runpy.run_path('tools/setup.py', run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", pretend], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 1 and done.stderr.startswith("lmkit needs Python 3.11 or newer")
    assert len(done.stderr.strip().split("\n")) == 1


def test_help_names_every_road():
    said = subprocess.run(["make", "help"], capture_output=True, text=True, cwd=ROOT, check=True).stdout
    for road in ("book", "test", "lab", "refresh", "train", "lint", "bench", "help"):
        assert f"\n  {road} " in said


def test_pins_cover_the_ranges():
    """Every range of pyproject.toml is met by the pin of requirements.txt."""
    import tomllib

    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    pins = {}
    for line in (ROOT / "requirements.txt").read_text(encoding="utf-8").split("\n"):
        if line and not line.startswith("#"):
            pin = Requirement(line)
            (exact,) = pin.specifier
            assert exact.operator == "==" and "+" not in exact.version, line
            pins[canonicalize_name(pin.name)] = exact.version
    extras = [lines for name, lines in project["optional-dependencies"].items() if name != "cluster"]  # Ray: no pin
    for line in [*project["dependencies"], *(line for lines in extras for line in lines)]:
        range_ = Requirement(line)
        assert range_.specifier.contains(pins[canonicalize_name(range_.name)]), line
    assert pins["torch"] == "2.13.0" and pins["jupyter-book"] == "1.0.4.post1"


@pytest.mark.parametrize("path", sorted((ROOT / "benchmarks").glob("*.py")), ids=lambda path: path.stem)
def test_a_benchmark_finds_what_it_needs(path, monkeypatch):
    """Nothing else runs them: a name that the library no longer has would go unnoticed until somebody measures."""
    monkeypatch.syspath_prepend(str(path.parent))
    spec = importlib.util.spec_from_file_location(f"benchmark_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    assert path.stem == "machine" or callable(module.main)
