"""The assembled model: every choice with every other, with and without a cache; bad input; initial weights."""

import itertools
import json
import math
from dataclasses import fields, replace
from functools import partial
from random import Random

import pytest
import torch
from torch import nn

from lmkit.cache import KVCache, PreallocatedCache, RollingCache
from lmkit.ffn import FFNS
from lmkit.heads import LM
from lmkit.model import MENUS, Config, EncoderDecoder, Transformer
from lmkit.norms import NORMS
from lmkit.positions import NoPositions, Rope
from lmkit.residual import PreNorm

IDS = torch.randint(0, 99, (3, 11), generator=torch.Generator().manual_seed(0))
BASE = Config(99, d_model=32, n_layers=2, n_heads=4, max_seq_len=32)
CHOICES = {field: list(menu) for field, menu in MENUS.items() if field not in ("qk_norm", "init")} | {
    "qk_norm": [None, "rmsnorm", "layernorm"],
    "n_kv_heads": [None, 1, 2],
    "window": [None, 4, (None, 3)],
    "attention": ["dot_product", "latent", {"name": "dot_product", "soft_cap": 2.0}],
    "n_segments": [0, 2],
    "embed_norm": [False, True],
}


def fits(config):
    """Latent attention has no key/value heads to share and normalizes its latent itself."""
    return config["attention"] != "latent" or (config["n_kv_heads"] is None and config["qk_norm"] is None)


def every_pair():
    """Configs, drawn at random, in which every choice of every menu meets every other choice of every other menu."""
    random = Random(0)
    pairs = [
        {a: x, b: y}
        for a, b in itertools.combinations(CHOICES, 2)
        for x, y in itertools.product(CHOICES[a], CHOICES[b])
        if fits({"attention": None, "n_kv_heads": None, "qk_norm": None} | {a: x, b: y})
    ]
    while pairs:
        drawn = {field: random.choice(options) for field, options in CHOICES.items()} | pairs[0]
        if not fits(drawn):
            continue
        pairs = [pair for pair in pairs if any(drawn[field] != choice for field, choice in pair.items())]
        yield replace(BASE, **drawn)


def stirred(model):
    """The model in evaluation, its parameters away from the zeros and ones that hide differences."""
    with torch.no_grad():
        for i, p in enumerate(model.parameters()):
            p.add_(0.1 * torch.randn(p.shape, generator=torch.Generator().manual_seed(i)))
    return model.eval()


CONFIGS = list(every_pair())


@pytest.mark.parametrize("part", range(4))
@torch.no_grad()
def test_every_choice_beside_every_other(part):
    """In one call, in pieces with each kind of cache, and beside rows of another length: the same vectors."""
    assert len(CONFIGS) > 80
    for config in CONFIGS[part::4]:
        torch.manual_seed(0)
        model = stirred(Transformer(config))
        close = partial(torch.testing.assert_close, atol=2e-5, rtol=1e-4, msg=lambda m, c=config: f"{c}\n{m}")
        whole = model(IDS)
        assert whole.isfinite().all() and Config.from_dict(json.loads(json.dumps(config.to_dict()))) == config
        later = torch.cat([IDS[:, :6], (IDS[:, 6:] + 1) % 99], 1)
        close(model(later)[:, :6], whole[:, :6])  # the future does not matter
        for caches in ([KVCache(), KVCache()], model.new_caches(), model.new_caches(11)):
            pieces = [IDS[:, :5], IDS[:, 5:9], IDS[:, 9:10], IDS[:, 10:]]
            close(torch.cat([model(piece, caches=caches) for piece in pieces], dim=1), whole)
        for side in ("left", "right"):
            ids, real = torch.full((3, 14), 7), torch.zeros(3, 14, dtype=torch.bool)
            for row, n in enumerate((11, 14, 6)):  # a row of 14, so that some are padded by more and some by less
                there = slice(14 - n, 14) if side == "left" else slice(0, n)
                ids[row, there], real[row, there] = IDS.flatten()[:n] if row == 1 else IDS[row, :n], True
            padded = model(ids, real=real)
            close(padded[0][real[0]], whole[0])
            close(padded[1], model(ids[1:2])[0])
            close(padded[2][real[2]], whole[2, :6])
            caches = model.new_caches(14)
            pieces = [model(ids[:, a:b], real=real[:, :b], caches=caches) for a, b in ((0, 7), (7, 8), (8, 14))]
            close(torch.cat(pieces, dim=1)[real], padded[real])


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
    with pytest.raises(ValueError, match=r"norm: .*RMSNorm.* has no name; add it to the menu"):
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
    with pytest.raises(ValueError, match=r"real has the shape \(3, 4\) .*expected \(B, S\) = \(3, 11\)"):
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
    positions="rope", attention={"name": "dot_product", "scale": 1.0}, qk_norm="rmsnorm", ffn="swiglu", residual="post",
    block="parallel", init="fan_in", causal=False, window=3, bias=False, eps=0.3, final_norm=False, tied=False,
    n_segments=2, embed_norm=True, embed_scale=3.0, n_encoder_layers=1, logit_scale=0.5, logit_soft_cap=2.0,
)  # fmt: skip
EXPLAINED = {("positions", "max_seq_len"): "rope has no table of positions"}


def fingerprint(config):
    torch.manual_seed(0)
    model = LM(config)
    with torch.no_grad():
        for i, p in enumerate(model.parameters()):  # away from zeros and ones, which hide differences
            p.add_(0.3 * torch.randn(p.shape, generator=torch.Generator().manual_seed(i)))
        source = dict(source=IDS) if config.n_encoder_layers else {}
        return {n: tuple(p.shape) for n, p in model.named_parameters()}, model(IDS, **source)


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


# ---- the encoder-decoder, segments, windows


SOURCE = torch.randint(0, 99, (3, 7), generator=torch.Generator().manual_seed(5))


@pytest.mark.parametrize("choices", [{}, dict(block="parallel", norm="rmsnorm", positions="relative", window=4)])
@torch.no_grad()
def test_an_encoder_decoder_is_two_transformers_and_cross_attention(choices):
    model = stirred(EncoderDecoder(replace(BASE, n_encoder_layers=3, **choices)))
    real = torch.ones(3, 7, dtype=torch.bool)
    real[1, 4:] = False
    whole = model(IDS, source=SOURCE, source_real=real)
    close = partial(torch.testing.assert_close, atol=1e-5, rtol=1e-4)
    memory = model.encode(SOURCE, real=real)
    close(model(IDS, memory=memory, source_real=real), whole)
    close(model(IDS[1:2], source=SOURCE[1:2, :4])[0], whole[1])  # padding of the source is not read
    caches = model.new_caches(11)
    pieces = [model(IDS[:, a:b], memory=memory, source_real=real, caches=caches) for a, b in ((0, 4), (4, 5), (5, 11))]
    close(torch.cat(pieces, 1), whole)
    other = model(IDS, source=SOURCE.roll(1, 0), source_real=real)
    assert (other - whole).abs().amax(-1).min() > 1e-3  # every position reads the source
    assert model.encoder.embed is model.decoder.embed and len(model.encoder.blocks) == 3 and len(model.blocks) == 2
    assert not model.encoder.config.causal and (model.encode(SOURCE.flip(1)) - model.encode(SOURCE)).abs().max() > 1e-3


def test_an_encoder_decoder_is_torchs():
    """Vaswani's model, weights carried over to torch.nn.Transformer."""
    torch.manual_seed(0)
    theirs = nn.Transformer(32, 4, 3, 2, 64, dropout=0.0, activation="gelu", batch_first=True).eval()
    config = replace(BASE, n_encoder_layers=3, d_ff=64, residual="post", positions="sinusoidal")
    ours = stirred(EncoderDecoder(config))
    with torch.no_grad():
        for stack, layers in ((ours.encoder, theirs.encoder), (ours.decoder, theirs.decoder)):
            for block, layer in zip(stack.blocks, layers.layers, strict=True):
                pairs = [(block.attn, layer.self_attn)]
                norms = [(block.attn_residual, layer.norm1), (block.ffn_residual, layer.norm2)]
                if block.cross is not None:
                    pairs.append((block.cross, layer.multihead_attn))
                    norms = [*norms[:1], (block.cross_residual, layer.norm2), (block.ffn_residual, layer.norm3)]
                for attn, mha in pairs:
                    mha.in_proj_weight.copy_(torch.cat([p.weight for p in (attn.q_proj, attn.k_proj, attn.v_proj)]))
                    mha.in_proj_bias.copy_(torch.cat([p.bias for p in (attn.q_proj, attn.k_proj, attn.v_proj)]))
                    mha.out_proj.load_state_dict(attn.o_proj.state_dict())
                for rule, norm in norms:
                    norm.load_state_dict(rule.norm.state_dict())
                layer.linear1.load_state_dict(block.ffn.up_proj.state_dict())
                layer.linear2.load_state_dict(block.ffn.down_proj.state_dict())
            layers.norm.load_state_dict(stack.final_norm.state_dict())
        place = lambda ids: ours.positions.embed(ours.embed(ids), torch.arange(ids.shape[1]))  # noqa: E731
        expected = theirs(place(SOURCE), place(IDS), tgt_mask=theirs.generate_square_subsequent_mask(11))
        torch.testing.assert_close(ours(IDS, source=SOURCE), expected, atol=1e-5, rtol=1e-4)


def test_source_or_memory():
    model, decoder = EncoderDecoder(replace(BASE, n_encoder_layers=1)), Transformer(BASE)
    for how in ({}, dict(source=SOURCE, memory=torch.zeros(3, 7, 32))):
        with pytest.raises(ValueError, match="give either the source or the memory"):
            model(IDS, **how)
    with pytest.raises(ValueError, match="n_encoder_layers is 0, so no block reads a memory"):
        decoder(IDS, memory=torch.zeros(3, 7, 32))
    with pytest.raises(ValueError, match="n_encoder_layers is 1, so a memory must be given"):
        model.decoder(IDS)


def test_segments_are_added_to_the_embedding():
    model = stirred(Transformer(replace(BASE, n_segments=2, embed_scale=3.0, embed_norm=True)))
    segments, pos = (IDS > 50).long(), torch.arange(11)
    stream = []
    model.blocks[0].register_forward_pre_hook(lambda module, args: stream.append(args[0]))
    model(IDS, segments=segments), model(IDS)
    for x, kinds in zip(stream, (segments, 0 * segments), strict=True):
        total = 3.0 * model.embed(IDS) + model.positions.table(pos) + model.segments(kinds)
        torch.testing.assert_close(x, model.embed_norm(total))


def test_windows_repeat_over_the_layers():
    config = replace(BASE, n_layers=5, window=(None, 4))
    assert config.windows == [None, 4, None, 4, None] and replace(config, window=3).windows == [3] * 5
    kinds = [type(cache) for cache in Transformer(config).new_caches()]
    assert kinds == [KVCache, RollingCache, KVCache, RollingCache, KVCache]
    assert [type(cache) for cache in Transformer(BASE).new_caches(9)] == [PreallocatedCache] * 2
    model = stirred(Transformer(replace(BASE, n_layers=1, window=4)))  # one layer sees four positions, itself included
    changed = IDS.clone()
    changed[:, 2] = (changed[:, 2] + 1) % 99
    moved = (model(changed) - model(IDS)).abs().amax(-1)
    assert (moved[:, 2:6] > 0).all() and (moved[:, :2] == 0).all() and (moved[:, 6:] == 0).all()


# ---- Config as JSON; the model in print; bad input


def test_config_is_saved_and_loaded(tmp_path):
    config = replace(BASE, positions={"name": "rope", "theta": 5e5}, window=(None, 8), norm=NORMS["rmsnorm"])
    config.save(tmp_path / "config.json")
    assert Config.load(tmp_path / "config.json") == replace(config, norm="rmsnorm")
    with pytest.raises(ValueError, match="has no name"):
        replace(BASE, norm=nn.RMSNorm).save(tmp_path / "config.json")
    assert Config.load(tmp_path / "config.json") == replace(config, norm="rmsnorm")  # nothing was lost
    for text, said in (
        ("{", "holds no Config"),
        ('{"vocab_size": 9, "n_embd": 3}', r"no \['n_embd'\]"),
        ("[]", "Config"),
    ):
        (tmp_path / "bad.json").write_text(text, encoding="utf-8")
        with pytest.raises(ValueError, match=said):
            Config.load(tmp_path / "bad.json")


@pytest.mark.parametrize("field", ["vocab_size", "d_model", "n_layers", "n_heads", "n_kv_heads", "d_ff", "max_seq_len"])
@pytest.mark.parametrize("size", [0, -3, 2.5])
def test_sizes_that_are_none(field, size):
    with pytest.raises(ValueError, match=rf"{field} must be a whole number of at least 1, not {size}"):
        replace(BASE, **{field: size})


@pytest.mark.parametrize("field", ["n_segments", "n_encoder_layers"])
def test_counts_that_may_be_zero_and_no_less(field):
    assert getattr(replace(BASE, **{field: 0}), field) == 0
    with pytest.raises(ValueError, match=f"{field} must be a whole number of at least 0, not -1"):
        replace(BASE, **{field: -1})


@pytest.mark.parametrize("window", [0, (None, -1), 2.5, (), (4, "8")])
def test_windows_that_are_none(window):
    with pytest.raises(ValueError, match=r"a window is a whole number of at least 1 .*, not"):
        replace(BASE, window=window)


def test_print_is_short_and_counts():
    model = Transformer(replace(BASE, n_layers=40))
    lines = repr(model).split("\n")
    assert len(lines) == 5 and f"{sum(p.numel() for p in model.parameters()):,} parameters" in lines[0]
    assert "n_layers=40" in lines[0] and "eps" not in lines[0]  # what is not as usual
    counts = [int(line.split()[1 if "blocks" not in line else 2].replace(",", "")) for line in lines[1:]]
    assert sum(counts) == sum(p.numel() for p in model.parameters())


def test_ids_that_make_no_sense():
    model = Transformer(BASE)
    for ids, said in (
        (torch.tensor([[3, 99]]), "ids go from 0 to 98; these go from 3 to 99"),
        (torch.tensor([[-1, 4]]), "these go from -1 to 4"),
        (torch.zeros(0, 5, dtype=torch.long), r"at least one row and one token, not \(0, 5\)"),
        (torch.zeros(5, 0, dtype=torch.long), r"at least one row and one token, not \(5, 0\)"),
        (torch.zeros(5, dtype=torch.long), r"not \(5,\)"),
    ):
        with pytest.raises(ValueError, match=said):
            model(ids)
    with pytest.raises(ValueError, match="caches are for causal models"):
        bidirectional = Transformer(replace(BASE, causal=False))
        bidirectional(IDS, caches=bidirectional.new_caches())
    with pytest.raises(ValueError, match="torch.int64; expected"):
        model(IDS, real=torch.ones(3, 11, dtype=torch.long))


# ---- what is handed on, and where it arrives


def test_every_norm_has_the_configs_eps():
    config = replace(BASE, norm="rmsnorm", qk_norm="rmsnorm", embed_norm=True, eps=0.25, n_encoder_layers=1)
    norms = [m for m in Transformer(config).modules() if isinstance(m, NORMS["rmsnorm"])]
    assert len(norms) == 2 + 2 * (3 + 2 * 2) and {norm.eps for norm in norms} == {0.25}


def test_components_are_built_with_the_configs_sizes():
    told = {}

    def scheme(*sizes):
        told["positions"] = sizes
        return NoPositions(*sizes)

    def rule(d_model, norm, n_layers):
        told["residual"] = (d_model, n_layers)
        return PreNorm(d_model, norm, n_layers)

    Transformer(replace(BASE, positions=scheme, residual=rule, causal=False, d_head=6))
    assert told == {"positions": (32, 4, 6, 32, False), "residual": (32, 2)}


@torch.no_grad()
def test_a_parallel_block_adds_the_sum_of_its_sublayers():
    block = stirred(Transformer(replace(BASE, block="parallel", n_encoder_layers=1))).blocks[0]
    x, memory = torch.randn(2, 5, 32), torch.randn(2, 3, 32)
    y = block.residual.norm(x)
    expected = x + block.attn(y, causal=True) + block.cross(y, memory) + block.ffn(y)
    torch.testing.assert_close(block(x, memory=memory, causal=True), expected)


@pytest.mark.parametrize("block", ["sequential", "parallel"])
@torch.no_grad()
def test_the_memory_is_projected_once_per_cache(block):
    model = EncoderDecoder(replace(BASE, block=block, n_encoder_layers=1)).eval()
    caches, memory, calls = model.new_caches(), model.encode(SOURCE), []
    model.blocks[0].cross.k_proj.register_forward_hook(lambda *_: calls.append(1))
    for t in range(3):
        model(IDS[:, t : t + 1], memory=memory, caches=caches)
    assert len(calls) == 1


@torch.no_grad()
def test_padding_of_the_target_does_not_change_its_tokens():
    model, real = stirred(EncoderDecoder(replace(BASE, n_encoder_layers=1))), torch.ones(3, 11, dtype=torch.bool)
    real[:, :4] = False
    padded, alone = model(IDS, source=SOURCE, real=real)[:, 4:], model(IDS[:, 4:], source=SOURCE)
    torch.testing.assert_close(padded, alone, atol=1e-5, rtol=1e-4)
    assert model.positions is model.decoder.positions and model.embed is model.decoder.embed


def test_the_default_config_is_gpt2_small():
    config = Config(50_257)
    with torch.device("meta"):
        model = Transformer(replace(config, init=lambda module, n_layers: None))
    assert sum(p.numel() for p in model.parameters()) == 124_439_808  # Radford et al. 2019, as released
    assert (config.n_heads, config.max_seq_len, config.logit_scale, config.logit_soft_cap) == (12, 1024, 1.0, None)


def test_the_last_trained_position_may_be_used_and_heads_have_a_width():
    assert Transformer(BASE)(torch.zeros(1, 32, dtype=torch.long)).shape == (1, 32, 32)
    with pytest.raises(ValueError, match="d_head must be a whole number of at least 1, not 0"):
        replace(BASE, d_head=0)


def test_a_config_without_a_vocabulary_or_without_fields(tmp_path):
    with pytest.raises(ValueError, match="a Config has a vocab_size"):
        Config.from_dict({})
    (tmp_path / "bad.json").write_text("3", encoding="utf-8")
    with pytest.raises(ValueError, match="holds no Config"):
        Config.load(tmp_path / "bad.json")


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("window", [None, 3])
@pytest.mark.parametrize("positions", ["learned", "rope", "alibi", "relative", "none"])
def test_packed_documents_are_read_as_if_each_stood_alone(positions, window, causal):
    torch.manual_seed(0)
    how = dict(d_model=16, n_layers=2, n_heads=2, max_seq_len=16, positions=positions, window=window, causal=causal)
    model = Transformer(Config(11, **how)).eval()
    a, b, c = (torch.randint(11, (1, n)) for n in (5, 4, 3))
    rows = torch.cat([torch.cat([a, b, c], 1), torch.cat([c, a, b], 1)])
    documents = torch.tensor([[0] * 5 + [1] * 4 + [2] * 3, [7] * 3 + [0] * 5 + [1] * 4])
    together = model(rows, documents=documents)
    for row, order in ((0, (a, b, c)), (1, (c, a, b))):
        alone = torch.cat([model(part) for part in order], dim=1)[0]
        torch.testing.assert_close(together[row], alone, atol=1e-5, rtol=1e-4)
    with pytest.raises(ValueError, match="documents have the shape of ids, .2, 12., and stand beside no real"):
        model(rows, documents=documents, real=torch.ones(2, 12, dtype=torch.bool))
