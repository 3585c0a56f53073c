"""The grammars of the tales: words, plots and levels, all of it data."""

from lmkit.corpora.stories import short

LEVELS = {1: short.STORY}
