"""The map of a model as HTML: that it holds what lmkit.count found, says it in words, and that no text can act."""

import json
from dataclasses import replace

import pytest
import torch
from test_widgets import HOSTILE, Page, html_of

from lmkit import count, presets
from lmkit.model import Config
from lmkit.widgets import model_map
from lmkit.widgets.model_map import COLORS, counted

SMALL = Config(97, 32, 3, 4, max_seq_len=64)
MIXTURE = replace(SMALL, ffn={"name": "moe", "n_experts": 4, "n_active": 2}, d_ff=40)
MODELS = {"GPT-2": "gpt2", "BERT": "bert-base", "T5": "t5-small", "Llama 3": "llama-3-8b", "mixture": MIXTURE}


def data_of(shown):
    (element, attributes), *_ = Page(html_of(shown)).tags
    assert element == "lmkit-model-map"
    return json.loads(attributes["data-figure"])


def flops(found, part, T):
    seen = sum(min(T, w or T) for w in found["windows"]) / len(found["windows"])
    return found["parts"][part][2] + found["parts"][part][3] * seen


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("T", [1, 40])
def test_straight_lines_give_what_is_counted(name, T):
    config = presets.get(MODELS[name]) if isinstance(MODELS[name], str) else MODELS[name]
    found, truth = counted(config), count(config, T, torch.bfloat16)
    assert {part: n for part, (_, n, *_) in found["parts"].items()} == truth.parameters
    assert {part: flops(found, part, T) for part in COLORS} == truth.flops
    assert (found["parameters"], found["active"]) == (truth.total_parameters, truth.active_parameters)
    if truth.cache_bytes is None:
        assert found["cache"] is None
    elif not config.n_encoder_layers:
        assert found["cache"] * (T - 1) == truth.cache_bytes


def test_windows_bound_the_work_of_one_more_token():
    config = replace(SMALL, window=(8, None), n_layers=4, positions="rope")
    found = counted(config)
    for T in (4, 20):
        assert sum(flops(found, part, T) for part in COLORS) == count(config, T).generation_flops


def test_the_boxes_stand_in_the_order_of_the_forward():
    def words(config):
        return [[part for _, part in boxes] for _, boxes in counted(config)["groups"]]

    sub = ["norm", "attention", "add to the stream", "norm", "feed-forward", "add to the stream"]
    assert words(SMALL) == [["embedding", "positions"], sub, ["final norm", "head"]]
    post = replace(SMALL, residual="post", final_norm=False, embed_norm=True)
    assert words(post)[1] == [sub[i] for i in (1, 2, 0, 4, 5, 3)]
    assert words(post)[0][-1] == "norm" and words(post)[2] == ["head"]
    assert words(replace(SMALL, residual="sandwich"))[1][:4] == ["norm", "attention", "norm", "add to the stream"]
    assert words(replace(SMALL, block="parallel"))[1] == [
        "norm", "attention and feed-forward, side by side", "add to the stream",
    ]  # fmt: skip
    both = counted(replace(SMALL, n_encoder_layers=2))["groups"]
    assert [heading for heading, _ in both] == ["", "2 × encoder block", "3 × decoder block", ""]
    assert ["attention", "cross-attention"] in both[2][1]


def test_what_it_says_in_words():
    shown = model_map({"Llama 3": "llama-3-8b", "own": MIXTURE})
    assert "Llama 3: 8.03B parameters, 32 layers, d_model 4,096" in repr(shown)
    assert "32 heads of width 128, 8 of keys and values; causal; 1,342,177,280 parameters" in repr(shown)
    assert "moe(n_experts=4, n_active=2), inner width 40" in repr(shown)
    page = Page(html_of(shown))
    assert page.tags[1][0] == "table" and "rope(theta=500000)" in page.text
    assert "windows [16, 'all']" in repr(model_map({"w": replace(SMALL, window=(16, None))}))
    assert "2 kinds of segments" in repr(model_map({"b": "bert-base"}))


def test_the_same_again():
    assert html_of(model_map(MODELS)) == html_of(model_map(MODELS))
    assert html_of(model_map({"a": SMALL})) != html_of(model_map({"b": SMALL}))


def test_texts_cannot_act():
    shown = model_map(dict.fromkeys(HOSTILE, SMALL), title="</script><b>", alt="' onclick='alert(1)",
                      links={"attention": ("<img src=x onerror=alert(2)>", "03_attention")})  # fmt: skip
    page = Page(html_of(shown))
    assert {tag for tag, _ in page.tags} == {"lmkit-model-map", "table", "caption", "tr", "th", "td", "script"}
    assert set(page.tags[0][1]) == {"data-mark", "data-lm-suppress-shortcuts", "data-figure"}
    assert list(data_of(shown)["models"]) == list(dict.fromkeys(HOSTILE))


@pytest.mark.parametrize(
    ("models", "how", "message"),
    [
        ({}, {}, "models is {}; give"),
        ([SMALL], {}, "models is .*; give"),
        ({"a": 3}, {}, "'a' is a int; expected a Config"),
        ({"a": "gpt-5"}, {}, "'gpt-5' is not one of"),
        ({"a": SMALL}, {"links": {"norm": ("x", "y")}}, "'norm' is none"),
        ({"a": replace(SMALL, n_encoder_layers=2, window=8)}, {}, "encoder-decoder with windows"),
    ],
)
def test_wrong_input(models, how, message):
    with pytest.raises(ValueError, match=message):
        model_map(models, **how)
