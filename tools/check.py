"""`make test`: build the book, then unit tests, notebooks and browser tests; one closing summary, one verdict.

    .venv/bin/python tools/check.py [--slow]

Every stage runs even if one before it failed, so that one run tells all. Tests run on two processes, and each of these
computes on one thread, so that they do not fight for cores and results do not depend on their number.
"""

import argparse
import os
import re
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PYTEST = [sys.executable, "-m", "pytest", "-q", "--color=no"]
CLOSING = re.compile(r"^(?:=+ )?((?:\d+ \w+, )*\d+ \w+ in [\d.]+s.*?)(?: =+)?$|^(no tests ran in .*)$")


def stages(slow):
    """(name, command) in order. Where chapters/ is still empty there are no notebooks to run."""
    yield "book", ["make", "--no-print-directory", "book"]
    yield "units", [*PYTEST, "-n", "2", "--dist", "loadscope", "-m", "not browser and not slow", "tests"]
    if list((ROOT / "chapters").glob("*.ipynb")):
        yield "notebooks", [*PYTEST, "-n", "2", "--dist", "loadscope", "@tests/nbval.args", "chapters"]
    yield "browser", [*PYTEST, "-n", "2", "--dist", "loadscope", "tests/browser"]
    if slow:
        yield "slow", [*PYTEST, "-n", "2", "--dist", "loadscope", "-m", "slow and not browser", "tests"]


def run(command, environment):
    """(exit status, closing line): the output is shown as it comes."""
    closing = ""
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, encoding="utf-8", errors="replace",
    )  # fmt: skip
    for line in process.stdout:
        print(line, end="", flush=True)
        if found := CLOSING.match(line.strip()):
            closing = found[1] or found[2]
    return process.wait(), closing


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--slow", action="store_true", help="the slow tests too (the Colab simulation)")
    slow = parser.parse_args().slow
    # Threads that wait asleep: spinning ones slow everything down tenfold where cores are shared.
    environment = {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE", **os.environ}
    rows, start = [], time.monotonic()
    for name, command in stages(slow):
        print(f"\n--- {name}: {' '.join(command[2:] if command[0] == sys.executable else command)}", flush=True)
        if name == "browser":
            found = subprocess.run([sys.executable, "tools/browser.py"], cwd=ROOT, stdout=subprocess.PIPE, text=True)
            if found.returncode:
                rows.append((name, 1, "no browser: see above", 0.0))
                continue
            environment["LMKIT_BROWSER"] = found.stdout.strip().split("\n")[-1]
        began = time.monotonic()
        status, closing = run(command, environment)
        rows.append((name, status, closing, time.monotonic() - began))
    print("\n--- summary")
    for name, status, closing, seconds in rows:
        print(f"{'failed' if status else 'passed'}  {name:<10} {seconds:4.0f} s  {closing}")
    bad = [name for name, status, _, _ in rows if status]
    left_out = "" if slow else "; slow tests were left out (make test SLOW=1)"
    print(f"{'FAILED: ' + ', '.join(bad) if bad else 'All passed'} in {time.monotonic() - start:.0f} s{left_out}")
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main())
