"""The chapters' stored outputs are true on other machines too: with two threads, and with an older instruction set.

`make test` compares under one thread; each test here runs every chapter once more, two side by side, so all are slow.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CONFIGURATIONS = {
    "two threads": {"OMP_NUM_THREADS": "2"},
    "avx2": {"OMP_NUM_THREADS": "1", "ATEN_CPU_CAPABILITY": "avx2"},
}


def run(command, configuration):
    env = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST")} | configuration
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=1800)


@pytest.mark.slow
@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_outputs_are_the_same(name):
    configuration = CONFIGURATIONS[name]
    if "ATEN_CPU_CAPABILITY" in configuration:
        ask = "import torch; print(torch.backends.cpu.get_cpu_capability())"
        capability = run([sys.executable, "-c", ask], configuration).stdout.strip()
        if capability != "AVX2":
            pytest.skip(f"this processor cannot pass for one with AVX2: it says {capability!r}")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "@tests/nbval.args",
        "-q",
        "--color=no",
        "-p",
        "no:cacheprovider",
        "-n",
        "2",
        "--dist",
        "loadscope",
        "chapters",
    ]
    done = run(command, configuration)
    assert done.returncode == 0, f"under {configuration}:\n{done.stdout[-6000:]}{done.stderr[-1000:]}"
