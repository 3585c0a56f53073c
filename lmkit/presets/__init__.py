"""Published architectures as data: every choice and size of a family in one file, and what its tensors are called.

    >>> lmkit.presets.get("gpt2")           # a Config
    >>> lmkit.presets.table()               # all of them side by side

A family file (gpt2.py is the one to imitate) holds

    SIZES        {source: {name: Config}}: what was published, and where ("authors year, arXiv id")

and, if there are checkpoints to exchange (lmkit.load, lmkit.export):

    MODEL_TYPE   what config.json calls the family
    HEADS        {architecture: class}: what config.json calls the whole model, and which class of lmkit it is. The
                 first is the one for a config.json that names no architecture
    TENSORS      {ours: theirs}. `ours` is the name of a parameter, without the "body." of a head, {} being the layer;
                 `theirs` is the full name in the file, or a `Part` where the layout differs. A row is used if the model
                 has such a parameter: rows for biases wait there for a Config with bias=True. Where the names depend on
                 more than that, a function from the model to such a dict
    RENAMED      {regular expression: replacement}, applied to each name in a file before all else (as re.sub does, so
                 anchor it): old names, names without a prefix
    COPIES       {copy: original}: tensors that a file may hold twice (tied heads); they must be equal
    IGNORED      [regular expression], of whole names: what a file may hold besides and lmkit does not need
    config_from  (Settings) -> Config. Every key is read through Settings, which refuses what is missing or malformed;
                 `said.fixed(flag=False)` refuses what lmkit does not have. A key that is never read is not ignored in
                 silence: the loader names it
    config_to    (Config) -> what config.json says. It translates and checks nothing: the exporter turns the result back
                 by config_from, and where the two Configs differ the family cannot express the first
"""

from ..config import Config
from . import arcee, bert, book, gemma, gemma2, gpt2, gpt3, llama, mistral, qwen3, roberta, starcoder2, t5
from .table import Table

PUBLISHED = [gpt2, gpt3, bert, roberta, t5, llama, mistral, qwen3, gemma, gemma2, arcee, starcoder2, book]
#: The families whose checkpoints can be loaded and exported, by what their config.json calls them.
FAMILIES = {family.MODEL_TYPE: family for family in PUBLISHED if hasattr(family, "MODEL_TYPE")}
#: Where the sizes of each preset were published.
SOURCES = {name: source for family in PUBLISHED for source, sizes in family.SIZES.items() for name in sizes}
#: The Config of each published model.
PRESETS = {name: config for family in PUBLISHED for sizes in family.SIZES.values() for name, config in sizes.items()}

__all__ = ["FAMILIES", "PRESETS", "SOURCES", "get", "table"]


def get(name: str) -> Config:
    """The Config of a published model; ValueError with the names there are, if it is none of them."""
    if name not in PRESETS:
        raise ValueError(f"{name!r} is not one of {sorted(PRESETS)}")
    return PRESETS[name]


def table(*names: str) -> Table:
    """The presets side by side, component by component: all of them, or those named."""
    chosen = names or PRESETS
    return Table({name: (get(name), SOURCES[name]) for name in chosen})
