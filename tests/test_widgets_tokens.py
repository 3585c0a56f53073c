"""The figures of tokens as HTML: that they hold what the tokenizers said, say it in words, and that no text can act."""

import json
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_widgets import HOSTILE, Page, html_of

from lmkit.tokenizers import TOKENIZERS
from lmkit.tokenizers.work import Candidate, Piece, Step, Work
from lmkit.widgets import explore_tokens, token_steps
from lmkit.widgets.explore import WIDGET
from lmkit.widgets.explore_tokens import MOST
from lmkit.widgets.token_layout import seen, splice
from lmkit.widgets.token_steps import TokenSteps, direction, script

ELEMENT = "lmkit-token-steps"


def cut(text, *spans, say="cut", changed=(), candidates=(), ids=True):
    """A step whose pieces are text[start:end], with the start as id."""
    pieces = tuple(Piece(text[a:b], a, b, a if ids else None) for a, b in spans)
    return Step(say, pieces, tuple(changed), tuple(candidates))


def merging(text="lower low", kind="bpe"):
    """The characters, then the first two joined, then the first three."""
    rest = [[(i, i + 1) for i in range(n, len(text))] for n in range(4)]
    steps = [cut(text, *rest[0], say="the characters", ids=False)]
    steps += [
        cut(text, (0, n), *rest[n], say=f"merge {n - 1}: {text[: n - 1]} + {text[n - 1]}", changed=[0]) for n in (2, 3)
    ]
    return Work(kind, text, tuple(steps))


def characters(text, kind="characters"):
    return Work(kind, text, (cut(text, *((i, i + 1) for i in range(len(text)))),))


def data_of(shown):
    (element, attributes), *_ = Page(html_of(shown)).tags
    assert element == ELEMENT
    return json.loads(attributes["data-figure"])


def unpacked(packed):
    """A packed work as the script reads it: (say, pieces, changed, candidates) of each step."""
    now, fits, steps = [], [], []
    for say, change, changed, fitting in packed["steps"]:
        now, fits = joined(now, change), joined(fits, fitting)
        candidates = [(*packed["candidates"][code // 2], bool(code % 2)) for code in fits]
        steps.append((say, [tuple(packed["pieces"][i]) for i in now], changed, candidates))
    return steps


def joined(before, change):
    head, tail, middle = change
    return before[:head] + middle + before[len(before) - tail :]


def as_said(work):
    return [
        (
            seen(step.say, keep=" "),
            [(seen(p.label), p.start, p.end, p.id) for p in step.pieces],
            list(step.changed),
            [(seen(c.label), c.start, c.end, round(c.score, 2), c.best) for c in step.candidates],
        )
        for step in work.steps
    ]


# ---- what it accepts ----


def test_every_form_of_works_holds_the_same_steps():
    one, other = merging(), characters("lower low")
    for works in (
        [one, other],
        (one, other),
        {"bpe": one, "characters": other},
        {"lower low": {"bpe": one, "characters": other}},
    ):
        (example,) = data_of(token_steps(works))["examples"]
        assert [work["name"] for work in example["works"]] == ["bpe", "characters"] and example["name"] == "lower low"
        assert [unpacked(work) for work in example["works"]] == [as_said(one), as_said(other)]
    assert html_of(token_steps(one)) == html_of(token_steps([one]))


def test_works_of_several_texts_are_several_examples():
    works = [merging("lower"), characters("lower"), merging("newer"), merging("newer"), merging("newer")]
    examples = data_of(token_steps(works))["examples"]
    assert [[work["name"] for work in example["works"]] for example in examples] == [
        ["bpe", "characters"], ["bpe", "bpe 2", "bpe 3"],
    ]  # fmt: skip
    assert [example["name"] for example in examples] == ["lower", "newer"]
    named = data_of(token_steps({"A": {"x": merging("lower")}, "B": {"y": merging("newer")}}))["examples"]
    assert [(e["name"], e["works"][0]["name"]) for e in named] == [("A", "x"), ("B", "y")]
    assert data_of(token_steps(merging("long " * 20)))["examples"][0]["name"] == "long " * 8 + "…"


def test_the_text_is_there_by_character_and_byte():
    (example,) = data_of(token_steps(characters("é🙂 \n\u0301")))["examples"]
    assert example["chars"] == ["é", "🙂", "␣", "⏎", "\u0301"]
    assert example["bytes"] == ["C3 A9", "F0 9F 99 82", "20", "0A", "CC 81"]


TEXTS = ["the lower, the newest low", "naïve café 🙂\nend", "  two  spaces ", "مرحبا"]


@pytest.mark.parametrize("kind", sorted(TOKENIZERS))
def test_what_our_tokenizers_show_comes_through(kind):
    """Steps as show_work gives them, and at their end the ids and spans that encode gives by itself."""
    corpus, cls = " ".join(TEXTS) * 3 + " low lower lowest new newer newest" * 5, TOKENIZERS[kind]
    tok = cls.train(corpus, None if kind in ("characters", "words", "bytes") else 70 if kind != "byte_bpe" else 300)
    works = {text: {kind: tok.show_work(text)} for text in TEXTS}
    for example, text in zip(data_of(token_steps(works))["examples"], TEXTS, strict=True):
        assert unpacked(example["works"][0]) == as_said(works[text][kind])
        _, pieces, _, _ = unpacked(example["works"][0])[-1]
        assert [piece[3] for piece in pieces] == list(tok.encode(text))
        assert [piece[1:3] for piece in pieces] == tok.offsets(text)


GOOD = merging()
PIECE = Piece("low", 0, 3, 1)


@pytest.mark.parametrize(
    "works, message",
    [
        ([], "works is empty"),
        ({}, "works is empty"),
        ("low", "works is a str"),
        (None, "works is a NoneType"),
        ([1], "works holds a int (1) where a Work should be"),
        ({"bpe": 1}, "works holds a int"),
        ({"a": {"bpe": GOOD}, "b": GOOD}, "works holds a dict"),
        ({"a": {}}, "example 'a' holds no work"),
        ({"a": {"bpe": "low"}}, "'bpe' of 'a' is a str, not a Work"),
        ({"a": {"x": merging("one"), "y": merging("two")}}, "example 'a' mixes the texts 'one' and 'two'"),
        (Work("bpe", "low"), "bpe on 'low': a work without steps"),
        (
            Work("bpe", "lo", (Step("s", (PIECE,)),)),
            "bpe on 'lo', step 0: 'low' is text[0:3] of a text of 2 characters",
        ),
        (Work("bpe", "low", (Step("s", (Piece("x", 2, 1),)),)), "'x' is text[2:1]"),
        (Work("bpe", "low", (Step("s", (Piece("x", -1, 1),)),)), "'x' is text[-1:1]"),
        (Work("bpe", "low", (Step("s", (PIECE,), (1,)),)), "changed piece 1 is not among its 1 piece"),
        (Work("bpe", "low", (Step("s", (PIECE,), (), (Candidate("l", 0, 4, -1.0, True),)),)), "'l' is text[0:4]"),
        (
            Work("bpe", "low", (Step("s", (PIECE,), (), (Candidate("l", 0, 1, float("nan"), True),)),)),
            "the score of 'l' is nan",
        ),
    ],
)
def test_bad_input_is_one_clear_sentence(works, message):
    with pytest.raises(ValueError) as refusal:
        token_steps(works)
    assert message in str(refusal.value) and "\n" not in str(refusal.value)


def test_an_empty_text_can_be_shown():
    shown = token_steps(Work("bpe", "", (Step("nothing to cut", ()),)))
    assert "∅" in Page(html_of(shown)).text and "0 tokens" in repr(shown)


@given(st.lists(st.integers(0, 3), max_size=9), st.lists(st.integers(0, 3), max_size=9))
def test_a_splice_leads_from_one_list_to_the_other(before, now):
    assert joined(before, splice(before, now)) == now
    assert splice(now, now) == [len(now), 0, []]


# ---- the lattice ----

CHARS = "ab cdefgh"


@given(
    st.lists(
        st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)).map(sorted).map(tuple), unique=True, max_size=12),
        min_size=1,
        max_size=4,
    )
)
def test_candidates_never_overlap_and_keep_their_place(fits):
    steps = [cut(CHARS, candidates=[Candidate(CHARS[a:b], a, b, -1.0, a == 0) for a, b in fit]) for fit in fits]
    packed = data_of(token_steps(Work("unigram", CHARS, tuple(steps))))["examples"][0]["works"][0]
    drawn = {}
    for number, drawing in enumerate(packed["lattice"]):
        covered = []
        for first, last, bars in drawing:
            covered += range(first, last)
            taken = set()
            for key, row in bars:
                _, start, end, _ = packed["candidates"][key]
                assert first <= start < end <= last
                places = {(row, i) for i in range(start, end)}
                assert not places & taken, "two bars in one place"
                taken |= places
                assert key not in drawn, "a candidate is drawn once"
                drawn[key] = number
        assert covered == sorted(set(covered)), "blocks follow each other and share nothing"
    wide = {key for key, (_, start, end, _) in enumerate(packed["candidates"]) if start < end}
    assert set(drawn) == wide
    for _, _, _, candidates in unpacked(packed):
        keys = {packed["candidates"].index(list(c[:4])) for c in candidates} & wide
        assert len({drawn[key] for key in keys}) <= 1, "the candidates of a step are in one drawing"


def test_words_are_blocks_unless_a_candidate_crosses():
    every = [Candidate(c, i, i + 1, -1.0, True) for i, c in enumerate("ab cd")]
    for candidates, spans in (every, [[0, 2], [2, 5]]), ([*every, Candidate("b c", 1, 4, -1.0, False)], [[0, 5]]):
        work = Work("unigram", "ab cd", (cut("ab cd", candidates=candidates),))
        (drawing,) = data_of(token_steps(work))["examples"][0]["works"][0]["lattice"]
        assert [block[:2] for block in drawing] == spans
    long = Work(
        "unigram", "x" * 40, (cut("x" * 40, candidates=[Candidate("x", i, i + 1, -1.0, True) for i in range(40)]),)
    )
    (drawing,) = data_of(token_steps(long))["examples"][0]["works"][0]["lattice"]
    assert [block[:2] for block in drawing] == [[0, 16], [16, 32], [32, 40]], (
        "what has no spaces has lines all the same"
    )


# ---- the HTML ----


def test_equal_input_gives_equal_bytes_and_the_name_comes_from_the_content():
    first = html_of(token_steps([merging()], title="A"))
    assert first == html_of(token_steps({"bpe": merging()}, title="A"))
    others = token_steps([merging()]), token_steps([merging("lower lot")], title="A"), token_steps([characters("a")])
    names = {Page(html).tags[0][1]["data-mark"] for html in (first, *map(html_of, others))}
    assert len(names) == 4


def hostile(text):
    """A work in which everything that can be text is this text."""
    candidates = (Candidate(text, 0, len(text), -1.0, True),)
    step = Step(text, (Piece(text, 0, len(text), 7), Piece(text, 0, 0)), (0,), candidates)
    return token_steps({text: {text: Work(text, text, (step,))}}, title=text, alt=text)


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_reaches_the_html_raw(text):
    shown = hostile(text)
    markup, page = shown.html(), Page(shown.html())
    assert [tag for tag, _ in page.tags] == [
        ELEMENT, "table", "caption", "tr", "th", "bdi", "tr", "th", "td", "td", "code", "bdi", "code", "bdi",
    ]  # fmt: skip
    assert markup.count("<") == 28, "only our own tags"
    assert set(page.tags[0][1]) == {"data-mark", "data-lm-suppress-shortcuts", "data-figure"}
    assert not any(ord(c) < 32 and c != "\n" for c in markup)
    markup.encode("utf-8")
    repr(shown).encode("utf-8")
    assert "\x1b" not in repr(shown) and "\u202e" not in repr(shown)
    assert json.loads(page.tags[0][1]["data-figure"])["examples"][0]["works"][0]["pieces"][0][0] == seen(text)


def test_the_plain_table_holds_the_final_tokens():
    works = {"English": {"bpe": merging("lower"), "characters": characters("lower")}, "שלום": {"c": characters("שלום")}}
    page = Page(token_steps(works, alt="what is <seen>").html())
    rows = [line for line in page.text.split("\n") if line]
    assert rows == [
        "what is <seen>", "English: lower", "bpe3 tokenslow e r", "characters5 tokensl o w e r",
        "שלום", "c4 tokensש ל ו ם",
    ]  # fmt: skip
    cells = [attributes for tag, attributes in page.tags if tag == "td" and "dir" in attributes]
    assert [cell["dir"] for cell in cells] == ["ltr", "ltr", "rtl"]
    assert [attributes["scope"] for tag, attributes in page.tags if tag == "th"] == [
        "colgroup", "row", "row", "colgroup", "row",
    ]  # fmt: skip
    assert "… and 50 more" in Page(token_steps(characters("x" * 250)).html()).text


def test_repr_says_what_is_to_be_seen():
    works = {"English": {"bpe": merging("lower"), "characters": characters("lower")}, "x y": {"bpe": merging("x y")}}
    assert repr(token_steps(works)).split("\n") == [
        "token steps: 2 texts × 2 tokenizers",
        "English:",
        "  bpe, 3 tokens in 3 steps: low | e | r",
        "  characters, 5 tokens in 1 step: l | o | w | e | r",
        "“x y”:",
        "  bpe, 1 token in 3 steps: x y",
    ]
    assert repr(token_steps(characters("x" * 30))).endswith("x | x | …")


def test_sizes_stay_small():
    """300 characters merged one pair at a time: what changes is written down, not all pieces again for each step."""
    text = "the lower the newer " * 15
    spans = [(i, i + 1) for i in range(300)]
    steps = [cut(text, *spans)]
    for i in range(150):
        spans[i : i + 2] = [(spans[i][0], spans[i + 1][1])]
        steps.append(cut(text, *spans, changed=[i]))
    assert len(token_steps(Work("bpe", text, tuple(steps))).html()) < 60_000 and len(script()) < 40_000


def test_a_line_end_has_one_sign_everywhere():
    shown = token_steps(Work("bpe", "a\n b", (Step("a\n", (Piece("a\n", 0, 2), Piece("␣⏎", 2, 4))),)))
    assert "↵" not in html_of(shown) + repr(shown) and "a⏎ | ␣⏎" in repr(shown)
    assert seen("a \n\t\x00", keep=" ") == "a ⏎⇥‹00›" and seen("") == "∅" and seen(" ") == "␣"


@pytest.mark.parametrize(
    "text, way",
    [("abc", "ltr"), ("", "ltr"), ("12 !", "ltr"), ("שלום a", "rtl"), ("1 مرحبا", "rtl"), ("a שלום", "ltr")],
)
def test_direction_is_that_of_the_first_letter_that_has_one(text, way):
    assert direction(text) == way


# ---- one line ----


class Fixed:
    """A tokenizer that cuts a text at its spaces, and refuses the word "no"."""

    def show_work(self, text):
        if "no" in text.split():
            raise ValueError(f"the <b>word</b> 'no' in {text!r} is not known")
        at, pieces = 0, []
        for word in text.split(" "):
            pieces.append(Piece(word, at, at + len(word), len(word)))
            at += len(word) + 1
        return Work("fixed", text, (Step("cut at spaces", tuple(pieces)),))


# ---- exploring with a live kernel ----


class Never(Fixed):
    def show_work(self, text):
        raise ValueError("never")


def shown_in(explorer):
    return json.loads(Page(explorer.shown.outputs[0]["data"]["text/html"]).tags[0][1]["data-figure"])["examples"][0]


def test_explorer_answers_its_text_box():
    explorer = explore_tokens({"words": Fixed(), "never": Never()}, "a text")
    assert [work["name"] for work in shown_in(explorer)["works"]] == ["words"]
    assert explorer.message.value == "<p><small>never: never</small></p>\n"
    explorer.text.value = "another text"
    assert [piece[0] for piece in shown_in(explorer)["works"][0]["pieces"]] == ["another", "text"]
    kept = explorer.shown.outputs
    for refused, said in {"yes no": "'no' in 'yes no' is not known", "": "at least one character"}.items():
        explorer.text.value = refused
        assert said in Page(explorer.message.value).text and explorer.shown.outputs == kept
        assert [tag for tag, _ in Page(explorer.message.value).tags if tag == "b"] == []
    explorer.text.value = "x " * MOST
    assert len(shown_in(explorer)["chars"]) == MOST
    assert f"Only the first {MOST} of {2 * MOST} characters are shown." in explorer.message.value


def test_explorer_without_a_kernel():
    bundles = [explore_tokens({"words": Fixed()}, "a text")._repr_mimebundle_() for _ in range(2)]
    assert set(bundles[0]) == {"text/plain", "text/html", WIDGET}
    assert bundles[0]["text/html"] == bundles[1]["text/html"]
    assert [tag for tag, _ in Page(bundles[0]["text/html"]).tags].count(ELEMENT) == 1
    assert bundles[0]["text/plain"].split("\n")[0] == "token explorer: 1 tokenizer"
    assert "words, 2 tokens in 1 step: a | text" in bundles[0]["text/plain"]


def test_explorer_without_ipywidgets_is_the_static_figure(monkeypatch):
    whole = explore_tokens({"words": Fixed(), "never": Never()}, "a text")._repr_mimebundle_()
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    bundle = explore_tokens({"words": Fixed(), "never": Never()}, "a text")._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/html"} and bundle["text/html"] == whole["text/html"]
    assert "never: never" in Page(bundle["text/html"]).text


def test_colab_gets_the_figure_where_it_has_no_controls(monkeypatch):
    monkeypatch.setitem(sys.modules, "google.colab", sys)
    assert set(explore_tokens({"words": Fixed()}, "a")._repr_mimebundle_()) == {"text/plain", WIDGET}
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    assert set(explore_tokens({"words": Fixed()}, "a")._repr_mimebundle_()) == {"text/plain", "text/html"}


def test_an_explorer_of_nothing_is_refused():
    with pytest.raises(ValueError, match="tokenizers is empty"):
        explore_tokens({}, "a")
    with pytest.raises(ValueError, match="^never: never; also: never$"):
        explore_tokens({"never": Never(), "also": Never()}, "a")
    with pytest.raises(ValueError, match="empty text"):
        explore_tokens({"words": Fixed()}, "")


def test_only_an_explorers_figures_take_over_what_was_chosen():
    assert data_of(token_steps(merging()))["live"] is False
    assert data_of(explore_tokens({"words": Fixed()}, "a").steps())["live"] is True
    assert isinstance(explore_tokens({"words": Fixed()}, "a").steps(), TokenSteps)
