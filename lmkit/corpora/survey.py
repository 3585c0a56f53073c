"""What a grammar can say: its vocabulary, and how short and how long its stories may be."""

import re
from collections import defaultdict

from lmkit.corpora.templates import words_of


class Survey:
    """All words that `grammar` may say, and bounds on the words of its stories, none of them told.

    A key stands for every phrase that any part of the story may choose for it, so `most` is an upper bound that may lie
    above the longest story, and `least` a lower bound; every word of `vocabulary` stands in some list of options.
    `asked` are the words of the questions.
    """

    def __init__(self, grammar):
        self.grammar, self.meant = grammar, defaultdict(set)
        self.vocabulary, self.asked = set(), set()
        while True:  # a key may be asked for before the round that says what it stands for
            known = {key: len(phrases) for key, phrases in self.meant.items()}
            self.least, self.most = self.steps(grammar.steps)
            if known == {key: len(phrases) for key, phrases in self.meant.items()}:
                break

    def steps(self, steps):
        """(fewest, most) words of these steps."""
        least = most = 0
        for kind, *step in steps:
            lengths = [0]
            if kind == "say":
                lengths = self.note([" ".join(step[0])])
            elif kind == "recall":
                lengths = self.note(p.fact(step[1]) for p in self.meant[step[0]])
            elif kind == "choose":
                phrases = self.options(self.grammar.listed(step[1]))
                if step[0]:
                    self.meant[step[0]].update(phrases)
                lengths = self.note(phrases)
            elif kind == "as":
                self.meant[step[0]] |= self.meant[step[1]]
            elif kind == "ask":
                self.asked.update(words_of(re.sub(r"\{[^}]*\}", " ", step[0]["english"])))
            elif kind == "sum":
                several, others = self.meant[step[1]], self.meant[step[3]]
                pairs = [(p, q) for p in several for q in others if p != q]  # none is chosen twice
                sums = [p.facts[step[2] + q] for p, q in pairs if step[2] + q in p.facts]
                self.meant[step[0]].update(self.grammar.known[text] for text in sums)
            elif kind == "either":
                lengths = [length for part in step[0] for length in self.steps(part)]
            least, most = least + min(lengths, default=0), most + max(lengths, default=0)
        return least, most

    def options(self, text):
        """Every phrase that a text of options may stand for: "a|b", or a fact of what is remembered."""
        if not text.startswith("{"):
            return self.grammar.choice("key", text).phrases
        key, fact = text.strip("{}").split(".")
        texts = {str(p.facts[fact]) for p in self.meant[key] if fact in p.facts}
        return [phrase for text in texts for phrase in self.grammar.choice("key", text).phrases]

    def note(self, texts):
        """Put the words of texts into the vocabulary; return how many each text has."""
        words = [text.split() for text in texts]
        self.vocabulary.update(*words)
        return [len(w) for w in words]
