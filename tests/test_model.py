"""The assembled model: every choice with every other, with and without a cache; bad input; initial weights."""

import itertools
import math
from dataclasses import fields, replace
from functools import partial

import pytest
import torch
from torch import nn

from lmkit.attention import KVCache
from lmkit.ffn import FFNS
from lmkit.heads import LM
from lmkit.model import MENUS, Config, Transformer
from lmkit.norms import NORMS
from lmkit.positions import POSITIONS, NoPositions, Rope
from lmkit.residual import RESIDUALS

IDS = torch.randint(0, 99, (3, 11), generator=torch.Generator().manual_seed(0))
BASE = Config(99, d_model=32, n_layers=2, n_heads=4, max_seq_len=32)
GRID = list(itertools.product(NORMS, POSITIONS, FFNS, RESIDUALS, (None, 1, 2), (None, 4)))


@pytest.mark.parametrize("norm", NORMS)
def test_every_combination_agrees_with_and_without_a_cache(norm):
    for _, positions, ffn, residual, n_kv_heads, window in (c for c in GRID if c[0] == norm):
        config = replace(
            BASE, norm=norm, positions=positions, ffn=ffn, residual=residual, n_kv_heads=n_kv_heads, window=window
        )
        torch.manual_seed(0)
        model, caches = Transformer(config).eval(), [KVCache(), KVCache()]
        with torch.no_grad():
            pieces = [IDS[:, :5], IDS[:, 5:9], IDS[:, 9:10], IDS[:, 10:]]
            cached = torch.cat([model(piece, caches=caches) for piece in pieces], dim=1)
            torch.testing.assert_close(cached, model(IDS), atol=1e-5, rtol=1e-4, msg=lambda m, c=config: f"{c}\n{m}")


class Slope(NoPositions):
    """A reader's own scheme, which uses the third place: a bias on the scores."""

    def score_bias(self, pos_q, pos_k):
        return -0.3 * (pos_q[:, None] - pos_k[None, :]).abs().float()


@pytest.mark.parametrize("window", [None, 4])
def test_a_scheme_that_biases_the_scores(window):
    config = replace(BASE, positions=Slope, window=window)
    model, caches = Transformer(config).eval(), [KVCache(), KVCache()]
    with torch.no_grad():
        cached = torch.cat([model(IDS[:, :6], caches=caches), model(IDS[:, 6:], caches=caches)], dim=1)
        torch.testing.assert_close(cached, model(IDS), atol=1e-5, rtol=1e-4)


def test_gpt2s_body_is_ours():
    import transformers as hf

    torch.manual_seed(0)
    gpt2 = hf.GPT2Model(
        hf.GPT2Config(vocab_size=99, n_embd=32, n_layer=2, n_head=4, n_positions=32, activation_function="gelu")
    ).eval()
    for p in gpt2.parameters():
        nn.init.normal_(p, std=0.2)
    ours, state = Transformer(BASE).eval(), {}
    names = {"attn.c_proj": "attn.o_proj", "mlp.c_fc": "ffn.up_proj", "mlp.c_proj": "ffn.down_proj"}
    names |= {"ln_1": "attn_residual.norm", "ln_2": "ffn_residual.norm"}
    for name, t in gpt2.state_dict().items():
        layer, leaf = ".".join(name.split(".")[:2]).replace("h.", "blocks."), name.split(".")[-1]
        where = ".".join(name.split(".")[2:-1])
        if where == "attn.c_attn":
            for q_or_k, part in zip("qkv", t.chunk(3, -1), strict=True):
                state[f"{layer}.attn.{q_or_k}_proj.{leaf}"] = part.mT if part.ndim == 2 else part
        elif where in names:
            state[f"{layer}.{names[where]}.{leaf}"] = t.mT if t.ndim == 2 else t
    state |= {"embed.weight": gpt2.wte.weight, "positions.table.weight": gpt2.wpe.weight}
    state |= {f"final_norm.{n}": t for n, t in gpt2.ln_f.state_dict().items()}
    ours.load_state_dict(state)
    torch.testing.assert_close(ours(IDS), gpt2(IDS).last_hidden_state, atol=2e-5, rtol=1e-4)


def test_llamas_body_is_ours():
    import transformers as hf

    torch.manual_seed(0)
    llama = hf.LlamaModel(
        hf.LlamaConfig(
            vocab_size=99, hidden_size=32, intermediate_size=56, num_hidden_layers=2, num_attention_heads=4,
            num_key_value_heads=2, rms_norm_eps=1e-6,
        )
    ).eval()  # fmt: skip
    for p in llama.parameters():
        nn.init.normal_(p, std=0.2)
    config = replace(BASE, n_kv_heads=2, d_ff=56, norm="rmsnorm", positions="rope", ffn="swiglu", bias=False, eps=1e-6)
    ours, names = Transformer(config).eval(), {"self_attn": "attn", "mlp": "ffn", "layers": "blocks"}
    names |= {"input_layernorm": "attn_residual.norm", "post_attention_layernorm": "ffn_residual.norm"}
    names |= {"embed_tokens": "embed", "norm": "final_norm"}
    ours.load_state_dict({".".join(names.get(p, p) for p in n.split(".")): t for n, t in llama.state_dict().items()})
    torch.testing.assert_close(ours(IDS), llama(IDS).last_hidden_state, atol=2e-5, rtol=1e-4)


def test_padding_does_not_change_the_tokens():
    model, real = Transformer(replace(BASE, causal=False)).eval(), torch.ones(3, 11, dtype=torch.bool)
    real[1, 7:] = False
    other = IDS.masked_fill(~real, 5)
    torch.testing.assert_close(model(IDS, real=real)[real], model(other, real=real)[real])
    torch.testing.assert_close(model(IDS, real=real)[1, :7], model(IDS[1:2, :7])[0], atol=1e-5, rtol=1e-4)


def test_causal_means_that_the_future_does_not_matter():
    model, changed = LM(replace(BASE, positions="rope")).eval(), IDS.clone()
    changed[:, 6] = (changed[:, 6] + 1) % 99
    assert torch.equal(model(IDS)[:, :6], model(changed)[:, :6])
    assert not torch.allclose(model(IDS)[:, 6:], model(changed)[:, 6:])


def test_every_menu_takes_a_callable():
    class Half(PreNorm):
        def forward(self, x, sublayer):
            return x + 0.5 * sublayer(self.norm(x))

    config = replace(
        BASE,
        norm=nn.RMSNorm,
        ffn=FFNS["gelu"],
        residual=Half,
        positions=partial(Rope, theta=5e5),
        init=lambda module, n_layers: None,
    )
    assert Transformer(config)(IDS).shape == (3, 11, 32)
    with pytest.raises(ValueError, match=r"norm=.*RMSNorm.* has no name; add it to the menu"):
        config.to_dict()
    with pytest.raises(ValueError, match=r"'rms' is not one of"):
        Transformer(replace(BASE, norm="rms"))


def test_config_round_trip():
    assert Config(**BASE.to_dict()) == BASE
    assert replace(BASE, norm=NORMS["rmsnorm"]).to_dict()["norm"] == "rmsnorm"


def test_positions_beyond_the_trained_ones():
    with pytest.raises(ValueError, match="40 positions, but max_seq_len=32 of them were trained"):
        Transformer(BASE)(torch.zeros(1, 40, dtype=torch.long))
    assert Transformer(replace(BASE, positions="rope"))(torch.zeros(1, 40, dtype=torch.long)).shape == (1, 40, 32)


def test_caches_and_padding_that_do_not_fit():
    model, caches = Transformer(BASE), [KVCache()]
    with pytest.raises(ValueError, match="1 caches for 2 blocks"):
        model(IDS, caches=caches)
    with pytest.raises(ValueError, match=r"real has the shape \(3, 4\); expected \(B, S\) = \(3, 11\)"):
        model(IDS, real=torch.ones(3, 4, dtype=torch.bool))
    with pytest.raises(ValueError, match=r"n_heads \(4\) must divide d_model \(30\)"):
        Transformer(replace(BASE, d_model=30, positions="rope"))
    assert len(caches[0]) == 0


def test_tied_is_shared_not_copied():
    tied, untied = LM(BASE), LM(replace(BASE, tied=False))
    count = lambda m: sum(p.numel() for p in m.parameters())  # noqa: E731
    assert count(untied) - count(tied) == 99 * 32
    tied.body.embed.weight.data.zero_()
    assert torch.equal(tied(IDS), torch.zeros(3, 11, 99))


@pytest.mark.parametrize("tied", [True, False])
def test_the_first_loss_is_about_ln_v(tied):
    torch.manual_seed(0)
    logits, targets = LM(replace(BASE, tied=tied))(IDS), IDS.flip(1)
    loss = nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten())
    assert abs(loss.item() - math.log(99)) < 0.1


def test_initial_spread():
    torch.manual_seed(0)
    model = Transformer(replace(BASE, d_model=256, n_layers=8))
    std = lambda t: t.std().item()  # noqa: E731
    assert std(model.embed.weight) == pytest.approx(0.02, rel=0.05)
    assert std(model.blocks[3].attn.q_proj.weight) == pytest.approx(0.02, rel=0.05)
    assert std(model.blocks[3].attn.o_proj.weight) == pytest.approx(0.02 / 4, rel=0.05)
    assert std(model.blocks[3].ffn.down_proj.weight) == pytest.approx(0.02 / 4, rel=0.05)
    assert not model.blocks[3].attn.o_proj.bias.any()
    model = Transformer(replace(BASE, d_model=256, n_layers=8, d_ff=400, init="fan_in"))
    assert std(model.embed.weight) == pytest.approx(256**-0.5, rel=0.05)
    assert std(model.blocks[3].ffn.up_proj.weight) == pytest.approx(256**-0.5, rel=0.05)
    assert std(model.blocks[3].ffn.down_proj.weight) == pytest.approx(400**-0.5 / 4, rel=0.05)
    assert not model.blocks[3].ffn.up_proj.bias.any()


# ---- no dead knobs: every field matters, alone and beside every other

OTHER = dict(
    vocab_size=101, d_model=48, n_layers=3, n_heads=2, n_kv_heads=1, d_head=10, d_ff=40, max_seq_len=48, norm="rmsnorm",
    positions="rope", attention=None, ffn="swiglu", residual="post", init="fan_in", causal=False, window=3, bias=False,
    eps=0.3, final_norm=False, tied=False,
)  # fmt: skip
EXPLAINED = {("positions", "max_seq_len"): "rope has no table of positions"}


def fingerprint(config):
    torch.manual_seed(0)
    model = LM(config)
    with torch.no_grad():
        for i, p in enumerate(model.parameters()):  # away from zeros and ones, which hide differences
            p.add_(0.3 * torch.randn(p.shape, generator=torch.Generator().manual_seed(i)))
        return {n: tuple(p.shape) for n, p in model.named_parameters()}, model(IDS)


def same(a, b):
    return a[0] == b[0] and torch.equal(a[1], b[1])


def test_no_dead_knobs():
    assert {f.name for f in fields(Config)} == set(OTHER), "a field has no alternative in this test"
    live, dead = {k: v for k, v in OTHER.items() if v is not None}, []
    start = fingerprint(BASE)
    for a in live:
        beside = fingerprint(replace(BASE, **{a: live[a]}))
        if same(start, beside):
            dead.append(a)
        dead += [
            (a, b)
            for b in live
            if a != b
            and (a, b) not in EXPLAINED
            and same(beside, fingerprint(replace(BASE, **{a: live[a], b: live[b]})))
        ]
    assert not dead


def test_menus_are_the_configs_fields():
    assert set(MENUS) < {f.name for f in fields(Config)}
    assert len(MENUS["attention"]) == 1  # so far; the knob is tried with a class of one's own
