"""Causal grammars: random text whose every word has a known probability.

A grammar is plain data. A *template* is a sentence with two kinds of slot:

    "{hero.He} had a [look: red|blue] [toy: {toys}]."

`[key: a|b|c]` chooses one of the phrases, each equally likely, and remembers it as `key` (the key may be left out, and
then the choice is forgotten). `{key}` says a remembered phrase again, `{key.his}` a fact about it. A remembered choice
never offers a phrase that the story has already remembered, so a friend never bears the hero's name. A *list* plays its
parts in order. A *tuple* plays one of its parts, which must begin with different words.

So the only random event is "the next word", drawn from a distribution that the words before it determine, and
everything else follows from the words. The probability of a word given all words before it is therefore exact.
"""

import re
from bisect import bisect_right
from functools import lru_cache
from math import log

SLOT = re.compile(r"\[(?:(\w+): )?([^\]]+)\]")
MARK = re.compile(r"(\{[^}]*\})|([.,!?“”]|’s)")


class Phrase(str):
    """A phrase that carries facts: `Phrase("Anna", he="she").he == "she"`."""

    def __new__(cls, text, **facts):
        phrase = super().__new__(cls, text)
        phrase.__dict__.update(facts)
        return phrase


class Reached(Exception):
    """A signal that the given words are used up; carries the distribution of the next word."""


def compile_part(part):
    """Turn a template, list or tuple into nested steps: ("say", words), ("choose", key, options), ("either", parts)."""
    if isinstance(part, tuple):
        return [("either", [compile_part(p) for p in part])]
    if isinstance(part, list):
        return [step for p in part for step in compile_part(p)]
    spaced = MARK.sub(lambda m: m[1] or f" {m[2]} ", part)
    steps, end = [], 0
    for slot in SLOT.finditer(spaced):
        steps += [("say", spaced[end : slot.start()]), ("choose", slot[1], slot[2])]
        end = slot.end()
    steps.append(("say", spaced[end:]))
    # A text without a `{` is always the same words: split it once, here.
    return [(s[0], tuple(s[1].split())) if s[0] == "say" and "{" not in s[1] else s for s in steps if s[1:] != ("",)]


@lru_cache(maxsize=4096)
def trie(phrases):
    """Arrange equally likely phrases by their words.

    A node is None after the last word of a phrase, else (words, cumulative probabilities, log-probabilities in nats,
    entropy in nats, next nodes): the distribution of the next word, marginalised over the phrases still possible.
    """
    if phrases == ((),):
        return None
    if () in phrases or len(set(phrases)) < len(phrases):
        raise ValueError(f"the phrases {phrases} are not distinct, or one begins another; words cannot tell them apart")
    groups = {}
    for first, *rest in phrases:
        groups.setdefault(first, []).append(tuple(rest))
    counts = [len(group) for group in groups.values()]
    total = len(phrases)
    cumulative = [sum(counts[: i + 1]) / total for i in range(len(counts))]
    logprobs = [log(c / total) for c in counts]
    entropy = -sum(c / total * p for c, p in zip(counts, logprobs, strict=True))
    return tuple(groups), cumulative, logprobs, entropy, [trie(tuple(group)) for group in groups.values()]


@lru_cache(maxsize=4096)
def phrase_trie(phrases):
    """`trie` of phrases given as strings."""
    return trie(tuple(tuple(p.split()) for p in phrases))


class Teller:
    """Tells one story: draws its words from `random` (a function to [0, 1)), or follows a `script` of words."""

    def __init__(self, steps, memory, known, random=None, script=None):
        self.words, self.logprobs, self.entropies = [], [], []
        self.memory, self.known, self.random, self.script = dict(memory), known, random, script
        self.used = set()
        self.play(steps)

    def play(self, steps, skip=0):
        """Play `steps`, leaving out the first `skip` words of the first step, which have been said."""
        for kind, *step in steps:
            if kind == "say":
                self.say(self.certain(step[0])[skip:])
            elif kind == "choose":
                self.choose(*step)
            else:
                self.either(*step)
            skip = 0

    def certain(self, text):
        """The words of a text whose slots are all recalled."""
        return text if isinstance(text, tuple) else text.format_map(self.memory).split()

    def say(self, words):
        """Say words that are certain."""
        if self.script is not None:
            for i, word in enumerate(words, start=len(self.words)):
                self.heed(i, (word,), (1.0,))
        self.words += words
        zeros = [0.0] * len(words)
        self.logprobs += zeros
        self.entropies += zeros

    def choose(self, key, options):
        phrases = options.format_map(self.memory).split("|")
        if key and self.used:
            phrases = [p for p in phrases if p not in self.used]
        phrase = " ".join(self.walk(phrase_trie(tuple(phrases))))
        if key:
            self.used.add(phrase)
            self.memory[key] = self.known.get(phrase, phrase)

    def either(self, parts):
        firsts = [self.certain(part[0][1])[0] for part in parts]
        (first,) = self.walk(phrase_trie(tuple(firsts)))
        self.play(parts[firsts.index(first)], skip=1)

    def walk(self, node):
        """Say one word after another down a trie; return them."""
        start = len(self.words)
        while node:
            words, cumulative, logprobs, entropy, nodes = node
            if self.script is None:
                i = bisect_right(cumulative, self.random()) if len(words) > 1 else 0
            else:
                probs = [b - a for a, b in zip([0.0, *cumulative], cumulative, strict=False)]
                i = words.index(self.heed(len(self.words), words, probs))
            self.words.append(words[i])
            self.logprobs.append(logprobs[i])
            self.entropies.append(entropy)
            node = nodes[i]
        return self.words[start:]

    def heed(self, i, words, probs):
        """Return word `i` of the script, or stop where the script ends or leaves the grammar."""
        if i == len(self.script):
            raise Reached(dict(zip(words, probs, strict=True)))
        if self.script[i] not in words:
            raise ValueError(f"word {i} is {self.script[i]!r}, where this grammar expects one of {sorted(words)}")
        return self.script[i]


def parts_of(steps):
    """Yield every text of compiled steps."""
    for kind, *step in steps:
        if kind == "either":
            for part in step[0]:
                yield from parts_of(part)
        else:
            yield " ".join(step[0]) if isinstance(step[0], tuple) else step[-1]


class Grammar:
    """A story (template, list or tuple), lists of phrases for its slots ({name: "a|b"}), phrases that carry facts."""

    def __init__(self, story, lists, phrases=()):
        self.steps = compile_part(story)
        self.lists = lists
        self.known = {str(p): p for p in phrases}

    def vocabulary(self):
        """Return the set of words that the texts, lists and facts are made of."""
        facts = [fact for phrase in self.known.values() for fact in vars(phrase).values()]
        texts = [re.sub(r"\{[^}]*\}", " ", text) for text in parts_of(self.steps)]
        return set(" ".join([*texts, *facts, *self.lists.values(), *self.known]).replace("|", " ").split())

    def tell(self, random):
        """Tell one story with numbers from `random()`, uniform on [0, 1); its words, logprobs, entropies are lists."""
        return Teller(self.steps, self.lists, self.known, random=random)

    def following(self, words):
        """Return {next word: probability} after the first `words` of a story, or None when they are a whole story.

        Raises ValueError where the words leave the grammar.
        """
        try:
            told = Teller(self.steps, self.lists, self.known, script=words).words
        except Reached as reached:
            return reached.args[0]
        if len(told) < len(words):
            raise ValueError(f"word {len(told)} is {words[len(told)]!r}, where this story has already ended")
        return None
