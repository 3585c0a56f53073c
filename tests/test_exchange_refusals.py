"""What lmkit.load and lmkit.export refuse, each in one sentence that names the file and what is wrong with it."""

import json
import re
import runpy
import shutil
import warnings

import pytest
import torch
import transformers as hf
from oracle import build, same
from safetensors.torch import load_file, save_file

from lmkit import LM, Config, Transformer
from lmkit.exchange import export, load
from lmkit.exchange.tensors import INDEX, SINGLE, read_rows, stored_in

V = 29
LLAMA = dict(vocab_size=V, hidden_size=12, intermediate_size=20, num_hidden_layers=2, num_attention_heads=2,
             max_position_embeddings=16)  # fmt: skip
MODELS = {
    "gpt2": (hf.GPT2LMHeadModel, hf.GPT2Config(vocab_size=V, n_embd=12, n_layer=2, n_head=2, n_positions=16)),
    "llama": (hf.LlamaForCausalLM, hf.LlamaConfig(**LLAMA)),
    "mistral": (hf.MistralForCausalLM, hf.MistralConfig(**LLAMA | dict(num_key_value_heads=1))),
    "qwen3": (hf.Qwen3ForCausalLM, hf.Qwen3Config(**LLAMA, num_key_value_heads=1, head_dim=6)),
}


@pytest.fixture(scope="module")
def originals(tmp_path_factory):
    folders = {name: tmp_path_factory.mktemp(name) for name in MODELS}
    for name, how in MODELS.items():
        build(*how).save_pretrained(folders[name])
    return folders


@pytest.fixture
def copy(originals, tmp_path):
    """A function: the name of a family -> a folder to spoil."""
    return lambda name: shutil.copytree(originals[name], tmp_path / "model")


def say(folder, remove=(), **settings):
    said = json.loads((folder / "config.json").read_text(encoding="utf-8")) | settings
    said = {key: value for key, value in said.items() if key not in remove}
    (folder / "config.json").write_text(json.dumps(said), encoding="utf-8")
    return folder


def change(folder, file=SINGLE, **tensors):
    """Put tensors in place of others (dots in names are written as __); None takes one away."""
    held = load_file(folder / file)
    for name, tensor in tensors.items():
        held.pop(name.replace("__", "."), None)
        if tensor is not None:
            held[name.replace("__", ".")] = tensor
    save_file(held, folder / file, metadata={"format": "pt"})
    return folder


def refused(folder, *words, error=ValueError):
    with pytest.raises(error) as caught:
        load(folder)
    text = str(caught.value)
    assert "\n" not in text and len(text) < 1000, text
    for word in words:
        assert word in text, text


# ---------------------------------------------------------------------------------------------------- config.json


@pytest.mark.parametrize(
    ("family", "settings", "words"),
    [
        ("gpt2", dict(model_type="mamba"), ["model_type", "mamba", "gpt2", "llama"]),
        ("gpt2", dict(model_type=["gpt2"]), ["model_type"]),
        ("gpt2", dict(architectures=["GPT2ForTokenClassification"]), ["GPT2ForTokenClassification", "GPT2LMHeadModel"]),
        ("gpt2", dict(architectures="GPT2LMHeadModel"), ["architectures"]),
        ("gpt2", dict(scale_attn_by_inverse_layer_idx=True), ["scale_attn_by_inverse_layer_idx=True"]),
        ("gpt2", dict(scale_attn_weights=False), ["scale_attn_weights=False"]),
        ("gpt2", dict(add_cross_attention=True), ["add_cross_attention"]),
        ("gpt2", dict(reorder_and_upcast_attn=True), ["reorder_and_upcast_attn"]),
        ("gpt2", dict(n_ctx=99), ["n_ctx=99", "16"]),
        ("gpt2", dict(activation_function="swish"), ["activation_function='swish'", "gelu_new"]),
        ("gpt2", dict(activation_function=["relu"]), ["activation_function"]),
        ("gpt2", dict(n_layer=0), ["n_layer=0", "from 1"]),
        ("gpt2", dict(n_layer="2"), ["n_layer='2'"]),
        ("gpt2", dict(n_layer=True), ["n_layer=True"]),
        ("gpt2", dict(n_layer=10**12), ["n_layer=1000000000000"]),
        ("gpt2", dict(n_layer=10**9), ["n_layer=1000000000", "28 tensors"]),
        ("gpt2", dict(n_layer=1), ["transformer.h.1", "does not ask for"]),
        ("gpt2", dict(n_layer=3), ["transformer.h.2", "missing"]),
        ("gpt2", dict(n_head=5), ["cannot be built", "n_heads (5)", "12"]),
        ("gpt2", dict(n_embd=24), ["transformer.wte.weight", "(29, 12)", "(29, 24)"]),
        ("gpt2", dict(vocab_size=28), ["transformer.wte.weight", "(29, 12)", "(28, 12)"]),
        ("gpt2", dict(n_inner=40), ["mlp.c_fc.weight", "(12, 48)", "(12, 40)"]),
        ("gpt2", dict(layer_norm_epsilon=0), ["layer_norm_epsilon=0", "above 0"]),
        ("gpt2", dict(layer_norm_epsilon="1e-5"), ["layer_norm_epsilon"]),
        ("gpt2", dict(layer_norm_epsilon=float("inf")), ["layer_norm_epsilon=inf"]),
        ("gpt2", dict(layer_norm_epsilon=10**400), ["layer_norm_epsilon=1000"]),
        ("gpt2", dict(quantization_config={"bits": 4}), ["quantization_config={'bits': 4}"]),
        ("gpt2", dict(tie_word_embeddings="yes"), ["tie_word_embeddings='yes'", "true or false"]),
        ("gpt2", dict(tie_word_embeddings=False), ["lm_head.weight", "missing"]),
        ("gpt2", dict(remove=["n_embd"]), ["does not say 'n_embd'"]),
        ("gpt2", dict(layer_norm_epsilom=1e-3, remove=["layer_norm_epsilon"]), ["epsilom", "'layer_norm_epsilon'"]),
        ("llama", dict(attention_bias=True), ["attention_bias=True", "mlp_bias=False"]),
        ("llama", dict(mlp_bias=True), ["mlp_bias=True"]),
        ("llama", dict(hidden_act="relu"), ["hidden_act='relu'", "silu"]),
        ("llama", dict(rope_parameters={"rope_type": "dynamic", "factor": 2.0}), ["rope", "dynamic", "yarn"]),
        ("llama", dict(rope_parameters={"rope_type": "longrope", "short_factor": [1]}), ["longrope"]),
        ("llama", dict(rope_parameters={"rope_type": "linear"}), ["factor", "linear"]),
        ("llama", dict(rope_parameters={"rope_type": "linear", "factor": -2}), ["factor=-2"]),
        ("llama", dict(rope_parameters={"rope_type": "yarn", "factor": 2, "mscale": 0.7}), ["mscale=0.7"]),
        ("llama", dict(rope_parameters={"rope_type": "yarn", "factor": 2, "attention_factor": 2}), ["attention_"]),
        ("llama", dict(rope_parameters={"rope_type": "yarn", "factor": 2, "truncate": False}), ["truncate=False"]),
        ("llama", dict(rope_parameters={"rope_type": "default", "mrope_section": [1, 2]}), ["mrope_section"]),
        ("llama", dict(rope_parameters={"partial_rotary_factor": 0.5}), ["partial_rotary_factor=0.5"]),
        ("llama", dict(partial_rotary_factor=0.5), ["partial_rotary_factor=0.5"]),
        ("llama", dict(original_max_position_embeddings=8), ["original_max_position_embeddings=8"]),
        ("llama", dict(rope_parameters=[1]), ["rope", "list"]),
        ("llama", dict(num_key_value_heads=1), ["k_proj.weight", "(12, 12)", "(6, 12)"]),
        ("llama", dict(tie_word_embeddings=True), ["lm_head.weight", "model.embed_tokens.weight", "equal"]),
        ("llama", dict(architectures=["LlamaModel"]), ["lm_head.weight"]),
        ("mistral", dict(sliding_window=0), ["sliding_window=0"]),
        ("mistral", dict(remove=["num_key_value_heads"]), ["num_key_value_heads"]),
        ("qwen3", dict(attention_bias=True), ["attention_bias=True"]),
        ("qwen3", dict(layer_types=["full_attention"]), ["layer_types", "2 layers"]),
        ("qwen3", dict(layer_types=["full_attention", "linear_attention"]), ["linear_attention"]),
        ("qwen3", dict(layer_types=["sliding_attention"] * 2), ["layer_types", "sliding_window"]),
        ("qwen3", dict(remove=["head_dim"]), ["head_dim"]),
    ],
)  # fmt: skip
def test_settings_that_lmkit_has_not_or_the_tensors_contradict(copy, family, settings, words):
    refused(say(copy(family), **settings), "config.json", *words)


@pytest.mark.parametrize(
    ("content", "word"),
    [
        ("", "JSON"),
        ("{", "JSON"),
        ("[" * 100_000, "JSON"),
        ("\xff", "JSON"),
        ("[]", "list"),
        ("3", "int"),
        ("{}", "type"),
    ],
)
def test_config_that_is_none(copy, content, word):
    folder = copy("gpt2")
    (folder / "config.json").write_bytes(content.encode("latin-1"))
    refused(folder, "config.json", word)


def test_a_file_in_place_of_its_folder(copy):
    folder = copy("gpt2")
    with pytest.raises(ValueError, match=f"{SINGLE} is a file; give the folder"):
        load(folder / SINGLE)


def test_config_that_is_missing(copy):
    folder = copy("gpt2")
    (folder / "config.json").unlink()
    refused(folder, "config.json")


def test_settings_nobody_knows_are_named_and_those_that_change_nothing_are_not(copy):
    folder = say(copy("llama"), warp_speed=9, cold_start=False)
    with pytest.warns(UserWarning, match=r"warp_speed: unknown to lmkit") as caught:
        load(folder)
    assert caught[0].filename == __file__, "the line of the reader's own code"
    assert len(caught) == 1 and "cold_start" not in str(caught[0].message)
    harmless = dict(warp_speed=None, attention_dropout=0.5, torch_dtype="float16", use_cache=True, _name_or_path="x")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load(say(folder, **harmless))


# -------------------------------------------------------------------------------------------------------- tensors


@pytest.mark.parametrize(
    ("tensors", "words"),
    [
        (dict(transformer__ln_f__bias=None), ["transformer.ln_f.bias", "missing"]),
        (dict(transformer__ln_g__bias=torch.zeros(12)), ["transformer.ln_g.bias", "does not ask for"]),
        (dict(transformer__ln_f__bias=torch.zeros(13)), ["transformer.ln_f.bias", "(13,)", "(12,)"]),
        (dict(transformer__ln_f__bias=torch.zeros(1, 12)), ["transformer.ln_f.bias", "(1, 12)", "(12,)"]),
        (dict(transformer__h__0__attn__c_attn__weight=torch.zeros(36, 12)), ["c_attn.weight", "(36, 12)", "(12, 36)"]),
        (dict(transformer__ln_f__bias=torch.zeros(12, dtype=torch.int32)), ["transformer.ln_f.bias", "I32", "BF16"]),
        (dict(transformer__ln_f__bias=torch.zeros(12, dtype=torch.float8_e4m3fn)), ["ln_f.bias", "F8_E4M3"]),
        (dict(transformer__ln_f__bias=torch.full((12,), torch.nan)), ["transformer.ln_f.bias", "nan"]),
        (dict(transformer__ln_f__bias=torch.tensor([1.0] * 11 + [torch.inf])), ["transformer.ln_f.bias", "infinity"]),
        (dict(transformer__ln_f__bias=torch.tensor([-torch.inf] + [1.0] * 11)), ["transformer.ln_f.bias", "infinity"]),
        (dict(lm_head__weight=torch.zeros(29, 12)), ["lm_head.weight", "equal", "transformer.wte.weight"]),
        (dict(lm_head__weight=torch.zeros(29, 12).half()), ["lm_head.weight", "equal"]),
        (dict(lm_head__weight=torch.zeros(29, 12).int()), ["lm_head.weight", "equal"]),
        (dict(ln_f__bias=torch.zeros(12)), ["twice", "ln_f.bias"]),
        (dict(transformer__h__0__attn__biass=torch.zeros(1)), ["transformer.h.0.attn.biass"]),
    ],
)  # fmt: skip
def test_tensors_that_do_not_fit(copy, tensors, words):
    refused(change(copy("gpt2"), **tensors), SINGLE, *words) if "missing" not in words else refused(
        change(copy("gpt2"), **tensors), *words
    )


def test_pieces_are_small(originals, monkeypatch):
    """Of at most so many bytes, or one row; together they are the rows asked for."""
    monkeypatch.setattr("lmkit.exchange.tensors.PIECE", 100)
    stored = {tensor.name: tensor for tensor in stored_in(originals["gpt2"])}
    held = load_file(originals["gpt2"] / SINGLE)
    for name, rows in (
        ("transformer.wte.weight", 2),
        ("transformer.ln_f.bias", 25),
        ("transformer.h.0.mlp.c_fc.weight", 1),
    ):
        last = len(held[name])
        pieces = list(read_rows(stored[name], 3, last))
        assert [row for row, _ in pieces] == list(range(3, last, rows))
        assert torch.equal(torch.cat([piece for _, piece in pieces]), held[name][3:])


def test_nothing_in_the_last_piece_is_overlooked(copy, monkeypatch):
    monkeypatch.setattr("lmkit.exchange.tensors.PIECE", 100)
    folder = copy("gpt2")
    held = load_file(folder / SINGLE)["transformer.wte.weight"]
    load(change(folder, lm_head__weight=held.clone()))
    refused(change(folder, lm_head__weight=held[:10].clone()), "lm_head.weight", "copy")
    held[-1, -1] += 1
    refused(change(folder, lm_head__weight=held), "lm_head.weight", "copy")
    held[-1, -1] = torch.nan
    refused(change(folder, lm_head__weight=None, transformer__wte__weight=held), "transformer.wte.weight", "nan")


def test_tensors_that_are_ignored_by_name_or_equal_to_their_original(copy):
    """Old files hold the causal mask, a head that is the embedding, and no prefix."""
    folder = copy("gpt2")
    plain, _ = load(folder)
    held = {name.removeprefix("transformer."): tensor for name, tensor in load_file(folder / SINGLE).items()}
    held |= {"h.0.attn.bias": torch.ones(1, 1, 16, 16, dtype=torch.uint8), "h.1.attn.masked_bias": torch.tensor(-1e4)}
    held["lm_head.weight"] = held["wte.weight"].clone()
    save_file(held, folder / SINGLE)
    assert same(load(folder)[0], plain)
    bare, _ = load(say(folder, architectures=["GPT2Model"]))
    assert type(bare) is Transformer and same(bare, plain.body)
    unsaid, _ = load(say(folder, remove=["architectures"]))
    assert type(unsaid) is LM and same(unsaid, plain)


def test_numbers_too_large_for_the_dtype_asked_for(copy):
    folder = change(copy("gpt2"), transformer__ln_f__bias=torch.full((12,), 1e6))
    with pytest.raises(ValueError, match=r"transformer.ln_f.bias holds numbers that torch.float16 has not"):
        load(folder, dtype=torch.float16)
    assert load(folder, dtype=torch.bfloat16)[0].body.final_norm.bias.dtype == torch.bfloat16
    with pytest.raises(ValueError, match=r"torch.int8.*torch.float32|torch.float32.*torch.int8"):
        load(folder, dtype=torch.int8)


def test_the_widest_dtype_stored_is_kept(copy):
    folder = copy("llama")
    halves = {name: tensor.half() for name, tensor in load_file(folder / SINGLE).items()}
    save_file(halves, folder / SINGLE)
    assert {p.dtype for p in load(folder)[0].parameters()} == {torch.float16}
    change(folder, model__norm__weight=halves["model.norm.weight"].bfloat16())
    model, _ = load(folder)
    assert {p.dtype for p in model.parameters()} == {torch.float32}
    assert torch.equal(model.head.weight, halves["lm_head.weight"].float())


# ---------------------------------------------------------------------------------------------------------- files


@pytest.mark.parametrize("keep", [0, 7, 8, 100, -1])
def test_truncated_files(copy, keep):
    folder = copy("gpt2")
    whole = (folder / SINGLE).read_bytes()
    (folder / SINGLE).write_bytes(whole[:keep])
    refused(folder, SINGLE, "damaged")
    (folder / SINGLE).write_bytes(whole + b"\0")
    refused(folder, SINGLE, "damaged")


@pytest.fixture
def sharded(originals, tmp_path):
    model, _ = load(originals["llama"])
    folder = export(model, None, tmp_path / "sharded", max_shard_size=3000)
    (folder / "manifest.json").unlink()
    return folder


def index(folder, **changes):
    said = json.loads((folder / INDEX).read_text(encoding="utf-8"))
    said["weight_map"] |= {name.replace("__", "."): shard for name, shard in changes.items()}
    said["weight_map"] = {name: shard for name, shard in said["weight_map"].items() if shard is not None}
    (folder / INDEX).write_text(json.dumps(said), encoding="utf-8")
    return folder


def test_shards(sharded, originals):
    shards = sorted(path.name for path in sharded.glob("*.safetensors"))
    assert len(shards) > 2 and shards[0] == f"model-00001-of-{len(shards):05}.safetensors"
    sizes = [sum(tensor.nbytes for tensor in load_file(sharded / shard).values()) for shard in shards]
    assert all(size <= 3000 or len(load_file(sharded / shard)) == 1 for size, shard in zip(sizes, shards))
    assert all(a + b > 3000 for a, b in zip(sizes, sizes[1:]) if a <= 3000), "shards are filled"
    assert json.loads((sharded / INDEX).read_text(encoding="utf-8"))["metadata"]["total_size"] == sum(sizes)
    original = load(originals["llama"])[0]
    assert same(load(sharded)[0], original)
    theirs = hf.AutoModelForCausalLM.from_pretrained(sharded)
    assert torch.equal(theirs.lm_head.weight, original.head.weight)


def test_shards_that_are_missing_or_not_as_the_index_says(sharded):
    refused(index(sharded, model__extra="model-00001-of-00009.safetensors"), INDEX, "model-00001-of-00009.safetensors")
    index(sharded, model__extra=None)
    first = min(sharded.glob("*.safetensors"))
    shutil.copy(first, sharded.parent / "away.safetensors")
    refused(index(sharded, model__extra="../away.safetensors"), INDEX, "../away.safetensors")
    refused(index(sharded, model__extra=first.name), first.name, "lacks", "model.extra")
    refused(index(sharded, model__extra=None, model__norm__weight=None), INDEX, "does not mention", "model.norm.weight")
    first.unlink()
    refused(sharded, INDEX, first.name)


@pytest.mark.parametrize("content", [{}, {"weight_map": {}}, {"weight_map": []}, {"weight_map": {"a": 3}}])
def test_an_index_that_is_none(sharded, content):
    (sharded / INDEX).write_text(json.dumps(content), encoding="utf-8")
    refused(sharded, INDEX, "weight_map")


def test_pickled_weights_are_refused_with_the_command_that_converts_them(copy, tmp_path):
    folder = copy("gpt2")
    before, _ = load(folder)
    torch.save(load_file(folder / SINGLE), folder / "pytorch_model.bin")
    (folder / SINGLE).unlink()
    refused(folder, "pytorch_model.bin", "run any code", "python -c", "transformers")
    with pytest.raises(ValueError) as caught:
        load(folder)
    code = re.search(r'python -c "(.*)"$', str(caught.value)).group(1)
    (tmp_path / "convert.py").write_text(code, encoding="utf-8")
    runpy.run_path(str(tmp_path / "convert.py"))
    assert same(load(folder)[0], before)


def test_no_weights_at_all(copy):
    folder = copy("gpt2")
    (folder / SINGLE).unlink()
    (folder / "weights.h5").write_bytes(b"")
    refused(folder, SINGLE, INDEX)


def test_what_was_exported_is_held_against_its_manifest(originals, tmp_path):
    folder = export(load(originals["gpt2"])[0], None, tmp_path / "out")
    body = bytearray((folder / SINGLE).read_bytes())
    body[-3] ^= 1  # still a number, and nothing else would notice
    (folder / SINGLE).write_bytes(body)
    refused(folder, SINGLE, "sha256")
    (folder / SINGLE).unlink()
    refused(folder, SINGLE, "missing")


def test_files_beside_an_export_are_no_matter(originals, tmp_path):
    folder = export(load(originals["gpt2"])[0], None, tmp_path / "out")
    (folder / "README.md").write_text("A model.", encoding="utf-8")
    (folder / ".git").mkdir()
    load(folder)


# --------------------------------------------------------------------------------------------------------- export

TINY = dict(vocab_size=V, d_model=12, n_layers=2, n_heads=2, max_seq_len=16)


@pytest.mark.parametrize(
    ("choices", "words"),
    [
        (dict(positions="alibi"), ["positions='alibi'", "gpt2"]),
        (dict(norm="rmsnorm", positions="rope", residual="rezero"), ["residual='rezero'"]),
        (dict(norm="rmsnorm", positions="rope", block="parallel"), ["block='parallel'"]),
        (dict(norm="rmsnorm", positions="rope", bias=False, window=(3, None)), ["window=(3, None)"]),
        (dict(eps=1e-5, causal=False), ["causal=False"]),
        (dict(embed_scale=2.0), ["embed_scale=2.0"]),
        (dict(logit_scale=0.5), ["logit_scale=0.5"]),
        (dict(final_norm=False), ["final_norm=False"]),
        (dict(bias=False), ["bias=False"]),
        (dict(d_head=4), ["d_head=4"]),
        (dict(n_kv_heads=1), ["n_kv_heads=1"]),
        (dict(attention={"name": "dot_product", "soft_cap": 5.0}), ["attention=", "soft_cap"]),
    ],
)
def test_choices_that_no_published_architecture_has(tmp_path, choices, words):
    with pytest.raises(ValueError) as caught:
        export(LM(Config(**TINY | choices)), None, tmp_path / "out")
    for word in ["no published architecture", *words]:
        assert word in str(caught.value), str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_export_refuses_and_leaves_nothing(tmp_path):
    model = LM(Config(**TINY))
    with pytest.raises(ValueError, match="family 'gpt5' is not one of"):
        export(model, None, tmp_path / "out", family="gpt5")
    with pytest.raises(ValueError, match=r"llama has.*norm='layernorm'"):
        export(model, None, tmp_path / "out", family="llama")
    with pytest.raises(ValueError, match="Linear"):
        export(torch.nn.Linear(2, 2), None, tmp_path / "out")
    with pytest.raises(TypeError, match="tokenizer"):
        export(model, object(), tmp_path / "out")
    with pytest.raises(ValueError, match="max_shard_size"):
        export(model, None, tmp_path / "out", max_shard_size=0)
    model.body.final_norm.bias.data[3] = torch.nan
    with pytest.raises(ValueError, match=r"body.final_norm.bias.*nan"):
        export(model, None, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "mine").mkdir()
    with pytest.raises(FileExistsError, match="mine"):
        export(LM(Config(**TINY)), None, tmp_path / "mine")


def test_export_replaces_an_older_export(tmp_path):
    first, second = (LM(Config(**TINY)) for _ in range(2))
    folder = export(first, None, tmp_path / "out")
    assert folder == tmp_path / "out"
    export(second, None, folder)
    assert same(load(folder)[0], second) and [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize(
    ("choices", "family"),
    [
        (dict(), "gpt2"),
        (dict(ffn="gelu_tanh", d_ff=30, tied=False), "gpt2"),
        (dict(norm="rmsnorm", positions="rope", ffn="swiglu", bias=False), "llama"),
        (dict(norm="rmsnorm", positions="rope", ffn="geglu", n_kv_heads=1), "llama"),
        (dict(norm="rmsnorm", positions="rope", ffn="swiglu", bias=False, window=3), "mistral"),
        (dict(norm="rmsnorm", positions="rope", ffn="swiglu", bias=False, qk_norm="rmsnorm"), "qwen3"),
        (dict(norm="rmsnorm", positions="rope", bias=False), "arcee"),
        (dict(norm="rmsnorm", positions={"name": "rope_yarn", "factor": 3.0}, ffn="relu2"), "arcee"),
        (dict(positions={"name": "rope_llama3", "factor": 4.0, "trained_len": 5}), "starcoder2"),
        (dict(positions={"name": "rope_linear", "factor": 4, "theta": 500}, eps=1, qk_norm=None), "starcoder2"),
        (dict(norm="rmsnorm_plus_one", positions="rope", ffn="geglu_tanh", bias=False, embed_scale=12**0.5), "gemma"),
        (
            dict(
                norm="rmsnorm_plus_one",
                positions="rope",
                ffn="geglu_tanh",
                bias=False,
                embed_scale=12**0.5,
                residual="sandwich",
                attention={"name": "dot_product", "soft_cap": 2, "scale": 0.5},
                logit_soft_cap=3,
                window=(3, None),
            ),
            "gemma2",
        ),
    ],
)
def test_what_is_trained_here_opens_there_with_the_same_logits(tmp_path, choices, family):
    torch.manual_seed(0)
    model = LM(Config(**TINY | choices)).eval()
    folder = export(model, None, tmp_path / "out")
    theirs = hf.AutoModelForCausalLM.from_pretrained(folder)
    assert theirs.config.model_type == family
    ids = torch.randint(0, V, (2, 16))
    with torch.no_grad():
        torch.testing.assert_close(theirs(ids).logits, model(ids), atol=1e-5, rtol=1e-5)
    again, _ = load(folder)
    assert same(again, model) and torch.equal(again(ids), model(ids))
    ends = theirs.generation_config
    assert ends.eos_token_id is None and ends.bos_token_id is None, "no text ends by a default of the family's"
