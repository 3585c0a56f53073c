"""A corpus as token ids on disk: prepared once, then mapped into memory. `format` tells the layout."""

from .format import vocabulary_hash
from .preparing import prepare
from .reading import Shards, open

__all__ = ["Shards", "open", "prepare", "vocabulary_hash"]
