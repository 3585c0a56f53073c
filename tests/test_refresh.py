"""make refresh: the same bytes each time, nothing of the machine in them, and nothing written when a cell fails."""

import base64
import io
import zlib

import guards
import matplotlib.figure
import matplotlib.image
import nbformat
import pytest
import refresh
from nbformat import v4

FIGURE = "import matplotlib.pyplot as plt\n\n_ = plt.plot([1, 2])\nplt.show()"
NOISY = (
    "import sys, warnings\nprint('one')\nprint('to stderr', file=sys.stderr)\nwarnings.warn('careful')\n"
    "sys.stdout.flush()\nprint('two \\x1b[31mred\\x1b[0m')"
)
WIDGET = "import ipywidgets\n\nipywidgets.IntSlider()"


def notebook(folder, *sources, name="a.ipynb", **metadata):
    """A file as an editor of old would leave it: no ids, an editor's metadata."""
    nb = v4.new_notebook(metadata={"kernelspec": {"name": "elsewhere", "display_name": "Elsewhere"}, **metadata})
    nb.cells = [v4.new_code_cell(source, metadata={"collapsed": False}) for source in sources]
    for cell in nb.cells:
        del cell["id"]
    nb.nbformat_minor = 4
    path = folder / name
    nbformat.write(nb, path)
    return path


@pytest.fixture(scope="module")
def refreshed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("refreshed")
    path = notebook(folder, "1 + 1", NOISY, FIGURE, WIDGET, widgets={"state": {}})
    assert refresh.main([str(path)]) == 0
    return path, path.read_bytes()


def test_twice_gives_the_same_bytes(refreshed):
    path, first = refreshed
    assert refresh.main([str(path)]) == 0
    assert path.read_bytes() == first
    assert [file.name for file in path.parent.iterdir()] == ["a.ipynb"]


def test_what_is_stored(refreshed):
    _, text = refreshed
    nb = nbformat.reads(text.decode(), as_version=4)
    nbformat.validate(nb)
    assert dict(nb.metadata) == refresh.NOTEBOOK_METADATA
    assert [cell.id for cell in nb.cells] == ["cell-000", "cell-001", "cell-002", "cell-003"]
    assert [cell.execution_count for cell in nb.cells] == [1, 2, 3, 4]
    assert all(cell.metadata == {} for cell in nb.cells)
    number, noisy, figure, widget = (cell.outputs for cell in nb.cells)
    assert number[0].data == {"text/plain": "2"}
    assert noisy == [{"output_type": "stream", "name": "stdout", "text": "one\ntwo red\n"}]
    assert b"Software" not in base64.b64decode(figure[0].data["image/png"])
    assert list(widget[0].data) == ["text/plain"]
    assert text.endswith(b"}\n")


def test_check_writes_nothing(tmp_path, capsys):
    path = notebook(tmp_path, "6 * 7", "import time\n\ntime.time()")
    before = path.read_bytes()
    assert refresh.main(["--check", str(path)]) == 1
    assert path.read_bytes() == before
    assert "code cell [1]: outputs differ" in capsys.readouterr().err

    assert refresh.main([str(path)]) == 0
    assert refresh.main(["--check", str(path)]) == 1, "the time of day is not the same twice"
    nb = refresh.read(path)
    nb.cells[1].metadata["tags"] = [refresh.IGNORED]
    refresh.write(path, refresh.dumps(nb))
    assert refresh.main(["--check", str(path)]) == 0


@pytest.mark.parametrize(
    "source", ["def f():\n    return 1 / 0\n\n\nf()", "%no_such_magic", "import os\n\nos._exit(1)"]
)
def test_a_failing_cell_leaves_the_file(tmp_path, capsys, source):
    path = notebook(tmp_path, "1 + 1", source)
    good = notebook(tmp_path, "2 + 2", name="b.ipynb")
    before = path.read_bytes()
    assert refresh.main([str(path), str(good)]) == 1
    assert path.read_bytes() == before
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.ipynb", "b.ipynb"]
    said = capsys.readouterr().err
    assert f"{path}: code cell [2] failed" in said and source.splitlines()[0] in said
    assert '"4"' in good.read_text(encoding="utf-8"), "the other notebook is done all the same"


def test_a_slow_cell_fails(tmp_path):
    nb = refresh.read(notebook(tmp_path, "import time\n\ntime.sleep(600)"))
    with pytest.raises(refresh.CellFailed, match=r"code cell \[1\]"):
        refresh.execute(nb, tmp_path, timeout=2)


def test_tidy_runs_nothing(tmp_path):
    path = notebook(tmp_path, "raise SystemExit")
    assert refresh.main(["--tidy", str(path)]) == 0
    assert list(guards.stored_form(refresh.read(path), path)) == []
    assert refresh.read(path).cells[0].execution_count is None


@pytest.mark.parametrize("text", ["", "not JSON", "{}", '{"cells": 3}'])
def test_not_a_notebook(tmp_path, capsys, text):
    path = tmp_path / "a.ipynb"
    path.write_text(text, encoding="utf-8")
    assert refresh.main([str(path)]) == 1
    assert path.read_text(encoding="utf-8") == text
    assert f"{path}: not a notebook" in capsys.readouterr().err
    assert refresh.main([str(tmp_path / "missing.ipynb")]) == 1


def test_ids_are_kept_and_missing_ones_are_new(tmp_path):
    path = notebook(tmp_path, "1", "2", "3")
    text = path.read_text(encoding="utf-8").replace('"source": [\n    "1"', '"id": "cell-001", "source": [\n    "1"')
    path.write_text(text, encoding="utf-8")
    ids = [cell.id for cell in refresh.read(path).cells]
    assert ids[0] == "cell-001" and len(set(ids)) == 3
    assert ids == [cell.id for cell in refresh.read(path).cells]


def test_plain_png_keeps_the_picture():
    figure = matplotlib.figure.Figure(figsize=(1, 1))
    figure.subplots().plot([1, 2])
    written = io.BytesIO()
    figure.savefig(written, format="png", metadata={"Comment": "made on a Monday"})
    plain = refresh.plain_png(written.getvalue())
    assert b"Monday" not in plain and b"Matplotlib" not in plain
    before, after = (matplotlib.image.imread(io.BytesIO(png)) for png in (written.getvalue(), plain))
    assert (before == after).all()
    assert plain.endswith(b"IEND" + zlib.crc32(b"IEND").to_bytes(4, "big"))
    assert refresh.plain_png(b"GIF89a") == b"GIF89a"
