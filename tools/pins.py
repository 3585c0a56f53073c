"""Write requirements.txt anew: the installed version of each package that the Makefile's roads need, and no other.

    .venv/bin/python tools/pins.py > pins.txt && mv pins.txt requirements.txt

To move to newer versions, install them into .venv (`pip install -U jupyterlab`), run the tests, then run this. Local
build tags are cut (torch 2.13.0+cpu is written 2.13.0), so that each platform takes its own build.
"""

import sys
from importlib.metadata import PackageNotFoundError, distribution

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

WANTED = {
    "the library": ["torch", "numpy"],
    "chapters": ["ipywidgets", "joblib", "matplotlib", "regex", "safetensors", "tokenizers", "tqdm", "transformers"],
    "the rosetta": ["keras"],
    "the corpora": ["datasets"],
    "watching a run": ["tensorboard"],
    "the book and JupyterLab": ["jupyter-book", "jupyterlab"],
    "tests and lint": ["hypothesis", "nbval", "playwright", "pytest", "pytest-xdist", "ruff"],
    "builds lmkit in place": ["setuptools"],
}
ELSEWHERE = {"appnope": ('sys_platform == "darwin"', "0.1.4")}  # wanted on platforms other than this one


def pin(name):
    """`name==version`, with a marker for what only some platforms have."""
    if name in ELSEWHERE:
        marker, version = ELSEWHERE[name]
        return f"{name}=={version} ; {marker}"
    return f"{name}=={distribution(name).version.partition('+')[0]}"


def closure(names):
    """Every package that `names` need, on this platform, and those of ELSEWHERE."""
    found, todo = set(ELSEWHERE), [Requirement(name) for name in names]
    seen = set()
    while todo:
        want = todo.pop()
        key = (canonicalize_name(want.name), *sorted(want.extras))
        if key in seen:
            continue
        seen.add(key)
        try:
            needs = distribution(want.name).requires or []
        except PackageNotFoundError:
            sys.exit(f"{want.name} is needed but not installed here: pip install {want}")
        found.add(key[0])
        for line in needs:
            need = Requirement(line)
            if any(need.marker is None or need.marker.evaluate({"extra": extra}) for extra in ("", *want.extras)):
                todo.append(need)
    return found


def main():
    chosen = {canonicalize_name(name) for names in WANTED.values() for name in names}
    print("# One set of versions that work together; tools/pins.py writes this file. Ranges stand in pyproject.toml.")
    for heading, names in WANTED.items():
        print(f"\n# {heading}", *map(pin, names), sep="\n")
    print("\n# what these bring along", *map(pin, sorted(closure(chosen) - chosen)), sep="\n")


if __name__ == "__main__":
    main()
