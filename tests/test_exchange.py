"""lmkit.load and lmkit.export for decoders, held against transformers on random tiny models of every family."""

import pytest
import torch
import transformers as hf
from oracle import build, close, outputs_of, padded, same

from lmkit import generate, record
from lmkit.exchange import export, load, tensors
from lmkit.exchange.layout import computed
from lmkit.presets import FAMILIES
from lmkit.presets.format import Settings

V = 83
LLAMA = dict(vocab_size=V, hidden_size=36, intermediate_size=50, num_hidden_layers=3, num_attention_heads=6,
             num_key_value_heads=2, max_position_embeddings=41)  # fmt: skip
GPT2 = dict(vocab_size=V, n_embd=36, n_layer=3, n_head=3, n_positions=41)


def rope(kind, **how):
    return dict(rope_parameters={"rope_type": kind, "rope_theta": 1000.0, "factor": 3.0} | how)


def length(n):
    return dict(original_max_position_embeddings=n)


CASES = {
    "gpt2": (hf.GPT2LMHeadModel, hf.GPT2Config(**GPT2)),
    "gpt2 untied": (
        hf.GPT2LMHeadModel,
        hf.GPT2Config(
            **GPT2, n_inner=50, activation_function="relu", layer_norm_epsilon=1e-2, tie_word_embeddings=False
        ),
    ),
    "llama": (hf.LlamaForCausalLM, hf.LlamaConfig(**LLAMA, rms_norm_eps=1e-2)),
    "llama biased": (
        hf.LlamaForCausalLM,
        hf.LlamaConfig(
            **LLAMA, attention_bias=True, mlp_bias=True, head_dim=10, hidden_act="gelu", tie_word_embeddings=True
        ),
    ),
    "llama multi-query": (hf.LlamaForCausalLM, hf.LlamaConfig(**LLAMA | dict(num_key_value_heads=1), **rope("linear"))),
    "llama 3": (
        hf.LlamaForCausalLM,
        hf.LlamaConfig(**LLAMA, **rope("llama3", low_freq_factor=0.7, high_freq_factor=2.5, **length(11))),
    ),
    "llama yarn": (
        hf.LlamaForCausalLM,
        hf.LlamaConfig(**LLAMA, **rope("yarn", beta_fast=4.0, beta_slow=0.5, **length(13))),
    ),
    "mistral": (hf.MistralForCausalLM, hf.MistralConfig(**LLAMA, sliding_window=4)),
    "mistral without window": (hf.MistralForCausalLM, hf.MistralConfig(**LLAMA, sliding_window=None, head_dim=14)),
    "qwen3": (hf.Qwen3ForCausalLM, hf.Qwen3Config(**LLAMA, head_dim=14, rms_norm_eps=1e-3, tie_word_embeddings=True)),
    "qwen3 windows": (
        hf.Qwen3ForCausalLM,
        hf.Qwen3Config(**LLAMA, head_dim=8, use_sliding_window=True, sliding_window=3, max_window_layers=1),
    ),
    "gemma": (hf.GemmaForCausalLM, hf.GemmaConfig(**LLAMA, head_dim=14, rms_norm_eps=1e-3)),
    "gemma 2": (
        hf.Gemma2ForCausalLM,
        hf.Gemma2Config(
            **LLAMA,
            head_dim=14,
            sliding_window=3,
            query_pre_attn_scalar=20,
            attn_logit_softcapping=1.5,
            final_logit_softcapping=3.0,
        ),
    ),
    "gemma 2 uncapped": (
        hf.Gemma2ForCausalLM,
        hf.Gemma2Config(
            **LLAMA,
            head_dim=12,
            query_pre_attn_scalar=12,
            attn_logit_softcapping=None,
            final_logit_softcapping=None,
            layer_types=["full_attention", "full_attention", "sliding_attention"],
            sliding_window=4,
            tie_word_embeddings=False,
        ),
    ),
    "arcee": (hf.ArceeForCausalLM, hf.ArceeConfig(**LLAMA)),
    "starcoder2": (hf.Starcoder2ForCausalLM, hf.Starcoder2Config(**LLAMA, sliding_window=5)),
    "starcoder2 plain": (
        hf.Starcoder2ForCausalLM,
        hf.Starcoder2Config(**LLAMA, use_bias=False, hidden_act="gelu", tie_word_embeddings=False),
    ),
}


@pytest.fixture(scope="module", params=CASES)
def case(request, tmp_path_factory):
    """(their model, our model, folder)"""
    theirs = build(*CASES[request.param])
    folder = tmp_path_factory.mktemp("theirs")
    theirs.save_pretrained(folder)
    ours, tokenizer = load(folder)
    assert tokenizer is None and not ours.training
    return theirs, ours, folder


@pytest.mark.parametrize("name", CASES)
def test_what_config_json_leaves_out_is_as_transformers_has_it(name):
    """Without each key in turn: the same Config as from what their class fills in, or a refusal that names the key."""
    full = CASES[name][1].to_dict()
    family, kind = FAMILIES[full["model_type"]], type(CASES[name][1])
    refusals = set()
    for key in full:
        less = {other: value for other, value in full.items() if other != key}
        try:
            ours = family.config_from(Settings(less))
        except ValueError as error:
            about = {"use_sliding_window": "sliding_window", "attention_bias": "mlp_bias"}.get(key, key)
            assert about in str(error)
            refusals.add(key)
        else:
            assert computed(ours) == computed(family.config_from(Settings(kind(**less).to_dict()))), key
    sizes = {"vocab", "embd", "hidden_size", "intermediate", "layer", "head", "position", "rope", "sliding", "bias"}
    assert all(any(size in key for size in sizes) for key in refusals), refusals


def places(real):
    return (real.cumsum(1) - 1).clamp(min=0)


@pytest.mark.parametrize("piece", [1, 700])
def test_tensors_are_read_in_pieces(case, piece, monkeypatch):
    """Of a row at least, of a few rows; all other tests read each in one."""
    _, ours, folder = case
    monkeypatch.setattr(tensors, "PIECE", piece)
    assert same(load(folder)[0], ours)
    half, _ = load(folder, dtype=torch.bfloat16)
    assert all(torch.equal(a, b.bfloat16()) for a, b in zip(half.parameters(), ours.parameters()))


@pytest.mark.parametrize("side", [None, "left", "right"])
def test_logits_hidden_states_and_maps_are_theirs(case, side):
    theirs, ours, _ = case
    ids, real = padded(V, side)
    with torch.no_grad():
        wanted = theirs(
            ids,
            attention_mask=real.long(),
            position_ids=places(real),
            output_hidden_states=True,
            output_attentions=True,
        )
    how = {} if side is None else dict(real=real)
    with record(ours) as maps:
        logits, seen = outputs_of(ours, ours.body.blocks, ids, **how)
    seen[-1] = ours.body.final_norm(seen[-1])  # theirs are taken after it
    close(logits[real], wanted.logits[real])
    for out, expected in zip(seen, wanted.hidden_states, strict=True):
        close(out[real], expected[real])
    for layer, expected in enumerate(wanted.attentions):
        rows = real[:, None, :].expand(expected.shape[:3])
        close(maps[f"blocks.{layer}.attn"][rows], expected[rows])


@pytest.mark.parametrize("side", [None, "left"])
def test_greedy_generation_is_theirs(case, side):
    """With the caches of both; prompts of unequal length stand to the right."""
    theirs, ours, _ = case
    ids, real = padded(V, side)
    wanted = theirs.generate(ids, max_new_tokens=20, do_sample=False, attention_mask=real.long())
    how = {} if side is None else dict(real=real)
    assert torch.equal(generate(ours, ids, 20, temperature=0, **how), wanted)


def test_bfloat16_is_theirs_to_rounding(case):
    theirs, _, folder = case
    ours, _ = load(folder, dtype=torch.bfloat16)
    assert {parameter.dtype for parameter in ours.parameters()} == {torch.bfloat16}
    exact = type(theirs)(theirs.config)
    exact.load_state_dict({name: tensor.bfloat16().float() for name, tensor in theirs.state_dict().items()})
    half = type(theirs)(theirs.config).bfloat16()
    half.load_state_dict(theirs.state_dict())
    ids, _ = padded(V, None)
    with torch.no_grad():
        reference = exact.eval()(ids).logits
        apart, their_apart = (float((m(ids) - reference).norm()) for m in (ours, lambda i: half.eval()(i).logits))
    assert apart < 1.5 * their_apart and apart < 0.05 * reference.norm()


def test_export_and_import_again_are_bit_equal(case, tmp_path):
    theirs, ours, _ = case
    export(ours, None, tmp_path / "out", family=theirs.config.model_type)
    again, _ = load(tmp_path / "out")
    assert same(again, ours)
    opened = hf.AutoModelForCausalLM.from_pretrained(tmp_path / "out", attn_implementation="eager")
    assert type(opened) is type(theirs)
    ids, real = padded(V, "left")
    with torch.no_grad():
        how = dict(attention_mask=real.long(), position_ids=places(real))
        assert torch.equal(opened(ids, **how).logits[real], theirs(ids, **how).logits[real])
