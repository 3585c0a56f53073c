"""What nbval does not look at: each guard takes a notebook and returns its complaints, one sentence each.

    python tools/guards.py chapters/*.ipynb

nbval passes notebooks whose outputs were cleared, unknown %magics, failing !commands and any figure. These guards read
the stored notebook, run nothing, and refuse what could hide behind those holes; the rest is the form of a chapter.
"""

import ast
import re
import statistics
import sys
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import nbformat
from refresh import ANSI, WIDGET, clean, dumps, is_stderr, read

LONGEST_CELL, MEDIAN_CELL = 25, 5  # lines of code
SHELL = {"get_ipython", "run_line_magic", "run_cell_magic", "system", "getoutput", "popen"}
BROAD = {"Exception", "BaseException"}
DEAD_REPR = re.compile(r"^\s*<[^<>]*>\s*$|^\s*$")  # <Figure size 640x480 with 1 Axes>, <... object at 0x...>
PROGRESS_BAR = re.compile(r"\d+%\|.*\|\s*\d+/\d+|\bit/s\]")
MYST = {
    "a directive": re.compile(r"^\s*(?:`{3,}|~{3,}|:{3,})\{[^}]+\}", re.M),
    "a colon fence": re.compile(r"^\s*:{3,}\s*\w*\s*$", re.M),
    "a role": re.compile(r"\{[A-Za-z][\w:.+-]*\}`"),
    "a substitution": re.compile(r"\{\{.*?\}\}"),
    "a target": re.compile(r"^\([\w-]+\)=\s*$", re.M),
    "a comment": re.compile(r"^%(?!\w)", re.M),
    "attributes": re.compile(r"^\{[#.][^}]*\}\s*$", re.M),
}
LINK = re.compile(r"(!?)\[([^\]]*)\]\(\s*<?([^)\s>]*)>?[^)]*\)")
OUTSIDE = re.compile(  # what a browser would load from elsewhere when it shows an output
    r"""<(?:script|img|iframe|source|audio|video|embed)\b[^>]*\ssrc\s*=\s*["']?(?:https?:)?//
    |<link\b[^>]*\shref\s*=\s*["']?(?:https?:)?//
    |url\(\s*["']?(?:https?:)?//
    |\bimport\s*\(?\s*["'](?:https?:)?//""",
    re.X | re.I,
)


def code_cells(nb):
    """(number, cell), counted from 1 as in JupyterLab's margin."""
    return list(enumerate((cell for cell in nb.cells if cell.cell_type == "code"), start=1))


def prose(nb):
    """(index, text of the Markdown cell without its code: fences and `spans`)."""
    for index, cell in enumerate(nb.cells):
        if cell.cell_type == "markdown":
            text = re.sub(r"^(\s*)(```+|~~~+)(?!\{)[^\n]*\n.*?^\s*\2", "", cell.source, flags=re.M | re.S)
            yield index, text


def title_line(cell):
    return cell.source.lstrip().partition("\n")[0].strip()


def is_setup(cell):
    return "LMKIT_SOURCE" in cell.source


def executed(nb):
    cells = code_cells(nb)
    if len(cells) > 1 and all(cell.execution_count is None for _, cell in cells):
        yield "no code cell was executed, or all outputs were cleared: run make refresh"
        return
    for n, cell in cells:
        if not cell.source.strip():
            yield f"code cell [{n}] is empty: delete it"
        elif cell.execution_count is None:
            yield f"code cell [{n}] was never executed, or its outputs were cleared: run make refresh"
        elif cell.execution_count != n:
            yield f"code cell [{n}] was executed as number {cell.execution_count}: run make refresh"


def no_errors(nb):
    for n, cell in code_cells(nb):
        for output in cell.outputs:
            if output.output_type == "error":
                yield (
                    f"code cell [{n}] stores an error ({output.ename}: {output.evalue}): to show one on purpose, catch "
                    "that exception by name and print it"
                )


def no_stderr(nb):
    for n, cell in code_cells(nb):
        if any(is_stderr(output) for output in cell.outputs):
            yield f"code cell [{n}] stores what was printed to stderr: run make refresh"


def plain_python(nb):
    """No magics and no shell: nbval passes both when they fail. Only the setup cell may call pip."""
    for n, cell in code_cells(nb):
        for line in cell.source.splitlines():
            if re.match(r"\s*(?:[!%]|\w+\s*=\s*[!%])", line):
                yield f"code cell [{n}] uses a magic or the shell ({line.strip()!r}), whose failure nobody would notice"
                break
        else:
            tree = parsed(cell)
            if tree is None:
                yield f"code cell [{n}] is not plain Python"
            elif not is_setup(cell):
                for node in ast.walk(tree):
                    name = getattr(node, "attr", None) or getattr(node, "id", None)
                    if name in SHELL:
                        yield f"code cell [{n}] calls {name} (line {node.lineno}), whose failure nobody would notice"
        if cell.source.rstrip().endswith(";"):
            yield f"code cell [{n}] ends in a semicolon: nbval sees the value that it hides; assign it to _ instead"


def parsed(cell):
    try:
        return ast.parse(cell.source)
    except SyntaxError:
        return None


def no_swallowed_exceptions(nb):
    for n, cell in code_cells(nb):
        for node in ast.walk(parsed(cell) or ast.Module([], [])):
            if isinstance(node, ast.ExceptHandler):
                kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
                raises = any(isinstance(inner, ast.Raise) for inner in ast.walk(node))
                broad = any(kind is None or ast.unparse(kind) in BROAD for kind in kinds)
                if broad and not raises:
                    yield f"code cell [{n}] catches every exception (line {node.lineno}): name the one you expect"
            elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("suppress"):
                if any(ast.unparse(kind) in BROAD for kind in node.args):
                    yield f"code cell [{n}] suppresses every exception (line {node.lineno}): name the one you expect"


def no_widget_state(nb):
    if "widgets" in nb.metadata:
        yield "the notebook stores widget state, which is random and dead without a kernel: run make refresh"
    for n, cell in code_cells(nb):
        for output in cell.outputs:
            if WIDGET in output.get("data", {}):
                yield f"code cell [{n}] stores a widget's view, which is dead without a kernel: run make refresh"


class Pictures(HTMLParser):
    """Collects the pictures of a piece of HTML, and whether each has an alternative text."""

    VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}

    def __init__(self, html):
        super().__init__()
        self.open, self.unnamed, self.count = [], [], 0  # open: (tag, is hidden or already named)
        self.svg_title = None
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        covered = bool(self.open and self.open[-1][1])
        hidden = attrs.get("aria-hidden") == "true"
        named = bool((attrs.get("aria-label") or attrs.get("alt") or "").strip())
        if tag in ("img", "svg", "canvas") and not covered and not hidden:
            self.count += 1
            if not named:
                self.unnamed.append(tag)
        if tag == "title" and any(open_tag == "svg" for open_tag, _ in self.open):
            self.svg_title = ""
        if tag not in self.VOID:
            self.open.append((tag, covered or hidden or (tag == "svg")))

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.open.pop()

    def handle_data(self, data):
        if self.svg_title is not None and data.strip() and "svg" in self.unnamed:
            self.unnamed.remove("svg")

    def handle_endtag(self, tag):
        if tag == "title":
            self.svg_title = None
        while any(open_tag == tag for open_tag, _ in self.open):
            if self.open.pop()[0] == tag:
                break


def without_scripts(html):
    return re.sub(r"<(script|style)\b.*?</\1\s*>", "", html, flags=re.S | re.I)


def figures_are_told(nb):
    """nbval compares no pixels, and some readers see none: each figure says in text what it shows."""
    for n, cell in code_cells(nb):
        for output in cell.outputs:
            data = output.get("data", {})
            pictures = Pictures(without_scripts(data.get("text/html", "") + data.get("image/svg+xml", "")))
            images = [mime for mime in data if mime.startswith("image/")]
            if (images or pictures.count) and DEAD_REPR.match(data.get("text/plain", "")):
                yield (
                    f"code cell [{n}] shows a figure whose text form is {data.get('text/plain', '')!r}: show it by "
                    "lmkit.plots, or give it a text/plain that says what is to be seen"
                )
            if images and "text/html" not in data:
                yield f"code cell [{n}] shows a bare {images[0]}, which has no alternative text in the book"
            for tag in pictures.unnamed:
                yield f"code cell [{n}] shows a <{tag}> without alternative text (alt, aria-label, <title>)"


def outputs_are_portable(nb):
    """No path of this machine, no terminal colours, no stored progress bar, nothing loaded from another host."""
    here = str(Path(__file__).resolve().parents[1])
    for n, cell in code_cells(nb):
        for output in cell.outputs:
            data = output.get("data", {})
            text = "\n".join([output.get("text", ""), data.get("text/plain", ""), data.get("text/html", "")])
            if here in text or sys.prefix in text or re.search(r"/ipykernel_\d+|/(?:home|Users)/\w", text):
                yield f"code cell [{n}] shows a path of the machine that ran it"
            if ANSI.search(text):
                yield f"code cell [{n}] prints terminal colours"
            if PROGRESS_BAR.search(text):
                yield f"code cell [{n}] stores a progress bar: use tqdm.tqdm, which writes to stderr, not tqdm.auto"
            if OUTSIDE.search(data.get("text/html", "") + data.get("image/svg+xml", "")):
                yield f"code cell [{n}] shows HTML that loads something from another host"


def setup_first(nb):
    """The first code cell, and no other, is the setup cell."""
    setups = [n for n, cell in code_cells(nb) if is_setup(cell)]
    if setups != [1]:
        yield f"the setup cell must be the first code cell, and there once; it was found at {setups or 'no place'}"


def solutions_collapsed(nb):
    """Folded in all three places: JupyterLab, Colab and the book."""
    for n, cell in code_cells(nb):
        if not re.match(r"#\s*@title\s+Solution\b", title_line(cell)):
            if "hide-cell" in cell.metadata.get("tags", []) and not is_setup(cell):
                yield f"code cell [{n}] is hidden but its first line is not '# @title Solution'"
            continue
        jupyter = cell.metadata.get("jupyter", {})
        wanted = {
            "metadata.jupyter.source_hidden (JupyterLab)": jupyter.get("source_hidden") is True,
            "the tag hide-cell (the book)": "hide-cell" in cell.metadata.get("tags", []),
            "metadata.cellView = 'form' (Colab)": cell.metadata.get("cellView") == "form",
        }
        for what, there in wanted.items():
            if not there:
                yield f"code cell [{n}] is a solution without {what}"


def lines_of_code(cell):
    return sum(bool(line.strip()) and not line.strip().startswith("#") for line in cell.source.splitlines())


def short_cells(nb):
    lengths = {n: lines_of_code(cell) for n, cell in code_cells(nb) if not is_setup(cell)}
    for n, length in lengths.items():
        if length > LONGEST_CELL:
            yield f"code cell [{n}] has {length} lines of code; at most {LONGEST_CELL}"
    if lengths and statistics.median(lengths.values()) > MEDIAN_CELL:
        yield f"half of the code cells have over {MEDIAN_CELL} lines (median {statistics.median(lengths.values()):g})"


def plain_markdown(nb):
    """Colab and JupyterLab show MyST's own syntax as raw braces."""
    for index, text in prose(nb):
        for what, pattern in MYST.items():
            if found := pattern.search(text):
                yield f"cell {index} has {what} of MyST ({found.group().strip()!r}), which Colab shows raw"
        for image, alt, target in LINK.findall(text):
            if image and not alt.strip():
                yield f"cell {index} has a picture without alternative text ({target})"


def headings(nb):
    """One title, at the top, and no level left out on the way down."""
    found = [(len(m[1]), index) for index, text in prose(nb) for m in re.finditer(r"^(#{1,6}) \S", text, re.M)]
    levels = [level for level, _ in found]
    if not found or found[0] != (1, 0) or levels.count(1) != 1:
        yield "the first cell must hold the title, the only heading that begins with a single #"
    for (before, _), (level, index) in pairwise(found):
        if level > before + 1:
            yield f"cell {index} jumps from a heading of level {before} to one of level {level}"


def numbered(nb, path):
    if not re.fullmatch(r"\d\d_[a-z0-9_]+\.ipynb", Path(path).name):
        yield f"{Path(path).name}: chapters are called NN_name.ipynb"


def links_lead_somewhere(nb, path):
    for index, text in prose(nb):
        for _, _, target in LINK.findall(text):
            file = target.partition("#")[0]
            if file and not re.match(r"[a-z]+:", file) and not (Path(path).parent / file).exists():
                yield f"cell {index} links to {target}, which does not exist"


def stored_form(nb, path):
    """What tools/refresh.py writes, and valid; read again from the file, because reading already mends some things."""
    try:
        nbformat.validate(nb)
    except nbformat.ValidationError as error:
        yield f"the notebook is not valid: {error.message}"
    if dumps(clean(read(path))) != Path(path).read_text(encoding="utf-8"):
        yield "the file is not in the stored form: run make refresh (or python tools/refresh.py --tidy)"


OF_NOTEBOOKS = [executed, no_errors, no_stderr, plain_python, no_swallowed_exceptions, no_widget_state]
OF_NOTEBOOKS += [figures_are_told, outputs_are_portable, setup_first, solutions_collapsed, short_cells]
OF_NOTEBOOKS += [plain_markdown, headings]
OF_FILES = [numbered, links_lead_somewhere, stored_form]


def complaints(nb, path=None, guards=(*OF_NOTEBOOKS, *OF_FILES)):
    """Every complaint about a notebook; guards of files take part where a path is given."""
    found = []
    for guard in guards:
        if guard not in OF_FILES:
            found += guard(nb)
        elif path is not None:
            found += guard(nb, path)
    return found


def main(paths):
    found = [f"{path}: {complaint}" for path in paths for complaint in complaints(read(path), path)]
    print("\n".join(found) or f"{len(paths)} notebooks: nothing to complain about", file=sys.stderr if found else None)
    return bool(found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
