"""A story and all that is known about it."""

from functools import cached_property

import numpy as np

from lmkit.corpora.chinese import translate
from lmkit.corpora.grammar import spaced
from lmkit.corpora.labels import Labels, sentences


class Story:
    """One tale: its words (without the blank line at its end) and, made when first asked for, all that they reveal.

    words: list of str; `text` is the same as a text
    logprobs, entropies: (len(words),) float64, nats, as in `tales.Sample`
    plot: the name of its (first) plot; `plots`: of all its plots, as told
    sentiment: "positive" or "negative": how it ends
    roles: list of `labels.Frame`, who did what to whom
    links: list of `labels.Link`, coreference
    copies: list of `labels.Copy`, words certain because they were said before, with their distance
    questions: list of `labels.Question`, with the spans of their answers
    sentences: list of (start, end)
    chinese: `chinese.Chinese`, with `.words` and `.text`
    alignment: list of (English word, Chinese word)
    """

    def __init__(self, grammar, words, level):
        self.grammar, self.words, self.level = grammar, words, level

    @cached_property
    def derivation(self):
        return self.grammar.follow(self.words)

    @cached_property
    def labels(self):
        return Labels(self.derivation)

    @cached_property
    def text(self):
        return spaced(self.words)[1:]

    @property
    def logprobs(self):
        return np.array(self.derivation.logprobs)

    @property
    def entropies(self):
        return np.array(self.derivation.entropies)

    @property
    def plot(self):
        return self.labels.plots[0]

    @property
    def plots(self):
        return self.labels.plots

    @property
    def sentiment(self):
        return self.labels.sentiment

    @cached_property
    def roles(self):
        return self.labels.frames

    @cached_property
    def links(self):
        return self.labels.links()

    @cached_property
    def copies(self):
        return self.labels.copied()

    @cached_property
    def questions(self):
        return self.labels.questions()

    @cached_property
    def sentences(self):
        return sentences(self.words)

    @cached_property
    def translation(self):
        return translate(self.derivation)

    @property
    def chinese(self):
        return self.translation[0]

    @property
    def alignment(self):
        return self.translation[1]

    def said(self, span):
        """The text of words start..end."""
        return spaced(self.words[slice(*span)]).strip()

    def __repr__(self):
        return f"Story(level {self.level}, {len(self.words)} words, {'+'.join(self.plots)}, {self.sentiment})"

    def __str__(self):
        lines = [self.text, "", self.chinese.text, "", f"plot: {' + '.join(self.plots)}; {self.sentiment}"]
        for frame in self.roles:
            roles = "; ".join(f"{role}: {self.said(span)}" for role, span in frame.roles.items())
            lines.append(f"  {self.said(frame.verb)} ({roles})")
        for question in self.questions:
            lines.append(f"  {question.text} {question.answer} / {question.chinese}{question.chinese_answer}")
        return "\n".join(lines)
