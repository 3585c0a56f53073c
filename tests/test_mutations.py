"""Break a copy of the library: the unit tests and the chapter of what is broken must both fail, each time.

The chapters' stored outputs are the other half of the test suite; this shows that they can tell right from wrong.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TOKENIZATION, POSITIONS, ATTENTION, FFN, NORMS, RESIDUALS, OUTPUT, TRANSFORMER, PRETRAINING = (
    f"chapters/{name}.ipynb"
    for name in (
        "01_tokenization", "02_positions", "03_attention", "04_feed_forward", "05_normalization", "06_residuals",
        "07_softmax", "08_transformer", "09_pretraining",
    )
)  # fmt: skip
QUIET = ["-q", "-x", "-p", "no:cacheprovider"]
UNITS = {
    ATTENTION: ["tests/test_attention.py", "tests/test_record.py"],
    TOKENIZATION: ["-m", "not slow", *(f"tests/test_tokenizers_{kind}.py" for kind in ("bpe", "wordpiece", "unigram"))],
    POSITIONS: ["tests/test_positions.py"],
    FFN: ["tests/test_ffn.py"],
    NORMS: ["tests/test_norms.py"],
    RESIDUALS: ["tests/test_record.py"],
    OUTPUT: ["tests/test_sampling.py"],
    TRANSFORMER: ["tests/test_count.py"],
    PRETRAINING: ["tests/test_train.py"],
}
ROADS = ["unit tests", "nbval"]
CAUSAL, SCALE = r"causal_mask\(pos, pos\)", r"(?<=\()1 / math\.sqrt\(q\.shape\[-1\]\)"
SOFTMAX, RETURN = r"-torch\.inf\)\.softmax\(dim=-1\)", r"return weights\.masked_fill\(~mask, 0\.0\)"
MUTATIONS = {  # name: (chapter, file, what stands there exactly once, what to put there)
    "no 1/sqrt(d_head)": (ATTENTION, "attention/attend.py", SCALE, "1.0"),
    "each position sees the next": (ATTENTION, "attention/attend.py", CAUSAL, "causal_mask(pos + 1, pos)"),
    "no position sees itself": (ATTENTION, "attention/attend.py", CAUSAL, "causal_mask(pos - 1, pos)"),
    "no position sees itself, in any model": (ATTENTION, "masks.py", r"pos_k\) >= 0", "pos_k) > 0"),
    "maps transposed": (ATTENTION, "attention/attend.py", RETURN, "return weights.masked_fill(~mask, 0.0).mT"),
    "softmax over queries": (ATTENTION, "attention/attend.py", SOFTMAX, "-torch.inf).softmax(dim=-2)"),
    "heads tiled, not grouped": (
        ATTENTION,
        "attention/attend.py",
        r"k\.repeat_interleave\(q\.shape\[1\] // k\.shape\[1\], dim=1\)",
        "k.repeat(1, q.shape[1] // k.shape[1], 1, 1)",
    ),
    "the merge learned last goes first": (
        TOKENIZATION,
        "tokenizers/merges.py",
        r"heap\.append\(\(found\[0\], p, found\[1\]\)\)",
        "heap.append((-found[0], p, found[1]))",
    ),
    "merges do not count how often a word occurs": (
        TOKENIZATION,
        "tokenizers/merges.py",
        r"weight \+= \[count\] \*",
        "weight += [1] *",
    ),
    "the shortest match": (
        TOKENIZATION,
        "tokenizers/wordpiece.py",
        r"range\(min\(len\(word\), start \+ self\.longest\), start, -1\)",
        "range(start + 1, min(len(word), start + self.longest) + 1)",
    ),
    "the least likely path": (
        TOKENIZATION,
        "tokenizers/lattice.py",
        r"back\[end\] is None or score > scores\[end\]",
        "back[end] is None or score < scores[end]",
    ),
    "bytes written as Latin-1": (TOKENIZATION, "tokenizers/byte_bpe.py", r"chr\(0x100 \+ n\)", "chr(byte)"),
    "rope turns backwards": (
        POSITIONS,
        "positions/rope.py",
        r"\[a \* cos - b \* sin, b \* cos \+ a \* sin\]",
        "[a * cos + b * sin, b * cos - a * sin]",
    ),
    "swiglu bends with relu": (FFN, "ffn.py", r"staticmethod\(F\.silu\)", "staticmethod(F.relu)"),
    "every norm is Gemma's": (NORMS, "norms.py", r"return self\.weight \* \(", "return (1 + self.weight) * ("),
    "the lens forgets the final norm": (RESIDUALS, "record.py", r"model\.logits\(norm\(x\)\)", "model.logits(x)"),
    "the nucleus drops the word that reaches p": (
        OUTPUT,
        "sampling.py",
        r"logits < ordered\.gather",
        "logits <= ordered.gather",
    ),
    "training costs twice a forward": (TRANSFORMER, "count.py", r"3 \* self\.forward", "2 * self.forward"),
    "the cosine comes up again": (PRETRAINING, "schedules.py", r"math\.pi \* done", "2 * math.pi * done"),
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


def arguments(chapter, road):
    return [*QUIET, *UNITS[chapter]] if road == "unit tests" else ["@tests/nbval.args", *QUIET, chapter]


# That notebooks pass as they are, make test has shown; one of them is run here to see that the copy is no hindrance.
UNBROKEN = [(TOKENIZATION, "nbval"), *((chapter, "unit tests") for chapter in UNITS)]


@pytest.mark.parametrize(("chapter", "road"), UNBROKEN)
def test_unbroken_passes(copy, chapter, road):
    assert (ROOT / chapter).exists(), f"{chapter} is not there"
    code, said = run(copy, arguments(chapter, road))
    assert code == 0, said[-3000:]


@pytest.mark.parametrize("road", ROADS)
@pytest.mark.parametrize("name", MUTATIONS)
def test_broken_fails(copy, name, road):
    chapter, file, there, instead = MUTATIONS[name]
    path = copy / "lmkit" / file
    whole = path.read_text(encoding="utf-8")
    broken, times = re.subn(there, lambda _: instead, whole)
    assert times == 1, f"the mutation {name!r} no longer applies: {there} stands {times} times in {file}"
    path.write_text(broken, encoding="utf-8")
    try:
        code, said = run(copy, arguments(chapter, road))
    finally:
        path.write_text(whole, encoding="utf-8")
    assert code in (1, 2), f"{name}: the {road} of {chapter} did not notice\n{said[-3000:]}"  # 2: not even collected
