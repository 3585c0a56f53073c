"""Execute notebooks in place and store clean, byte-deterministic outputs.

    python tools/refresh.py chapters/*.ipynb            execute, then write
    python tools/refresh.py --check chapters/*.ipynb    execute, write nothing; say what would change (exit 1)
    python tools/refresh.py --tidy chapters/*.ipynb     do not execute: bring an edited notebook into the stored form

Twice in a row on one machine gives the same bytes, apart from the outputs of cells tagged `nbval-ignore-output`
(timings, machine names): readers see those, nobody compares them, and `--check` passes over them. A notebook in which a
cell fails, or takes more than ten minutes, is left as it was. Threads are the caller's: set OMP_NUM_THREADS outside.

The stored form: no timings, widget state or execution metadata; no stderr (progress bars, warnings); neighbouring
stdout streams joined; no terminal colours; no widget view, which is dead without a kernel, beside a text or HTML form;
PNGs without the name of the program that wrote them; one kernel name; the ids of cells kept, missing ones filled in.
"""

import argparse
import base64
import difflib
import json
import os
import re
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nbformat
from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpec
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

CELL_TIMEOUT = 900  # seconds; the longest cell takes one minute on two idle cores
IGNORED = "nbval-ignore-output"
WIDGET = "application/vnd.jupyter.widget-view+json"
CELL_METADATA = {"tags", "jupyter", "cellView"}  # what the book, JupyterLab and Colab read; editors add much more
NOTEBOOK_METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class CellFailed(Exception):
    """A cell raised, took too long, or killed its kernel."""


class ThisPython(AsyncKernelManager):
    """A kernel in the environment of this very interpreter, whatever kernels the machine has registered."""

    python = sys.executable

    @property
    def kernel_spec(self):
        argv = [self.python, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        return KernelSpec(argv=argv, display_name="Python 3", language="python")


def read(path):
    """The notebook at `path`, with an id for every cell that has none (nbformat itself would draw them at random)."""
    content = json.loads(Path(path).read_text(encoding="utf-8"))
    if not isinstance(content, dict) or not isinstance(content.get("cells"), list):
        raise ValueError("it has no list of cells")
    taken = {cell.get("id") for cell in content["cells"]}
    for index, cell in enumerate(content["cells"]):
        if "id" not in cell:
            cell["id"] = next(id for n in range(len(taken) + 1) if (id := f"cell-{index + n:03d}") not in taken)
            taken.add(cell["id"])
    content.update(nbformat=4, nbformat_minor=5)
    return nbformat.reads(json.dumps(content), as_version=4)


def execute(nb, folder, on_cell=None, timeout=CELL_TIMEOUT, kernel=ThisPython):
    """A copy of `nb`, run from top to bottom in a fresh kernel whose working directory is `folder`.

    `on_cell(count)` is called before each code cell. Raises CellFailed, with the cell's number and traceback.
    """
    nb = nbformat.from_dict(json.loads(json.dumps(nb)))
    now = {"count": 0, "index": 0}

    def start(cell, cell_index):
        now["index"] = cell_index
        if cell.cell_type == "code" and cell.source.strip():
            now["count"] += 1
            if on_cell:
                on_cell(now["count"])

    client = NotebookClient(
        nb,
        timeout=timeout,
        kernel_manager_class=kernel,
        record_timing=False,
        resources={"metadata": {"path": str(folder)}},
        on_cell_start=start,
    )
    try:
        client.execute(stderr=subprocess.DEVNULL)  # the kernel's own log; what cells print to stderr comes as messages
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
        source = nb.cells[now["index"]].source
        why = ANSI.sub("", getattr(error, "traceback", "") or str(error)).strip()
        shown = "" if source.strip() in why else _indent(source) + "\n\n"
        raise CellFailed(f"code cell [{now['count']}] failed.\n\n{shown}{why}") from None
    return nb


def clean(nb):
    """A copy of `nb` in the form that is stored; the same bytes whoever ran it, as far as the outputs are the same."""
    nb = nbformat.from_dict(json.loads(json.dumps(nb)))
    nb.metadata = nbformat.from_dict(NOTEBOOK_METADATA)
    nb.nbformat, nb.nbformat_minor = 4, 5
    for cell in nb.cells:
        cell.metadata = {key: value for key, value in cell.metadata.items() if key in CELL_METADATA and value}
        if cell.cell_type == "code":
            cell.outputs = join_streams(clean_output(output) for output in cell.outputs if not is_stderr(output))
    return nb


def is_stderr(output):
    return output.output_type == "stream" and output.name == "stderr"


def join_streams(outputs):
    """Neighbouring stdout outputs as one: how the kernel cuts them is chance."""
    joined = []
    for output in outputs:
        if output.output_type == "stream" and joined and joined[-1].output_type == "stream":
            joined[-1].text += output.text
        else:
            joined.append(output)
    return joined


def clean_output(output):
    if output.output_type == "stream":
        output.text = ANSI.sub("", output.text)
    elif output.output_type == "error":
        output.traceback = [ANSI.sub("", line) for line in output.traceback]
    else:
        data = output.data
        if {"text/html", "text/plain"} & set(data):
            data.pop(WIDGET, None)  # a random id of a model that died with the kernel
        for mime in {"text/plain", "text/html"} & set(data):
            data[mime] = ANSI.sub("", data[mime])
        if "image/png" in data:
            data["image/png"] = base64.b64encode(plain_png(base64.b64decode(data["image/png"]))).decode("ascii")
    return output


def plain_png(png):
    """The PNG without its text and time chunks, where programs write their name, version and clock."""
    if not png.startswith(b"\x89PNG\r\n\x1a\n"):
        return png
    kept, at = [png[:8]], 8
    while at < len(png):
        end = at + 12 + struct.unpack(">I", png[at : at + 4])[0]  # length, type, data, checksum
        if png[at + 4 : at + 8] not in (b"tEXt", b"zTXt", b"iTXt", b"tIME"):
            kept.append(png[at:end])
        at = end
    return b"".join(kept)


def dumps(nb):
    """The text of the notebook's file."""
    return nbformat.writes(nb, version=nbformat.NO_CONVERT).rstrip("\n") + "\n"


def write(path, text):
    """Replace the file in one step: a reader, or a power cut, sees the old text or the new."""
    path = Path(path)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        os.chmod(temporary, path.stat().st_mode & 0o777 if path.exists() else 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def is_ignored(cell):
    return IGNORED in cell.metadata.get("tags", [])


def changes(old, new):
    """What differs between two versions of a notebook, one text per code cell; ignored outputs are passed over."""
    found, count = [], 0
    for before, after in zip(old.cells, new.cells, strict=True):
        if after.cell_type != "code" or not after.source.strip():
            continue
        count += 1
        if is_ignored(after):
            continue
        if before.execution_count != after.execution_count:
            found.append(f"code cell [{count}]: stored with execution count {before.execution_count}")
        if before.outputs != after.outputs:
            diff = difflib.unified_diff(lines(before.outputs), lines(after.outputs), "stored", "now", n=1, lineterm="")
            shown = [line[:160] for line in diff][:20] or ["(only pictures or metadata differ)"]
            found.append(f"code cell [{count}]: outputs differ\n" + _indent("\n".join(shown)))
    return found


def lines(outputs):
    """What a reader of a terminal can see of a cell's outputs."""
    texts = []
    for output in outputs:
        texts.append(output.get("text") or output.get("evalue") or "")
        texts += [f"<{mime}> {text}" for mime, text in sorted(output.get("data", {}).items()) if mime != "image/png"]
    return "\n".join(texts).splitlines()


def _indent(text):
    return "\n".join("    " + line for line in text.splitlines())


def say(text, end="\n"):
    print(text, end=end, file=sys.stderr, flush=True)


def refresh(path, check=False, tidy=False):
    """Do one notebook; return whether its file was, or under `check` would be, other than it is."""
    path = Path(path)
    stored, old = path.read_text(encoding="utf-8"), read(path)
    total = sum(cell.cell_type == "code" and bool(cell.source.strip()) for cell in old.cells)
    began, live = time.monotonic(), sys.stderr.isatty()
    on_cell = (lambda count: say(f"\r{path}  [{count}/{total}]", end="")) if live else None
    new = clean(old if tidy else execute(old, path.parent, on_cell))
    text = dumps(new)
    differences = changes(old, new)
    # Under --check the ignored outputs are taken as they are stored, so that they alone never count as a change.
    changed = dumps(_with_ignored_outputs_of(old, new)) != stored if check else text != stored
    if changed and not check:
        write(path, text)
    verdict = ("would change" if check else "written") if changed else "unchanged"
    say(f"{chr(13) * live}{path}  {total} cells, {time.monotonic() - began:.0f} s: {verdict}")
    if check and changed:
        say(_indent("\n".join(differences) or "only its form differs: cell metadata, ids, stderr, widget state"))
    return changed


def _with_ignored_outputs_of(old, new):
    """`new`, where the cells whose outputs nobody compares have the outputs of `old`."""
    mixed = nbformat.from_dict(json.loads(json.dumps(new)))
    for before, after in zip(clean(old).cells, mixed.cells, strict=True):
        if after.cell_type == "code" and is_ignored(after):
            after.outputs = before.outputs
    return mixed


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("notebooks", nargs="+", type=Path, metavar="NOTEBOOK.ipynb")
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--check", action="store_true", help="write nothing; exit 1 if anything would change")
    mode.add_argument("--tidy", action="store_true", help="do not execute; only normalise the stored form")
    args = parser.parse_args(argv)
    changed = failed = 0
    for path in args.notebooks:
        try:
            changed += refresh(path, args.check, args.tidy)
        except CellFailed as error:
            failed += 1
            say(f"\n{path}: {error}\n\n{path} is left as it was.")
        except (OSError, UnicodeDecodeError, ValueError) as error:
            failed += 1
            say(f"{path}: not a notebook that can be read ({type(error).__name__}: {error})")
    return 1 if failed or (args.check and changed) else 0


if __name__ == "__main__":
    sys.exit(main())
