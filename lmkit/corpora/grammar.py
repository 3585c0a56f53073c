"""Causal grammars: random text whose every word has a known probability.

A grammar is plain data, templates in lists (play all) and tuples (play one); `templates` says how they are written.
Phrases of a choice are equally likely. A remembered choice never offers a phrase that the story has already remembered,
so a friend never bears the hero's name. The parts of a tuple are equally likely and must begin with different words.

So the only random event is "the next word", drawn from a distribution that the words before it determine, and
everything else follows from the words. The probability of a word given all words before it is therefore exact.

`Grammar.tell` draws a story and only says its words; `follow` goes along given words and sees what was chosen.
"""

from bisect import bisect_right

from lmkit.corpora.derivation import Derivation
from lmkit.corpora.templates import Phrase, parse
from lmkit.corpora.trie import trie
from lmkit.tokenizers.words import join


def spaced(words):
    """The text of words in the middle of a text."""
    return join(["x", *words])[1:]


class Piece:
    """Words that are said in one go: their text, surprise and entropy (nats), and the phrase that they are."""

    __slots__ = ("bit", "entropies", "length", "logprobs", "phrase", "text", "words")

    def __init__(self, words, logprobs=None, entropies=None, phrase=None, bit=0):
        self.words, self.text, self.length = tuple(words), spaced(words), len(words)
        self.logprobs = tuple(logprobs or [0.0] * len(self.words))
        self.entropies = tuple(entropies or [0.0] * len(self.words))
        self.phrase, self.bit = phrase, bit


def decide(node, phrase_of, bit_of, said=(), logprobs=(), entropies=()):
    """Turn a node of a trie into a Piece, or where there is a choice into (cumulative probabilities, what follows)."""
    if node is None:
        phrase = phrase_of[said]
        return Piece(said, logprobs, entropies, phrase, bit_of(phrase))
    words, cumulative, logs, entropy, nodes = node
    below = [
        decide(after, phrase_of, bit_of, (*said, word), (*logprobs, logprob), (*entropies, entropy))
        for word, logprob, after in zip(words, logs, nodes, strict=True)
    ]
    return (cumulative, below) if len(below) > 1 else below[0]


class Choice(dict):
    """Equally likely phrases to be drawn: {which of them the story has used, as bits: what `decide` returns}."""

    def __init__(self, grammar, key, phrases):
        self.phrases = phrases
        self.bit_of = grammar.bit_of if key else lambda phrase: 0
        self.mask = sum(map(self.bit_of, phrases))
        self.said = {tuple(p.split()): p for p in phrases}

    def __missing__(self, used):
        phrases = {words: p for words, p in self.said.items() if not used & self.bit_of(p)}
        if len(phrases) < sum(not used & self.bit_of(p) for p in self.phrases):
            raise ValueError(f"the phrases {self.phrases} are not distinct; words cannot tell them apart")
        self[used] = decide(trie(tuple(phrases)), phrases, self.bit_of)
        return self[used]


class Sayings(dict):
    """{(phrase, fact): Piece} of what is remembered."""

    def __missing__(self, asked):
        phrase, fact = asked
        self[asked] = piece = Piece(phrase.fact(fact).split())
        return piece


class Branches(dict):
    """Parts of which one is played: {their first words: (what `decide` returns, the steps left of each part)}."""

    def __init__(self, parts):
        self.parts = parts

    def __missing__(self, firsts):
        phrases = {(piece.words[0],): i for i, piece in enumerate(firsts)}
        if len(phrases) < len(firsts):
            raise ValueError(f"the parts that begin with {[p.words[0] for p in firsts]} are not distinct in that word")
        rests = []
        for piece, part in zip(firsts, self.parts, strict=True):
            rest = [("say", Piece(piece.words[1:]))] if piece.words[1:] else []
            rests.append([*rest, *part[1:]])
        self[firsts] = decide(trie(tuple(phrases)), phrases, lambda phrase: 0), rests
        return self[firsts]


class Grammar:
    """A story (template, list or tuple), lists of phrases for its slots ({name: "a|b"}), phrases that carry facts."""

    def __init__(self, story, lists, phrases=()):
        self.steps = parse(story)
        self.lists = lists
        self.known = {str(p): p for p in phrases}
        self.sayings, self.bits, self.choices, self.texts, self.programs = Sayings(), {}, {}, {}, {}
        self.program = self.plain(self.steps)

    def bit_of(self, phrase):
        return self.bits.setdefault(str(phrase), 1 << len(self.bits))

    def listed(self, options):
        """The options of a slot with the lists put in."""
        if options not in self.texts:
            text = options
            for name, phrases in self.lists.items():
                text = text.replace(f"{{{name}}}", phrases)
            self.texts[options] = text
        return self.texts[options]

    def choice(self, key, options):
        """The Choice of a slot, one for each text of options ("a|b=乙")."""
        found = self.choices.get((bool(key), options))
        if found is None:
            phrases = [Phrase(option) for option in options.split("|")]
            for i, phrase in enumerate(phrases):
                if (known := self.known.get(phrase)) is not None:
                    phrases[i] = known.in_chinese(phrase.chinese) if phrase.chinese else known
            found = self.choices[bool(key), options] = Choice(self, key, phrases)
        return found

    def plain(self, steps):
        """The steps that say or remember something, in the form that `tell` runs."""
        if id(steps) in self.programs:
            return self.programs[id(steps)]
        program = []
        for kind, *step in steps:
            if kind == "say":
                if program and program[-1][0] == "say":
                    step[0] = program.pop()[1].words + step[0]
                program.append((kind, Piece(step[0])))
            elif kind == "choose":
                key, options = step[0], self.listed(step[1])
                choice = None if "{" in options else self.choice(key, options)
                program.append((kind, key, choice, choice.mask) if choice is not None else ("seek", key, options))
            elif kind == "either":
                parts = [self.plain(part) for part in step[0]]
                if any(not part or part[0][0] not in ("say", "recall") for part in parts):
                    raise ValueError("a part of a tuple begins with a choice; it must begin with a certain word")
                program.append((kind, Branches(parts), [part[0] for part in parts]))
            elif kind in ("recall", "as", "sum"):
                program.append((kind, *step))
        self.programs[id(steps)] = program
        return program

    def sum(self, memory, key, sign, other):
        """The phrase that is the sum, or the difference, of two remembered ones."""
        return self.known[memory[key].fact(sign + memory[other])]

    def tell(self, random):
        """Tell one story with numbers from `random()`, uniform on [0, 1): a list of Pieces."""
        pieces, memory, used = [], {}, 0
        say, sayings, stack = pieces.append, self.sayings, [iter(self.program)]
        while stack:
            for step in stack[-1]:
                kind = step[0]
                if kind == "say":
                    say(step[1])
                elif kind == "recall":
                    say(sayings[memory[step[1]], step[2]])
                elif kind == "choose" or kind == "seek":
                    if kind == "choose":
                        _, key, choice, mask = step
                    else:
                        key = step[1]
                        choice = self.choice(key, step[2].format_map(memory))
                        mask = choice.mask
                    node = choice[used & mask]
                    while node.__class__ is tuple:
                        node = node[1][bisect_right(node[0], random())]
                    say(node)
                    if key:
                        memory[key] = node.phrase
                        used |= node.bit
                elif kind == "either":
                    firsts = tuple([s[1] if s[0] == "say" else sayings[memory[s[1]], s[2]] for s in step[2]])
                    node, rests = step[1][firsts]
                    while node.__class__ is tuple:
                        node = node[1][bisect_right(node[0], random())]
                    say(node)
                    stack.append(iter(rests[node.phrase]))
                    break
                elif kind == "as":
                    memory[step[1]] = memory[step[2]]
                else:
                    memory[step[1]] = self.sum(memory, *step[2:])
            else:
                stack.pop()
        return pieces

    def follow(self, words):
        """Follow the words of a story, or of its beginning; return their Derivation.

        Raises ValueError where the words leave the grammar.
        """
        derivation = Derivation(self, words)
        if len(derivation.words) < len(words):
            i = len(derivation.words)
            raise ValueError(f"word {i} is {words[i]!r}, where this story has already ended")
        return derivation

    def following(self, words):
        """Return {next word: probability} after the first `words` of a story, or None when they are a whole story.

        Raises ValueError where the words leave the grammar.
        """
        return self.follow(words).following
