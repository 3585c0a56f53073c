"""Break the attention of a copy of the book: its unit tests and its chapter must both fail, each time.

The chapter's stored outputs are the other half of the test suite; this shows that they can tell right from wrong.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CHAPTER = "chapters/03_attention.ipynb"
UNIT = ["-q", "-x", "-p", "no:cacheprovider", "tests/test_attention.py", "tests/test_record.py"]
NBVAL = ["@tests/nbval.args", "-q", "-x", "-p", "no:cacheprovider", CHAPTER]
ATTENTION, MASKS = "lmkit/attention.py", "lmkit/masks.py"
CAUSAL, SCALE = r"causal_mask\(pos, pos\)", r"1 / math\.sqrt\(q\.shape\[-1\]\)"
SOFTMAX, RETURN = r"-torch\.inf\)\.softmax\(dim=-1\)", r"return weights\.masked_fill\(~mask, 0\.0\)"
MUTATIONS = {  # name: (file, what stands there exactly once, what to put there)
    "no 1/sqrt(d_head)": (ATTENTION, SCALE, "1.0"),
    "each position sees the next": (ATTENTION, CAUSAL, "causal_mask(pos + 1, pos)"),
    "no position sees itself": (ATTENTION, CAUSAL, "causal_mask(pos - 1, pos)"),
    "no position sees itself, in any model": (MASKS, r"pos_k\) >= 0", "pos_k) > 0"),
    "maps transposed": (ATTENTION, RETURN, "return weights.masked_fill(~mask, 0.0).mT"),
    "softmax over queries": (ATTENTION, SOFTMAX, "-torch.inf).softmax(dim=-2)"),
    "heads tiled, not grouped": (
        ATTENTION,
        r"k\.repeat_interleave\(q\.shape\[1\] // k\.shape\[1\], dim=1\)",
        "k.repeat(1, q.shape[1] // k.shape[1], 1, 1)",
    ),
}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mutations") / "book"
    left_out = shutil.ignore_patterns(".*", "_build", "__pycache__", "*.egg-info", "browser")
    shutil.copytree(ROOT, folder, ignore=left_out)
    return folder


def run(folder, arguments):
    """pytest in the copy, which must be what is imported there -> (return code, what it said)."""
    env = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST")}
    env |= {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    where = [sys.executable, "-c", "import lmkit; print(lmkit.__file__)"]
    there = subprocess.run(where, cwd=folder / "tests", env=env, capture_output=True, text=True, check=True).stdout
    assert there.strip() == str(folder / "lmkit" / "__init__.py"), f"the copy is not what is tested: {there}"
    command = [sys.executable, "-m", "pytest", "--color=no", *arguments]
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=1800)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("road", [UNIT, NBVAL], ids=["unit tests", "nbval"])
def test_unbroken_passes(copy, road):
    assert (ROOT / CHAPTER).exists(), f"{CHAPTER} is not there"
    code, said = run(copy, road)
    assert code == 0, said[-3000:]


@pytest.mark.parametrize("road", [UNIT, NBVAL], ids=["unit tests", "nbval"])
@pytest.mark.parametrize("name", MUTATIONS)
def test_broken_fails(copy, name, road):
    file, there, instead = MUTATIONS[name]
    path = copy / file
    whole = path.read_text(encoding="utf-8")
    broken, times = re.subn(there, lambda _: instead, whole)
    assert times == 1, f"the mutation {name!r} no longer applies: {there} stands {times} times in {file}"
    path.write_text(broken, encoding="utf-8")
    try:
        code, said = run(copy, road)
    finally:
        path.write_text(whole, encoding="utf-8")
    assert code == 1, f"{name}: the {'unit tests' if road is UNIT else 'chapter'} did not notice\n{said[-3000:]}"
