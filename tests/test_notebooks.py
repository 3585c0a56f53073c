"""The guards around nbval: what it does not look at, in every chapter."""

from pathlib import Path

import guards
import pytest
import refresh

ROOT = Path(__file__).parents[1]
CHAPTERS = sorted((ROOT / "chapters").glob("*.ipynb"))


def test_there_are_chapters():
    assert CHAPTERS, f"no notebooks in {ROOT / 'chapters'}: every test of the book would pass by testing nothing"


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
@pytest.mark.parametrize("guard", [*guards.OF_NOTEBOOKS, *guards.OF_FILES], ids=lambda guard: guard.__name__)
def test_guard(guard, path):
    found = guards.complaints(refresh.read(path), path, [guard])
    assert not found, "\n".join(["", *(f"{path.name}: {complaint}" for complaint in found)])


def test_chapters_have_numbers_of_their_own():
    numbers = [path.name[:2] for path in CHAPTERS]
    assert len(set(numbers)) == len(numbers), f"two chapters with one number: {numbers}"
