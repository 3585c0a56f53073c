"""The tales in Chinese: every choice has words of its own, the English can be had back, the words are aligned."""

import hashlib
import re

import pytest

from lmkit.corpora import tales
from lmkit.corpora.chinese import SMALL_WORDS, fill
from lmkit.corpora.grammar import Grammar
from lmkit.corpora.templates import Phrase

LEVELS = [1, 2, 3]
PETS = [Phrase("a dog=狗", measure="=条", It="It=它"), Phrase("a cat=猫", measure="=只", It="It=它")]
SMALL = Grammar(
    [
        "[pet: a dog|a cat] [ran=跑|slept=睡] today. // 今天 一 {pet.measure} {pet} {1} 了 。",
        "{pet.It} is [sad=难过|glad=高兴]. // {pet.It} 很 {1} 。",
        "Oh {pet}, my {pet}! // 哦 {pet} ， 我 的 {pet} ！",
    ],
    {},
    PETS,
)  # fmt: skip


def story_of(grammar, text):
    return tales.Story(grammar, text.split(), 1)


def test_a_small_story_in_chinese_by_hand():
    story = story_of(SMALL, "a cat slept today . It is glad . Oh a cat , my a cat !")
    assert story.chinese.words == "今天 一 只 猫 睡 了 。 它 很 高兴 。 哦 猫 ， 我 的 猫 ！".split()
    assert story.chinese.text == "今天一只猫睡了。它很高兴。哦猫，我的猫！"
    assert story.alignment == [(1, 3), (2, 4), (5, 7), (7, 9), (11, 12), (15, 16)]  # cat, slept, It, glad, cat, cat


def test_what_has_no_chinese_is_refused():
    grammar = Grammar("A [dog|cat] ran. // 一 个 {1} 跑 了 。", {})
    with pytest.raises(ValueError, match="the phrase 'dog' has no Chinese"):
        story_of(grammar, "A dog ran .").chinese
    with pytest.raises(ValueError, match="have no Chinese template"):
        story_of(Grammar("A dog ran.", {}), "A dog ran .").chinese


class Reader:
    """All English stories that a Chinese text may be the translation of.

    It knows the steps of the grammar and nothing of how they are told or translated: it matches each Chinese template
    with the text, tries every option of every choice and every part of a tuple, and keeps what fits to the end.
    """

    def __init__(self, grammar, chinese):
        self.grammar, self.chinese = grammar, chinese

    def read(self, steps, at=0, memory=None, used=frozenset()):
        """Yield (English words, position in the Chinese, memory, used) of every way to read these steps."""
        memory = memory or {}
        if not steps:
            yield [], at, memory, used
            return
        kind, *step = steps[0]
        if kind == "unit":
            end = steps.index(("end",))
            unit, rest = steps[1:end], steps[end + 1 :]
            choices, unnamed = {}, 0
            for inner, *what in unit:
                if inner == "choose":
                    unnamed += what[0] is None
                    choices[what[0] or str(unnamed)] = what[1]
            for after, bound in self.match(step[0].split(), at, choices, memory, used):
                words, unnamed = [], 0
                for inner, *what in unit:
                    if inner == "say":
                        words += what[0]
                    elif inner == "recall":
                        words += bound[what[0]].fact(what[1]).split()
                    elif inner == "choose":
                        unnamed += what[0] is None
                        words += bound[what[0] or str(unnamed)].split()
                left = {key: phrase for key, phrase in bound.items() if not key.isdigit()}
                taken = used | {bound[key] for key in choices if not key.isdigit()}
                for more, *state in self.read(rest, after, left, taken):
                    yield words + more, *state
        elif kind == "either":
            for part in step[0]:
                for words, after, left, taken in self.read(part, at, memory, used):
                    for more, *state in self.read(steps[1:], after, left, taken):
                        yield words + more, *state
        else:
            if kind == "as":
                memory = {**memory, step[0]: memory[step[1]]}
            elif kind == "sum":
                memory = {**memory, step[0]: self.grammar.known[memory[step[1]].fact(step[2] + memory[step[3]])]}
            yield from self.read(steps[1:], at, memory, used)

    def match(self, template, at, choices, bound, used):
        """Yield (position, memory) of every way to match a Chinese template from here; all choices must be bound."""
        if not template:
            assert choices.keys() <= bound.keys(), f"the Chinese does not say {choices.keys() - bound.keys()}"
            if all(bound[key] in self.options(text, bound) for key, text in choices.items()):
                yield at, bound
            return
        token, *rest = template
        if not token.startswith("{"):
            if self.chinese[at : at + 1] == [token]:
                yield from self.match(rest, at + 1, choices, bound, used)
            return
        key, _, fact = token.strip("{}").partition(".")
        options = [bound[key]] if key in bound else self.options(choices[key], bound)
        for phrase in options:
            words = phrase.fact(fact).chinese.split()
            if self.chinese[at : at + len(words)] == words:
                if key in bound:
                    yield from self.match(rest, at + len(words), choices, bound, used)
                elif key.isdigit() or (phrase not in used and self.fresh(phrase, choices, bound)):
                    yield from self.match(rest, at + len(words), choices, {**bound, key: phrase}, used)

    @staticmethod
    def fresh(phrase, choices, bound):
        """Whether no other choice of this template remembers the phrase."""
        return phrase not in [bound[key] for key in choices if key in bound and not key.isdigit()]

    def options(self, text, bound):
        """The options of a choice; those that hang on something not yet read are all that it may be."""
        text = self.grammar.listed(text)
        if not text.startswith("{"):
            return self.grammar.choice("key", text).phrases
        key, fact = text.strip("{}").split(".")
        meant = [bound[key]] if key in bound else [p for p in self.grammar.known.values() if fact in p.facts]
        return [phrase for p in meant for phrase in self.grammar.choice("key", p.facts[fact]).phrases]


def readings(grammar, chinese):
    """Every English story that may have this Chinese."""
    found = Reader(grammar, chinese).read(grammar.steps)
    return [words for words, after, *_ in found if after == len(chinese)]


@pytest.mark.parametrize("level", LEVELS)
def test_the_english_can_be_had_back_from_the_chinese(level):
    """So the map is one-to-one, and no choice goes unsaid: a second reading would be a second English story."""
    for story in tales.stories(40, seed=3, level=level):
        assert readings(tales.grammar(level), story.chinese.words) == [story.words]


@pytest.mark.slow
@pytest.mark.parametrize("level", LEVELS)
def test_the_english_can_be_had_back_from_a_thousand_stories(level):
    for story in tales.stories(1000, seed=4, level=level):
        assert readings(tales.grammar(level), story.chinese.words) == [story.words]


@pytest.mark.parametrize("level", LEVELS)
def test_every_content_word_is_aligned(level):
    """Articles, prepositions, auxiliaries and question words have no word of their own where Chinese does without."""
    small = SMALL_WORDS | set("it who this what where not about after into all every only while long ever yes".split())
    small |= set("had have has could can will do did given came".split())
    for story in tales.stories(100, seed=5, level=level):
        english = {i for i, _ in story.alignment}
        missing = {w.lower() for i, w in enumerate(story.words) if i not in english} - small
        assert not missing, (missing, story.text)


@pytest.mark.parametrize("level", LEVELS)
def test_alignments_are_pairs_of_words(level):
    names = "安娜 贝拉 克拉拉 黛西 莉莉 米娅 亚当 本恩 菲利克斯 雨果 马克斯 汤姆".split()
    names = dict(zip([*tales.GIRLS, *tales.BOYS], names, strict=True))
    fixed = {"kite": "风筝", "drum": "小鼓", "grandmother": "奶奶", "milk": "牛奶", "Suddenly": "突然"}
    for story in tales.stories(100, seed=6, level=level):
        chinese = story.chinese.words
        assert len(set(story.alignment)) == len(story.alignment)
        assert all(0 <= i < len(story.words) and 0 <= j < len(chinese) for i, j in story.alignment)
        for i, j in story.alignment:
            assert chinese[j] not in set("，。！？：“”‘’、的了")
            expected = {**names, **fixed}.get(story.words[i])
            assert expected in (None, chinese[j]), (story.words[i], chinese[j])


# Which measure word a noun takes is a matter of the Chinese language, written here from a dictionary.
MEASURES = {
    "只": "风筝 小猫 小狗 母鸡",
    "个": "皮球",
    "面": "小鼓 镜子",
    "条": "小船 龙 项链 丝带",
    "顶": "帽子 王冠",
    "支": "笛子 铅笔",
    "枚": "戒指",
    "把": "钥匙 勺子 吉他",
    "块": "怀表",
    "匹": "小马",
    "张": "煎饼",
    "颗": "扣子 樱桃",
    "根": "羽毛",
    "本": "笔记本",
    "位": "农夫",
}
MEASURE_OF = {noun: measure for measure, nouns in MEASURES.items() for noun in nouns.split()}


@pytest.mark.parametrize("level", LEVELS)
def test_chinese_as_chinese_writes_it(level):
    pattern = re.compile(rf"[一那两]([{''.join(MEASURES)}])(?:[^，。、“”一那]{{1,9}}的)?({'|'.join(MEASURE_OF)})")
    seen = set()
    for story in tales.stories(300, seed=7, level=level):
        text = story.chinese.text
        assert not re.search(r"[A-Za-z0-9 {}.,!?:'\"]", text), text
        assert not re.search("的的|了了|一一|不不|地地", text), text
        assert text.count("“") == text.count("”") and text.count("‘") == text.count("’")
        for measure, noun in pattern.findall(text):
            assert measure == MEASURE_OF[noun], text
            seen.add(noun)
        assert not re.search("[一那](本恩|安娜)", text)
    assert len(seen) > (10 if level == 1 else 20)


def test_questions_are_asked_in_chinese_too():
    for story in tales.stories(100, seed=8, level=3):
        for question in story.questions:
            assert question.chinese.endswith("？") and not re.search("[A-Za-z{}]", question.chinese)
            assert question.chinese_answer in story.chinese.text


def test_fill_recalls_phrases_and_facts():
    assert fill("一 {pet.measure} {pet}", {"pet": PETS[0]}) == ["一", "条", "狗"]


@pytest.mark.parametrize("level", LEVELS)
def test_the_chinese_of_a_seed_never_changes(level):
    text = "\n".join(story.chinese.text for story in tales.stories(100, seed=7, level=level))
    assert hashlib.sha256(text.encode("utf-8")).hexdigest() == CHINESE_HASHES[level]


CHINESE_HASHES = {
    1: "4216f6869083366352545a318d0e1a8589cd9cce4dedcbbfe01af3fb9fa4386e",
    2: "88283626e69fc6f541c2354a391bb7d99d7c83fb12e69db2117703da844458b7",
    3: "f9a1b36a00bda5351ff59f8bdd3674fac1338691e61b96b44d272ebab452baeb",
}
