"""Tales: children's stories from a causal grammar, so that the best possible loss is known exactly.

Six plots (lost, gift, noise, rescue, supper, swap) tell of a child, a friend, and things that have a colour and an
owner. Names, pronouns, objects and places come back 5, 20 or 80 words later: a model that can look back knows those
words for certain, and one that counts the last few words does not. `grammar` says how the probabilities are had.

Three levels: 1, one plot, at most 120 words; 2, two plots in a row, at most 400; 3, a story in a story, at most 600.
A story knows its labels (`labels`) and tells itself in Chinese (`chinese`).
"""

from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import chain, pairwise
from random import Random

import numpy as np

from lmkit.corpora.grammar import Grammar, Piece
from lmkit.corpora.stories import LEVELS
from lmkit.corpora.stories.words import ANIMALS, BOYS, GIRLS, HOMES, LISTS, PEOPLE, THINGS  # noqa: F401
from lmkit.corpora.survey import Survey
from lmkit.tokenizers.words import split

END = "\n\n"  # the last word of every story: a blank line
FULL_STOP = Piece([END])


@lru_cache
def grammar(level=1):
    """The Grammar of a level."""
    if level not in LEVELS:
        raise ValueError(f"level is {level!r}; expected one of {sorted(LEVELS)}")
    return Grammar(LEVELS[level], LISTS, [*PEOPLE, *HOMES, *ANIMALS, *THINGS])


@lru_cache
def survey(level=1):
    """The Survey of a level's grammar."""
    return Survey(grammar(level))


def vocabulary(level=1):
    """Return the sorted words of a level, END among them."""
    return sorted({END} | survey(level).vocabulary)


class Sample:
    """Stories, one after another, and how surprising each word is to a reader who knows the grammar.

    words: list of str
    logprobs: (len(words),) float64, nats: log-probability of each word given all words of its story before it
    entropies: (len(words),) float64, nats: entropy of the distribution that each word was drawn from
    starts: int64: where in `words` each story begins
    text: str

    Each is made when it is first asked for.
    """

    def __init__(self, pieces, starts, level):
        self.pieces, self.starts, self.level = pieces, np.array(starts, dtype=np.int64), level

    def __repr__(self):
        return f"Sample({len(self.starts)} stories of level {self.level}, {len(self.words)} words)"

    @cached_property
    def words(self):
        return list(chain.from_iterable([piece.words for piece in self.pieces]))

    @cached_property
    def logprobs(self):
        return np.array(list(chain.from_iterable([piece.logprobs for piece in self.pieces])))

    @cached_property
    def entropies(self):
        return np.array(list(chain.from_iterable([piece.entropies for piece in self.pieces])))

    @cached_property
    def text(self):
        return text_of(self.pieces)


def text_of(pieces):
    """The text of pieces that begin where a story begins."""
    text = "".join([piece.text for piece in pieces]).replace("“ ", "“").replace("‘ ", "‘")
    return text.replace("\n\n ", "\n\n").removeprefix(" ")


@dataclass(frozen=True)
class Floor:
    """The lowest loss that any predictor can have on a sample."""

    nats_per_word: float
    bits_per_byte: float  # bytes of the text in UTF-8
    standard_error: float  # of nats_per_word, as an estimate of the grammar's own (stories are independent)
    by_position: np.ndarray = field(compare=False, repr=False)  # nats: mean over the stories that have an i-th word


def whole(name, value, least):
    """ValueError unless `value` is a whole number of at least `least`."""
    if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or value < least:
        raise ValueError(f"{name} is {value!r}; expected a whole number of at least {least}")
    return int(value)


def generate(n, seed=0, *, level=1):
    """Tell whole stories until there are at least `n` words; return a Sample.

    A longer sample of the same seed begins with a shorter one. A story has at most 120 words at level 1 (400, 600),
    punctuation marks and the blank line at its end (`END`) among them. Raises ValueError unless n and seed are whole
    numbers, n >= 1, seed >= 0.
    """
    whole("n", n, 1)
    random, tell = Random(whole("seed", seed, 0)).random, grammar(level).tell
    pieces, starts, count = [], [], 0
    while count < n:
        starts.append(count)
        story = tell(random)
        story.append(FULL_STOP)
        count += sum([piece.length for piece in story])  # noqa: C419 (a list is faster)
        pieces += story
    return Sample(pieces, starts, level)


def floor(sample):
    """Return the Floor of a Sample: the mean of -logprobs, which is exact for this very text."""
    losses = -np.add.reduceat(sample.logprobs, sample.starts)  # nats, one per story
    lengths = np.diff([*sample.starts, len(sample.words)])
    nats = losses.sum() / lengths.sum()
    spread = np.sqrt(np.sum((losses - nats * lengths) ** 2)) / lengths.sum()  # of a ratio of two sums
    bits = losses.sum() / np.log(2) / len(sample.text.encode("utf-8"))
    position = np.arange(len(sample.words)) - np.repeat(sample.starts, lengths)
    by_position = np.bincount(position, weights=-sample.logprobs) / np.bincount(position)
    return Floor(float(nats), float(bits), float(spread), by_position)


def oracle(prefix, level=1):
    """Return the exact distribution of the next word, {word: probability}, after a list of words (or a text).

    The prefix begins where a story begins and may hold several. Raises ValueError where it leaves the grammar.
    """
    words = split(prefix) if isinstance(prefix, str) else list(prefix)
    ends = [-1] + [i for i, word in enumerate(words) if word == END]
    for before, end in pairwise(ends):
        if grammar(level).following(words[before + 1 : end]) is not None:
            raise ValueError(f"word {end} ends a story that the grammar goes on with")
    following = grammar(level).following(words[ends[-1] + 1 :])
    return {END: 1.0} if following is None else following


GRAMMAR = grammar(1)
VOCABULARY = vocabulary(1)
