"""Tales: children's stories from a causal grammar, so that the best possible loss is known exactly.

Level 1 has six plots (lost, gift, noise, rescue, supper, swap) about a child, a friend, and things that have a colour
and an owner; a story has at most 119 words. Level 2 tells two plots in a row, of ten and of six, the second about a
keepsake of the first page, and may end badly: at most 278 words. Level 3 puts a story into the mouth of a parent, and
asks for the evening's secrets a hundred words later: at most 436. (Marks and the blank line at the end are words too.)

Names, pronouns, objects and places come back 5, 20 or 300 words later: a model that can look back knows those words
for certain, and one that counts the last few words does not. `grammar` says how the probabilities are had, `story` what
else is known of a story: its roles, links, questions, sentiment, and the same story in Chinese.
"""

from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import chain, pairwise
from random import Random

import numpy as np

from lmkit.corpora.grammar import Grammar, Piece
from lmkit.corpora.stories import KNOWN, LEVELS, LISTS
from lmkit.corpora.stories.words import BOYS, GIRLS  # noqa: F401
from lmkit.corpora.story import Story
from lmkit.corpora.survey import Survey
from lmkit.tokenizers.words import split

END = "\n\n"  # the last word of every story: a blank line
FULL_STOP = Piece([END])


@lru_cache
def grammar(level=1):
    """The Grammar of a level."""
    if level not in LEVELS:
        raise ValueError(f"level is {level!r}; expected one of {sorted(LEVELS)}")
    return Grammar(LEVELS[level], LISTS, KNOWN)


@lru_cache
def survey(level=1):
    """The Survey of a level's grammar."""
    return Survey(grammar(level))


def vocabulary(level=1, *, questions=False):
    """Return the sorted words of a level, END among them; with those of its questions if asked for."""
    return sorted({END} | survey(level).vocabulary | (survey(level).asked if questions else set()))


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
    bits_per_byte: float  #: bytes of the text in UTF-8
    standard_error: float  #: of nats_per_word, as an estimate of the grammar's own (stories are independent)
    by_position: np.ndarray = field(compare=False, repr=False)  #: nats: mean over the stories that have an i-th word


def whole(name, value, least):
    """ValueError unless `value` is a whole number of at least `least`."""
    if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or value < least:
        raise ValueError(f"{name} is {value!r}; expected a whole number of at least {least}")
    return int(value)


def generate(n, seed=0, *, level=1):
    """Tell whole stories until there are at least `n` words; return a Sample.

    A longer sample of the same seed begins with a shorter one. A story has at most 119, 278 or 436 words at level 1, 2
    or 3, punctuation marks and the blank line at its end (`END`) among them. Raises ValueError unless n and seed are
    whole numbers, n >= 1, seed >= 0, and the level is one of the three.
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


def stories(n, seed=0, *, level=1):
    """Return the first `n` stories of a seed and level, those of `generate`, as a list of `story.Story`."""
    whole("n", n, 1)
    random, teller = Random(whole("seed", seed, 0)).random, grammar(level)
    told = (teller.tell(random) for _ in range(n))
    return [Story(teller, list(chain.from_iterable(piece.words for piece in pieces)), level) for pieces in told]


@dataclass(frozen=True)
class SentencePair:
    """Two sentences, and whether the second follows the first in a story."""

    first: str
    second: str
    is_next: bool


def next_sentence_pairs(n, seed=0, *, level=1):
    """Return `n` SentencePairs, one from each of the first n stories; about half of them are the next sentence.

    The others end in a sentence of another story that differs from the true one.
    """
    told = stories(n + 1, seed, level=level)
    random = Random(f"next sentences, seed {seed}")  # other numbers than those that told the stories
    pairs = []
    for number, story in enumerate(told[:-1]):
        i = random.randrange(len(story.sentences) - 1)
        first, second = (story.said(span) for span in story.sentences[i : i + 2])
        is_next = random.random() < 0.5
        other = second
        while not is_next and other == second:
            stranger = told[(number + random.randint(1, n)) % (n + 1)]
            other = stranger.said(random.choice(stranger.sentences))
        pairs.append(SentencePair(first, other, is_next))
    return pairs


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
