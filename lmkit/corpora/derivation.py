"""Derivations: the choices of a grammar that a story's words reveal, and what the next word may be."""

from dataclasses import dataclass

from lmkit.corpora.trie import trie

PRONOUNS = set("he He him his His I my My me you your Your it It its".split())  # facts that mean who has them


@dataclass(frozen=True)
class Mention:
    """Words that a slot said: `words[start:end]` are the phrase, or the fact, that `key` stands for."""

    start: int
    end: int
    key: str | None  #: None: a choice that the story does not remember
    fact: str  #: "": the phrase itself
    phrase: str  #: a Phrase, with its Chinese
    chosen: bool  #: True where it was chosen, False where it was recalled


class Ended(Exception):
    """The words are used up; carries the distribution of the next word."""


class Derivation:
    """The walk of a grammar along the words of one story, or of its beginning.

    `steps` holds what happened in order: Mentions, and ("unit", Chinese or None), ("end",), ("open", tags), ("close",),
    ("ask", Match), ("as", key, old key), ("sum", ...), ("note", name, value), each with the number of words said before
    it as one element more. `following` is the distribution of the word after the last, None after a whole story.
    """

    def __init__(self, grammar, words):
        self.grammar, self.script = grammar, words
        self.words, self.logprobs, self.entropies, self.steps = [], [], [], []
        self.memory, self.used, self.first, self.following = {}, set(), None, None
        try:
            self.play(grammar.steps)
        except Ended as ended:
            self.following = ended.args[0]

    def play(self, steps):
        for kind, *step in steps:
            if kind == "say":
                self.say(step[0])
            elif kind == "recall":
                self.recall(step[0], step[1])
            elif kind == "choose":
                self.choose(*step)
            elif kind == "either":
                self.either(step[0])
            else:
                if kind == "as":
                    self.memory[step[0]] = self.memory[step[1]]
                elif kind == "sum":
                    self.memory[step[0]] = self.grammar.sum(self.memory, *step[1:])
                self.steps.append((kind, *step, len(self.words)))

    def say(self, words):
        """Say words that are certain, unless the first of them has just told which part is played."""
        for word in words:
            (logprob, entropy), self.first = self.first or (0.0, 0.0), None
            self.heed((word,), (1.0,))
            self.add(word, logprob, entropy)

    def recall(self, key, fact):
        phrase = self.memory[key].fact(fact)
        start = len(self.words)
        self.say(phrase.split())
        self.steps.append(Mention(start, len(self.words), key, fact, phrase, chosen=False))

    def choose(self, key, options):
        options = self.grammar.listed(options)
        options = options.format_map(self.memory) if "{" in options else options
        phrases = self.grammar.choice(key, options).said
        left = tuple([said for said, p in phrases.items() if p not in self.used]) if key else tuple(phrases)
        node, start = trie(left), len(self.words)
        while node:
            words, cumulative, logprobs, entropy, nodes = node
            i = words.index(self.heed(words, cumulative))
            self.add(words[i], logprobs[i], entropy)
            node = nodes[i]
        phrase = phrases[tuple(self.words[start:])]
        if key:
            self.used.add(phrase)
            self.memory[key] = phrase
        self.steps.append(Mention(start, len(self.words), key, "", phrase, chosen=True))

    def either(self, parts):
        firsts = [self.first_word(part) for part in parts]
        words, cumulative, logprobs, entropy, _ = trie(tuple((first,) for first in firsts))
        i = words.index(self.heed(words, cumulative))
        self.first = logprobs[i], entropy
        self.play(parts[i])

    def first_word(self, part):
        """The word that a part begins with."""
        kind, *step = next(step for step in part if step[0] in ("say", "recall"))
        return step[0][0] if kind == "say" else self.memory[step[0]].fact(step[1]).split()[0]

    def heed(self, words, cumulative):
        """Return the next word of the script, which must be one of these, or stop where the script ends."""
        i = len(self.words)
        if i == len(self.script):
            raise Ended(probabilities(words, cumulative))
        if self.script[i] not in words:
            raise ValueError(f"word {i} is {self.script[i]!r}, where this grammar expects one of {sorted(words)}")
        return self.script[i]

    def add(self, word, logprob, entropy):
        self.words.append(word)
        self.logprobs.append(logprob)
        self.entropies.append(entropy)


def probabilities(words, cumulative):
    """{word: probability} from cumulative probabilities."""
    return dict(zip(words, (b - a for a, b in zip([0.0, *cumulative], cumulative, strict=False)), strict=True))
