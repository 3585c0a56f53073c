"""Presets: the sizes that were published, the table, and the book's own."""

import html
import json
import re
from dataclasses import replace

import pytest
import torch

import lmkit
from lmkit import LM, Config, presets
from lmkit.attention import ATTENTIONS
from lmkit.checkpoints import PRETRAINED
from lmkit.exchange.layout import computed, settings_of
from lmkit.heads import MaskedLM, Pretraining
from lmkit.positions import POSITIONS
from lmkit.presets.format import Part, Settings, component_of, on_paper, word_for
from lmkit.presets.rope import rope_from
from lmkit.presets.table import COLUMNS, parameters, short
from lmkit.pretrain import BODY, SIZES

# Sums of the sizes of the tensors in the published checkpoints (their safetensors headers; a tied head counts once, and
# where a page's total is larger, it has stored the head too). GPT-2: the released TensorFlow checkpoints.
PUBLISHED = {
    "gpt2": 124_439_808,
    "gpt2-medium": 354_823_168,
    "gpt2-large": 774_030_080,
    "gpt2-xl": 1_557_611_200,
    "bert-base": 109_514_298,
    "bert-large": 335_174_458,
    # 124,697,433 and 355,412,057 there: two more positions, which no token ever takes
    "roberta-base": 124_697_433 - 2 * 768,
    "roberta-large": 355_412_057 - 2 * 1024,
    "t5-small": 60_506_624,
    "t5-base": 222_903_552,
    "t5-large": 737_668_096,
    "t5-3b": 2_851_598_336,
    "t5-11b": 11_307_321_344,
    "t5-v1.1-small": 76_961_152,
    "t5-v1.1-base": 247_577_856,
    "t5-v1.1-large": 783_150_080,
    "t5-v1.1-xl": 2_849_757_184,
    "t5-v1.1-xxl": 11_135_332_352,
    "llama-2-7b": 6_738_415_616,
    "llama-2-13b": 13_015_864_320,
    "llama-2-70b": 68_976_648_192,
    "llama-3-8b": 8_030_261_248,
    "llama-3-70b": 70_553_706_496,
    "llama-3.1-8b": 8_030_261_248,
    "llama-3.1-70b": 70_553_706_496,
    "llama-3.1-405b": 405_853_388_800,
    "llama-3.2-1b": 1_235_814_400,
    "llama-3.2-3b": 3_212_749_824,
    "mistral-7b-v0.1": 7_241_732_096,
    "mistral-7b-v0.3": 7_248_023_552,
    "qwen3-0.6b": 596_049_920,
    "qwen3-1.7b": 1_720_574_976,
    "qwen3-4b": 4_022_468_096,
    "qwen3-8b": 8_190_735_360,
    "qwen3-14b": 14_768_307_200,
    "qwen3-32b": 32_762_123_264,
    "gemma-2b": 2_506_172_416,
    "gemma-7b": 8_537_680_896,
    "gemma-2-2b": 2_614_341_888,
    "gemma-2-9b": 9_241_705_984,
    "gemma-2-27b": 27_227_128_320,
    "starcoder2-3b": 3_030_371_328,
}
# Table 2.1 of Brown et al. 2020, rounded there.
ROUNDED = {
    "gpt3-125m": 125e6,
    "gpt3-350m": 350e6,
    "gpt3-760m": 760e6,
    "gpt3-1.3b": 1.3e9,
    "gpt3-2.7b": 2.7e9,
    "gpt3-6.7b": 6.7e9,
    "gpt3-13b": 13e9,
    "gpt3-175b": 175e9,
}


def count(head, config):
    return sum(parameter.numel() for parameter in on_paper(head, config).parameters())


def test_every_preset_is_counted_here():
    assert presets.PRESETS.keys() == PUBLISHED.keys() | ROUNDED.keys() | {"tiny", "small"}


@pytest.mark.parametrize("name", PUBLISHED)
def test_parameters_are_those_published(name):
    assert parameters(presets.get(name)) == PUBLISHED[name]


@pytest.mark.parametrize("name", ROUNDED)
def test_gpt3_to_the_digits_published(name):
    found = parameters(presets.get(name))
    assert abs(found / ROUNDED[name] - 1) < 0.02
    c = presets.get(name)
    assert (c.n_heads * c.d_head == c.d_model) == (name != "gpt3-13b"), "its 5140 is 20 more than its 40 heads of 128"


def test_the_numbers_of_table_2_1():
    """n_layers, d_model, n_heads, d_head; the 24 heads that it prints for 1.3B are 16."""
    printed = {
        "gpt3-125m": (12, 768, 12, 64),
        "gpt3-350m": (24, 1024, 16, 64),
        "gpt3-760m": (24, 1536, 16, 96),
        "gpt3-1.3b": (24, 2048, 16, 128),
        "gpt3-2.7b": (32, 2560, 32, 80),
        "gpt3-6.7b": (32, 4096, 32, 128),
        "gpt3-13b": (40, 5140, 40, 128),
        "gpt3-175b": (96, 12288, 96, 128),
    }
    for name, sizes in printed.items():
        c = presets.get(name)
        assert (c.n_layers, c.d_model, c.n_heads, c.d_head) == sizes
        assert (c.max_seq_len, c.vocab_size, c.ffn, c.window) == (2048, 50257, "gelu_tanh", None)
    banded = replace(presets.get("gpt3-125m"), window=(None, 256))
    assert banded.windows == [None, 256] * 6


# Of config.json: what the number of parameters does not tell. n_heads, n_kv_heads, max_seq_len, eps, theta.
NUMBERS = {
    "gpt2": (12, 12, 1024, 1e-5, None),
    "gpt2-medium": (16, 16, 1024, 1e-5, None),
    "gpt2-large": (20, 20, 1024, 1e-5, None),
    "gpt2-xl": (25, 25, 1024, 1e-5, None),
    "llama-2-7b": (32, 32, 4096, 1e-5, 1e4),
    "llama-2-13b": (40, 40, 4096, 1e-5, 1e4),
    "llama-2-70b": (64, 8, 4096, 1e-5, 1e4),
    "llama-3-8b": (32, 8, 8192, 1e-5, 5e5),
    "llama-3-70b": (64, 8, 8192, 1e-5, 5e5),
    "llama-3.1-8b": (32, 8, 131072, 1e-5, 5e5),
    "llama-3.1-70b": (64, 8, 131072, 1e-5, 5e5),
    "llama-3.1-405b": (128, 8, 131072, 1e-5, 5e5),
    "llama-3.2-1b": (32, 8, 131072, 1e-5, 5e5),
    "llama-3.2-3b": (24, 8, 131072, 1e-5, 5e5),
    "mistral-7b-v0.1": (32, 8, 32768, 1e-5, 1e4),
    "mistral-7b-v0.3": (32, 8, 32768, 1e-5, 1e6),
    "qwen3-0.6b": (16, 8, 40960, 1e-6, 1e6),
    "qwen3-1.7b": (16, 8, 40960, 1e-6, 1e6),
    "qwen3-4b": (32, 8, 40960, 1e-6, 1e6),
    "qwen3-8b": (32, 8, 40960, 1e-6, 1e6),
    "qwen3-14b": (40, 8, 40960, 1e-6, 1e6),
    "qwen3-32b": (64, 8, 40960, 1e-6, 1e6),
    "gemma-2b": (8, 1, 8192, 1e-6, 1e4),
    "gemma-7b": (16, 16, 8192, 1e-6, 1e4),
    "gemma-2-2b": (8, 4, 8192, 1e-6, 1e4),
    "gemma-2-9b": (16, 8, 8192, 1e-6, 1e4),
    "gemma-2-27b": (32, 16, 8192, 1e-6, 1e4),
    "starcoder2-3b": (24, 2, 16384, 1e-5, 999999.4420358813),
}


@pytest.mark.parametrize("name", NUMBERS)
def test_numbers_that_the_count_does_not_tell(name):
    c = presets.get(name)
    theta = component_of(c.positions, POSITIONS)[1].get("theta")
    assert (c.n_heads, c.n_kv_heads or c.n_heads, c.max_seq_len, c.eps, theta) == NUMBERS[name]
    assert c.causal and c.logit_scale == 1 and c.tied == (name.startswith(("gpt2", "gemma", "starcoder2")) or name in (
        "llama-3.2-1b", "llama-3.2-3b", "qwen3-0.6b", "qwen3-1.7b", "qwen3-4b"
    ))  # fmt: skip


def test_options_of_a_few():
    def positions(name):
        return presets.get(name).positions

    longer = {"name": "rope_llama3", "theta": 5e5, "fast": 4.0, "slow": 1.0, "trained_len": 8192}
    assert all(positions(f"llama-3.1-{size}") == longer | {"factor": 8.0} for size in ("8b", "70b", "405b"))
    assert all(positions(f"llama-3.2-{size}") == longer | {"factor": 32.0} for size in ("1b", "3b"))
    assert {name: c.window for name, c in presets.PRESETS.items() if c.window is not None} == {
        "mistral-7b-v0.1": 4096, "starcoder2-3b": 4096,
        "gemma-2-2b": (4096, None), "gemma-2-9b": (4096, None), "gemma-2-27b": (4096, None),
    }  # fmt: skip
    for name in ("gemma-2b", "gemma-7b", "gemma-2-2b", "gemma-2-9b", "gemma-2-27b"):
        c = presets.get(name)
        assert (c.embed_scale, c.norm, c.ffn) == (c.d_model**0.5, "rmsnorm_plus_one", "geglu_tanh")
        second = name.startswith("gemma-2-")
        assert (c.logit_soft_cap, c.residual) == ((30.0, "sandwich") if second else (None, "pre"))
        assert component_of(c.attention, ATTENTIONS)[1]["soft_cap"] == (50.0 if second else None)
    assert presets.get("gemma-2-27b").attention["scale"] == (4608 / 32) ** -0.5


def test_a_few_against_every_layer_built():
    """The table counts two layers and multiplies."""
    for name in ("gpt2", "t5-small", "t5-v1.1-base", "qwen3-0.6b", "gemma-2-2b", "tiny"):
        assert count(LM, presets.get(name)) == parameters(presets.get(name))
    assert count(MaskedLM, presets.get("bert-base")) == parameters(presets.get("bert-base"))
    assert count(Pretraining, presets.get("bert-base")) == 110_106_428, "with its other head"
    uneven = replace(presets.get("t5-small"), n_layers=3)
    assert count(LM, uneven) == parameters(uneven)
    with torch.device("meta"):
        drawn = sum(parameter.numel() for parameter in LM(presets.get("tiny")).parameters())
    assert drawn == parameters(presets.get("tiny"))


def test_the_books_own():
    provenance = json.loads((PRETRAINED / "tales/provenance.json").read_text(encoding="utf-8"))
    config = json.loads((PRETRAINED / "tales/config.json").read_text(encoding="utf-8"))
    tiny, small = presets.get("tiny"), presets.get("small")
    assert tiny == Config.from_dict(config) and parameters(tiny) == provenance["parameters"]
    assert tiny == Config(464, max_seq_len=256, **SIZES["tales"], **BODY)
    assert small == Config(65, max_seq_len=256, **SIZES["text"], **BODY)
    assert LM(small)(torch.arange(65)[None]).shape == (1, 65, 65)


@pytest.mark.parametrize("name", presets.PRESETS)
def test_every_preset_is_plain_data_of_a_published_source(name):
    config, source = presets.get(name), presets.SOURCES[name]
    assert Config.from_dict(json.loads(json.dumps(config.to_dict()))) == config
    assert re.search(r"\b20[12]\d\b", source)
    assert (
        re.search(r"arXiv:\d{4}\.\d{5}$", source)
        or "Radford" in source
        or "Meta" in source
        or "github.com" in source
        or "book" in source
    )


def test_a_name_that_there_is_not():
    with pytest.raises(ValueError, match=r"'gpt4' is not one of \[.*'gpt2'.*'tiny'"):
        presets.get("gpt4")
    with pytest.raises(ValueError, match="gpt4"):
        presets.table("gpt2", "gpt4")


def test_table():
    table = lmkit.presets.table()
    assert [row["name"] for row in table.rows] == list(presets.PRESETS)
    row = {row["name"]: row for row in table.rows}
    assert row["gpt2"] == {
        "name": "gpt2", "year": "2019", "parameters": "124M", "norm": "layernorm", "residual": "pre",
        "positions": "learned", "attention": "12 heads", "window": "", "ffn": "gelu_tanh", "d_model": "768",
        "n_layers": "12", "d_ff": "3072", "vocab_size": "50257", "max_seq_len": "1024",
        "source": presets.SOURCES["gpt2"],
    }  # fmt: skip
    assert row["llama-3-8b"]["attention"] == "32 heads, 8 kv" and row["llama-3-8b"]["d_ff"] == "14336"
    assert row["llama-3-8b"]["positions"] == "rope(theta=500000)"
    assert row["mistral-7b-v0.1"]["window"] == "4096" and row["gemma-2-2b"]["window"] == "4096 / None"
    assert row["qwen3-0.6b"]["attention"] == "16 heads, 8 kv, width 128, qk rmsnorm"
    assert row["gemma-2-9b"]["attention"] == "16 heads, 8 kv, width 256, dot_product(soft_cap=50)"
    assert row["bert-base"]["attention"] == "12 heads, looks both ways"
    assert row["bert-base"]["residual"] == "post" and row["bert-base"]["parameters"] == "110M"
    assert row["t5-base"]["n_layers"] == "12 + 12" and row["gpt3-175b"]["parameters"] == "175B"
    assert row["tiny"]["parameters"] == "266k" and row["llama-3.2-1b"]["parameters"] == "1.24B"


def test_table_as_text_and_in_a_notebook():
    table = presets.table("gpt2", "qwen3-8b")
    head, *lines = repr(table).split("\n")
    assert head.split() == COLUMNS and len(lines) == 2
    start = head.index("d_model")
    assert lines[0][start:].split()[0] == "768" and lines[1][start:].split()[0] == "4096", "columns are aligned"
    page = table._repr_html_()
    assert page.count("<tr>") == 3 and page.count("<td>") == 2 * len(COLUMNS) and "<td>rope(theta=1e+06)</td>" in page
    table.rows[0]["name"] = "<script>"
    assert "<script>" not in table._repr_html_() and html.escape("<script>") in table._repr_html_()


def test_short():
    assert [short(n) for n in (999, 1000, 266_208, 124_439_808, 1_557_611_200, 174_604_259_328)] == [
        "999", "1k", "266k", "124M", "1.56B", "175B",
    ]  # fmt: skip


# What the published config.json says besides sizes; of the older spelling, with what is left over in it.
SAID = {
    "gpt2": dict(
        activation_function="gelu_new", architectures=["GPT2LMHeadModel"], attn_pdrop=0.1, bos_token_id=50256,
        embd_pdrop=0.1, eos_token_id=50256, initializer_range=0.02, layer_norm_epsilon=1e-05, model_type="gpt2",
        n_ctx=1024, n_embd=768, n_head=12, n_layer=12, n_positions=1024, resid_pdrop=0.1, summary_activation=None,
        summary_first_dropout=0.1, summary_proj_to_labels=True, summary_type="cls_index", summary_use_proj=True,
        task_specific_params={"text-generation": {"do_sample": True, "max_length": 50}}, vocab_size=50257,
    ),
    "llama-2-7b": dict(
        architectures=["LlamaForCausalLM"], bos_token_id=1, eos_token_id=2, hidden_act="silu", hidden_size=4096,
        initializer_range=0.02, intermediate_size=11008, max_position_embeddings=4096, model_type="llama",
        num_attention_heads=32, num_hidden_layers=32, num_key_value_heads=32, pretraining_tp=1, rms_norm_eps=1e-05,
        rope_scaling=None, tie_word_embeddings=False, torch_dtype="float16", use_cache=True, vocab_size=32000,
    ),
    "llama-3.1-8b": dict(
        architectures=["LlamaForCausalLM"], attention_bias=False, attention_dropout=0.0, bos_token_id=128000,
        eos_token_id=128001, hidden_act="silu", hidden_size=4096, initializer_range=0.02, intermediate_size=14336,
        max_position_embeddings=131072, mlp_bias=False, model_type="llama", num_attention_heads=32,
        num_hidden_layers=32, num_key_value_heads=8, pretraining_tp=1, rms_norm_eps=1e-05,
        rope_scaling={"factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                      "original_max_position_embeddings": 8192, "rope_type": "llama3"},
        rope_theta=500000.0, tie_word_embeddings=False, torch_dtype="bfloat16", use_cache=True, vocab_size=128256,
    ),
    "mistral-7b-v0.1": dict(
        architectures=["MistralForCausalLM"], bos_token_id=1, eos_token_id=2, hidden_act="silu", hidden_size=4096,
        initializer_range=0.02, intermediate_size=14336, max_position_embeddings=32768, model_type="mistral",
        num_attention_heads=32, num_hidden_layers=32, num_key_value_heads=8, rms_norm_eps=1e-05, rope_theta=10000.0,
        sliding_window=4096, tie_word_embeddings=False, torch_dtype="bfloat16", use_cache=True, vocab_size=32000,
    ),
    "qwen3-0.6b": dict(
        architectures=["Qwen3ForCausalLM"], attention_bias=False, attention_dropout=0.0, bos_token_id=151643,
        eos_token_id=151645, head_dim=128, hidden_act="silu", hidden_size=1024, initializer_range=0.02,
        intermediate_size=3072, max_position_embeddings=40960, max_window_layers=28, model_type="qwen3",
        num_attention_heads=16, num_hidden_layers=28, num_key_value_heads=8, rms_norm_eps=1e-06, rope_scaling=None,
        rope_theta=1000000, sliding_window=None, tie_word_embeddings=True, torch_dtype="bfloat16", use_cache=True,
        use_sliding_window=False, vocab_size=151936,
    ),
    "gemma-2-2b": dict(
        architectures=["Gemma2ForCausalLM"], attention_bias=False, attention_dropout=0.0, attn_logit_softcapping=50.0,
        bos_token_id=2, cache_implementation="hybrid", eos_token_id=1, final_logit_softcapping=30.0, head_dim=256,
        hidden_act="gelu_pytorch_tanh", hidden_activation="gelu_pytorch_tanh", hidden_size=2304,
        initializer_range=0.02, intermediate_size=9216, max_position_embeddings=8192, model_type="gemma2",
        num_attention_heads=8, num_hidden_layers=26, num_key_value_heads=4, pad_token_id=0, query_pre_attn_scalar=256,
        rms_norm_eps=1e-06, rope_theta=10000.0, sliding_window=4096, torch_dtype="float32", use_cache=True,
        vocab_size=256000,
    ),
    "starcoder2-3b": dict(
        activation_function="gelu", architectures=["Starcoder2ForCausalLM"], attention_dropout=0.1,
        attention_softmax_in_fp32=True, bos_token_id=0, embedding_dropout=0.1, eos_token_id=0,
        hidden_act="gelu_pytorch_tanh", hidden_size=3072, initializer_range=0.018042, intermediate_size=12288,
        layer_norm_epsilon=1e-05, max_position_embeddings=16384, mlp_type="default", model_type="starcoder2",
        norm_epsilon=1e-05, norm_type="layer_norm", num_attention_heads=24, num_hidden_layers=30,
        num_key_value_heads=2, residual_dropout=0.1, rope_theta=999999.4420358813,
        scale_attention_softmax_in_fp32=True, scale_attn_weights=True, sliding_window=4096, torch_dtype="float32",
        use_bias=True, use_cache=True, vocab_size=49152,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SAID)
def test_the_published_config_is_the_preset(name):
    said = Settings(SAID[name])
    family = presets.FAMILIES[said.choice("model_type", {key: key for key in presets.FAMILIES})]
    found = family.config_from(said)
    assert said.unread() == [] and list(said.misspelt()) == []
    assert settings_of(presets.get(name), family)[1] == []
    for field in (
        "vocab_size",
        "d_model",
        "n_layers",
        "n_heads",
        "max_seq_len",
        "eps",
        "tied",
        "bias",
        "logit_soft_cap",
    ):
        assert getattr(found, field) == getattr(presets.get(name), field), field
    assert computed(found) == computed(presets.get(name))


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (dict(), {"name": "rope", "theta": 1e4}),
        (dict(partial_rotary_factor=1.0), {"name": "rope", "theta": 1e4}),
        (dict(rope_parameters={"partial_rotary_factor": 1.0, "truncate": True}), {"name": "rope", "theta": 1e4}),
        (dict(rope_theta=3.0, rope_scaling=None), {"name": "rope", "theta": 3.0}),
        (dict(rope_theta=3.0, rope_parameters={"rope_theta": 4.0}), {"name": "rope", "theta": 4.0}),
        (dict(rope_scaling={"type": "linear", "factor": 2}), {"name": "rope_linear", "theta": 1e4, "factor": 2}),
        (
            dict(rope_theta=9.0, rope_scaling={"rope_type": "yarn", "type": "yarn", "factor": 4.0, "beta_fast": 20}),
            {"name": "rope_yarn", "theta": 9.0, "factor": 4.0, "fast": 20},
        ),
    ],
)
def test_rope_in_both_spellings(said, expected):
    assert rope_from(Settings(said)) == expected


# ------------------------------------------------------------------------------------ what families are written with


def test_families_answer_to_their_names():
    assert list(presets.FAMILIES) == [
        "gpt2", "bert", "roberta", "t5", "llama", "mistral", "qwen3", "gemma", "gemma2", "arcee", "starcoder2",
    ]  # fmt: skip
    for name, family in presets.FAMILIES.items():
        assert family.MODEL_TYPE == name
        for sizes in family.SIZES.values():
            for config in sizes.values():
                said = family.config_to(config)
                assert json.loads(json.dumps(said)) == said


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("rope", dict(theta=1e4)),
        ({"name": "rope", "theta": 5.0}, dict(theta=5.0)),
        ({"name": "rope_yarn", "factor": 3.0}, dict(theta=1e4, factor=3.0, fast=32.0, slow=1.0, trained_len=None)),
        ({"name": "rope_llama3"}, dict(theta=1e4, factor=2.0, fast=4.0, slow=1.0, trained_len=None)),
        ("learned", {}),
    ],
)
def test_component_of(choice, expected):
    component, how = component_of(choice, POSITIONS)
    assert component is POSITIONS[choice if isinstance(choice, str) else choice["name"]]
    assert {key: value for key, value in how.items() if key != "causal"} == expected
    assert component_of(component, POSITIONS) == component_of(component.__name__ and component, POSITIONS)


def test_word_for():
    from lmkit.ffn import FFNS, Relu2FFN

    words = {"new": "gelu_tanh", "old": "gelu", "square": "relu2", "other": "gelu_tanh"}
    assert word_for("gelu_tanh", FFNS, words) == "new" and word_for("gelu", FFNS, words) == "old"
    assert word_for(Relu2FFN, FFNS, words) == "square"
    assert word_for("swiglu", FFNS, words) == "new", "the exporter will see that it is another"


def test_settings_name_what_was_not_read():
    said = Settings(dict(a=1, b=0, c=None, use_cache=True, hidden_dropout_prob=0.1, d=[], known=2, wide_thing=3))
    assert said.size("known") == 2
    assert said.get("wide_thinq", 7) == 7
    assert said.unread() == ["a", "wide_thing"]
    assert list(said.misspelt()) == [("wide_thing", "wide_thinq")]


def test_part_is_plain():
    assert Part("x") == Part("x", transposed=False, part=0, parts=1)
