"""The rosetta: what torch.nn and Keras compute with the same weights, there and back."""

import math
import os
import sys
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from lmkit.config import Config
from lmkit.ffn import FFN
from lmkit.heads import LM
from lmkit.model import Transformer
from lmkit.residual import PostNorm
from lmkit.rosetta import translatable
from lmkit.rosetta.torch_encoder import from_torch, to_torch, torch_mask

SMALL = dict(vocab_size=13, d_model=12, n_layers=2, n_heads=2, d_ff=20, max_seq_len=9)
IDS = torch.tensor([[3, 1, 4, 1, 5], [9, 2, 6, 5, 3], [12, 0, 8, 7, 11]])
REAL = torch.tensor([[0, 0, 1, 1, 1], [1, 1, 1, 1, 0], [1, 1, 1, 0, 0]]).bool()
# Choices that neither language has words for.
REFUSED = [
    dict(norm="rmsnorm"), dict(positions="rope"), dict(positions="alibi"), dict(ffn="swiglu"), dict(n_kv_heads=1),
    dict(qk_norm="rmsnorm"), dict(residual="sandwich"), dict(block="parallel"), dict(bias=False), dict(window=4),
    dict(attention={"name": "dot_product", "soft_cap": 50.0}), dict(n_encoder_layers=1),
]  # fmt: skip


def stir(module):
    """Move every weight, those of norms and biases too, so that none can be lost unseen."""
    for parameter in module.parameters():
        parameter.data += 0.3 * torch.randn_like(parameter)
    return module.eval()


def assert_equal_weights(a, b):
    a, b = a.state_dict(), b.state_dict()
    assert a.keys() == b.keys()
    assert all(torch.equal(a[name], b[name]) for name in a)


def assert_close(a, b):
    torch.testing.assert_close(a, b, rtol=0, atol=1e-5)


def sentence(language, choice):
    """What a refusal begins with."""
    ((field, value),) = choice.items()
    return f"{language} cannot express {field}={value!r}, only "


def test_components_are_known_by_name_though_given_as_classes():
    config = Config(**SMALL, ffn=FFN, residual=PostNorm)
    assert translatable(config, "it", dict(ffn=("gelu",), residual=("post",)), set()) == replace(
        config, ffn="gelu", residual="post"
    )


# --- torch.nn


def block_input(model, ids, real):
    """What the first block is given: the embedded tokens, where PyTorch's encoder begins."""
    seen = []
    hook = model.blocks[0].register_forward_pre_hook(lambda block, given: seen.append(given[0].detach()))
    model(ids, real=real)
    hook.remove()
    return seen[0]


@pytest.mark.parametrize("residual", ["pre", "post"])
@pytest.mark.parametrize("ffn", ["relu", "gelu"])
@pytest.mark.parametrize("causal, final_norm", [(True, True), (True, False), (False, True)])
def test_an_encoder_of_torchs_and_its_translation_agree(residual, ffn, causal, final_norm):
    """Built and drawn by torch, with the masks that its users write: what `from_torch` makes of it says the same."""
    torch.manual_seed(0)
    layer = nn.TransformerEncoderLayer(
        12, 2, 20, activation=ffn, layer_norm_eps=0.2, batch_first=True, norm_first=residual == "pre"
    )
    norm = nn.LayerNorm(12, eps=0.2) if final_norm else None
    theirs = stir(nn.TransformerEncoder(layer, 2, norm, enable_nested_tensor=False))
    ours = from_torch(theirs, 13, max_seq_len=9, positions="none", causal=causal)
    choices = dict(ffn=ffn, residual=residual, positions="none", causal=causal, final_norm=final_norm)
    assert ours.config == Config(**SMALL, eps=0.2, **choices)
    may_not = torch.ones(5, 5).triu(1).bool() if causal else None
    out = theirs(ours.embed(IDS), mask=may_not, src_key_padding_mask=~REAL)
    assert_close(ours(IDS, real=REAL)[REAL], out[REAL])
    assert_equal_weights(to_torch(ours), theirs)


@pytest.mark.parametrize("inference", [False, True], ids=["module by module", "fused inference path"])
@pytest.mark.parametrize("real", [None, REAL, REAL[2:]], ids=["no padding", "padding", "columns of padding alone"])
@pytest.mark.parametrize("residual, ffn, positions, causal", [
    ("pre", "gelu", "learned", True), ("post", "relu", "sinusoidal", True), ("post", "gelu", "learned", False),
    ("pre", "relu", "none", False), ("pre", "gelu_tanh", "learned", True),
])  # fmt: skip
def test_a_model_and_its_encoder_agree(inference, real, residual, ffn, positions, causal):
    torch.manual_seed(1)
    choices = dict(residual=residual, ffn=ffn, positions=positions, causal=causal, final_norm=residual == "pre")
    model = stir(Transformer(Config(**SMALL, **choices, eps=0.1, embed_scale=2.0)))
    theirs, ids = to_torch(model), IDS if real is None else IDS[-len(real) :]
    everywhere = torch.ones_like(ids, dtype=torch.bool)
    x, real = block_input(model, ids, real), everywhere if real is None else real
    with torch.set_grad_enabled(not inference):
        out = theirs(x, mask=torch_mask(model.config, real))
    assert out.shape == x.shape
    assert_close(out[real], model(ids, real=real)[real])
    assert_equal_weights(to_torch(from_torch(theirs, 13, positions="none")), theirs)


def test_a_layer_alone_is_a_transformer_of_one_block():
    torch.manual_seed(2)
    layer = stir(nn.TransformerEncoderLayer(12, 4, 20, batch_first=True))
    ours = from_torch(layer, 7, positions="none", causal=False)
    assert (ours.config.n_layers, ours.config.n_heads, ours.config.final_norm) == (1, 4, False)
    ids = IDS % 7
    assert_close(ours(ids), layer(ours.embed(ids)))
    assert_equal_weights(to_torch(ours).layers[0], layer)


def test_torch_mask_says_who_may_not():
    config = Config(**SMALL)
    real = torch.tensor([[True, True, True], [False, True, True], [True, True, False]])
    mask = torch_mask(config, real)
    assert mask.shape == (6, 3, 3) and mask.dtype == torch.bool
    expected = [
        [[0, 1, 1], [0, 0, 1], [0, 0, 0]],
        [[0, 1, 1], [1, 0, 1], [1, 0, 0]],  # the padding on the left sees itself: somebody it must see
        [[0, 1, 1], [0, 0, 1], [0, 0, 0]],  # so does that on the right
    ]
    assert mask[::2].int().tolist() == mask[1::2].int().tolist() == expected  # alike for both heads
    both_ways = torch_mask(replace(config, causal=False), real)[::2].int().tolist()
    assert both_ways == [[[0] * 3] * 3, [[0, 0, 0], [1, 0, 0], [1, 0, 0]], [[0, 0, 1], [0, 0, 1], [0, 0, 0]]]


@pytest.mark.parametrize("training", [True, False])
def test_dtype_and_mode_are_carried_and_nothing_is_dropped_at_random(training):
    torch.manual_seed(3)
    model = stir(Transformer(Config(**SMALL))).double().train(training)
    theirs = to_torch(model)
    assert theirs.training is training and {p.dtype for p in theirs.parameters()} == {torch.float64}
    back = from_torch(theirs, 13)
    assert back.training is training and {p.dtype for p in back.parameters()} == {torch.float64}
    x, mask = torch.randn(3, 5, 12).double(), torch_mask(model.config, REAL)
    assert torch.equal(theirs(x, mask=mask), theirs(x, mask=mask))
    assert len(theirs.layers) == 2 and theirs.enable_nested_tensor is False


def test_the_width_that_was_left_open_is_read_from_the_weights():
    model = Transformer(Config(**SMALL | dict(d_ff=None), n_kv_heads=2, d_head=6))
    theirs = to_torch(model)
    assert theirs.layers[0].linear1.out_features == 48
    assert from_torch(theirs, 13).config.d_ff == 48


@pytest.mark.parametrize("choice", [*REFUSED, dict(d_head=8)], ids=str)
def test_what_torchs_encoder_cannot_express_is_refused(choice):
    model = Transformer(Config(**SMALL))
    model.config = replace(model.config, **choice)
    with pytest.raises(ValueError) as refusal:
        to_torch(model)
    assert str(refusal.value).startswith(sentence("torch.nn.TransformerEncoder", choice))
    if not choice.keys() & {"ffn", "residual"}:
        with pytest.raises(ValueError, match="^torch.nn.TransformerEncoder cannot express "):
            from_torch(nn.TransformerEncoderLayer(12, 2, 20), 13, **choice)


@pytest.mark.parametrize("outside", [
    dict(embed_norm=True), dict(n_segments=2), dict(tied=False), dict(logit_scale=0.5), dict(logit_soft_cap=30.0),
    dict(init="fan_in"),
], ids=str)  # fmt: skip
def test_what_lies_outside_the_blocks_is_no_hindrance(outside):
    assert len(to_torch(Transformer(Config(**SMALL, **outside))).layers) == 2


def test_a_language_model_is_no_transformer():
    with pytest.raises(TypeError, match="a language model's is its body.*, not LM"):
        to_torch(LM(Config(**SMALL)))


def encoder(n_layers=2, norm=None, **how):
    layer = nn.TransformerEncoderLayer(12, 2, 20, batch_first=True, **how)
    return nn.TransformerEncoder(layer, n_layers, norm, enable_nested_tensor=False)


def test_encoders_that_lmkit_cannot_express_are_refused():
    different = encoder()
    different.layers[1].norm_first = True
    one_eps = encoder()
    one_eps.layers[0].norm2.eps = 1e-3
    strange = encoder()
    strange.layers[1] = nn.TransformerDecoderLayer(12, 2, 20)
    for theirs, error, words in [
        (different, ValueError, "lmkit's layers are alike"),
        (one_eps, ValueError, "so is eps in all their norms"),
        (encoder(norm=nn.LayerNorm(12, eps=1e-6)), ValueError, "so is eps in all their norms"),
        (encoder(norm=nn.RMSNorm(12)), ValueError, r"only one side has these weights: \['norm.bias'\]"),
        (encoder(bias=False), ValueError, r"only one side has these weights: \['layers.0.linear1.bias', "),
        (encoder(activation=F.silu), ValueError, r"the activation is .*silu.*; expected one of \['relu', 'gelu', "),
        (strange, TypeError, "layers of the class TransformerEncoderLayer, not TransformerDecoderLayer"),
    ]:
        with pytest.raises(error, match=words):
            from_torch(theirs, 13)


# --- Keras

ARTICLE = dict(
    positions="sinusoidal", ffn="relu", residual="post", final_norm=False, tied=False, embed_scale=math.sqrt(12)
)


@pytest.fixture(scope="module")
def rosetta():
    """lmkit.rosetta.keras_model: importing Keras takes seconds, so once; and nothing has told it which backend."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("KERAS_BACKEND", raising=False)
        from lmkit.rosetta import keras_model

        assert os.environ["KERAS_BACKEND"] == "torch"
        yield keras_model


def say(theirs, ids, real=None, **how):
    """What a Keras model answers, as a tensor on the CPU."""
    return theirs(ids, real=real, **how).detach().cpu()


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("choices", [
    dict(), dict(ffn="gelu", positions="learned"), dict(residual="pre", final_norm=True, embed_scale=1.0),
    dict(final_norm=True, d_model=15, n_heads=3), dict(d_head=5, d_ff=None),
], ids=str)  # fmt: skip
def test_the_keras_model_agrees(rosetta, choices, causal):
    torch.manual_seed(4)
    model = stir(LM(Config(**SMALL | ARTICLE | choices, eps=0.1, causal=causal)))
    theirs = rosetta.to_keras(model)
    assert rosetta.table(theirs).keys() == model.state_dict().keys()
    assert_close(say(theirs, IDS), model(IDS))
    assert_close(say(theirs, IDS, REAL)[REAL], model(IDS, real=REAL)[REAL])
    back = rosetta.from_keras(theirs)
    assert back.config == model.config
    assert_equal_weights(back, model)


def test_a_keras_model_of_its_own_weights_agrees(rosetta):
    """Drawn by Keras, biases and norms moved by Keras; the dropout that it was built with is for training alone."""
    rosetta.keras.utils.set_random_seed(5)
    theirs = rosetta.Transformer(Config(**SMALL | ARTICLE))
    for variable in theirs.trainable_variables:
        variable.assign_add(0.3 * rosetta.keras.random.normal(variable.shape))
    model = rosetta.from_keras(theirs)
    assert_close(model(IDS, real=REAL)[REAL], say(theirs, IDS, REAL)[REAL])
    assert_equal_weights(rosetta.from_keras(rosetta.to_keras(model)), model)
    assert not torch.allclose(say(theirs, IDS, training=True), say(theirs, IDS), atol=1e-3)
    sure = rosetta.to_keras(model)
    assert torch.equal(say(sure, IDS, training=True), say(sure, IDS))


def test_dropout_stands_where_the_paper_has_it(rosetta):
    """Vaswani et al. 2017, section 5.4: 0.1 of each sublayer's output, before it is added, and of the embedded tokens.

    Dropping all of it instead leaves the stream alone, and a model that cannot tell tokens apart.
    """
    torch.manual_seed(8)
    config = Config(**SMALL | ARTICLE)
    model = rosetta.Transformer(config)
    assert [layer.dropout.rate for layer in (model, *model.blocks, rosetta.TransformerBlock(config))] == [0.1] * 4
    x, sure = torch.randn(3, 5, 12), torch.ones(3, 5, dtype=torch.bool)
    pre, post = (rosetta.TransformerBlock(replace(config, residual=rule), 1.0) for rule in ("pre", "post"))
    assert_close(pre(x, sure, training=True).cpu(), x)
    assert_close(post(x, sure, training=True).detach().cpu(), F.layer_norm(F.layer_norm(x, [12]), [12]))
    deaf = say(rosetta.Transformer(config, 1.0), IDS, training=True)
    assert_close(deaf, deaf[:1, :1].expand_as(deaf))


def test_each_slip_is_repaired(rosetta):
    """What the comments marked "was:" say, one by one."""
    torch.manual_seed(6)
    with pytest.raises((TypeError, ValueError), match="d_model|key_dim"):
        rosetta.layers.MultiHeadAttention(2, d_model=12)
    model = rosetta.to_keras(stir(LM(Config(**SMALL | ARTICLE))))
    # key_dim is the width of one head
    assert tuple(model.blocks[0].attn.query_dense.kernel.shape) == (12, 2, 6)
    # the future is not seen
    other = IDS.clone()
    other[:, 3:] = 10
    assert torch.equal(say(model, other)[:, :3], say(model, IDS)[:, :3])
    assert not torch.allclose(say(model, other)[:, 3:], say(model, IDS)[:, 3:], atol=1e-3)
    # nor the padding, on the left
    padded = torch.tensor([[7, 7, 4, 1, 5]])
    assert_close(say(model, padded, REAL[:1])[:, 2:], say(model, padded[:, 2:]))
    # the loss takes logits
    logits, targets = say(model, IDS), IDS.flip(1)
    loss = rosetta.next_token_loss(targets, logits).detach().cpu()
    assert_close(loss, F.cross_entropy(logits.flatten(0, 1), targets.flatten()))


@pytest.mark.parametrize("d_model", [6, 5])
def test_keras_positional_encoding_is_the_papers(rosetta, d_model):
    waves = rosetta.PositionalEncoding(d_model)(torch.tensor([[0, 1, 40], [2, 3, 7]])).cpu()
    for row, column, pos in [(0, 0, 0), (0, 1, 1), (0, 2, 40), (1, 0, 2), (1, 2, 7)]:
        angles = [pos / 10_000 ** (2 * (i // 2) / d_model) for i in range(d_model)]
        expected = [math.cos(angle) if i % 2 else math.sin(angle) for i, angle in enumerate(angles)]
        assert_close(waves[row, column], torch.tensor(expected))


def test_keras_trains_it_and_what_it_learnt_comes_back(rosetta):
    rosetta.keras.utils.set_random_seed(7)
    model = rosetta.Transformer(Config(**SMALL | ARTICLE), dropout=0.0)
    model.compile("adam", loss=rosetta.next_token_loss)
    ids = IDS.repeat(8, 1).numpy()
    losses = model.fit(ids[:, :-1], ids[:, 1:], epochs=2, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    ours = rosetta.from_keras(model)
    assert_close(
        F.cross_entropy(ours(IDS[:, :-1]).mT, IDS[:, 1:]),
        torch.tensor(model.evaluate(ids[:, :-1], ids[:, 1:], verbose=0)),
    )


@pytest.mark.parametrize("choice", [*REFUSED, dict(tied=True), dict(positions="none"),
                                    dict(n_segments=2), dict(embed_norm=True), dict(logit_scale=0.5),
                                    dict(logit_soft_cap=30.0)], ids=str)  # fmt: skip
def test_what_the_keras_model_cannot_express_is_refused(rosetta, choice):
    with pytest.raises(ValueError) as refusal:
        rosetta.Transformer(replace(Config(**SMALL | ARTICLE), **choice))
    assert str(refusal.value).startswith(sentence("the Keras Transformer", choice))


def test_other_widths_of_numbers_are_refused(rosetta):
    with pytest.raises(ValueError, match="holds float32, not {torch.bfloat16}: convert a copy"):
        rosetta.to_keras(LM(Config(**SMALL | ARTICLE)).bfloat16())


def test_another_backend_is_refused_with_what_to_do(rosetta, monkeypatch):
    assert rosetta.keras_on_torch() is rosetta.keras
    monkeypatch.setitem(sys.modules, "keras", SimpleNamespace(config=SimpleNamespace(backend=lambda: "tensorflow")))
    with pytest.raises(ImportError, match="keras runs on tensorflow here, not on torch.*KERAS_BACKEND=torch before"):
        rosetta.keras_on_torch()
    monkeypatch.delitem(sys.modules, "keras")
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    with pytest.raises(ImportError, match="keras runs on jax here, not on torch"):
        rosetta.keras_on_torch()
    assert "keras" not in sys.modules
