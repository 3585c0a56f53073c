"""Recording looks and does not touch."""

import pytest
import torch
from torch import nn

from lmkit.attention import Attention, KVCache
from lmkit.heads import LM
from lmkit.model import Config
from lmkit.record import record

IDS = torch.randint(0, 50, (2, 9), generator=torch.Generator().manual_seed(0))


def model(**choices):
    torch.manual_seed(0)
    m = LM(Config(50, d_model=24, n_layers=2, n_heads=4, max_seq_len=16, positions="rope", **choices)).eval()
    for p in m.parameters():
        nn.init.normal_(p, std=0.3)
    return m


def hooks(m):
    return sum(len(part._forward_hooks) + len(part._forward_pre_hooks) for part in m.modules())


@pytest.mark.parametrize("choices", [{}, {"n_kv_heads": 2}, {"n_kv_heads": 1, "window": 3}, {"causal": False}])
def test_maps_times_values_are_what_the_layer_put_out(choices):
    m = model(**choices)
    seen = {}
    handle = m.body.blocks[1].attn.attend.register_forward_hook(
        lambda mod, args, out: seen.update(v=args[2], out=out), with_kwargs=False
    )
    with record(m) as maps, torch.no_grad():
        m(IDS)
    handle.remove()
    weights = maps["blocks.1.attn"]
    assert list(maps) == ["blocks.0.attn", "blocks.1.attn"] and weights.shape == (2, 4, 9, 9)
    torch.testing.assert_close(weights.sum(-1), torch.ones(2, 4, 9))
    v = seen["v"].repeat_interleave(4 // seen["v"].shape[1], 1)
    torch.testing.assert_close(weights @ v, seen["out"], atol=1e-5, rtol=1e-4)
    if choices.get("window"):
        assert not weights.tril(-3).any()


def test_llamas_eager_maps_are_ours():
    import transformers as hf

    config = hf.LlamaConfig(
        vocab_size=50, hidden_size=24, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, rms_norm_eps=1e-6, attn_implementation="eager",
    )  # fmt: skip
    llama = hf.LlamaModel(config).eval()
    for p in llama.parameters():
        nn.init.normal_(p, std=0.3)
    ours = model(n_kv_heads=2, norm="rmsnorm", ffn="swiglu", bias=False, eps=1e-6)
    names = {"self_attn": "attn", "mlp": "ffn", "input_layernorm": "attn_residual.norm", "norm": "final_norm"}
    names |= {"post_attention_layernorm": "ffn_residual.norm", "layers": "blocks", "embed_tokens": "embed"}
    state = {".".join(names.get(p, p) for p in n.split(".")): t for n, t in llama.state_dict().items()}
    ours.body.load_state_dict(state)
    with record(ours) as maps:
        ours(IDS)
    for mine, theirs in zip(maps.values(), llama(IDS, output_attentions=True).attentions, strict=True):
        torch.testing.assert_close(mine, theirs, atol=1e-5, rtol=1e-4)


def test_nothing_changes_and_nothing_stays():
    m = model()
    before = m(IDS)
    with record(m):
        during = m(IDS)
        assert hooks(m) == 2
    assert torch.equal(before, during) and torch.equal(before, m(IDS)) and hooks(m) == 0


def test_nothing_stays_when_the_model_raises():
    m = model()
    with pytest.raises(IndexError), record(m):
        m(torch.full((1, 3), 99))
    assert hooks(m) == 0


def test_with_a_cache_the_map_has_one_row_per_new_token():
    m, caches = model(), [KVCache(), KVCache()]
    with record(m) as maps, torch.no_grad():
        m(IDS)
        whole = maps["blocks.0.attn"]
        m(IDS[:, :8], caches=caches)
        m(IDS[:, 8:], caches=caches)
    assert maps["blocks.0.attn"].shape == (2, 4, 1, 9)
    torch.testing.assert_close(maps["blocks.0.attn"], whole[:, :, 8:])


def test_a_single_attention_and_a_model_without_any():
    attn = Attention(24, 4)
    with record(attn) as maps:
        attn(torch.randn(1, 5, 24), torch.randn(1, 7, 24))
    assert maps["attn"].shape == (1, 4, 5, 7)
    with pytest.raises(ValueError, match=r"no lmkit.attention.Attend in this Linear"), record(nn.Linear(2, 2)):
        pass
