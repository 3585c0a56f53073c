"""What all figures share of a page: the element that holds the data, and the script that brings it to life."""

import hashlib
import json
from importlib import resources
from typing import Any


def script(name: str) -> str:
    """The script of `name`.js, with its stylesheet and with what all figures share, page.js and page.css, put in."""
    code, css, shared, base = (
        resources.files(__package__).joinpath(file).read_text(encoding="utf-8")
        for file in (f"{name}.js", f"{name}.css", "page.js", "page.css")
    )
    code = code.replace("  // __PAGE__\n", shared).replace('"__CSS__"', json.dumps(base + css).replace("<", "\\u003c"))
    return f'<script data-lmkit-script="{element_of(name)}">\n{code}</script>\n'


def element_of(name: str) -> str:
    return name.replace("_", "-")


def element(name: str, data: Any, table: str, **packed: str) -> str:
    """The custom element of a figure, without its script; equal input gives equal bytes.

    `data` is what the script reads, `table` is seen where no script runs. What is `packed`, in base64, stands in
    attributes of its own, which tests/sanitize.cfg may pass over, and does not change the element's mark.
    """
    text = json.dumps(data, separators=(",", ":"))
    mark = hashlib.sha256(text.encode()).hexdigest()[:12]
    # In single quotes, because JSON is full of the double ones.
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("'", "&#39;")
    more = "".join(f' data-{key}="{value}"' for key, value in packed.items())
    return (
        f'<lmkit-{element_of(name)} data-mark="{mark}" data-lm-suppress-shortcuts="true"{more} '
        f"data-figure='{text}'>{table}</lmkit-{element_of(name)}>\n"
    )


def bundle(figure, name: str) -> dict:
    """What a notebook stores of a figure: its words, and its element with the script."""
    return {"text/plain": repr(figure), "text/html": figure.html() + script(name)}
