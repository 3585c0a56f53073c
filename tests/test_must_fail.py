"""Negative controls of the test bench: each notebook in tests/notebooks has one fault, and is refused because of it.

They take the road that chapters take, nbval with the arguments of `make test` and then the guards; 01_good.ipynb must
pass, although a coordinate and an address in it differ from what is stored. A fault that one day appears in a chapter
gets its notebook here first.
"""

import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import guards
import pytest
import refresh

ROOT = Path(__file__).parents[1]
NOTEBOOKS = ROOT / "tests" / "notebooks"
GOOD = "01_good"
DIFFER, RAISES, TIMEOUT = "Cell outputs differ", "Cell execution caused an exception", "Timeout of 3 seconds exceeded"

REFUSED_BY_NBVAL = {  # notebook: (the code cell, counted from 0; what nbval says)
    "wrong_number": (1, DIFFER),
    "wrong_digit": (1, DIFFER),  # the sixth decimal: no rule of sanitize.cfg may cut it off
    "wrong_value": (1, DIFFER),
    "lost_output": (1, DIFFER),
    "raises": (1, RAISES),
    "figure_label": (2, DIFFER),
    "figure_alt": (2, DIFFER),
    "figure_summary": (2, DIFFER),
    "figure_paths": (2, DIFFER),
    "figure_gone": (2, DIFFER),
}
REFUSED_BY_TIMEOUT = {"too_slow": (1, TIMEOUT), "kernel_dies": (1, TIMEOUT)}  # nbval sees a dead kernel in no other way
REFUSED_BY_GUARD = {
    "cleared": guards.executed,
    "cleared_cell": guards.executed,
    "out_of_order": guards.executed,
    "bad_magic": guards.plain_python,
    "hidden_magic": guards.plain_python,
    "failing_shell": guards.plain_python,
    "hidden_shell": guards.plain_python,
    "failing_pip": guards.plain_python,
    "swallowed_exception": guards.no_swallowed_exceptions,
    "swallowed_bare": guards.no_swallowed_exceptions,
    "swallowed_suppress": guards.no_swallowed_exceptions,
    "bare_figure": guards.figures_are_told,
    "no_alt": guards.figures_are_told,
    "other_host": guards.outputs_are_portable,
    "stored_error": guards.no_errors,
    "stored_stderr": guards.no_stderr,
    "widget_state": guards.no_widget_state,
    "no_setup": guards.setup_first,
    "open_solution": guards.solutions_collapsed,
    "long_cell": guards.short_cells,
    "myst": guards.plain_markdown,
    "dead_link": guards.links_lead_somewhere,
    "not_tidy": guards.stored_form,
}


def nbval(names, report, *more):
    """Run nbval as `make test` does -> {notebook: {code cell: (passed, what nbval says)}}."""
    env = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST")}
    command = [sys.executable, "-m", "pytest", "@tests/nbval.args", "-q", "--color=no", f"--junitxml={report}", *more]
    command += [f"tests/notebooks/{name}.ipynb" for name in names]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=600)
    assert done.returncode in (0, 1), f"pytest itself failed:\n{done.stdout}\n{done.stderr}"
    results = {name: {} for name in names}
    for case in ElementTree.parse(report).iter("testcase"):
        notebook = case.get("classname").split(".")[-2]  # tests.notebooks.NAME.ipynb
        said = "\n".join(
            (bad.get("message") or "") + (bad.text or "") for bad in case if bad.tag in ("failure", "error")
        )
        results[notebook][int(case.get("name").split()[-1])] = (not len(case), said)
    return results


@pytest.fixture(scope="module")
def by_nbval(tmp_path_factory):
    folder = tmp_path_factory.mktemp("nbval")
    with ThreadPoolExecutor() as pool:  # the second run mostly waits
        runs = [
            pool.submit(nbval, [GOOD, *REFUSED_BY_NBVAL], folder / "report.xml"),
            pool.submit(nbval, REFUSED_BY_TIMEOUT, folder / "timeout.xml", "--nbval-cell-timeout=3"),
        ]
        return runs[0].result() | runs[1].result()


def test_the_good_one_passes(by_nbval):
    path = NOTEBOOKS / f"{GOOD}.ipynb"
    assert by_nbval[GOOD] and all(passed for passed, _ in by_nbval[GOOD].values()), by_nbval[GOOD]
    assert guards.complaints(refresh.read(path), path) == []


@pytest.mark.parametrize("name", REFUSED_BY_NBVAL)
def test_nbval_refuses(name, by_nbval):
    cell, why = REFUSED_BY_NBVAL[name]
    passed, said = by_nbval[name][cell]
    assert not passed and why in said, f"{name}.ipynb must fail in cell {cell} with {why!r}; nbval said: {said!r}"
    # ... and because of its fault alone.
    assert [n for n, (passed, _) in by_nbval[name].items() if not passed] == [cell]


@pytest.mark.parametrize("name", REFUSED_BY_TIMEOUT)
def test_the_timeout_refuses(name, by_nbval):
    cell, why = REFUSED_BY_TIMEOUT[name]
    assert why in by_nbval[name][cell][1], by_nbval[name]


@pytest.mark.parametrize("name", REFUSED_BY_GUARD)
def test_guards_refuse(name):
    path = NOTEBOOKS / f"{name}.ipynb"
    assert guards.complaints(refresh.read(path), path, [REFUSED_BY_GUARD[name]])


def test_every_guard_has_something_to_refuse():
    tested = {*REFUSED_BY_GUARD.values(), guards.numbered, guards.headings}  # these two below
    assert tested == {*guards.OF_NOTEBOOKS, *guards.OF_FILES}


def test_names_and_headings():
    good = refresh.read(NOTEBOOKS / f"{GOOD}.ipynb")
    assert list(guards.numbered(good, "attention.ipynb"))
    good.cells[0].source = "# A title\n\n### Two levels down"
    assert list(guards.headings(good))


def test_every_notebook_here_is_tried():
    tried = {GOOD, *REFUSED_BY_NBVAL, *REFUSED_BY_TIMEOUT, *REFUSED_BY_GUARD}
    assert {path.stem for path in NOTEBOOKS.glob("*.ipynb")} == tried
