"""errata.md: each error's proof is a cell that exists, that is compared when the notebooks run, and that prints it."""

import re
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "errata.md").read_text(encoding="utf-8")
LINK = r"\]\((chapters/\w+\.ipynb)#cell-([\w-]+)\)"
# A link, and what is quoted after it, up to the next link or the end of the paragraph.
PROOFS = [
    (path, cell, re.findall(r"`([^`]+)`", after))
    for path, cell, after in re.findall(LINK + r"(.*?)(?=\[[^\]]+\]\(|\n\n|\Z)", TEXT, re.S)
]


def printed(cell):
    """All that the cell puts out as text, on one line: runs of spaces are one."""
    texts = (output.get("text") or output.get("data", {}).get("text/plain", "") for output in cell.outputs)
    return " ".join(" ".join(texts).split())


def test_there_are_proofs():
    assert len(PROOFS) == len(re.findall(LINK, TEXT)) >= 12


@pytest.mark.parametrize(("path", "cell", "quoted"), PROOFS, ids=lambda value: value if isinstance(value, str) else "")
def test_the_cell_prints_what_is_quoted(path, cell, quoted):
    cells = [one for one in nbformat.read(ROOT / path, as_version=4).cells if one.cell_type == "code"]
    found = [one for one in cells if one.id == cell]
    assert quoted, f"errata.md does not say what cell {cell} of {path} prints"
    assert found, f"{path} has no code cell with the id {cell}"
    assert not {"nbval-ignore-output", "nbval-skip"} & set(found[0].metadata.get("tags", [])), "nobody compares it"
    for words in (" ".join(one.split()) for one in quoted):
        elsewhere = [one.id for one in cells if words in printed(one)]
        assert words in printed(found[0]), f"cell {cell} of {path} does not print {words!r}; these do: {elsewhere}"
