"""The grammars of the tales: words, plots and levels, all of it data."""

from lmkit.corpora.stories.more import PHRASES
from lmkit.corpora.stories.nested import LISTS_OF_ALL, LONG, NESTED
from lmkit.corpora.stories.short import STORY
from lmkit.corpora.stories.words import ANIMALS, HOMES, PEOPLE, THINGS

LISTS = LISTS_OF_ALL
KNOWN = [*PEOPLE, *HOMES, *ANIMALS, *THINGS, *PHRASES]
LEVELS = {1: STORY, 2: LONG, 3: NESTED}
