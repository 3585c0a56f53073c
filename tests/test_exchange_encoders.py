"""lmkit.load and lmkit.export for BERT, RoBERTa and T5, held against transformers on random tiny models.

BERT counts positions by place in transformers and by real tokens here. The two differ where padding stands on the left,
and there transformers is told the positions.
"""

import json
import shutil

import pytest
import torch
import transformers as hf
from oracle import build, padded, randomized, same
from safetensors.torch import load_file, save_file

from lmkit import generate, record
from lmkit.exchange import export, load
from lmkit.heads import LM, MaskedLM, NextSentence, Pretraining, SpanFinder, mean_pool
from lmkit.model import EncoderDecoder, Transformer
from lmkit.presets import get
from lmkit.record import record_stream

V = 83
BERT = dict(vocab_size=V, hidden_size=36, num_hidden_layers=3, num_attention_heads=3, intermediate_size=50,
            max_position_embeddings=23)  # fmt: skip
T5 = dict(vocab_size=V, d_model=36, d_kv=7, d_ff=50, num_layers=3, num_heads=3, relative_attention_num_buckets=8,
          relative_attention_max_distance=12)  # fmt: skip
V1_1 = dict(feed_forward_proj="gated-gelu", tie_word_embeddings=False)

ENCODERS = {
    "bert": (hf.BertModel, hf.BertConfig(**BERT), Transformer),
    "bert relu": (hf.BertModel, hf.BertConfig(**BERT, hidden_act="relu", type_vocab_size=3, layer_norm_eps=1e-2), Transformer),
    "masked": (hf.BertForMaskedLM, hf.BertConfig(**BERT), MaskedLM),
    "masked untied": (hf.BertForMaskedLM, hf.BertConfig(**BERT, hidden_act="gelu_new", tie_word_embeddings=False), MaskedLM),
    "pretraining": (hf.BertForPreTraining, hf.BertConfig(**BERT), Pretraining),
    "pretraining untied": (hf.BertForPreTraining, hf.BertConfig(**BERT, tie_word_embeddings=False), Pretraining),
    "next sentence": (hf.BertForNextSentencePrediction, hf.BertConfig(**BERT), NextSentence),
    "spans": (hf.BertForQuestionAnswering, hf.BertConfig(**BERT), SpanFinder),
    "roberta": (hf.RobertaModel, hf.RobertaConfig(**BERT, type_vocab_size=1), Transformer),
    "roberta spans": (hf.RobertaForQuestionAnswering, hf.RobertaConfig(**BERT, type_vocab_size=1), SpanFinder),
    "roberta masked": (hf.RobertaForMaskedLM, hf.RobertaConfig(**BERT, type_vocab_size=2, layer_norm_eps=1e-2), MaskedLM),
    "roberta untied": (hf.RobertaForMaskedLM, hf.RobertaConfig(**BERT, tie_word_embeddings=False), MaskedLM),
}  # fmt: skip


def close(ours, theirs):
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-5)


def random_model(cls, config):
    config._attn_implementation = "eager"
    with torch.random.fork_rng():
        return randomized(cls(config))


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
    for layer, expected in enumerate(wanted.attentions):
        rows = real[:, None, :].expand(expected.shape[:3])
        close(maps[f"blocks.{layer}.attn"][rows], expected[rows])


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


def test_bfloat16_of_encoders_is_theirs_to_rounding(encoder):
    theirs, _, folder = encoder
    ours, _ = load(folder, dtype=torch.bfloat16)
    assert {parameter.dtype for parameter in ours.parameters()} == {torch.bfloat16}
    ids, real, segments, how = inputs(theirs, None)
    exact = type(theirs)(theirs.config)
    exact.load_state_dict({name: tensor.bfloat16().float() for name, tensor in theirs.state_dict().items()})
    half = type(theirs)(theirs.config).bfloat16()
    half.load_state_dict(theirs.state_dict())
    with torch.no_grad():
        reference = exact.eval()(ids, **how)[0].float()
        their_apart = (half.eval()(ids, **how)[0] - reference).norm()
        apart = (answers(ours(ids, segments=segments), real)[0] - answers(reference, real)[0]).norm()
    assert apart < 1.3 * their_apart and apart < 0.1 * reference.norm()
