"""The reference: what Sphinx's autodoc reads in lmkit, set as it is meant.

Docstrings of lmkit are plain text, not reStructuredText: `code` stands in single backticks, whatever is indented keeps
its lines, and no other sign means anything. A menu (a dict of components) is followed by its entries, and the docstring
of lmkit itself by the names that it offers.
"""

import inspect
import io
import re
import sys
from contextlib import redirect_stdout, suppress
from importlib import import_module
from pathlib import Path
from types import ModuleType
from unittest.mock import patch

from docutils import nodes
from sphinx.transforms import SphinxTransform
from sphinx.util.docutils import SphinxDirective
from sphinx.util.nodes import make_refnode

import lmkit

CODE = re.compile(r"`([^`]+)`")
NAME = re.compile(r"[A-Z]\w*(\.\w+)*|lmkit(\.\w+)+")  # what may have an entry; `mask` is more often an argument
SPECIAL = re.compile(r"([\\*_|`])")
ARXIV = re.compile(r"\barXiv:(\d{4}\.\d{4,5})")
CHAPTER = re.compile(r"\bChapter (\d+)\.")


def inline(text):
    """A stretch of plain text as reStructuredText; what stands in backticks leads to its entry, where it has one."""
    parts = CODE.split(" ".join(text.split()))
    for i, part in enumerate(parts):
        if i % 2:
            parts[i] = f"\\ :py:obj:`{part}`\\ " if NAME.fullmatch(part) else f"\\ ``{part}``\\ "
        else:
            parts[i] = ARXIV.sub(r"`arXiv:\1 <https://arxiv.org/abs/\1>`__", SPECIAL.sub(r"\\\1", part))
    return "\\ " + "".join(parts)  # so that no paragraph begins as a list or a title would


def rst(lines):
    """The lines of a docstring as those of reStructuredText: paragraphs, examples, and blocks that stay as they are."""
    out = []
    for block in re.split(r"\n{2,}(?! )", "\n".join(lines).strip("\n")):
        kept = re.search(r"^( |>>>)", block, re.M)
        text, code = (block[: kept.start()], block[kept.start() :]) if kept else (block, "")
        if text.strip():
            out += [inline(text), ""]
        if code:
            language = "pycon" if code.lstrip().startswith(">>>") else "text"
            out += [f".. code-block:: {language}", "", *(f"   {line}" for line in code.split("\n")), ""]
    return out


def path_of(thing):
    """Where the entry of a function or class is: what a package offers, the page tells as the package's."""
    package = thing.__module__.rpartition(".")[0]
    is_offered = package != "lmkit" and thing.__name__ in getattr(sys.modules.get(package), "__all__", ())
    return f"{package if is_offered else thing.__module__}.{thing.__qualname__}"


def first_sentence(thing):
    paragraph = re.split(r"\n\n|\n *>>>", inspect.getdoc(thing) or "")[0]
    return inline(re.split(r"(?<=\.)\s(?=[A-Z])", paragraph)[0])


def entry(name, thing, link_name=False):
    """A line of a list: a name, what it stands for (or the name leads there), and the first sentence about that."""
    if isinstance(thing, ModuleType):
        return f"* :py:mod:`{name} <{thing.__name__}>`: {first_sentence(thing)}"
    if link_name:
        return f"* :py:obj:`{name} <{path_of(thing)}>`: {first_sentence(thing)}"
    component = getattr(thing, "func", thing)  # a partial binds options of a component
    if component.__module__.partition(".")[0] != "lmkit":
        return f"* ``{name}``: ``{path_of(component)}``"
    bound = {} if component is thing else thing.keywords
    bound = ", ".join(f"{key}={getattr(value, '__name__', value)}" for key, value in bound.items())
    with_options = f" with ``{bound}``" if bound else ""
    return f"* ``{name}``: :py:obj:`~{path_of(component)}`{with_options}. {first_sentence(component)}"


def process(app, what, name, thing, options, lines):
    """Turn a docstring into reStructuredText, in place."""
    lines[:] = rst(lines)
    if what == "module":
        lines[:] = [CHAPTER.sub(lambda match: chapter(app, match), line) for line in lines]
    if what == "data" and isinstance(thing, dict):
        components = all(callable(value) for value in thing.values())
        lines += [entry(*pair) for pair in thing.items()] if components else [", ".join(f"``{key}``" for key in thing)]
    if name == "lmkit":
        lines += [entry(f"lmkit.{key}", getattr(thing, key), link_name=True) for key in thing.__all__]
    lines.append("")


def chapter(app, match):
    found = sorted(Path(app.srcdir, "chapters").glob(f"{int(match[1]):02}_*.ipynb"))
    return f":doc:`Chapter {match[1]} </chapters/{found[0].stem}>`." if found else match[0]


def skip(app, what, name, thing, skipped, options):
    """The fields of a named tuple say nothing by themselves; the docstring of the whole does."""
    return True if (inspect.getdoc(thing) or "").startswith("Alias for field number") else None


def find(app, env, node, content):
    """Where a name in backticks leads: to the one entry that ends so; if there is none, or several, it stays code."""
    if node.get("refdomain") != "py" or node.get("reftype") != "obj":
        return None
    said = node["reftarget"]
    if said.startswith("lmkit.") and hasattr(offered := vars(lmkit).get(said[6:]), "__qualname__"):
        said = path_of(offered)
    known = env.get_domain("py").objects.items()
    places = {(e.docname, e.node_id) for name, e in known if f".{name}".endswith(f".{said}") and e.objtype != "module"}
    if len(places) != 1:
        return content
    [(page, place)] = places
    return make_refnode(app.builder, node["refdoc"], page, place, content, said)


class StraightQuotes(SphinxTransform):
    """Docstrings have code in them, in and out of backticks: \"rope\" and --steps stay what they are."""

    default_priority = 700  # Sphinx's smart quotes come at 750

    def apply(self):
        if self.env.docname.startswith("reference"):
            for text in self.document.findall(nodes.Text):
                text.parent["support_smartquotes"] = False


class Command(SphinxDirective):
    """What `python -m MODULE --help` prints."""

    required_arguments = 1

    def run(self):
        module, printed = import_module(self.arguments[0]), io.StringIO()
        program = module if hasattr(module, "main") else import_module(f"{module.__name__}.__main__")
        with patch.dict("os.environ", COLUMNS="100"), redirect_stdout(printed), suppress(SystemExit):
            program.main(["--help"])
        return [nodes.literal_block(printed.getvalue(), printed.getvalue(), language="text")]


def link_sources(app, config):
    """Each entry leads to its lines at the book's address; without an address, nowhere."""
    address = config.html_theme_options.get("repository_url")
    branch = config.html_theme_options.get("repository_branch")

    def address_of(domain, info):
        thing = import_module(info["module"])
        for part in info["fullname"].split("."):
            thing = getattr(thing, part, None)
        thing = inspect.unwrap(getattr(thing, "fget", None) or thing)
        if not address or getattr(thing, "__module__", "").partition(".")[0] != "lmkit":
            return None  # a constant has no lines of its own
        lines, first = inspect.getsourcelines(thing)
        path = Path(inspect.getsourcefile(thing)).relative_to(Path(lmkit.__file__).parents[1])
        return f"{address}/blob/{branch}/{path.as_posix()}#L{first}-L{first + len(lines) - 1}"

    config.linkcode_resolve = address_of


def setup(app):
    app.setup_extension("sphinx.ext.autodoc")
    app.setup_extension("sphinx.ext.linkcode")
    app.add_directive("command", Command)
    app.add_transform(StraightQuotes)
    app.connect("config-inited", link_sources)
    app.connect("autodoc-process-docstring", process)
    app.connect("autodoc-skip-member", skip)
    app.connect("missing-reference", find)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
