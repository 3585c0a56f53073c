"""How small the library is: lines of code per module, and what `import lmkit` takes beyond torch's own import."""

import argparse
import io
import subprocess
import sys
import tokenize
from pathlib import Path
from statistics import median

from machine import where

LMKIT = Path(__file__).resolve().parents[1] / "lmkit"
IMPORT = "import time, numpy, torch; began = time.perf_counter(); import lmkit; print(time.perf_counter() - began)"
NO_CODE = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}


def lines_of_code(path: Path) -> int:
    """Lines that hold more than a comment or a string that nothing reads (a docstring)."""
    source, lines, statement = path.read_text(encoding="utf-8"), set(), []
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in NO_CODE:
            statement.append(token)
        elif token.type in (tokenize.NEWLINE, tokenize.ENDMARKER):
            if [part.type for part in statement] != [tokenize.STRING]:
                lines |= {line for part in statement for line in range(part.start[0], part.end[0] + 1)}
            statement = []
    return len(lines)


def import_seconds(runs: int) -> float:
    """The median of several processes; the first, which writes the bytecode, does not count."""
    run = [sys.executable, "-c", IMPORT]
    each = [float(subprocess.run(run, cwd=LMKIT.parent, stdout=-1, check=True).stdout) for _ in range(runs + 1)]
    return median(each[1:])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=7, help="imports, each in a process of its own (7)")
    runs = parser.parse_args().runs
    print(where() + "\n")
    modules = [path for path in sorted(LMKIT.rglob("*.py")) if path.read_text(encoding="utf-8").strip()]
    counted = {str(path.relative_to(LMKIT)): lines_of_code(path) for path in modules}
    print("code   all")
    for path, code in counted.items():
        print(f"{code:>4} {len((LMKIT / path).read_text(encoding='utf-8').splitlines()):>5}  {path}")
    print(f"{sum(counted.values()):>4}        of code in {len(counted)} modules")
    print(f"import lmkit: {import_seconds(runs):.3f} s beyond numpy and torch (median of {runs})")


if __name__ == "__main__":
    main()
