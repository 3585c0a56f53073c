"""Write the book's one address, repository.url in _config.yml, wherever it is needed: make stamp.

    python tools/stamp.py [--check]      --check writes nothing; exit 1 and a sentence for each file that differs

Setup cells come whole from tools/setup_cell.py; CITATION.cff gets its line repository-code; README.md what stands
between its marks <!-- address --> and <!-- /address -->. The buttons of the book need no stamp: they read _config.yml.
"""

import argparse
import re
import sys
from pathlib import Path

import yaml
from guards import is_setup
from refresh import clean, dumps, read, write

ROOT = Path(__file__).resolve().parents[1]
SETUP_METADATA = {"cellView": "form", "jupyter": {"source_hidden": True}, "tags": ["hide-cell"]}
NO_ADDRESS = "The book's address is not set yet."


def address(root=ROOT):
    """`repository.url` without a closing slash; empty while it is not set."""
    config = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))
    url = (config.get("repository") or {}).get("url") or ""
    if url and not re.fullmatch(r"https://[\w.-]+/[\w.-]+/[\w.-]+/?", url):
        raise ValueError(f"repository.url in _config.yml is {url!r}; expected https://HOST/OWNER/REPOSITORY or nothing")
    return url.rstrip("/")


def setup_cell(url, root=ROOT):
    """The source of the first code cell of every chapter."""
    template = (root / "tools" / "setup_cell.py").read_text(encoding="utf-8")
    return template.replace('ADDRESS = ""', f'ADDRESS = "{url}"').strip()


def stamped_notebook(path, source):
    nb = read(path)
    for cell in nb.cells:
        if cell.cell_type == "code":
            if not is_setup(cell):
                raise ValueError(f"{path}: the first code cell is no setup cell (it does not mention LMKIT_SOURCE)")
            cell.source, cell.metadata = source, SETUP_METADATA
            break
    return dumps(clean(nb))


def stamped_citation(text, url):
    text = re.sub(r"^repository-code:.*\n", "", text, flags=re.M)
    return text + (f'repository-code: "{url}"\n' if url else "")


def stamped_readme(text, url):
    words = f"The book's address: <{url}>." if url else NO_ADDRESS
    return re.sub(r"(<!-- address -->).*?(<!-- /address -->)", lambda m: m[1] + words + m[2], text, flags=re.S)


def stamped(root=ROOT):
    """{path: its text as it should be} for every file that bears the address."""
    url = address(root)
    source, notebooks = setup_cell(url, root), sorted((root / "chapters").glob("*.ipynb"))
    files = {path: stamped_notebook(path, source) for path in notebooks}
    for name, change in {"CITATION.cff": stamped_citation, "README.md": stamped_readme}.items():
        if (root / name).exists():
            files[root / name] = change((root / name).read_text(encoding="utf-8"), url)
    return files


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if anything differs")
    check = parser.parse_args().check
    try:
        files = stamped()
    except ValueError as error:
        sys.exit(str(error))
    different = [path for path, text in files.items() if path.read_text(encoding="utf-8") != text]
    for path in different:
        if check:
            print(f"{path.relative_to(ROOT)} does not bear the address of _config.yml: make stamp", file=sys.stderr)
        else:
            write(path, files[path])
            print(f"stamped {path.relative_to(ROOT)}")
    return bool(check and different)


if __name__ == "__main__":
    sys.exit(main())
