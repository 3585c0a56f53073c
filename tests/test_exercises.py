"""Right answers pass, and every plausible wrong one is refused with its own diagnosis."""

import codecs
import math

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, models

from lmkit import LM, presets
from lmkit.attention import attention_weights
from lmkit.exercises import EXERCISES, NOT_YET, check, diagnose
from lmkit.masks import causal_mask, window_mask
from lmkit.model import Config
from lmkit.record import record_stream

CASES = [(name, diagnosis) for name, exercise in EXERCISES.items() for diagnosis in exercise.mistakes]


@pytest.mark.parametrize("name", EXERCISES)
def test_the_right_answer_is_right(name, capsys):
    check(name, EXERCISES[name].right)
    assert capsys.readouterr().out == f"{name}: right\n"
    assert len(EXERCISES[name].mistakes) >= 3


@pytest.mark.parametrize(("name", "diagnosis"), CASES)
def test_a_mistake_gets_its_own_diagnosis(name, diagnosis, capsys):
    check(name, EXERCISES[name].mistakes[diagnosis])
    assert capsys.readouterr().out == f"{name}: {diagnosis}\n"


def test_right_answers_agree_with_the_library():
    right = {name: exercise.right for name, exercise in EXERCISES.items()}
    q, k, v = (torch.randn(2, 3, 5, 4) for _ in range(3))
    torch.testing.assert_close(right["causal_attention"](q, k, v), attention_weights(q, k, causal=True) @ v)
    pos = torch.arange(7)
    assert torch.equal(right["window"](7, 3), causal_mask(pos, pos) & window_mask(pos, pos, 3))
    few = torch.randn(2, 2, 5, 4)
    shared = right["share_heads"](few, 6)
    torch.testing.assert_close(
        attention_weights(q.repeat(1, 2, 1, 1), few), attention_weights(q.repeat(1, 2, 1, 1), shared)
    )


def test_right_answers_agree_with_pytorchs_layer_and_with_a_models_own_logits():
    layer = torch.nn.TransformerEncoderLayer(16, 2, 32, 0.0, batch_first=True, norm_first=True).eval()
    x = torch.randn(2, 5, 16)
    attn, ffn = lambda x: layer.self_attn(x, x, x)[0], lambda x: layer.linear2(layer.activation(layer.linear1(x)))
    block = EXERCISES["prenorm_block"].right(x, attn, ffn, layer.norm1, layer.norm2)
    torch.testing.assert_close(block, layer(x))
    torch.manual_seed(0)
    config = Config(50, 32, 3, 2, positions="rope", norm="rmsnorm", eps=0.01)
    model = LM(config).requires_grad_(False)
    torch.nn.init.normal_(model.body.final_norm.weight)
    with record_stream(model) as stream:
        logits = model(torch.randint(50, (1, 6)))
    points = torch.stack([x[0, -1] for x in stream.values()])
    writes = torch.cat([points[:1], points[1:] - points[:-1]])
    pushes = EXERCISES["logit_pushes"].right(writes, model.body.final_norm.weight, model.body.embed.weight[7], 0.01)
    assert len(pushes) == 7
    torch.testing.assert_close(pushes.sum(), logits[0, -1, 7], atol=1e-6, rtol=1e-4)
    std = EXERCISES["writer_std"].right(0.02, 3)
    assert model.body.blocks[0].ffn.down_proj.weight.std().item() == pytest.approx(std, rel=0.05)


def test_right_answers_agree_with_the_tokenizers():
    """Hugging Face's Rust library, given the exercise's own merges, vocabulary and scores."""
    replay, fewest = EXERCISES["replay"], EXERCISES["fewest"]
    for word, merges in replay.inputs:
        symbols = dict.fromkeys([*"abcdefghijklmnopqrstuvwxyz", *("".join(pair) for pair in merges)])
        rust = Tokenizer(models.BPE({symbol: i for i, symbol in enumerate(symbols)}, merges))
        assert replay.right(word, merges) == rust.encode(word).tokens
    for word, pieces in fewest.inputs:  # all pieces equally likely: the likeliest cut has the fewest
        rust = Tokenizer(models.Unigram([("<unk>", -99.0), *((piece, -1.0) for piece in sorted(pieces))], unk_id=0))
        tokens = rust.encode(word).tokens
        assert fewest.right(word, pieces) == (len(tokens) if "".join(tokens) == word and word != "ax" else math.inf)


def test_right_answers_agree_with_python_and_sentencepieces_form():
    fallback, complete = EXERCISES["fallback"], EXERCISES["complete"]
    rust = Tokenizer(models.BPE({f"<0x{byte:02X}>": byte for byte in range(256)} | {"n": 256}, [], byte_fallback=True))
    assert fallback.right("né好", {"n"}) == rust.encode("né好").tokens
    for (chunks,) in complete.inputs:
        decoder = codecs.getincrementaldecoder("utf-8")()
        assert complete.right(chunks) == [decoder.decode(chunk) for chunk in chunks]


def test_other_answers():
    causal, value = EXERCISES["causal_attention"], EXERCISES["kv_cache"]
    assert "raised TypeError" in diagnose(causal, lambda q: q)
    assert "not a tensor" in diagnose(causal, lambda q, k, v: [1])
    assert "shape (1, 3, 3, 8) where" not in (diagnose(causal, lambda q, k, v: v) or "")
    assert "shape" in diagnose(causal, lambda q, k, v: v[..., :1])
    assert "no mistake that is known" in diagnose(causal, lambda q, k, v: v)
    assert "torch.float32 where torch.bool" in diagnose(EXERCISES["window"], lambda T, w: torch.zeros(T, T))
    assert "to be a function, not int" in diagnose(causal, 3) and "to be a value" in diagnose(value, lambda: 3)
    assert "no mistake that is known" in diagnose(value, 7.0) and "no mistake" in diagnose(value, "many")


def test_numbers_that_numpy_or_torch_computed():
    assert diagnose(EXERCISES["kv_cache"], torch.tensor(1024.0)) is None
    assert diagnose(EXERCISES["doubling"], (np.int64(4), np.float64(2))) is None


def test_a_reader_may_change_the_inputs_in_place():
    def careless(q, k, v):
        k.mul_(1 / q.shape[-1] ** 0.5)
        return (q @ k.mT).masked_fill(~torch.ones(q.shape[-2], k.shape[-2]).tril().bool(), -torch.inf).softmax(-1) @ v

    assert diagnose(EXERCISES["causal_attention"], careless) is None
    assert diagnose(EXERCISES["causal_attention"], careless) is None


def test_unknown_and_unanswered(capsys):
    check("window", None)
    assert capsys.readouterr().out == f"window: {NOT_YET}\n"
    with pytest.raises(ValueError, match="there is no exercise 'widow'"):
        check("widow", 1)


def test_right_answers_agree_with_torchs_norms():
    right = {name: exercise.right for name, exercise in EXERCISES.items()}
    x, weight, bias = torch.randn(2, 5, 6) * 3 + 1, torch.randn(6), torch.randn(6)
    expected = torch.nn.functional.layer_norm(x, (6,), weight, bias, eps=0.3)
    torch.testing.assert_close(right["layer_norm"](x, weight, bias, 0.3), expected)
    expected = torch.nn.functional.rms_norm(x, (6,), weight, eps=0.3)
    torch.testing.assert_close(right["rms_norm"](x, weight, 0.3), expected)
    four = torch.nn.functional.rms_norm(torch.tensor([3.0, 4.0, 0.0, 0.0]), (4,), eps=1e-9)
    torch.testing.assert_close(torch.tensor(right["norm_of_four"]), four)
    small = torch.nn.functional.rms_norm(torch.tensor([0.01, -0.01]), (2,), eps=1e-4)
    assert math.isclose(right["norm_eps"], small[0].item(), rel_tol=1e-5)
    a, b = right["centre"](torch.randn(5, 3), torch.randn(5))
    linear = torch.nn.functional.linear(torch.randn(7, 3), a, b)
    torch.testing.assert_close(linear.mean(-1), torch.zeros(7), atol=1e-6, rtol=0)
    with torch.device("meta"):
        gpt2 = LM(presets.get("gpt2"))
    norms = [m for m in gpt2.modules() if isinstance(m, torch.nn.LayerNorm)]
    assert right["norm_parameters"] == sum(p.numel() for norm in norms for p in norm.parameters())
