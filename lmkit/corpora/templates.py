"""Templates: how the grammars of the tales are written down, and what is read off them.

A template is a sentence with slots, and may carry its Chinese after ` // `:

    "<who {hero}> <did had> <what a [look: red=红色|blue=蓝色] [toy: {toys}]>. // {hero} 有 一 个 {look} 的 {toy} 。"

`[key: a|b]` chooses one of the phrases and remembers it as `key` (which may be left out: then the choice is forgotten).
`a=甲` is a phrase with its Chinese. `{key}` says a remembered phrase again, `{key.his}` a fact about it. `<who ...>`
marks words without saying any: a role, or, as `<=hero ...>`, who is meant. In the Chinese, whose words stand apart,
`{key}` and `{key.fact}` recall what is remembered, and `{2}` is the second choice of the template that has no key.

A list plays its parts in order, a tuple one of its parts; `"? What did {hero} lose? = toy"` is a question and the key
of its answer, and a dictionary notes what no word says: the plot, the sentiment, keys that mean the `same` person, and
further names of a key (`{"as": "thing=toy sum=n+m"}`, where n+m is the phrase that the fact "+..." of n names).
"""

import re

TOKEN = re.compile(r"\[(?:(?P<key>\w+): )?(?P<options>[^\]]+)\]|\{(?P<recall>[^}]+)\}|<(?P<tags>[\w,=]+) |(?P<close>>)")
MARK = re.compile(r"([.,!?:“”‘]|’s\b|’)")
NAME = re.compile(r"(\w+)=(\w+)(?:([+-])(\w+))?$")
QUESTION = re.compile(r"\? (?P<english>.+\?) = (?P<key>\w+)(?: // (?P<chinese>.+))?$")


class Phrase(str):
    """A phrase that carries facts and its Chinese: `Phrase("Anna=安娜", he="she=她").he` is "she"."""

    def __new__(cls, text, **facts):
        english, _, chinese = text.partition("=")
        phrase = super().__new__(cls, english)
        phrase.chinese = chinese  # words with spaces between them
        phrase.facts = {name: fact if "|" in fact else Phrase(fact) for name, fact in facts.items()}
        phrase.__dict__.update(phrase.facts)
        return phrase

    def in_chinese(self, chinese):
        """The same phrase and facts with another Chinese."""
        phrase = Phrase(f"{self}={chinese}")
        phrase.facts = self.facts
        phrase.__dict__.update(self.facts)
        return phrase

    def fact(self, name):
        """The fact of that name, the phrase itself if the name is empty."""
        if name and name not in self.facts:
            raise ValueError(f"nothing named {name!r} is known of {str(self)!r}, only {sorted(self.facts)}")
        return self.facts[name] if name else self


def words_of(text):
    """The words of an English text without slots; marks of punctuation are words."""
    return tuple(MARK.sub(r" \1 ", text).split())


def parse(part):
    """Turn a template, list or tuple into steps, tuples that begin with their kind:

    ("say", words), ("recall", key, fact), ("choose", key or None, options as text), ("either", steps of each part),
    ("as", key, old key), ("sum", key, old key, sign, other key), ("open", tags), ("close",), ("unit", Chinese or None),
    ("end",), ("ask", Match), ("note", name, value).
    """
    if isinstance(part, tuple):
        return [("either", tuple(parse(p) for p in part))]
    if isinstance(part, list):
        return [step for p in part for step in parse(p)]
    if isinstance(part, dict):
        names = [NAME.match(pair).groups() for pair in part.get("as", "").split()]
        steps = [("sum", *name) if name[2] else ("as", *name[:2]) for name in names]
        return steps + [("note", k, v) for k, v in part.items() if k != "as"]
    if part.startswith("? "):
        return [("ask", QUESTION.match(part))]
    english, _, chinese = part.partition(" // ")
    steps, end = [("unit", chinese or None)], 0
    for token in TOKEN.finditer(english):
        steps.append(("say", words_of(english[end : token.start()])))
        end = token.end()
        if token["options"]:
            steps.append(("choose", token["key"], token["options"]))
        elif token["recall"]:
            key, _, fact = token["recall"].partition(".")
            steps.append(("recall", key, fact))
        else:
            steps.append(("open", tuple(token["tags"].split(","))) if token["tags"] else ("close",))
    steps += [("say", words_of(english[end:])), ("end",)]
    return [step for step in steps if step != ("say", ())]


def inside(part, lists, suffix="2"):
    """The same part as someone within a story would tell it: quotes turn into inner quotes, keys get a suffix."""
    if isinstance(part, (tuple, list)):
        return type(part)(inside(p, lists, suffix) for p in part)
    if isinstance(part, dict):
        keys = {k: re.sub(r"\w+", rf"\g<0>{suffix}", v) for k, v in part.items() if k in ("as", "same")}
        return {**part, **keys}

    def renamed(match):
        return match[0] if match[2] in lists or match[2].isdigit() else f"{match[1]}{match[2]}{suffix}"

    part = re.sub(r"(\{|\[(?=\w+: )|\? = )(\w+)", renamed, part)
    part = re.sub(r"<=([\w=]+) ", lambda m: "<=" + m[1].replace("=", f"{suffix}=") + f"{suffix} ", part)
    return part.translate(str.maketrans("“”‘’", "‘’“”"))
