"""Recording looks and does not touch; what reaches in, ablate and patch, does what editing the weights would do."""

import warnings
from functools import partial

import pytest
import torch
from torch import nn

from lmkit.attention import Attend, Attention
from lmkit.block import BLOCKS
from lmkit.cache import KVCache
from lmkit.heads import LM, MaskedLM
from lmkit.model import Config, EncoderDecoder, Transformer
from lmkit.record import ablate, logit_lens, patch, record, record_heads, record_stream
from lmkit.residual import RESIDUALS

IDS, OTHER = torch.randint(0, 50, (2, 2, 9), generator=torch.Generator().manual_seed(0))
REAL = {"left": torch.ones(2, 9, dtype=torch.bool), "right": torch.ones(2, 9, dtype=torch.bool), "none": None}
REAL["left"][0, :4] = REAL["right"][1, 5:] = False
SOURCE = torch.randint(0, 50, (2, 7), generator=torch.Generator().manual_seed(1))
SOURCE_REAL = torch.tensor([[True] * 7, [True] * 4 + [False] * 3])
close = partial(torch.testing.assert_close, atol=1e-5, rtol=1e-4)


def stirred(m):
    """The model in evaluation, with weights so large that every part of it shows."""
    for i, p in enumerate(m.parameters()):
        nn.init.normal_(p, std=0.3, generator=torch.Generator().manual_seed(i))
    return m.eval().requires_grad_(False)


def model(kind=LM, **choices):
    sizes = dict(d_model=24, n_layers=2, n_heads=4, max_seq_len=16, positions="rope")
    return stirred(kind(Config(50, **sizes | choices)))


def translator(**choices):
    return model(EncoderDecoder, n_encoder_layers=1, **choices)


def hooks(m):
    return sum(len(part._forward_hooks) + len(part._forward_pre_hooks) for part in m.modules())


class Spy:
    """What went into and came out of the modules whose name ends so, seen by hooks of the test's own."""

    def __init__(self, m, end):
        self.into, self.out = {}, {}
        parts = {name: part for name, part in m.named_modules() if name.endswith(end)}
        self.handles = [part.register_forward_hook(partial(self.see, name)) for name, part in parts.items()]

    def see(self, name, part, args, out):
        self.into[name], self.out[name] = args, out

    def __enter__(self):
        return self

    def __exit__(self, *error):
        for handle in self.handles:
            handle.remove()


# ---- attention maps ----

CHOICES = [
    {},
    {"n_kv_heads": 2},
    {"n_kv_heads": 1, "window": 3},
    {"window": (None, 3), "qk_norm": "rmsnorm"},
    {"causal": False},
    {"positions": "learned", "d_head": 5},
    {"positions": "alibi", "n_kv_heads": 2, "window": 4},
    {"positions": "relative", "block": "parallel"},
    {"positions": "rope_yarn", "attention": {"name": "dot_product", "scale": 0.9}},
    {"attention": {"name": "dot_product", "soft_cap": 0.7, "scale": 2.0}, "positions": "alibi"},
    {"attention": "latent", "window": (3, None)},
    {"attention": "latent", "positions": "relative"},
]
CACHES = {
    "none": lambda m: None,
    "growing": lambda m: [KVCache(), KVCache()],
    "rolling where it can": lambda m: m.body.new_caches(),
    "preallocated": lambda m: m.body.new_caches(12),
}


@pytest.mark.parametrize("kind", CACHES)
@pytest.mark.parametrize("choices", CHOICES, ids=str)
def test_maps_times_values_are_what_the_kernel_returned(choices, kind):
    m = model(**choices)
    for real in REAL.values():
        caches = CACHES[kind](m) if m.config.causal else None
        for start, end in [(0, 9)] if caches is None else [(0, 6), (6, 7), (7, 9)]:
            real_k = torch.ones(2, end, dtype=torch.bool) if real is None else real[:, :end]
            with record(m) as maps, Spy(m, "attend") as spy:
                m(IDS[:, start:end], real=None if real is None else real_k, caches=caches)
            assert list(maps) == ["blocks.0.attn", "blocks.1.attn"]
            for name, weights in maps.items():
                (_, k, v), out = spy.into[f"body.{name}.attend"], spy.out[f"body.{name}.attend"]
                S = k.shape[2]
                assert weights.shape == (2, 4, end - start, S)
                close(weights @ v.repeat_interleave(4 // v.shape[1], 1), out)
                asking, asked = real_k[:, None, start:], real_k[:, None, None, end - S :]
                close(weights.sum(-1) * asking, asking.expand(2, 4, -1).float())
                assert not (weights * ~asked).any()


def test_maps_with_a_rolling_cache_show_what_it_holds():
    m = model(window=(None, 3))
    caches = m.body.new_caches()
    with record(m) as maps:
        m(IDS)
        whole = maps["blocks.1.attn"]
        m(IDS[:, :8], caches=caches)
        m(IDS[:, 8:], caches=caches)
    assert maps["blocks.0.attn"].shape == (2, 4, 1, 9) and maps["blocks.1.attn"].shape == (2, 4, 1, 3)
    assert not whole.tril(-3).any() and whole.tril(-2).any()
    close(maps["blocks.1.attn"], whole[:, :, 8:, 6:])


def test_with_a_cache_the_map_has_one_row_per_new_token():
    m, caches = model(), [KVCache(), KVCache()]
    with record(m) as maps:
        m(IDS)
        whole = maps["blocks.0.attn"]
        m(IDS[:, :8], caches=caches)
        m(IDS[:, 8:], caches=caches)
    assert maps["blocks.0.attn"].shape == (2, 4, 1, 9)
    close(maps["blocks.0.attn"], whole[:, :, 8:])


@pytest.mark.parametrize("choices", [{}, {"attention": "latent", "block": "parallel"}], ids=str)
def test_an_encoder_decoder_has_three_kinds_of_maps(choices):
    m = translator(**choices)
    caches = m.new_caches()
    with record(m) as maps, Spy(m, "attend") as spy:
        m(IDS[:, :8], source=SOURCE, source_real=SOURCE_REAL, caches=caches)
        assert maps["encoder.blocks.0.attn"].shape == (2, 4, 7, 7)
        maps.clear()
        m(IDS[:, 8:], memory=m.encode(SOURCE, real=SOURCE_REAL), source_real=SOURCE_REAL, caches=caches)
    names = ["encoder.blocks.0.attn", "decoder.blocks.0.attn", "decoder.blocks.0.cross", "decoder.blocks.1.attn"]
    assert list(maps) == [*names, "decoder.blocks.1.cross"]
    assert maps["decoder.blocks.0.attn"].shape == (2, 4, 1, 9) and maps["decoder.blocks.1.cross"].shape == (2, 4, 1, 7)
    assert not maps["decoder.blocks.1.cross"][1, :, :, 4:].any()
    for name, weights in maps.items():
        close(weights @ spy.into[f"{name}.attend"][2], spy.out[f"{name}.attend"])


def test_a_single_attention_and_a_kernel_under_another_name():
    attn = Attention(24, 4)
    with record(attn) as maps:
        attn(torch.randn(1, 5, 24), torch.randn(1, 7, 24))
    assert maps["attn"].shape == (1, 4, 5, 7) and not maps["attn"].requires_grad
    two = nn.ModuleDict({"first": Attend(), "second": Attend()})
    with record(two) as maps:
        two["second"](*torch.randn(3, 1, 2, 5, 4))
    assert list(maps) == ["second"]


# ---- transformers as the oracle of maps, stream and lens ----


def llama_names(name):
    names = {"self_attn": "attn", "mlp": "ffn", "input_layernorm": "attn_residual.norm", "norm": "final_norm"}
    names |= {"post_attention_layernorm": "ffn_residual.norm", "layers": "blocks", "embed_tokens": "embed"}
    return ".".join(names.get(part, part) for part in name.removeprefix("model.").split("."))


@pytest.mark.parametrize("side", REAL)
def test_llamas_maps_and_hidden_states_are_ours(side):
    import transformers as hf

    config = hf.LlamaConfig(
        vocab_size=50, hidden_size=24, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, rms_norm_eps=1e-6, attn_implementation="eager", tie_word_embeddings=True,
    )  # fmt: skip
    llama, real = stirred(hf.LlamaForCausalLM(config)), REAL[side]
    ours = model(n_kv_heads=2, norm="rmsnorm", ffn="swiglu", bias=False, eps=1e-6)
    ours.body.load_state_dict({llama_names(n): t for n, t in llama.state_dict().items() if n.startswith("model.")})
    if real is None:
        real, padding = torch.ones_like(IDS, dtype=torch.bool), {}
    else:
        padding = {"attention_mask": real.long(), "position_ids": (real.cumsum(1) - 1).clamp(min=0)}
    theirs = llama(IDS, output_attentions=True, output_hidden_states=True, **padding)
    with record(ours) as maps, record_stream(ours) as stream:
        logits = ours(IDS, real=real if padding else None)
    for mine, weights in zip(maps.values(), theirs.attentions, strict=True):
        close(mine.transpose(1, 2)[real], weights.transpose(1, 2)[real])
    *hidden, last = theirs.hidden_states
    for mine, x in zip((stream["embed"], stream["blocks.0.ffn"]), hidden, strict=True):
        close(mine[real], x[real])
    close(ours.body.final_norm(stream["blocks.1.ffn"])[real], last[real])
    lens = logit_lens(ours, stream)
    close(lens["blocks.0.ffn"][real], llama.lm_head(llama.model.norm(hidden[1]))[real])
    close(logits[real], theirs.logits[real])


def gpt2_weights(gpt2):
    names = {"attn.c_proj": "attn.o_proj", "mlp.c_fc": "ffn.up_proj", "mlp.c_proj": "ffn.down_proj"}
    names |= {"ln_1": "attn_residual.norm", "ln_2": "ffn_residual.norm"}
    state = {"embed.weight": gpt2.wte.weight, "positions.table.weight": gpt2.wpe.weight}
    state |= {f"final_norm.{name}": t for name, t in gpt2.ln_f.state_dict().items()}
    for name, t in gpt2.h.state_dict().items():
        layer, _, rest = name.partition(".")
        part, _, leaf = rest.rpartition(".")
        t = t.mT if t.ndim == 2 else t
        if part == "attn.c_attn":
            state |= {f"blocks.{layer}.attn.{x}_proj.{leaf}": w for x, w in zip("qkv", t.chunk(3), strict=True)}
        elif part in names:
            state[f"blocks.{layer}.{names[part]}.{leaf}"] = t
    return state


def test_gpt2s_maps_and_hidden_states_are_ours():
    import transformers as hf

    sizes = dict(vocab_size=50, n_embd=24, n_layer=2, n_head=4, n_positions=16, activation_function="gelu")
    gpt2 = stirred(hf.GPT2LMHeadModel(hf.GPT2Config(**sizes, attn_implementation="eager")))
    ours = model(positions="learned")
    ours.body.load_state_dict(gpt2_weights(gpt2.transformer))
    theirs = gpt2(IDS, output_attentions=True, output_hidden_states=True)
    after = {}  # the first sublayer's writing too: what the second norm reads
    handle = gpt2.transformer.h[0].ln_2.register_forward_pre_hook(lambda part, args: after.update(x=args[0]))
    gpt2(IDS)
    handle.remove()
    with record(ours) as maps, record_stream(ours) as stream:
        ours(IDS)
    for mine, weights in zip(maps.values(), theirs.attentions, strict=True):
        close(mine, weights)
    assert list(stream) == ["embed", "blocks.0.attn", "blocks.0.ffn", "blocks.1.attn", "blocks.1.ffn"]
    for name, x in {"embed": theirs.hidden_states[0], "blocks.0.attn": after["x"]}.items():
        close(stream[name], x)
    close(stream["blocks.0.ffn"], theirs.hidden_states[1])
    lens = logit_lens(ours, stream)
    for name in stream:
        close(lens[name], gpt2.lm_head(gpt2.transformer.ln_f(stream[name])))
    close(lens["blocks.1.ffn"], theirs.logits)


# ---- the residual stream ----


@pytest.mark.parametrize("block", BLOCKS)
@pytest.mark.parametrize("rule", RESIDUALS)
def test_the_stream_is_what_the_next_sublayer_is_given(rule, block):
    m = model(Transformer, residual=rule, block=block, positions="sinusoidal", embed_norm=True, embed_scale=3.0)
    end = "residual" if block == "parallel" else "_residual"
    with record_stream(m) as stream, Spy(m, end) as spy, Spy(m, "final_norm") as last:
        x = m(IDS)
    read = [args[0] for args in spy.into.values()] + [last.into["final_norm"][0]]
    assert len(read) == len(stream) == (3 if block == "parallel" else 5)
    assert all(torch.equal(a, b) for a, b in zip(stream.values(), read, strict=True))
    close(stream["embed"], m.embed_norm(m.positions.embed(m.embed(IDS) * 3, torch.arange(9))))
    assert torch.equal(m.final_norm(list(stream.values())[-1]), x)


def test_the_points_of_every_kind_of_model():
    parallel = ["embed", "blocks.0", "blocks.1"]
    for m in model(block="parallel"), model(Transformer, block="parallel"):
        with record_stream(m) as stream:
            m(IDS)
        assert list(stream) == parallel
    m = translator()
    with record_stream(m) as stream:
        m(IDS, source=SOURCE)
    layers = [f"decoder.blocks.{i}.{part}" for i in (0, 1) for part in ("attn", "cross", "ffn")]
    encoder = ["encoder.embed", "encoder.blocks.0.attn", "encoder.blocks.0.ffn"]
    assert list(stream) == [*encoder, "decoder.embed", *layers]
    assert stream["encoder.blocks.0.ffn"].shape == (2, 7, 24) and stream["decoder.blocks.0.cross"].shape == (2, 9, 24)
    for kind, points in {"sequential": ["attn", "ffn"], "parallel": ["block"]}.items():
        block = BLOCKS[kind](Config(50, d_model=24, n_heads=4))
        with record_stream(block) as stream:
            block(torch.randn(1, 3, 24))
        assert list(stream) == points


# ---- the logit lens ----


LENS = [{}, {"tied": False}, {"residual": "post", "final_norm": False}, {"logit_scale": 0.3, "logit_soft_cap": 2.0}]


@pytest.mark.parametrize("choices", LENS, ids=str)
def test_the_lens_reads_every_point_with_the_models_own_head(choices):
    m = model(**choices)
    with record_stream(m) as stream:
        logits = m(IDS)
    lens = logit_lens(m, stream)
    assert list(lens) == list(stream) and torch.equal(lens["blocks.1.ffn"], logits)
    head = m.body.embed.weight if m.head is None else m.head.weight
    z = m.body.final_norm(stream["blocks.0.attn"]) @ head.T * m.config.logit_scale
    close(lens["blocks.0.attn"], 2 * torch.tanh(z / 2) if m.config.logit_soft_cap else z)
    part = logit_lens(m, {"embed": stream["embed"][:, -1:]})
    assert list(part) == ["embed"] and part["embed"].shape == (2, 1, 50)
    close(part["embed"], lens["embed"][:, -1:])


def test_the_lens_of_a_masked_model_reads_with_its_transform():
    m = model(MaskedLM, causal=False, residual="post", final_norm=False)
    with record_stream(m) as stream:
        logits = m(IDS)
    assert torch.equal(logit_lens(m, stream)["blocks.1.ffn"], logits)


def test_the_lens_leaves_no_trace_in_a_batch_norm():
    m = model(norm="batchnorm").train()
    with record_stream(m) as stream:
        logits = m(IDS)
    before = {name: buffer.clone() for name, buffer in m.named_buffers()}
    lens = logit_lens(m, stream)
    assert torch.equal(lens["blocks.1.ffn"], logits)
    assert before and all(torch.equal(before[name], buffer) for name, buffer in m.named_buffers())


def test_the_lens_of_an_encoder_decoder_reads_its_decoder():
    m = model(n_encoder_layers=1, norm="rmsnorm")
    with record_stream(m) as stream:
        logits = m(IDS, source=SOURCE)
    lens = logit_lens(m, stream)
    assert list(lens) == [name for name in stream if name.startswith("decoder.")] and len(lens) == 7
    assert torch.equal(lens["decoder.blocks.1.ffn"], logits)
    with pytest.raises(ValueError, match="this Transformer has no head for tokens"):
        logit_lens(model(Transformer), stream)


# ---- what each head writes ----


WRITERS = [{}, {"n_kv_heads": 2, "d_head": 8}, {"attention": "latent", "bias": False}]


@pytest.mark.parametrize("choices", WRITERS, ids=str)
def test_heads_and_bias_sum_to_what_the_layer_returned(choices):
    m = translator(**choices)
    with record_heads(m) as heads, record(m) as maps, Spy(m, ("attn", "cross", "attend")) as spy:
        m(IDS, source=SOURCE)
    assert list(heads) == list(maps) and len(heads) == 5
    for name, written in heads.items():
        layer = m.get_submodule(name)
        assert written.shape == (2, 4, *spy.out[name].shape[1:]) and not written.requires_grad
        close(written.sum(1) + (0 if layer.o_proj.bias is None else layer.o_proj.bias), spy.out[name])
        v = spy.into[f"{name}.attend"][2].repeat_interleave(4 // layer.n_kv_heads, 1)
        columns = layer.o_proj.weight[:, 2 * layer.d_head : 3 * layer.d_head]
        close(written[:, 2], maps[name][:, 2] @ v[:, 2] @ columns.T)  # the third head, spelled out


# ---- ablate ----


def without_columns(m, name, heads):
    """The model with those columns of o_proj zeroed, which is what to ablate means."""
    layer = m.get_submodule(name)
    for head in heads:
        layer.o_proj.weight[:, head * layer.d_head : (head + 1) * layer.d_head] = 0


@pytest.mark.parametrize("choices", [{}, {"n_kv_heads": 2, "d_head": 8}, {"attention": "latent"}], ids=str)
def test_ablated_heads_write_as_if_their_columns_were_zero(choices):
    m = model(**choices)
    whole = m(IDS)
    with ablate(m, {0: [1, 3], "blocks.1.attn": 0}), record_heads(m) as heads:
        ablated = m(IDS)
    for layer, off in ("blocks.0.attn", [1, 3]), ("blocks.1.attn", [0]):
        assert [head for head in range(4) if not heads[layer][:, head].any()] == off
    assert torch.equal(m(IDS), whole) and (ablated - whole).abs().max() > 0.1
    without_columns(m, "body.blocks.0.attn", [1, 3])
    without_columns(m, "body.blocks.1.attn", [0])
    close(ablated, m(IDS))


def test_cross_attention_loses_heads_too_and_other_layers_keep_theirs():
    m = translator()
    with ablate(m, {"decoder.blocks.1.cross": range(4), "encoder.blocks.0.attn": [2]}):
        ablated = m(IDS, source=SOURCE)
    with ablate(m, {"decoder.blocks.1.cross": []}):
        assert torch.equal(m(IDS, source=SOURCE), translator()(IDS, source=SOURCE))
    without_columns(m, "decoder.blocks.1.cross", range(4))
    without_columns(m, "encoder.blocks.0.attn", [2])
    close(ablated, m(IDS, source=SOURCE))


def test_a_head_that_overflows_is_silent_too():
    m = model()
    m.body.blocks[0].attn.v_proj.bias[6:12] = torch.inf  # those of head 1
    assert not m(IDS).isfinite().all()
    with ablate(m, {0: [1]}):
        assert m(IDS).isfinite().all()


# ---- patch ----


@pytest.mark.parametrize("choices", [{}, {"residual": "post"}, {"block": "parallel", "residual": "sandwich"}], ids=str)
def test_another_runs_stream_at_any_point_gives_its_logits(choices):
    m = model(**choices)
    with record_stream(m) as stream:
        logits = m(OTHER)
    whole = m(IDS)
    for name, x in stream.items():
        with patch(m, {name: x}), record_stream(m) as patched:
            assert torch.equal(m(IDS), logits)
        same = [torch.equal(patched[point], stream[point]) for point in stream]
        assert same == [point >= list(stream).index(name) for point in range(len(stream))]
    assert torch.equal(m(IDS), whole) and not torch.equal(whole, logits)


def test_one_position_of_another_run_changes_what_follows_and_nothing_before():
    m = model()
    with record_stream(m) as clean:
        m(OTHER)
    with record_stream(m) as stream:
        whole = m(IDS)
    mixed = stream["blocks.0.ffn"].clone()
    mixed[:, 3] = clean["blocks.0.ffn"][:, 3]
    with patch(m, {"blocks.0.ffn": mixed}):
        patched = m(IDS)
    close(patched[:, :3], whole[:, :3])
    by_hand = m.body.final_norm(
        m.body.blocks[1](mixed, rotate=partial(m.body.positions.rotate, pos=torch.arange(9)), causal=True)
    )
    close(patched, by_hand @ m.body.embed.weight.T)
    assert ((patched - whole)[:, 3:].abs().amax((0, 2)) > 0.01).all()


def test_what_is_patched_in_takes_the_streams_dtype_and_lets_gradients_through():
    m = model().bfloat16()
    x = torch.randn(2, 9, 24, requires_grad=True)
    with patch(m, {"blocks.0.attn": x}):
        logits = m(IDS)
    assert logits.dtype == torch.bfloat16
    logits.float().sum().backward()
    assert x.grad.abs().max() > 0


def test_a_tensor_of_another_shape_is_refused():
    m = model()
    for x in torch.zeros(1, 9, 24), torch.zeros(2, 9, 1), torch.zeros(24):
        message = rf"the stream at blocks.0.ffn has the shape \(2, 9, 24\), not \({', '.join(map(str, x.shape))}"
        with pytest.raises(ValueError, match=message), patch(m, {"blocks.0.ffn": x}):
            m(IDS)
    assert hooks(m) == 0


# ---- nothing changes, nothing stays ----

LOOKS = {
    "record": (record, 2),
    "record_heads": (record_heads, 2),
    "record_stream": (record_stream, 5),
    "ablate": (lambda m: ablate(m, {0: [1], 1: [2]}), 2),
    "patch": (lambda m: patch(m, {"embed": torch.zeros(2, 9, 24)}), 1),
}


@pytest.mark.parametrize("look", ["record", "record_heads", "record_stream"])
def test_nothing_changes_while_recording(look):
    m = model(n_kv_heads=2)
    before = m(IDS)
    with LOOKS[look][0](m) as seen:
        during = m(IDS)
        first = dict(seen)
        m(OTHER)
    assert torch.equal(before, during) and torch.equal(before, m(IDS))
    assert first.keys() == seen.keys() and not any(torch.equal(first[name], seen[name]) for name in seen)
    with LOOKS[look][0](m.requires_grad_(True)) as seen:
        m(IDS)
    assert not any(x.requires_grad for x in seen.values())


@pytest.mark.parametrize("look", LOOKS)
def test_nothing_stays(look):
    m, (open_it, n_hooks) = model(), LOOKS[look]
    calls = []
    m.body.blocks[0].register_forward_hook(lambda *call: calls.append(call))  # somebody else's
    with open_it(m):
        assert hooks(m) == 1 + n_hooks
        m(IDS)
    assert hooks(m) == 1
    with pytest.raises(ValueError, match="go from 0 to 49"), open_it(m):
        m(torch.full((1, 3), 99))
    assert hooks(m) == 1
    unused = open_it(m)
    assert hooks(m) == 1 and unused is not None
    m(IDS)
    assert len(calls) == 2


@pytest.mark.parametrize("look", LOOKS)
def test_a_with_in_which_nothing_ran_says_so(look):
    m = model()
    with pytest.warns(UserWarning, match="nothing was recorded or changed") as said, LOOKS[look][0](m):
        pass
    assert [warning.filename for warning in said] == [__file__]
    with warnings.catch_warnings(action="error"), LOOKS[look][0](m), ablate(m, {}), patch(m, {}):
        m(IDS)


# ---- what there is not ----


@pytest.mark.parametrize("look", [record, record_heads, lambda m: ablate(m, {0: [0]})])
def test_a_model_without_attention(look):
    with pytest.raises(ValueError, match=r"no lmkit.attention.Attend in this Linear"), look(nn.Linear(2, 2)):
        pass


@pytest.mark.parametrize("look", [record_stream, lambda m: patch(m, {"embed": torch.zeros(1)})])
def test_a_model_without_a_stream(look):
    with pytest.raises(ValueError, match=r"no residual stream in this Linear"), look(nn.Linear(2, 2)):
        pass


@pytest.mark.parametrize(
    "heads, message",
    [
        ({0: [4]}, r"there is no head 4 in blocks.0.attn, which has 4"),
        ({0: [1, -1]}, r"there is no head -1 in blocks.0.attn, which has 4"),
        ({0: [1.5]}, r"there is no head 1.5 in blocks.0.attn"),
        ({2: [0]}, r"no layer 'blocks.2.attn' in this LM; its layers are: blocks.0.attn, blocks.1.attn$"),
        ({"blocks.0.cross": [0]}, r"no layer 'blocks.0.cross' in this LM; its layers are: blocks.0.attn"),
    ],
)
def test_a_layer_or_head_that_there_is_not(heads, message):
    with pytest.raises(ValueError, match=message):
        ablate(model(), heads)


def test_a_point_that_there_is_not():
    points = "embed, blocks.0.attn, blocks.0.ffn, blocks.1.attn, blocks.1.ffn$"
    with pytest.raises(ValueError, match=f"no point 'blocks.0' in this LM; its points are: {points}"):
        patch(model(), {"blocks.0": torch.zeros(2, 9, 24)})
