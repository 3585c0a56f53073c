"""Five kills -9; benchmarks/kills.py makes a hundred."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are begun by a fork")
def test_a_run_that_is_killed_and_resumed_ends_as_one_that_is_not():
    """In an interpreter of its own, since a fork of one with many threads may hang."""
    command = [sys.executable, "benchmarks/kills.py", "--kills", "5", "--mid-save", "2", "--seed", "3"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    runs, kills, mid_save, lost = map(int, re.findall(r"\d+", done.stdout.splitlines()[-1]))
    assert runs >= 1 and kills >= 5 and mid_save >= 2 and lost == 0
