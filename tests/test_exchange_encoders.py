"""lmkit.load and lmkit.export for BERT, RoBERTa and T5, held against transformers on random tiny models.

BERT counts positions by place in transformers and by real tokens here. The two differ where padding stands on the left,
and there transformers is told the positions.
"""

import json
import re
from copy import deepcopy
from dataclasses import replace

import pytest
import torch
import transformers as hf
from oracle import close, padded, randomized, same
from safetensors.torch import load_file, save_file

from lmkit import generate, record
from lmkit.exchange import export, load
from lmkit.heads import LM, MaskedLM, NextSentence, Pretraining, SpanFinder
from lmkit.model import EncoderDecoder, Transformer
from lmkit.presets import FAMILIES, get
from lmkit.presets.format import on_paper
from lmkit.record import record_stream

V = 83
BERT = dict(vocab_size=V, hidden_size=36, num_hidden_layers=3, num_attention_heads=3, intermediate_size=50,
            max_position_embeddings=23)  # fmt: skip
T5 = dict(vocab_size=V, d_model=36, d_kv=7, d_ff=50, num_layers=3, num_heads=3, relative_attention_num_buckets=8,
          relative_attention_max_distance=12)  # fmt: skip
GATED = dict(feed_forward_proj="gated-gelu", tie_word_embeddings=False)

UNTIED = dict(tie_word_embeddings=False)
ODD = dict(type_vocab_size=3, layer_norm_eps=1e-2)

ENCODERS = {
    "bert": (hf.BertModel, hf.BertConfig(**BERT), Transformer),
    "bert relu": (hf.BertModel, hf.BertConfig(**BERT, **ODD, hidden_act="relu"), Transformer),
    "masked": (hf.BertForMaskedLM, hf.BertConfig(**BERT), MaskedLM),
    "masked untied": (hf.BertForMaskedLM, hf.BertConfig(**BERT, **UNTIED, hidden_act="gelu_new"), MaskedLM),
    "pretraining": (hf.BertForPreTraining, hf.BertConfig(**BERT, **ODD), Pretraining),
    "pretraining untied": (hf.BertForPreTraining, hf.BertConfig(**BERT, **UNTIED), Pretraining),
    "next sentence": (hf.BertForNextSentencePrediction, hf.BertConfig(**BERT), NextSentence),
    "spans": (hf.BertForQuestionAnswering, hf.BertConfig(**BERT), SpanFinder),
    "roberta": (hf.RobertaModel, hf.RobertaConfig(**BERT, type_vocab_size=1), Transformer),
    "roberta spans": (hf.RobertaForQuestionAnswering, hf.RobertaConfig(**BERT, type_vocab_size=1), SpanFinder),
    "roberta masked": (hf.RobertaForMaskedLM, hf.RobertaConfig(**BERT, **ODD), MaskedLM),
    "roberta untied": (hf.RobertaForMaskedLM, hf.RobertaConfig(**BERT, **UNTIED), MaskedLM),
}  # fmt: skip


def random_model(cls, config):
    config._attn_implementation = "eager"
    with torch.random.fork_rng():
        model = randomized(cls(config))
    for name, parameter in model.named_parameters():
        if name.endswith("Attention.q.weight"):  # T5 does not divide scores, its initial weights do
            parameter.data *= 0.2
    return model


@pytest.fixture(scope="module", params=ENCODERS)
def encoder(request, tmp_path_factory):
    """(their model, our model, folder)"""
    cls, config, head = ENCODERS[request.param]
    theirs = random_model(cls, config)
    folder = tmp_path_factory.mktemp("theirs")
    theirs.save_pretrained(folder)
    ours, tokenizer = load(folder)
    assert type(ours) is head and tokenizer is None and not ours.training
    return theirs, ours, folder


def inputs(theirs, side):
    """ids, real, segments, and what transformers is to be called with for them."""
    ids, real = padded(V, side, T=13)
    segments = torch.arange(ids.numel()).reshape(ids.shape) % theirs.config.type_vocab_size
    how = dict(attention_mask=real.long(), token_type_ids=segments)
    if theirs.config.model_type == "roberta":  # it knows padding by its id, 1, and places what is real as we do
        ids = ids.where(ids != 1, 2).where(real, 1)
    else:
        how["position_ids"] = (real.cumsum(1) - 1).clamp(min=0)
    return ids, real, segments, how


def maps_agree(maps, name, theirs, real):
    """Layer by layer, in the rows of real tokens."""
    for layer, expected in enumerate(theirs):
        rows = real[:, None, :].expand(expected.shape[:3])
        close(maps[name.format(layer)][rows], expected[rows])


def answers(out, real):
    """The tensors that a head gives, at real tokens where there is one per token."""
    tensors = [out] if isinstance(out, torch.Tensor) else [each for each in out if isinstance(each, torch.Tensor)]
    return [tensor[real] if tensor.shape[:2] == real.shape else tensor for tensor in tensors]


@pytest.mark.parametrize("side", [None, "left", "right"])
def test_outputs_hidden_states_and_maps_of_encoders_are_theirs(encoder, side):
    theirs, ours, _ = encoder
    ids, real, segments, how = inputs(theirs, side)
    with torch.no_grad():
        wanted = theirs(ids, **how, output_hidden_states=True, output_attentions=True)
        with record(ours) as maps, record_stream(ours) as stream:
            out = ours(ids, segments=segments, **({} if side is None else dict(real=real)))
    for got, expected in zip(answers(out, real), answers(wanted.to_tuple(), real)):
        if got.shape[0] == len(ids) and side == "left":  # one per row, from the first place there, of padding or not
            got, expected = got[:1], expected[:1]
        close(got, expected)
    points = ["embed", *(f"blocks.{layer}.ffn" for layer in range(3))]
    for point, expected in zip(points, wanted.hidden_states, strict=True):
        close(stream[point][real], expected[real])
    maps_agree(maps, "blocks.{}.attn", wanted.attentions, real)


def test_exported_encoders_open_there_and_come_back_bit_equal(encoder, tmp_path):
    theirs, ours, _ = encoder
    export(ours, None, tmp_path / "out", family=theirs.config.model_type)
    again, _ = load(tmp_path / "out")
    assert same(again, ours) and again.config == ours.config
    opened = type(theirs).from_pretrained(tmp_path / "out", attn_implementation="eager")
    ids, real, _, how = inputs(theirs, "right")
    with torch.no_grad():  # where RoBERTa pads, its table has zeros now
        there, here = (answers(model(ids, **how).to_tuple(), real) for model in (opened, theirs))
    parts = 1 if type(ours) is Transformer else len(here)  # a bare encoder of ours has no pooler
    assert all(map(torch.equal, there[:parts], here[:parts]))


def rounded(theirs):
    """(their model in bfloat16, the same weights in float32)"""
    half = deepcopy(theirs).bfloat16()
    return half, deepcopy(half).float()


def test_bfloat16_of_encoders_is_theirs_to_rounding(encoder):
    theirs, _, folder = encoder
    ours, _ = load(folder, dtype=torch.bfloat16)
    assert {parameter.dtype for parameter in ours.parameters()} == {torch.bfloat16}
    ids, real, segments, how = inputs(theirs, None)
    with torch.no_grad():
        there, exact = (answers(model(ids, **how).to_tuple()[:1], real)[0].float() for model in rounded(theirs))
        here = answers(ours(ids, segments=segments), real)[0].float()
    assert (here - exact).norm() < 1.3 * (there - exact).norm() < 0.1 * exact.norm()


UNEVEN = T5 | dict(num_decoder_layers=1, d_kv=20, layer_norm_epsilon=1e-2, feed_forward_proj="gelu")
T5S = {
    "t5": (hf.T5ForConditionalGeneration, hf.T5Config(**T5)),
    "t5 uneven": (hf.T5ForConditionalGeneration, hf.T5Config(**UNEVEN)),
    "t5 gelu": (hf.T5ForConditionalGeneration, hf.T5Config(**T5, feed_forward_proj="gelu_new")),
    "t5 1.1 tied": (hf.T5ForConditionalGeneration, hf.T5Config(**T5, **GATED)),
    "t5 1.1": (hf.T5ForConditionalGeneration, hf.T5Config(**T5, **GATED)),
    "t5 silu": (hf.T5ForConditionalGeneration, hf.T5Config(**T5, feed_forward_proj="gated-silu")),
    "t5 body": (hf.T5Model, hf.T5Config(**T5)),
}  # fmt: skip


@pytest.fixture(scope="module", params=T5S)
def t5(request, tmp_path_factory):
    """(their model, our model, folder)"""
    theirs = random_model(*T5S[request.param])
    if request.param == "t5 1.1":  # transformers ties what it builds, but not what it reads
        theirs.lm_head.weight = torch.nn.Parameter(0.3 * torch.randn(V, 36, generator=torch.Generator().manual_seed(1)))
    folder = tmp_path_factory.mktemp("theirs")
    theirs.save_pretrained(folder)
    ours, _ = load(folder)
    assert type(ours) is (EncoderDecoder if request.param == "t5 body" else LM)
    return theirs, ours, folder


@pytest.mark.parametrize("side", [None, "left", "right"])
def test_outputs_hidden_states_and_maps_of_t5_are_theirs(t5, side):
    """Distances are the same in places and in real tokens, so both sides of padding agree."""
    theirs, ours, _ = t5
    (source, source_real), (ids, real) = padded(V, side, T=19), padded(V, side, T=17, seed=1)
    masks = dict(attention_mask=source_real.long(), decoder_attention_mask=real.long())
    how = {} if side is None else dict(real=real, source_real=source_real)
    with torch.no_grad():
        wanted = theirs(source, decoder_input_ids=ids, **masks, output_hidden_states=True, output_attentions=True)
        with record(ours) as maps, record_stream(ours) as stream:
            out = ours(ids, source=source, **how)
    close(out[real], wanted[0][real])
    for stack, where in (("encoder", source_real), ("decoder", real)):
        hidden = wanted[f"{stack}_hidden_states"][:-1]  # the last is taken after the norm
        points = [f"{stack}.embed", *(f"{stack}.blocks.{layer}.ffn" for layer in range(len(hidden) - 1))]
        for point, expected in zip(points, hidden, strict=True):
            close(stream[point][where], expected[where])
        maps_agree(maps, f"{stack}.blocks.{{}}.attn", wanted[f"{stack}_attentions"], where)
    maps_agree(maps, "decoder.blocks.{}.cross", wanted.cross_attentions, real)


def test_exported_t5_opens_there_and_comes_back_bit_equal(t5, tmp_path):
    theirs, ours, _ = t5
    export(ours, None, tmp_path / "out")
    again, _ = load(tmp_path / "out")
    assert same(again, ours) and again.config == ours.config
    opened = type(theirs).from_pretrained(tmp_path / "out", attn_implementation="eager")
    source, real = padded(V, "left", T=19)
    ids, _ = padded(V, None, T=7, seed=1)
    with torch.no_grad():
        there, here = (m(source, attention_mask=real.long(), decoder_input_ids=ids)[0] for m in (opened, theirs))
    assert torch.equal(there, here)


@pytest.mark.parametrize("side", [None, "left", "right"])
@pytest.mark.parametrize("t5", T5S.keys() - {"t5 body"}, indirect=True)
def test_greedy_generation_of_t5_is_theirs(t5, side):
    theirs, ours, _ = t5
    source, real = padded(V, side, T=11)
    start = torch.zeros(3, 1, dtype=torch.long)
    wanted = theirs.generate(
        source,
        attention_mask=real.long(),
        decoder_start_token_id=0,
        eos_token_id=None,
        do_sample=False,
        max_new_tokens=14,
    )
    for use_cache in (True, False):
        got = generate(ours, start, 14, temperature=0, source=source, source_real=real, use_cache=use_cache)
        assert torch.equal(got, wanted)


def test_bfloat16_of_t5_is_theirs_to_rounding(t5):
    theirs, _, folder = t5
    ours, _ = load(folder, dtype=torch.bfloat16)
    (source, _), (ids, _) = padded(V, None), padded(V, None, seed=1)
    with torch.no_grad():
        there, exact = (model(source, decoder_input_ids=ids)[0].float() for model in rounded(theirs))
        here = ours(ids, source=source).float()
    assert (here - exact).norm() < 1.3 * (there - exact).norm() < 0.2 * exact.norm()


def rewritten(theirs, folder, said=None, change=None, **more):
    """Save their model with another config.json, with its tensors changed, and with more tensors."""
    theirs.save_pretrained(folder)
    path = folder / "config.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(content | (said or {})), encoding="utf-8")
    if change is not None:
        stored = change(load_file(folder / "model.safetensors")) | more
        save_file({name: tensor.clone() for name, tensor in stored.items()}, folder / "model.safetensors")
    return folder


def old_names(stored):
    """TensorFlow's."""
    new = {"LayerNorm.weight": "LayerNorm.gamma", "LayerNorm.bias": "LayerNorm.beta"}
    return {re.sub(r"LayerNorm\.(weight|bias)$", lambda m: new[m[0]], name): tensor for name, tensor in stored.items()}


@pytest.fixture(scope="module")
def pretraining():
    return random_model(hf.BertForPreTraining, hf.BertConfig(**BERT))


def first_files(stored):
    """What the first files of BERT hold: TensorFlow's names, a buffer, the tied matrix once more."""
    return old_names(stored) | {
        "bert.embeddings.position_ids": torch.arange(23)[None],
        "cls.predictions.decoder.weight": stored["bert.embeddings.word_embeddings.weight"],
        "cls.predictions.decoder.bias": stored["cls.predictions.bias"],
    }


def without_prefix(stored):
    return {name.removeprefix("bert."): tensor for name, tensor in stored.items()}


@pytest.mark.parametrize(
    "architecture, head", [("BertForMaskedLM", MaskedLM), ("BertModel", Transformer), (None, Transformer)]
)
@pytest.mark.parametrize("change", [None, first_files, without_prefix])
def test_files_hold_more_than_their_architecture_asks_for(architecture, head, change, pretraining, tmp_path):
    said = dict(architectures=architecture and [architecture], position_embedding_type="absolute")
    ours, _ = load(rewritten(pretraining, tmp_path / "it", said, change))
    assert type(ours) is head
    ids, real, segments, how = inputs(pretraining, "right")
    with torch.no_grad():
        wanted = pretraining(ids, **how, output_hidden_states=True)
        out = ours(ids, real=real, segments=segments)
    close(out[real], (wanted.prediction_logits if head is MaskedLM else wanted.hidden_states[-1])[real])


def unpooled(stored):
    return {name: tensor for name, tensor in stored.items() if "pooler" not in name}


REFUSED = [
    ("is_decoder=True", dict(is_decoder=True), {}),
    ("add_cross_attention=True", dict(add_cross_attention=True), {}),
    ("position_embedding_type='relative_key'", dict(position_embedding_type="relative_key"), {}),
    ("hidden_act='silu'", dict(hidden_act="silu"), {}),
    ("type_vocab_size=0", dict(type_vocab_size=0), {}),
    ("token_type_embeddings.weight has the shape", dict(type_vocab_size=3), {}),
    ("asks for what cannot be built", dict(hidden_size=2**31 - 1, num_attention_heads=1), {}),
    ("BertForMultipleChoice", dict(architectures=["BertForMultipleChoice"]), {}),
    ("must be equal to bert.embeddings.word", None, {"cls.predictions.decoder.weight": (V, 36)}),
    ("must be equal to cls.predictions.bias", None, {"cls.predictions.decoder.bias": (V,)}),
    ("bert.pooler.gate is a tensor that", None, {"bert.pooler.gate": (3,)}),
    ("cls.extra.weight is a tensor that", None, {"cls.extra.weight": (3,)}),
    ("there twice", None, {"pooler.dense.bias": (36,)}),
]


@pytest.mark.parametrize("sentence, said, more", REFUSED, ids=[case[0] for case in REFUSED])
def test_what_bert_cannot_be_is_refused(sentence, said, more, pretraining, tmp_path):
    tensors = {name: torch.zeros(shape) for name, shape in more.items()}
    with pytest.raises(ValueError, match=re.escape(sentence)) as refused:
        load(rewritten(pretraining, tmp_path / "it", said, dict, **tensors))
    assert "\n" not in str(refused.value) and str(tmp_path / "it") in str(refused.value)


def test_a_missing_pooler_is_missed(pretraining, tmp_path):
    with pytest.raises(ValueError, match=r"'bert\.pooler\.dense\.weight' is missing"):
        load(rewritten(pretraining, tmp_path / "it", None, unpooled))
    bare = rewritten(pretraining, tmp_path / "bare", dict(architectures=["BertModel"]), unpooled)
    assert type(load(bare)[0]) is Transformer


def test_roberta_leaves_two_rows_of_positions_out(tmp_path):
    theirs = random_model(hf.RobertaForMaskedLM, hf.RobertaConfig(**BERT))
    ours, _ = load(rewritten(theirs, tmp_path / "theirs"))
    table = theirs.roberta.embeddings.position_embeddings.weight
    assert ours.config.max_seq_len == 21 and torch.equal(ours.body.positions.table.weight, table[2:])
    export(ours, None, tmp_path / "ours", family="roberta")
    stored = load_file(tmp_path / "ours" / "model.safetensors")["roberta.embeddings.position_embeddings.weight"]
    assert stored.shape == (23, 36) and torch.equal(stored[2:], table[2:]) and not stored[:2].any()
    for said, sentence in (
        (dict(pad_token_id=0), "pad_token_id=0"),
        (dict(hidden_act="relu"), "hidden_act='relu'"),
        (dict(max_position_embeddings=2), "max_position_embeddings=2"),
    ):
        with pytest.raises(ValueError, match=sentence):
            load(rewritten(theirs, tmp_path / "theirs", said))


def test_first_files_of_roberta(tmp_path):
    theirs = random_model(hf.RobertaForMaskedLM, hf.RobertaConfig(**BERT))

    def change(stored):
        copies = {
            "lm_head.decoder.weight": stored["roberta.embeddings.word_embeddings.weight"],
            "lm_head.decoder.bias": stored["lm_head.bias"],
        }
        pooler = {"roberta.pooler.dense.weight": torch.zeros(36, 36), "roberta.pooler.dense.bias": torch.zeros(36)}
        return old_names(stored) | copies | pooler | {"roberta.embeddings.position_ids": torch.arange(23)[None]}

    plain, _ = load(rewritten(theirs, tmp_path / "plain"))
    assert same(load(rewritten(theirs, tmp_path / "first", None, change))[0], plain)
    bare = load(rewritten(theirs, tmp_path / "bare", dict(architectures=["RobertaModel"]), change))[0]
    assert same(bare, plain.body)
    for copy, shape in (("lm_head.decoder.weight", (V, 36)), ("lm_head.decoder.bias", V)):
        with pytest.raises(ValueError, match=f"{copy} must be equal"):
            load(rewritten(theirs, tmp_path / "other", None, change, **{copy: torch.zeros(shape)}))


def test_first_files_of_t5(tmp_path):
    theirs = random_model(hf.T5ForConditionalGeneration, hf.T5Config(**T5))
    copies = ("encoder.embed_tokens.weight", "decoder.embed_tokens.weight", "lm_head.weight")

    def change(stored):
        unused = {"decoder.block.0.layer.1.EncDecAttention.relative_attention_bias.weight": torch.ones(8, 3)}
        return stored | dict.fromkeys(copies, stored["shared.weight"]) | unused

    said = dict(architectures=["T5WithLMHeadModel"], n_positions=99, scale_decoder_outputs=None, dense_act_fn=None)
    plain, _ = load(rewritten(theirs, tmp_path / "plain"))
    first, _ = load(rewritten(theirs, tmp_path / "it", said, change))
    assert same(first, plain) and first.config.max_seq_len == 99 and first.config.logit_scale == 1 / 6
    for copy in copies:
        with pytest.raises(ValueError, match=f"{copy} must be equal"):
            load(rewritten(theirs, tmp_path / "it", None, change, **{copy: torch.zeros(V, 36)}))


def test_how_t5_says_that_its_head_is_its_own(tmp_path):
    """The files of version 1.1 say tie_word_embeddings=false; transformers since 5.0 says true and does not scale."""
    theirs = random_model(hf.T5ForConditionalGeneration, hf.T5Config(**T5, **GATED))

    def own(stored):
        return stored | {"lm_head.weight": stored["shared.weight"].flip(0)}

    for said, change, tied, scaled in (
        (dict(tie_word_embeddings=False, scale_decoder_outputs=None), own, False, False),
        (dict(tie_word_embeddings=True, scale_decoder_outputs=False), own, False, False),
        (dict(tie_word_embeddings=True, scale_decoder_outputs=False), None, True, False),
        (dict(tie_word_embeddings=False, scale_decoder_outputs=True), own, False, True),
        (dict(tie_word_embeddings=True, scale_decoder_outputs=None), None, True, True),
    ):
        ours, _ = load(rewritten(theirs, tmp_path / "it", said, change))
        assert (ours.config.tied, ours.config.logit_scale) == (tied, 1 / 6 if scaled else 1.0)
    for said, change, sentence in (
        (dict(tie_word_embeddings=True, scale_decoder_outputs=True), own, "lm_head.weight must be equal"),
        (dict(tie_word_embeddings=False), None, "'lm_head.weight' is missing"),
        (dict(feed_forward_proj="gated-relu"), None, "feed_forward_proj='gated-relu'"),
        (dict(dense_act_fn="gelu"), None, "dense_act_fn='gelu'"),
        (dict(is_gated_act=False), None, "is_gated_act=False"),
        (dict(is_decoder=True), None, "is_decoder=True"),
    ):
        with pytest.raises(ValueError, match=sentence):
            load(rewritten(theirs, tmp_path / "it", said, change))


@pytest.mark.parametrize(
    "cls, config",
    [
        (hf.BertModel, hf.BertConfig(**BERT)),
        (hf.RobertaModel, hf.RobertaConfig(**BERT)),
        (hf.T5Model, hf.T5Config(vocab_size=V, d_model=36, d_kv=7, d_ff=50, num_layers=2, num_heads=3)),
    ],
)
def test_what_config_json_leaves_out_is_as_there(cls, config, tmp_path):
    theirs, usual = random_model(cls, config), type(config)().to_dict()
    whole, _ = load(rewritten(theirs, tmp_path / "it"))
    path = tmp_path / "it" / "config.json"
    said = json.loads(path.read_text(encoding="utf-8"))
    kept = ("vocab_size", "type_vocab_size", "max_position_embeddings", "d_kv", "num_attention_heads", "model_type")
    short = {key: value for key, value in said.items() if key in kept or usual.get(key) != value}
    path.write_text(json.dumps(short), encoding="utf-8")
    assert len(short) < len(said) - 8 and load(tmp_path / "it")[0].config == whole.config


LARGE = dict(hidden_size=1024, num_hidden_layers=24, num_attention_heads=16, intermediate_size=4096)
ROBERTA = dict(vocab_size=50265, max_position_embeddings=514, type_vocab_size=1, layer_norm_eps=1e-5)
# What was published, in millions: the papers of each, and for T5 1.1 that of Flan-T5, Chung et al. 2022,
# arXiv:2210.11416. All with their heads, in BERT for both of its tasks.
PUBLISHED = {
    "bert-base": (110, Pretraining, hf.BertForPreTraining, hf.BertConfig()),
    "bert-large": (340, Pretraining, hf.BertForPreTraining, hf.BertConfig(**LARGE)),
    "roberta-base": (125, MaskedLM, hf.RobertaForMaskedLM, hf.RobertaConfig(**ROBERTA)),
    "roberta-large": (355, MaskedLM, hf.RobertaForMaskedLM, hf.RobertaConfig(**ROBERTA, **LARGE)),
} | {
    name: (millions, LM, hf.T5ForConditionalGeneration,
           hf.T5Config(d_model=d, num_layers=layers, num_heads=heads, d_ff=d_ff, d_kv=d_kv, feed_forward_proj=ffn))
    for name, millions, d, layers, heads, d_ff, d_kv, ffn in (
        ("t5-small", 60, 512, 6, 8, 2048, 64, "relu"),
        ("t5-base", 220, 768, 12, 12, 3072, 64, "relu"),
        ("t5-large", 738, 1024, 24, 16, 4096, 64, "relu"),  # the paper prints 770, its sizes and its file have 738
        ("t5-3b", 2800, 1024, 24, 32, 16384, 128, "relu"),
        ("t5-11b", 11300, 1024, 24, 128, 65536, 128, "relu"),
        ("t5-v1.1-small", 77, 512, 8, 6, 1024, 64, "gated-gelu"),  # there 80, to one digit
        ("t5-v1.1-base", 250, 768, 12, 12, 2048, 64, "gated-gelu"),
        ("t5-v1.1-large", 780, 1024, 24, 16, 2816, 64, "gated-gelu"),
        ("t5-v1.1-xl", 2850, 2048, 24, 32, 5120, 64, "gated-gelu"),  # there 3B
        ("t5-v1.1-xxl", 11100, 4096, 24, 64, 10240, 64, "gated-gelu"),  # there 11B
    )
}  # fmt: skip


@pytest.mark.parametrize("name", PUBLISHED)
def test_presets_have_the_published_number_of_parameters(name):
    millions, head, cls, config = PUBLISHED[name]
    ours = sum(parameter.numel() for parameter in on_paper(head, get(name)).parameters())
    with torch.device("meta"):
        theirs = sum(parameter.numel() for parameter in cls(config).parameters())
    if "roberta" in name:  # without the two rows of positions that belong to no token
        theirs -= 2 * config.hidden_size
    if "v1.1" in name:  # transformers builds it tied; the published files have a head of their own
        theirs += 32128 * config.d_model
    assert ours == theirs and abs(ours / millions / 1e6 - 1) < 0.02


@pytest.mark.parametrize("name", PUBLISHED)
def test_presets_say_what_the_published_configs_say(name):
    _, _, _, theirs = PUBLISHED[name]
    config = get(name)
    said = FAMILIES[theirs.model_type].config_to(config)
    tied = said.pop("tie_word_embeddings"), said.pop("scale_decoder_outputs", True)  # T5Config holds neither as it is
    assert tied == ((False, False) if "v1.1" in name else (True, True))
    assert config.logit_scale == (config.d_model**-0.5 if "t5" in name and "v1.1" not in name else 1.0)
    if "t5" in name:  # of which T5Config knows nothing
        assert said.pop("n_positions") == 512 and said.pop("decoder_start_token_id") == 0
    assert said == {key: getattr(theirs, key) for key in said}
    assert config.init == ("gpt2" if "t5" in name else "bert")


def test_what_no_encoder_can_be_is_not_exported(pretraining, tmp_path):
    usual = load(rewritten(pretraining, tmp_path / "it"))[0].config
    said = json.loads((export(Pretraining(usual), None, tmp_path / "own") / "config.json").read_text(encoding="utf-8"))
    assert (said["model_type"], said["architectures"]) == ("bert", ["BertForPreTraining"])
    for change, word in (
        (dict(residual="pre"), "residual='pre'"),
        (dict(causal=True), "causal=True"),
        (dict(n_kv_heads=1), "n_kv_heads=1"),
        (dict(window=3), "window=3"),
        (dict(ffn="swiglu"), "ffn='swiglu'"),
        (dict(embed_norm=False), "embed_norm=False"),
    ):
        with pytest.raises(ValueError, match=word):
            export(Pretraining(replace(usual, **change)), None, tmp_path / "none")
    t5 = replace(get("t5-small"), d_model=8, n_layers=1, n_encoder_layers=1, logit_scale=8**-0.5)
    for change, word in ((dict(attention="dot_product"), "attention"), (dict(positions="rope"), "positions='rope'")):
        with pytest.raises(ValueError, match=word):
            export(LM(replace(t5, **change)), None, tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_t5_with_the_usual_widths_goes_out_and_comes_back(tmp_path):
    """What a Config leaves to its components is spelt out in config.json."""
    config = replace(get("t5-small"), vocab_size=V, d_model=24, n_layers=2, n_heads=3, d_head=None, d_ff=None)
    ours = LM(replace(config, n_encoder_layers=1, ffn="gelu_tanh", positions="relative", logit_scale=24**-0.5))
    again, _ = load(export(ours, None, tmp_path / "it"))
    assert same(again, ours) and (again.config.d_head, again.config.d_ff) == (8, 96)
