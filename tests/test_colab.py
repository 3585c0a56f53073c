"""Colab, simulated: each chapter, alone in an empty folder, in an environment with Colab's versions and without lmkit.

The setup cell must install lmkit there, from LMKIT_SOURCE, and change nothing else. The environment is kept in
.cache/colab-*, so only the first run is slow. Two things are not Colab's: Python is the one that runs this test, and
torch is its torch, linked file by file (Colab's is another build of gigabytes).
"""

import hashlib
import importlib.metadata
import inspect
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest
import refresh
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
CHAPTERS = sorted((ROOT / "chapters").glob("*.ipynb"))
CONSTRAINTS = Path(__file__).with_name("colab-constraints.txt")

pytestmark = pytest.mark.slow


def clean_environment(**more):
    """This process's, without what would lead the other interpreter back into this one's packages."""
    strange = ("PYTEST", "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "LMKIT", "JUPYTER", "IPYTHON")
    return {key: value for key, value in os.environ.items() if not key.startswith(strange)} | more


def pip(python, *arguments):
    command = [str(python), "-m", "pip", "--disable-pip-version-check", *arguments]
    done = subprocess.run(command, env=clean_environment(), capture_output=True, text=True)
    assert done.returncode == 0, f"pip {' '.join(arguments)}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    return done.stdout


def freeze(python):
    """{package: version}, lmkit too."""
    return {entry["name"].lower(): entry["version"] for entry in json.loads(pip(python, "list", "--format=json"))}


def with_requirements(name, found=None):
    """The installed distribution `name` and all that it requires -> {name: distribution}."""
    found = {} if found is None else found
    if name not in found:
        found[name] = importlib.metadata.distribution(name)
        for requirement in map(Requirement, found[name].requires or []):
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                with_requirements(re.sub(r"[-_.]+", "-", requirement.name).lower(), found)
    return found


def lend(distribution, site):
    """Link the files of an installed distribution into another site-packages: no copy, and out of harm's way."""
    for file in distribution.files or []:
        source, target = Path(distribution.locate_file(file)), site / file
        if ".." in file.parts or file.suffix == ".pyc" or target.exists() or not source.exists():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(source, target)
        except OSError:  # another file system
            shutil.copy2(source, target)


def build(folder):
    """Colab's versions without lmkit, in a virtual environment that appears under its name only when it is whole."""
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    site = Path(sysconfig.get_path("purelib", "venv", {"base": str(folder), "platbase": str(folder)}))
    colabs = re.findall(r"^([\w-]+)==", CONSTRAINTS.read_text(encoding="utf-8"), re.M)
    for name, distribution in with_requirements("torch").items():
        if name not in colabs:
            lend(distribution, site)
    pip(python, "install", "-q", "-r", str(CONSTRAINTS))
    (folder / "freeze.json").write_text(json.dumps(freeze(python)), encoding="utf-8")
    return python


@pytest.fixture(scope="session")
def colab():
    """The interpreter of the simulated Colab."""
    facts = [CONSTRAINTS.read_text(encoding="utf-8"), sys.version, importlib.metadata.version("torch")]
    facts += map(inspect.getsource, (build, lend, with_requirements))
    folder = ROOT / ".cache" / f"colab-{hashlib.sha256(''.join(facts).encode()).hexdigest()[:12]}"
    python = folder / "bin" / "python"
    if (folder / "freeze.json").exists():
        if "lmkit" in freeze(python):
            pip(python, "uninstall", "-q", "-y", "lmkit")
        if freeze(python) == json.loads((folder / "freeze.json").read_text(encoding="utf-8")):
            return python
    for old in (ROOT / ".cache").glob("colab-*"):
        shutil.rmtree(old)
    return build(folder)


@pytest.fixture(scope="session")
def source(tmp_path_factory):
    """What a clone of the repository would hold: a folder without ignored files."""
    folder = tmp_path_factory.mktemp("source") / "lmkit-book"
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    return folder


def texts(cell):
    """What a cell says in words: its prints and the text forms of what it shows."""
    return [output.get("text") or output.get("data", {}).get("text/plain") for output in cell.outputs]


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_chapter_runs_on_colab(path, colab, source, tmp_path, monkeypatch):
    before = freeze(colab)
    assert "lmkit" not in before
    for key in set(os.environ) - set(clean_environment()):
        monkeypatch.delenv(key)
    monkeypatch.setenv("LMKIT_SOURCE", str(source))
    notebook = refresh.read(shutil.copy(path, tmp_path))
    Colab = type("Colab", (refresh.ThisPython,), {"python": str(colab)})
    try:
        ran = refresh.clean(refresh.execute(notebook, tmp_path, kernel=Colab))
        after = freeze(colab)
        where = subprocess.run(
            [colab, "-c", "import lmkit; print(lmkit.__file__)"],
            cwd=tmp_path, env=clean_environment(), capture_output=True, text=True, check=True,
        )  # fmt: skip
    finally:
        pip(colab, "uninstall", "-q", "-y", "lmkit")
    assert Path(where.stdout.strip()).is_relative_to(colab.parents[1]), f"lmkit was not installed: {where.stdout}"
    assert {name: version for name, version in after.items() if name != "lmkit"} == before
    stored = [(cell.source, texts(cell)) for cell in notebook.cells if compared(cell)]
    now = [(cell.source, texts(cell)) for cell in ran.cells if compared(cell)]
    assert now == stored


def compared(cell):
    return cell.cell_type == "code" and not refresh.is_ignored(cell)


def test_the_versions_are_colabs(colab):
    there = {re.sub(r"[-_.]+", "-", name): version for name, version in freeze(colab).items()}
    for line in CONSTRAINTS.read_text(encoding="utf-8").splitlines():
        if "==" in line:
            name, version = line.split("==")
            assert there[re.sub(r"[-_.]+", "-", name).lower()] == version
    assert there["torch"] == importlib.metadata.version("torch")
