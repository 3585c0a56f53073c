"""What the book needs of Sphinx beyond Jupyter Book.

Header buttons that tell the truth about the book's address, each widget's script once a page, folded cells that are
named by their title instead of "Show code cell content", and an address for each code cell.
"""

import json
import re
from pathlib import Path

from docutils import nodes

SCRIPT = re.compile(r'<script\b[^>]*\bdata-lmkit-script="([^"]*)"[^>]*>.*?</script>\s*', re.S)
FOLDED = re.compile(  # the summary of a folded cell, up to the title in the cell's first line
    r'<summary[^>]*>\s*<p class="collapsed[^>]*>[^<]*</p>\s*<p class="expanded[^>]*>[^<]*</p>\s*</summary>'
    r'(?P<cell>\s*<div class="cell_input[^>]*>\s*<div[^>]*><div[^>]*><pre><span></span>'
    r'<span class="c1"># @title (?P<title>[^<]+)</span>)'
)
NOT_SET = (
    "Colab: the book's address is not set yet, so there is nothing to open there. "
    "Download the notebook and upload it to Colab instead; this link tells how."
)


def once(html):
    """`html` with only the first of the scripts that bear the same data-lmkit-script; each widget brings a copy."""
    seen = set()

    def keep_first(match):
        if match[1] in seen:
            return ""
        seen.add(match[1])
        return match[0]

    return SCRIPT.sub(keep_first, html)


def named(html):
    """`html` whose folded cells bear the title of their first line, such as Setup or Solution."""
    return FOLDED.sub(r'<summary><p class="admonition-title">\g<title></p></summary>\g<cell>', html)


def cells_have_addresses(app, doctree):
    """A code cell can be linked to: chapters/NN_name.ipynb#cell-ID, by its id in the notebook.

    The id goes to the cell's element, and to the list in which MyST looks up what stands behind a "#".
    """
    source = Path(app.env.doc2path(app.env.docname))
    if source.suffix != ".ipynb":
        return
    cells = json.loads(source.read_text(encoding="utf-8"))["cells"]
    places = app.env.metadata[app.env.docname]["myst_slugs"]
    for node in doctree.findall(nodes.container):
        if node.get("nb_element") == "cell_code":
            place = f"cell-{cells[node['cell_index']]['id']}"
            node["ids"].append(place)
            places[place] = (node.line, place, place)


def one_address(app, config):
    """With an address: the theme's own buttons to it. Without one: none, because the theme has another's by default."""
    options = config.html_theme_options
    if options.get("repository_url"):
        options["use_repository_button"] = options["use_issues_button"] = True
    else:
        options["repository_url"] = ""
        options["launch_buttons"] = {}


def finish_page(app, pagename, templatename, context, doctree):
    if context.get("body"):
        context["body"] = named(once(context["body"]))
    is_notebook = (context.get("page_source_suffix") or "").endswith(".ipynb")
    if is_notebook and not app.config.html_theme_options.get("repository_url"):
        button = {"type": "link", "text": "Colab", "tooltip": NOT_SET, "icon": "fas fa-cloud"}
        button |= {"url": context["pathto"]("running") + "#colab", "label": "colab-not-set"}
        context["header_buttons"].insert(0, button)


def setup(app):
    app.connect("config-inited", one_address)
    app.connect("doctree-read", cells_have_addresses)
    app.connect("html-page-context", finish_page, priority=600)  # after the theme has made its buttons at 501
    # env_version: one more, whenever what is stored with the pages that were read changes; they are then read again.
    return {"version": "1", "env_version": 1, "parallel_read_safe": True, "parallel_write_safe": True}
