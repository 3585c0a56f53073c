"""The lens of the stream as HTML: it holds what the model says at each point, in words too, and no text can act."""

import base64
import json

import numpy as np
import pytest
import torch
from test_widgets import HOSTILE, Page, html_of

from lmkit.heads import LM
from lmkit.model import Config, Transformer
from lmkit.record import logit_lens, record_stream
from lmkit.widgets import stream_lens
from lmkit.widgets.page import script
from lmkit.widgets.stream_lens import MOST_WORDS, TOP, StreamLens, read, short

SCRIPT = script("stream_lens")
ELEMENT = "lmkit-stream-lens"
POINTS = ["embed", "attn 0", "ffn 0", "attn 1", "ffn 1"]


class Letters:
    """A tokenizer whose words are the letters a to h."""

    def encode(self, text):
        return ["abcdefgh".index(c) for c in text]

    def decode(self, ids):
        return "".join("abcdefgh"[i] for i in ids)


@pytest.fixture
def model():
    torch.manual_seed(0)
    return LM(Config(8, 16, 2, 2, positions="rope", init="fan_in")).eval()


def truth(words):
    """After any word the same word again, or an a."""
    return {words[-1]: 0.75, "a": 0.25} if words[-1] != "a" else {"a": 1.0}


def unpacked(shown):
    """The examples as the script reads them: guesses[point][word] and exact[word], each of (word, p, exact p)."""
    attributes = Page(html_of(shown)).tags[0][1]
    data = json.loads(attributes["data-figure"])
    vocab = base64.b64decode(attributes["data-vocab"]).decode().split("\n")
    numbers = iter(np.frombuffer(base64.b64decode(attributes["data-probs"]), "<u2").tolist())

    def row(n):
        return [
            [(vocab[next(numbers)], next(numbers) / 65535, next(numbers) / 65535) for _ in range(data["top"])]
            for _ in range(n)
        ]

    found = []
    for example in data["examples"]:
        n = len(example["words"])
        found.append((example, [row(n) for _ in example["points"]], row(n) if example["exact"] else None))
    assert next(numbers, None) is None, "numbers are left over"
    return found


def test_it_holds_what_the_lens_says(model):
    ((example, guesses, exact),) = unpacked(stream_lens(model, Letters(), "abca", truth))
    assert (example["points"], example["words"], example["name"]) == (POINTS, list("abca"), "")
    ids = torch.tensor([[0, 1, 2, 0]])
    with record_stream(model) as stream, torch.no_grad():
        logits = model(ids)
    for by_word, z in zip(guesses, logit_lens(model, stream).values(), strict=True):
        top = z[0].softmax(-1).topk(TOP)
        for cell, ps, best in zip(by_word, top.values.tolist(), top.indices.tolist(), strict=True):
            assert [word for word, _, _ in cell] == ["abcdefgh"[i] for i in best]
            assert [p for _, p, _ in cell] == pytest.approx(ps, abs=1e-5)
    last = logits[0].softmax(-1)
    assert [cell[0][0] for cell in guesses[-1]] == ["abcdefgh"[i] for i in last.argmax(-1).tolist()]
    for t, word in enumerate("abca"):
        assert {w: round(q, 3) for w, q, _ in exact[t] if q} == truth([word])
        for by_word in guesses:
            assert [round(q, 3) for _, _, q in by_word[t]] == [truth([word]).get(w, 0) for w, _, _ in by_word[t]]


def test_without_truth_and_with_several_texts(model):
    first, other = unpacked(stream_lens(model, Letters(), {"one": "ab", "two": "hgf"}))
    assert first[2] is None and [first[0]["name"], other[0]["name"]] == ["one", "two"]
    assert other[0]["words"] == list("hgf") and len(other[1]) == 5


def test_repr_and_plain_table_say_what_is_to_be_seen(model):
    shown = stream_lens(model, Letters(), {"one": "abca"}, truth, alt="what <it> says")
    ((_, guesses, _),) = unpacked(shown)
    best = [[cell[0][0] for cell in row] for row in guesses]
    agree = [sum(a == b for a, b in zip(row, best[-1], strict=True)) for row in best]
    assert repr(shown).split("\n") == [
        "logit lens: 1 text; guesses that are those of the last point",
        "  one, 4 words: " + ", ".join(f"{p} {n}" for p, n in zip(POINTS, agree, strict=True)),
    ]
    lines = [line for line in Page(shown.html()).text.split("\n") if line]
    assert lines[:2] == ["what <it> says", "one after" + "".join(POINTS)]
    assert lines[2:] == [word + "".join(row[t] for row in best) for t, word in enumerate("abca")]


def test_equal_input_gives_equal_bytes(model):
    one, same, other = (html_of(stream_lens(model, Letters(), text)) for text in ("abc", "abc", "abd"))
    assert one == same != other


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_reaches_the_html_raw(text):
    cell = [(text, 0.5, 0.5)] + [(f"{text}{i}", 0.1, 0.0) for i in range(4)]
    example = {"words": [text], "points": ["embed"], "guesses": [[cell]], "exact": [cell]}
    shown = StreamLens({text: example}, text, text)
    page, markup = Page(shown.html()), shown.html()
    assert [tag for tag, _ in page.tags] == [
        ELEMENT, "table", "caption", "tr", "th", "th", "tr", "th", "bdi", "td", "bdi",
    ]  # fmt: skip
    assert set(page.tags[0][1]) == {
        "data-mark", "data-lm-suppress-shortcuts", "data-figure", "data-vocab", "data-probs",
    }  # fmt: skip
    assert not any(ord(c) < 32 and c != "\n" for c in markup)
    markup.encode("utf-8")
    repr(shown).encode("utf-8")
    assert unpacked(shown)[0][1][0][0][0][1] == pytest.approx(0.5, abs=1e-4)


@pytest.mark.parametrize(
    "texts, message",
    [
        ("", "none of them empty"),
        ({}, "texts must be a text"),
        (["abc"], "not ['abc']"),
        ({"one": 1}, "texts must be a text"),
        ("a" * (MOST_WORDS + 1), "a text of 121 tokens is too wide"),
    ],
)
def test_bad_input_is_one_clear_sentence(model, texts, message):
    with pytest.raises(ValueError) as refusal:
        stream_lens(model, Letters(), texts)
    assert message in str(refusal.value) and "\n" not in str(refusal.value)


def test_a_body_without_head_is_refused():
    with pytest.raises(ValueError, match="this Transformer has no head for tokens"):
        stream_lens(Transformer(Config(8, 16, 1, 2)), Letters(), "abc")


def test_points_have_short_names(model):
    assert [short(p) for p in ("embed", "blocks.10.attn", "decoder.blocks.1.cross", "blocks.3")] == [
        "embed", "attn 10", "cross 1", "block 3",
    ]  # fmt: skip
    assert read(model, Letters(), "ab", None)["exact"] is None
    assert len(SCRIPT) < 20_000
