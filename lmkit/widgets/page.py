"""What all figures share of a page: the script that brings them to life, one copy of it on each page."""

import json
from importlib import resources


def script(name: str) -> str:
    """The script of `name`.js, with its stylesheet `name`.css and what all scripts share, page.js, put in."""
    code, css, shared = (
        resources.files(__package__).joinpath(file).read_text(encoding="utf-8")
        for file in (f"{name}.js", f"{name}.css", "page.js")
    )
    code = code.replace("  // __PAGE__\n", shared).replace('"__CSS__"', json.dumps(css).replace("<", "\\u003c"))
    return f'<script data-lmkit-script="{name.replace("_", "-")}">\n{code}</script>\n'
