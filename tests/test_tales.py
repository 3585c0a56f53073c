"""The tales' probabilities are exact: they sum to one, equal an enumeration by hand, and agree with what is sampled."""

import hashlib
from collections import Counter
from functools import partial
from math import log, prod
from random import Random

import numpy as np
import pytest

from lmkit.corpora import tales
from lmkit.corpora.grammar import Grammar
from lmkit.corpora.templates import Phrase
from lmkit.corpora.trie import trie
from lmkit.tokenizers import Words
from lmkit.tokenizers.words import split

# A grammar small enough to write down: all stories with their probabilities, worked out on paper.
SMALL = Grammar(
    [
        "[pet: a red hen|a red fox|an owl] sang.",
        (
            "Then {pet} met [friend: Ann|{second}].",
            ["{pet.Again}", "slept."],
        ),
    ],
    {"second": "Bob"},
    [
        Phrase("a red hen", Again="Hens"),
        Phrase("a red fox", Again="Foxes"),
        Phrase("an owl", Again="Owls"),
    ],
)
LEVELS = [1, 2, 3]
MOST_WORDS = {1: 119, 2: 278, 3: 436}
SMALL_STORIES = {
    f"{pet} sang . {end}": 1 / 3 * share
    for pet, many in (("a red hen", "Hens"), ("a red fox", "Foxes"), ("an owl", "Owls"))
    for end, share in ((f"Then {pet} met Ann .", 1 / 4), (f"Then {pet} met Bob .", 1 / 4), (f"{many} slept .", 1 / 2))
}


def told(grammar, random):
    """Words, logprobs and entropies of a story that a grammar tells."""
    pieces = grammar.tell(random)
    return tuple([x for piece in pieces for x in getattr(piece, what)] for what in ("words", "logprobs", "entropies"))


def everything(grammar, words=()):
    """Yield (story, probability) for all stories, by asking the grammar what may follow, word by word."""
    following = grammar.following(list(words))
    if following is None:
        yield " ".join(words), 1.0
        return
    assert sum(following.values()) == pytest.approx(1, abs=1e-12)
    for word, p in following.items():
        for story, rest in everything(grammar, (*words, word)):
            yield story, p * rest


def test_a_small_grammar_is_enumerated_exactly():
    found = dict(everything(SMALL))
    assert found.keys() == SMALL_STORIES.keys()
    for story, p in SMALL_STORIES.items():
        assert found[story] == pytest.approx(p, abs=1e-12)


def test_small_logprobs_and_entropies_equal_the_enumeration():
    random = Random(0)
    for _ in range(100):
        words, logprobs, entropies = told(SMALL, random.random)
        assert sum(logprobs) == pytest.approx(log(SMALL_STORIES[" ".join(words)]), abs=1e-12)
    # "a" (2/3) or "an" (1/3), then "red" for certain
    assert entropies[0] == pytest.approx(-2 / 3 * log(2 / 3) - 1 / 3 * log(1 / 3), abs=1e-12)


def test_small_samples_have_the_frequencies_that_are_claimed():
    random, n = Random(1), 20_000
    counts = Counter(" ".join(told(SMALL, random.random)[0]) for _ in range(n))
    chi_square = sum((counts[s] - n * p) ** 2 / (n * p) for s, p in SMALL_STORIES.items())
    assert chi_square < 26.1  # 8 degrees of freedom, one chance in a thousand; the seed is fixed


def test_siblings_must_differ_in_their_words():
    with pytest.raises(ValueError, match="not distinct, or one begins another"):
        trie((("a", "hen"), ("a",)))
    with pytest.raises(ValueError, match="not distinct"):
        trie((("hen",), ("hen",)))
    with pytest.raises(ValueError, match="not distinct"):
        Grammar(("Hens run.", "Hens fly."), {}).tell(Random(0).random)


def test_a_remembered_phrase_is_not_offered_again():
    grammar = Grammar("[a: x|y|z] [b: x|y|z] [x|y|z]", {})
    stories = dict(everything(grammar))
    assert len(stories) == 3 * 2 * 3
    assert all(a != b for a, b, _ in map(str.split, stories))


@pytest.mark.parametrize("level", LEVELS)
def test_the_text_of_a_seed_never_changes(level):
    text = tales.generate(20_000, seed=7, level=level).text
    assert hashlib.sha256(text.encode("utf-8")).hexdigest() == TEXT_HASHES[level], (
        "the tales have changed: every floor, trained loss and committed weight of the book belongs to the old ones"
    )


def test_the_first_level_is_the_default():
    assert tales.generate(300, seed=7).text == tales.generate(300, seed=7, level=1).text


@pytest.mark.parametrize("level", LEVELS)
def test_a_longer_sample_begins_with_a_shorter_one(level):
    short, long = tales.generate(500, seed=3, level=level), tales.generate(5_000, seed=3, level=level)
    n = len(short.words)
    assert 500 <= n < 500 + MOST_WORDS[level]
    assert long.words[:n] == short.words
    assert np.array_equal(long.logprobs[:n], short.logprobs)
    assert long.starts[len(short.starts)] == n
    assert tales.generate(500, seed=4, level=level).words != short.words


@pytest.mark.parametrize("level", LEVELS)
def test_the_oracle_gives_the_recorded_probability_of_every_word(level):
    sample = tales.generate(300, seed=11, level=level)
    for i, word in enumerate(sample.words):
        start = sample.starts[sample.starts <= i].max()
        following = tales.oracle(sample.words[start:i], level=level)
        probs = np.array(list(following.values()))
        assert probs.sum() == pytest.approx(1, abs=1e-12) and (probs > 0).all()
        assert log(following[word]) == pytest.approx(sample.logprobs[i], abs=1e-9)
        assert -(probs * np.log(probs)).sum() == pytest.approx(sample.entropies[i], abs=1e-9)


@pytest.mark.parametrize("level", LEVELS)
def test_every_sibling_can_be_followed_to_the_end(level):
    """Whatever word the oracle offers leads to a story: no dead end, no choice that two siblings share."""
    random = Random(5)
    for _ in range(20 // level**2):
        words = []
        while words[-1:] != [tales.END]:
            following = tales.oracle(words, level=level)
            assert len(set(following)) == len(following)
            words.append(random.choice(sorted(following)))
        assert len(words) <= MOST_WORDS[level]


def test_sampled_words_have_the_frequencies_that_the_oracle_claims():
    """The first words of 4,000 stories, counted after every beginning that at least 200 of them share."""
    for level in LEVELS:
        stories = [story.words[:7] for story in tales.stories(4_000, seed=21, level=level)]
        counts = Counter(tuple(words[: k + 1]) for words in stories for k in range(7))
        chi_square = freedom = 0
        for prefix, n in [((), len(stories)), *counts.items()]:
            if n >= 200 and len(prefix) < 7 and len(following := tales.oracle(prefix, level=level)) > 1:
                chi_square += sum((counts[*prefix, w] - n * p) ** 2 / (n * p) for w, p in following.items())
                freedom += len(following) - 1
        assert freedom >= 20 and abs(chi_square - freedom) < 4 * (2 * freedom) ** 0.5, (level, chi_square, freedom)


def test_the_oracle_reads_text_and_several_stories():
    sample = tales.generate(300, seed=2)
    second = sample.starts[1]
    assert tales.oracle(sample.words[: second + 5]) == tales.oracle(sample.words[second : second + 5])
    assert tales.oracle("Once there") == {"was": 1.0}
    assert sum(tales.oracle([]).values()) == pytest.approx(1)
    assert tales.oracle(sample.words[: second - 1]) == {tales.END: 1.0}


@pytest.mark.parametrize(
    ("prefix", "says"),
    [
        ("Once there were", "word 2 is 'were', where this grammar expects one of"),
        ("Twice", "word 0 is 'Twice'"),
        ("Once there\n\nOnce", "word 2 ends a story that the grammar goes on with"),
    ],
)
def test_the_oracle_refuses_what_the_grammar_cannot_say(prefix, says):
    with pytest.raises(ValueError, match=says):
        tales.oracle(prefix)


def test_words_after_the_end_are_refused():
    words = tales.generate(1).words[:-1]
    with pytest.raises(ValueError, match="has already ended"):
        tales.oracle([*words, "and"])


def test_floor_agrees_with_the_entropy_of_the_choices():
    """Two estimates of one number: surprises of the words drawn, and exact entropies of what they were drawn from."""
    sample = tales.generate(100_000, seed=5)
    floor = tales.floor(sample)
    assert floor.nats_per_word == pytest.approx(-sample.logprobs.mean(), abs=1e-12)
    assert abs(floor.nats_per_word - sample.entropies.mean()) < 4 * floor.standard_error
    bits = -sample.logprobs.sum() / log(2)
    assert floor.bits_per_byte == pytest.approx(bits / len(sample.text.encode("utf-8")), abs=1e-12)
    lengths = np.diff([*sample.starts, len(sample.words)])
    assert len(floor.by_position) == lengths.max()
    for i in range(0, lengths.max(), 3):  # written out: the mean over the stories that have an i-th word
        there = [-sample.logprobs[s + i] for s, length in zip(sample.starts, lengths, strict=True) if length > i]
        assert floor.by_position[i] == pytest.approx(np.mean(there), abs=1e-12)
    assert floor.by_position[0] == pytest.approx(log(4), abs=0.01)  # Once, Long, This or Little
    halves = [tales.floor(tales.generate(20_000, seed=s)).nats_per_word for s in range(8)]
    assert np.std(halves) < 3 * tales.floor(tales.generate(20_000)).standard_error


def test_no_predictor_beats_the_floor():
    """Any other distribution loses: here the oracle's own, with a hundredth of it spread over the vocabulary."""
    sample = tales.generate(300, seed=9)
    spread = 0.01 / len(tales.VOCABULARY)
    loss = -np.mean(np.log(0.99 * np.exp(sample.logprobs) + spread))
    assert loss > tales.floor(sample).nats_per_word


def test_shape_of_the_corpus():
    sample = tales.generate(150_000, seed=1)
    lengths = np.diff([*sample.starts, len(sample.words)])
    assert lengths.max() <= 120  # a context of 128 always holds a story
    assert sample.starts.dtype == np.int64 and sample.logprobs.dtype == np.float64
    assert len(sample.words) == len(sample.logprobs) == len(sample.entropies)
    assert all(sample.words[i - 1] == tales.END for i in sample.starts[1:]) and sample.words[-1] == tales.END
    assert (sample.logprobs <= 0).all()

    counts = Counter(sample.words)
    assert set(counts) == set(tales.VOCABULARY)  # no word is listed in vain, none is missing
    assert tales.VOCABULARY == sorted(set(tales.VOCABULARY))
    assert len({w.casefold() for w in tales.VOCABULARY if w[0].isalpha()}) >= 300
    assert min(counts.values()) > 10  # rare words are seen often enough to be learned


@pytest.mark.parametrize("level", LEVELS)
def test_bounds_and_vocabulary_of_a_level(level):
    """The survey never told a story, yet bounds their lengths, and knows their words."""
    survey, sample = tales.survey(level), tales.generate(60_000, seed=14, level=level)
    lengths = np.diff([*sample.starts, len(sample.words)]) - 1  # without END
    assert survey.least <= lengths.min() and lengths.max() <= survey.most < MOST_WORDS[level]
    assert set(sample.words) <= set(tales.vocabulary(level))
    assert split(" ".join(tales.vocabulary(level)[1:])) == tales.vocabulary(level)[1:]
    assert tales.vocabulary(1) == tales.VOCABULARY


def test_the_vocabulary_grows_with_the_level():
    distinct = [{w.casefold() for w in tales.vocabulary(level) if w[0].isalpha()} for level in LEVELS]
    assert len(distinct[0]) >= 300 and len(distinct[2]) >= 600
    assert len(distinct[0]) < len(distinct[1]) < len(distinct[2]) and distinct[0] < distinct[2]


@pytest.mark.slow
@pytest.mark.parametrize("level", [2, 3])
def test_every_word_of_the_vocabulary_is_said(level):
    counts = Counter(tales.generate(1_000_000, seed=1, level=level).words)
    assert set(counts) == set(tales.vocabulary(level)) and min(counts.values()) > 10


@pytest.mark.slow
@pytest.mark.parametrize("level", LEVELS)
def test_the_floor_of_ten_million_words(level):
    """Mean surprise of the words drawn against the mean entropy of what they were drawn from: independent noise."""
    sample = tales.generate(10_000_000, seed=6, level=level)
    floor = tales.floor(sample)
    assert floor.standard_error < 5e-4
    assert abs(floor.nats_per_word - sample.entropies.mean()) < 4 * floor.standard_error


def test_names_and_pronouns_agree():
    for story in tales.generate(30_000, seed=8).text.split(tales.END)[:-1]:
        words = split(story)
        name = next(w for w in words if w in tales.GIRLS + tales.BOYS)
        wrong = {"boy", "His"} if name in tales.GIRLS else {"girl", "Her"}
        hero_only = words[: words.index(".") + 1]
        assert not wrong & set(hero_only), story


def test_text_and_words_are_two_views_of_one_thing():
    sample = tales.generate(5_000, seed=6)
    assert split(sample.text) == sample.words
    tokenizer = Words(tales.VOCABULARY)
    assert tokenizer.decode(tokenizer.encode(sample.text)) == sample.text
    for level in (2, 3):
        sample = tales.generate(5_000, seed=6, level=level)
        assert split(sample.text) == sample.words
        assert " ’" not in sample.text and "‘ " not in sample.text and "“ " not in sample.text


@pytest.mark.parametrize("n", [0, -3, 2.5, "9", True])
def test_a_bad_count_is_refused(n):
    with pytest.raises(ValueError, match=f"n is {n!r}; expected a whole number of at least 1"):
        tales.generate(n)


def test_a_bad_seed_is_refused():
    with pytest.raises(ValueError, match="seed is -1; expected a whole number of at least 0"):
        tales.generate(10, seed=-1)


@pytest.mark.parametrize("level", [0, 4, "2", None])
def test_a_bad_level_is_refused(level):
    asked = (tales.vocabulary, partial(tales.generate, 10), partial(tales.stories, 1), partial(tales.oracle, []))
    for ask in asked:
        with pytest.raises(ValueError, match=rf"level is {level!r}; expected one of \[1, 2, 3\]"):
            ask(level=level)


@pytest.mark.parametrize("level", LEVELS)
def test_every_table_of_choices_sums_to_one(level):
    """Not what was sampled, but all branches of every choice met, taken or not: each phrase has its equal share."""
    tales.generate(30_000, seed=15, level=level)

    def leaves(node):
        return [leaf for below in node[1] for leaf in leaves(below)] if isinstance(node, tuple) else [node]

    tables = 0
    for choice in tales.grammar(level).choices.values():
        for used, node in choice.items():
            offered = [p for p in choice.phrases if not used & choice.bit_of(p)]
            probs = [np.exp(sum(leaf.logprobs)) for leaf in leaves(node)]
            assert probs == pytest.approx([1 / len(offered)] * len(offered), abs=1e-12)
            assert sorted(" ".join(leaf.words) for leaf in leaves(node)) == sorted(offered)
            tables += 1
    assert tables > 100


def test_a_part_that_begins_with_a_choice_is_refused():
    with pytest.raises(ValueError, match="must begin with a certain word"):
        Grammar(("[a|b] c", "d"), {})


def test_facts_that_nobody_knows_are_refused():
    grammar = Grammar("[pet: hen|fox] {pet.colour}", {}, [Phrase("hen", size="small"), Phrase("fox", size="big")])
    with pytest.raises(ValueError, match=r"nothing named 'colour' is known of '(hen|fox)', only \['size'\]"):
        grammar.tell(Random(0).random)


def test_following_and_telling_are_one_walk():
    """Who follows the words finds the choices of the one who drew them, and their probabilities."""
    words, logprobs, entropies = told(tales.GRAMMAR, Random(4).random)
    again = tales.GRAMMAR.follow(words)
    assert again.words == words and again.logprobs == logprobs and again.entropies == entropies
    assert again.following is None
    assert prod(np.exp(again.logprobs)) == pytest.approx(np.exp(sum(logprobs)))


TEXT_HASHES = {
    1: "e0798117fb91145b1e2c5c228948fa81d72e9e2d181efb5db8a270b7524c8315",
    2: "76ce4d76591bcaffe2b0fb78aaffd6753d60eac125a67ba9cbcf68f094185cf5",
    3: "8447b53ca6695421471058fe2192e01d335f2c60a659e0b9e16bf78de0dc669a",
}
