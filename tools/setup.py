"""Make .venv: the pinned packages, and lmkit in place. `make` calls it; it needs no package but Python's own.

    python3 tools/setup.py [--torch-index ADDRESS]

Each step may be repeated: a set-up that was interrupted is simply run again. The stamp is written last, by this script
alone, so that a half-finished .venv is never taken for a finished one.
"""

import argparse
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
STAMP = VENV / ".ready"
LEAST = (3, 11)


def interpreter():
    """The Python inside .venv."""
    return VENV / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def runs():
    """Whether .venv holds a Python that starts (a moved or half-made one does not) and that has pip."""
    if not interpreter().exists():
        return False
    return subprocess.run([interpreter(), "-m", "pip", "--version"], capture_output=True).returncode == 0


def step(what, *command):
    print(f"[set-up] {what}", flush=True)
    if subprocess.run([str(part) for part in command], cwd=ROOT).returncode:
        sys.exit(f"[set-up] stopped at: {what}. The reason stands above; run make again to go on from here.")


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--torch-index", default="", help="package index to take PyTorch's build from")
    index = parser.parse_args().torch_index
    if sys.version_info < LEAST:
        have = ".".join(map(str, sys.version_info[:3]))
        sys.exit(f"lmkit needs Python 3.11 or newer, and {sys.executable} is {have}: make PYTHON=/path/to/python3.11")
    start = time.monotonic()
    STAMP.unlink(missing_ok=True)
    if not runs():
        shutil.rmtree(VENV, ignore_errors=True)
        try:
            step("a virtual environment in .venv", sys.executable, "-m", "venv", VENV)
        except SystemExit as stop:
            sys.exit(f"{stop} (On Debian and Ubuntu, Python's venv is a package of its own: python3-venv.)")
    quiet = [] if sys.stdout.isatty() else ["--quiet"]  # gigabytes may come down: someone who watches sees them come
    pip = [interpreter(), "-m", "pip", "install", "--disable-pip-version-check", *quiet]
    pins = (ROOT / "requirements.txt").read_text(encoding="utf-8").split("\n")
    if index:
        torch = next(line for line in pins if line.startswith("torch=="))
        step(f"{torch} from {index}", *pip, "--no-deps", "--index-url", index, torch)
    step("the packages of requirements.txt (the first time: some minutes)", *pip, "-r", "requirements.txt")
    step("lmkit, in place", *pip, "--no-deps", "--no-build-isolation", "--editable", ".")
    STAMP.touch()
    print(f"[set-up] done in {time.monotonic() - start:.0f} s", flush=True)


if __name__ == "__main__":
    main()
