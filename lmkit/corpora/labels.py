"""Labels of a story, read off the choices that made it: roles, links, copies, questions, plot and sentiment.

Spans are pairs (start, end) of indices into the story's words, end not included.
"""

from dataclasses import dataclass

from lmkit.corpora.chinese import fill
from lmkit.corpora.derivation import PRONOUNS, Mention

ENDS, CLOSERS = {".", "!", "?"}, {"”", "’"}


@dataclass(frozen=True)
class Frame:
    """Who did what to whom: a verb, and the spans of its roles.

    Roles: who (does it), what (it is done to), whom (it is given or said to), where, when, how.
    """

    verb: tuple[int, int]
    roles: dict[str, tuple[int, int]]


@dataclass(frozen=True)
class Link:
    """Coreference: word `word` (the last one of its mention) means whom or what word `earlier` meant.

    People, animals and things that the story may name again are linked, and all pronouns for them; things that are
    mentioned once and for all ("nobody could save it") are not, nor is a pronoun within a phrase that was chosen ("Have
    you seen" or "Did you find").
    """

    word: int
    earlier: int
    entity: str  #: the name that the grammar has for it, such as "hero"


@dataclass(frozen=True)
class Copy:
    """Word `word` is certain, because the story said it before: last at `earlier`."""

    word: int
    earlier: int

    @property
    def distance(self):
        return self.word - self.earlier


@dataclass(frozen=True)
class Question:
    """A question about the story; the answer is `words[span[0]:span[1]]`."""

    text: str
    answer: str
    span: tuple[int, int]
    chinese: str
    chinese_answer: str


class Labels:
    """What a Derivation tells: frames, links, copies, questions, plots, sentiment."""

    def __init__(self, derivation):
        self.words, self.memory = derivation.words, derivation.memory
        self.frames, self.copies, self.notes = [], [], []
        self.mentions, self.groups, self.asked, self.alias = [], [], [], {}
        tags, spans = [], {}
        for step in derivation.steps:
            if isinstance(step, Mention):
                if step.key:
                    self.mentions.append(step)
                continue
            kind, *rest, position = step
            if kind == "unit":
                spans = {}
            elif kind == "open":
                tags.append((rest[0], position))
            elif kind == "close":
                names, start = tags.pop()
                spans.update(dict.fromkeys(names, (start, position)))
                self.groups += [(name, start) for name in names if name.startswith("=")]
            elif kind == "end":
                self.frames += frames_of(spans)
            elif kind == "as":
                self.alias[rest[0]] = self.source(rest[1])
            elif kind == "sum":
                continue
            elif kind == "ask":
                self.asked.append(rest[0])
            else:
                self.notes.append(tuple(rest))
        self.same = dict(value.split() for name, value in self.notes if name == "same")

    def source(self, key):
        """The key under which the phrase was chosen that `key` stands for."""
        return self.alias.get(key, key)

    def entity(self, key):
        """The key of the person or thing that `key` stands for, None if it is neither."""
        key = self.source(key)
        key = self.source(self.same.get(key, key))
        return key if "measure" in getattr(self.memory[key], "facts", ()) else None

    @property
    def plots(self):
        return tuple(value for name, value in self.notes if name == "plot")

    @property
    def sentiment(self):
        return next(value for name, value in self.notes if name == "sentiment")

    def links(self):
        """Every Link, in the order of the words."""
        events = [(m.start, m.end - 1, [self.entity(m.key)], True) for m in self.mentions if names_it(m)]
        events += [(at, at, [self.entity(key) for key in name[1:].split("=")], False) for name, at in self.groups]
        links, last = [], {}
        for _, word, entities, one in sorted(events):
            for entity in filter(None, entities):
                if entity in last:
                    links.append(Link(word, last[entity], entity))
                if one or len(entities) == 1:
                    last[entity] = word
        return links

    def copied(self):
        """Every Copy, in the order of the words."""
        copies, last = [], {}
        for mention in self.mentions:
            if not mention.fact:
                key = self.source(mention.key)
                if not mention.chosen and key in last:
                    copies += [Copy(mention.start + i, last[key] + i) for i in range(mention.end - mention.start)]
                last[key] = mention.start
        return copies

    def questions(self):
        """Every Question whose answer the story says."""
        found = []
        for asked in self.asked:
            key = asked["key"]
            named = [m for m in self.mentions if m.key == key and not m.fact]
            mention = next(iter(named or [m for m in self.mentions if m.key == self.source(key)]))
            span = (mention.start, mention.end)
            chinese = "".join(fill(asked["chinese"] or "", self.memory))
            answer = " ".join(self.words[slice(*span)])
            said = "".join(mention.phrase.chinese.split())
            found.append(Question(asked["english"].format_map(self.memory), answer, span, chinese, said))
        return found


def names_it(mention):
    """Whether a mention names what its key stands for, or is a pronoun for it; not if it is another fact about it."""
    return not mention.fact or mention.fact in PRONOUNS or mention.fact == "kid"


def frames_of(spans):
    """The Frames of a template's spans {"who": ..., "did": ..., "did2": ...}."""
    frames = []
    for name, verb in spans.items():
        if name.startswith("did"):
            number = name[3:]
            roles = ["who", "what", "whom", "where", "when", "how"]
            frames.append(Frame(verb, {role: spans[role + number] for role in roles if role + number in spans}))
    return frames


def sentences(words):
    """The spans of sentences: they end in . ! or ?, closing quotes included, unless the next word goes on small."""
    spans, start, i = [], 0, 0
    while i < len(words):
        i += 1
        if words[i - 1] in ENDS:
            while i < len(words) and words[i] in CLOSERS:
                i += 1
            if i == len(words) or not words[i][0].islower():
                spans.append((start, i))
                start = i
    return spans + ([(start, len(words))] if start < len(words) else [])
