"""Heads: against transformers' on the same vectors, what they share, and what is drawn at first."""

from dataclasses import replace
from functools import partial

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from lmkit.heads import LM, Classifier, MaskedLM, NextSentence, Pretraining, SpanFinder, Tagger, mean_pool, soft_cap
from lmkit.model import Config, EncoderDecoder, Transformer
from lmkit.norms import RMSNorm

CONFIG = Config(
    29, d_model=24, n_layers=2, n_heads=2, max_seq_len=16, residual="post", final_norm=False, embed_norm=True,
    n_segments=2, causal=False, eps=1e-12,
)  # fmt: skip
IDS = torch.randint(0, 29, (3, 7), generator=torch.Generator().manual_seed(0))
X = torch.randn(3, 7, 24, generator=torch.Generator().manual_seed(1))
REAL = torch.arange(7) < torch.tensor([[7], [4], [1]])  # padding on the right
ALL = {
    "lm": LM,
    "masked": MaskedLM,
    "next": NextSentence,
    "pretraining": Pretraining,
    "classifier": partial(Classifier, n_classes=3),
    "span": SpanFinder,
    "tagger": partial(Tagger, n_tags=5),
}


def on_x(model, x=X):
    """The model with a body that always gives x."""
    model.body.forward = lambda ids, **how: x
    return model


def theirs(name, **choices):
    import transformers as hf

    torch.manual_seed(0)
    model = getattr(hf, name)(
        hf.BertConfig(
            vocab_size=29, hidden_size=24, num_hidden_layers=1, num_attention_heads=2, intermediate_size=24,
            max_position_embeddings=16, **choices,
        )
    ).eval()  # fmt: skip
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.5)
    return model


def carry(model, pairs):
    """Copy their modules' weights into ours: {ours: theirs}."""
    with torch.no_grad():
        for ours, other in pairs.items():
            getattr(model, ours).load_state_dict(other.state_dict())


close = partial(torch.testing.assert_close, atol=2e-6, rtol=1e-5)


# ---- against transformers


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize(("ffn", "act"), [("gelu", "gelu"), ("relu", "relu"), ("gelu_tanh", "gelu_new")])
def test_the_masked_head_is_berts(tied, ffn, act):
    bert = theirs("BertForMaskedLM", hidden_act=act, tie_word_embeddings=tied)
    ours, said = MaskedLM(replace(CONFIG, tied=tied, ffn=ffn)), bert.cls.predictions
    carry(ours, {"dense": said.transform.dense, "norm": said.transform.LayerNorm})
    with torch.no_grad():
        ours.bias.copy_(said.decoder.bias)
        ours.weight.copy_(said.decoder.weight)
    close(on_x(ours)(IDS), bert.cls(X))
    assert (ours.head is None) == tied and ours(IDS).shape == (3, 7, 29)


def test_the_masked_head_is_robertas():
    import transformers as hf

    torch.manual_seed(0)
    config = hf.RobertaConfig(vocab_size=29, hidden_size=24, num_hidden_layers=1, num_attention_heads=2)
    roberta, ours = hf.RobertaForMaskedLM(config).eval(), MaskedLM(replace(CONFIG, eps=config.layer_norm_eps))
    for parameter in roberta.parameters():
        nn.init.normal_(parameter, std=0.5)
    carry(ours, {"dense": roberta.lm_head.dense, "norm": roberta.lm_head.layer_norm})
    with torch.no_grad():
        ours.bias.copy_(roberta.lm_head.bias)
        ours.weight.copy_(roberta.lm_head.decoder.weight)
    close(on_x(ours)(IDS), roberta.lm_head(X))


def test_next_sentence_and_pretraining_are_berts():
    bert, both = theirs("BertForPreTraining"), Pretraining(CONFIG)
    tokens, pair = bert.cls(X, bert.bert.pooler(X))
    said = bert.cls.predictions
    carry(both, {"dense": said.transform.dense, "norm": said.transform.LayerNorm})
    carry(both, {"pooler": bert.bert.pooler.dense, "next_sentence": bert.cls.seq_relationship})
    with torch.no_grad():
        both.bias.copy_(said.decoder.bias)
        both.weight.copy_(said.decoder.weight)
    for ours, wanted in zip(on_x(both)(IDS), (tokens, pair), strict=True):
        close(ours, wanted)
    bert, ours = theirs("BertForNextSentencePrediction"), NextSentence(CONFIG)
    carry(ours, {"pooler": bert.bert.pooler.dense, "head": bert.cls.seq_relationship})
    close(on_x(ours)(IDS, real=REAL), bert.cls(bert.bert.pooler(X)))


def test_a_classifier_is_berts_and_robertas():
    import transformers as hf

    bert, ours = theirs("BertForSequenceClassification", num_labels=3), Classifier(CONFIG, 3)
    carry(ours, {"pooler": bert.bert.pooler.dense, "head": bert.classifier})
    close(on_x(ours)(IDS), bert.classifier(bert.bert.pooler(X)))
    config = hf.RobertaConfig(vocab_size=29, hidden_size=24, num_hidden_layers=1, num_attention_heads=2, num_labels=3)
    roberta = hf.RobertaForSequenceClassification(config).eval().classifier
    carry(ours, {"pooler": roberta.dense, "head": roberta.out_proj})
    close(ours(IDS), roberta(X))


def test_spans_and_tags_are_berts():
    bert, ours = theirs("BertForQuestionAnswering"), SpanFinder(CONFIG)
    carry(ours, {"head": bert.qa_outputs})
    wanted = bert.qa_outputs(X).unbind(-1)
    for mine, logits in zip(on_x(ours)(IDS), wanted, strict=True):
        close(mine, logits)
    for mine, logits in zip(ours(IDS, real=REAL), wanted, strict=True):
        close(mine[REAL], logits[REAL])
        assert (mine[~REAL] == -torch.inf).all()
    bert, ours = theirs("BertForTokenClassification", num_labels=5), Tagger(CONFIG, 5)
    carry(ours, {"head": bert.classifier})
    close(on_x(ours)(IDS), bert.classifier(X))


def test_scores_are_scaled_and_capped():
    """T5 divides by √d_model before its tied head; Gemma 2 ends in 30 tanh(logits / 30)."""
    tied = on_x(LM(replace(CONFIG, logit_scale=24**-0.5)))
    close(tied(IDS), (X / 24**0.5) @ tied.body.embed.weight.T)
    capped = on_x(LM(replace(CONFIG, tied=False, logit_scale=40.0, logit_soft_cap=3.0)))
    close(capped(IDS), 3.0 * torch.tanh(40 * X @ capped.head.weight.T / 3.0))
    assert capped(IDS).abs().max() > 2.5
    small = torch.linspace(-0.01, 0.01, 9)
    close(soft_cap(small, 30.0), small)
    masked = on_x(MaskedLM(replace(CONFIG, logit_scale=2.0, logit_soft_cap=3.0)))
    masked.bias.data.normal_()
    inner = masked.norm(F.gelu(masked.dense(X)))
    close(masked(IDS), 3.0 * torch.tanh((2 * inner @ masked.weight.T + masked.bias) / 3.0))


@pytest.mark.parametrize("ffn", ["swiglu", "moe"])
def test_what_a_masked_head_bends_with(ffn):
    model = on_x(MaskedLM(replace(CONFIG, ffn=ffn)))
    bend = F.silu if ffn == "swiglu" else F.gelu  # experts are several, so the exact GELU stands in
    close(model(IDS), model.norm(bend(model.dense(X))) @ model.weight.T)


# ---- who speaks for a text


@pytest.mark.parametrize("build", [partial(Classifier, n_classes=3), NextSentence, Pretraining])
@pytest.mark.parametrize("causal", [False, True])
def test_the_first_token_speaks_or_the_last_that_has_seen_all(build, causal):
    model, both = on_x(build(replace(CONFIG, causal=causal))), REAL & REAL.flip(1).roll(2, 1)
    both[2, 3] = True  # padding on both sides, a row of one
    head = model.next_sentence if build is Pretraining else model.head
    for real in (None, REAL, REAL.flip(1), both):
        told = model(IDS) if real is None else model(IDS, real=real)
        logits = told[1] if build is Pretraining else told
        there = torch.ones(3, 7, dtype=torch.bool) if real is None else real
        for row in range(3):
            places = there[row].nonzero()[:, 0].tolist()
            vector = X[row, places[-1] if causal else places[0]]
            close(logits[row], head(torch.tanh(model.pooler(vector))))


@torch.no_grad()
def test_padding_changes_no_answer():
    for name, build in ALL.items():
        torch.manual_seed(0)
        model = build(CONFIG).eval()
        padded = model(IDS, real=REAL, segments=IDS % 2)
        alone = model(IDS[1:2, :4], segments=IDS[1:2, :4] % 2)
        for a, b in zip(*(out if isinstance(out, tuple) else (out,) for out in (padded, alone)), strict=True):
            per_position = a.ndim > 1 and a.shape[1] == 7
            close(a[1, :4] if per_position else a[1], b[0], atol=1e-5, msg=lambda m, name=name: f"{name}: {m}")


def test_the_mean_over_what_is_real():
    close(mean_pool(X), torch.stack([row.mean(0) for row in X]))
    x = X.masked_fill(~REAL[..., None], float("nan"))  # what stands in padding does not even have to be a number
    close(mean_pool(x, REAL), torch.stack([row[there].mean(0) for row, there in zip(X, REAL, strict=True)]))
    assert torch.equal(mean_pool(X, torch.zeros_like(REAL)), torch.zeros(3, 24))
    assert mean_pool(X.bfloat16(), REAL).dtype == torch.bfloat16


# ---- bodies


@pytest.mark.parametrize("name", list(ALL))
def test_a_body_is_shared_with_whom_it_was_learned(name):
    pretrained, other = MaskedLM(CONFIG), ALL[name](CONFIG)
    before = [p.clone() for p in pretrained.body.parameters()]
    model = ALL[name](CONFIG, body=pretrained.body)
    assert model.body is pretrained.body and model.config is pretrained.config
    assert all(torch.equal(a, b) for a, b in zip(before, model.body.parameters(), strict=True))
    assert not torch.equal(other.body.embed.weight, model.body.embed.weight)
    with pytest.raises(ValueError, match=r"the body was built from another Config; give body\.config"):
        ALL[name](replace(CONFIG, eps=1e-3), body=pretrained.body)


def test_the_body_is_what_the_config_says():
    assert type(LM(CONFIG).body) is Transformer
    model = LM(replace(CONFIG, n_encoder_layers=1, n_segments=0, causal=True))
    assert type(model.body) is EncoderDecoder and model(IDS, source=IDS).shape == (3, 7, 29)


@pytest.mark.parametrize("name", list(ALL))
def test_what_a_head_adds(name):
    """Biases inside as the Config has them, those of the answer always; drawn by the Config's scheme."""
    wide = replace(CONFIG, d_model=200, vocab_size=2000, tied=False, bias=False, norm=RMSNorm, init="fan_in")
    torch.manual_seed(0)
    model = ALL[name](wide)
    added = {n: p for n, p in model.named_parameters() if not n.startswith("body.")}
    names = {
        "lm": {"head.weight"},
        "masked": {"bias", "head.weight", "dense.weight", "norm.weight"},
        "next": {"pooler.weight", "head.weight", "head.bias"},
        "classifier": {"pooler.weight", "head.weight", "head.bias"},
        "span": {"head.weight", "head.bias"},
        "tagger": {"head.weight", "head.bias"},
    }
    names["pretraining"] = names["masked"] | {"pooler.weight", "next_sentence.weight", "next_sentence.bias"}
    assert set(added) == names[name]
    for n, p in added.items():
        if n.endswith("bias"):
            assert not p.any()
        elif n != "norm.weight":
            assert p.std().item() == pytest.approx(200**-0.5, rel=0.1)
    biased = {n for n, _ in ALL[name](replace(wide, bias=True)).named_parameters() if not n.startswith("body.")}
    assert biased - names[name] == {n for n in ("dense.bias", "pooler.bias") if n.replace("bias", "weight") in added}


def test_a_masked_head_is_normed_as_the_config_says():
    model = MaskedLM(replace(CONFIG, norm="rmsnorm", eps=0.5))
    assert type(model.norm) is RMSNorm and model.norm.eps == 0.5


@pytest.mark.parametrize("build", [Classifier, Tagger])
def test_a_head_that_says_nothing(build):
    with pytest.raises(ValueError, match="a head gives at least 1 number, not 0"):
        build(CONFIG, 0)
