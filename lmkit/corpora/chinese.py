"""The tales in Simplified Chinese, told from the same choices as the English, with the alignment of their words.

Given the English words the Chinese is certain, since both are functions of the derivation: its conditional entropy is
0. Every choice has Chinese words of its own, so the English can be had back from it (`tests/test_tales_chinese.py`
does so). The floor is exact for the English alone: where Chinese order puts a choice after what depends on it, a
reader of the Chinese meets it earlier or later, and its surprise is spread over other words; only the sum over a whole
story is the same.
"""

import re
from dataclasses import dataclass

from lmkit.corpora.derivation import PRONOUNS, Mention
from lmkit.corpora.stories.lexicon import LEXICON

SLOT = re.compile(r"\{(\w+)(?:\.(\w+))?\}$")
SMALL_WORDS = set("a an the some of to for from in on at by with and that was is are . , ! ? : “ ” ‘ ’".split())
PARTICLES = set("的 地 得 了 着 过 吗 呢 吧 啊 把 被 在 一 ， 。 ！ ？ ： ； 、 “ ” ‘ ’ 就 才 都".split())


@dataclass(frozen=True)
class Chinese:
    """A story in Chinese: `text` is its words without spaces."""

    words: list[str]

    @property
    def text(self):
        return "".join(self.words)


def chinese_of(phrase):
    """The Chinese words of a phrase; ValueError if it has none."""
    if not phrase.chinese:
        raise ValueError(f"the phrase {str(phrase)!r} has no Chinese")
    return phrase.chinese.split()


def parts_of(template, memory):
    """Yield (words, key, fact) for each word or slot of a Chinese template; the key of a plain word is None."""
    for token in template.split():
        slot = SLOT.match(token)
        if not slot:
            yield [token], None, ""
            continue
        key, fact = slot[1], slot[2] or ""
        yield chinese_of(memory[key].fact(fact)), key, fact


def fill(template, memory):
    """The words of a Chinese template."""
    return [word for words, _, _ in parts_of(template, memory) for word in words]


def translate(derivation):
    """Return (Chinese, alignment) of a whole story; alignment is a sorted list of (English word, Chinese word)."""
    chinese, pairs, opened = [], set(), []
    for step in derivation.steps:
        if isinstance(step, Mention):
            opened[-1][2].append(step)
        elif step[0] == "unit":
            opened.append((step[1], step[-1], []))
        elif step[0] == "end":
            template, start, mentions = opened.pop()
            if template is None:
                raise ValueError(f"the words {derivation.words[start : step[-1]]} have no Chinese template")
            unit = Unit(derivation, template, start, step[-1], mentions, len(chinese))
            pairs |= unit.pairs
            chinese += unit.words
    return Chinese(chinese), sorted(pairs)


class Unit:
    """One template in both languages: its Chinese words, and which English words they say (`pairs`)."""

    def __init__(self, derivation, template, start, end, mentions, offset):
        self.english, self.words, self.offset, self.pairs = derivation.words, [], offset, set()
        unnamed = [m for m in mentions if m.key is None]
        memory = {**derivation.memory, **{str(i): m.phrase for i, m in enumerate(unnamed, start=1)}}
        numbers = {id(m): str(i) for i, m in enumerate(unnamed, start=1)}
        said = []  # (key, fact, indices of its words) of the Chinese slots
        plain = []
        for words, key, fact in parts_of(template, memory):
            here = range(offset + len(self.words), offset + len(self.words) + len(words))
            self.words += words
            said.append((key, fact, here)) if key else plain.extend(here)
        meant = [(numbers.get(id(m), m.key), m.fact, range(m.start, m.end)) for m in mentions]
        self.slots(meant, said)
        slotted = {i for _, _, span in meant for i in span}
        self.look_up([i for i in range(start, end) if i not in slotted], plain)

    def slots(self, meant, said):
        """Align slots by key and kind, the first with the first and so on, then what is left of each key."""
        for same in (kind, lambda fact: "name" if kind(fact) == "pronoun" else kind(fact)):
            left = []
            for key, fact, english in meant:
                other = next((o for o in said if (o[0], same(o[1])) == (key, same(fact))), None)
                if other is None:
                    left.append((key, fact, english))
                else:
                    said.remove(other)
                    self.spans(english, other[2])
            meant = left

    def spans(self, english, chinese):
        """Align the words of two phrases that mean the same."""
        english = [i for i in english if self.english[i].lower() not in SMALL_WORDS]
        chinese = [j for j in chinese if self.said(j) not in PARTICLES] or list(chinese)
        if len(english) > 1 and len(chinese) > 1:
            english, chinese = self.look_up(english, chinese)
        self.pairs |= {(i, j) for i in english for j in chinese}

    def look_up(self, english, chinese):
        """Align words by the dictionary, a Chinese word twice only if need be; return the indices that are left."""
        left, rest = list(chinese), []
        for i in english:
            if self.english[i].lower() in SMALL_WORDS:
                continue
            meanings = LEXICON.get(self.english[i].lower(), ())
            said = ({self.said(j): j for j in reversed(some)} for some in (left, chinese) if meanings)
            found = next((words[word] for words in said for word in meanings if word in words), None)
            if found is None:
                rest.append(i)
            else:
                self.pairs.add((i, found))
                left = [j for j in left if j != found]
        return rest, left

    def said(self, j):
        """The Chinese word j of the story."""
        return self.words[j - self.offset]


def kind(fact):
    """Which words for the same thing answer each other: names, pronouns, or the same fact."""
    return "name" if not fact else "pronoun" if fact in PRONOUNS or fact == "own" else fact
