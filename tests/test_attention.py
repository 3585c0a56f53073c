"""Attention against PyTorch, transformers, and the formula written as loops."""

import itertools
import math
from functools import partial

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from lmkit.attention import Attend, Attention, LatentAttention, attend, attention_weights
from lmkit.cache import KVCache
from lmkit.masks import causal_mask, padding_mask, window_mask
from lmkit.norms import RMSNorm
from lmkit.positions import Rope


def rand(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed + sum(shape)))


def weights_by_loops(q, k, allowed):
    """The definition, one number at a time: exp of the scaled dot product, over the sum of those allowed."""
    B, n_heads, T, d_head = q.shape
    group = n_heads // k.shape[1]
    out = torch.zeros(B, n_heads, T, k.shape[2], dtype=torch.float64)
    for b, h, t in itertools.product(range(B), range(n_heads), range(T)):
        e = [
            math.exp(
                sum(float(x) * float(y) for x, y in zip(q[b, h, t], k[b, h // group, s], strict=True))
                / math.sqrt(d_head)
            )
            if allowed(b, t, s)
            else 0.0
            for s in range(k.shape[2])
        ]
        out[b, h, t] = torch.tensor(e, dtype=torch.float64) / (sum(e) or 1.0)
    return out.float()


@pytest.mark.parametrize("n_kv_heads", [4, 2, 1])
def test_weights_are_the_definition(n_kv_heads):
    q, k = rand(2, 4, 3, 6), rand(2, n_kv_heads, 5, 6)
    torch.testing.assert_close(attention_weights(q, k), weights_by_loops(q, k, lambda b, t, s: True))


def test_causal_weights_are_the_definition():
    q, k = rand(2, 3, 5, 4), rand(2, 3, 5, 4, seed=1)
    expected = weights_by_loops(q, k, lambda b, t, s: s <= t)
    torch.testing.assert_close(attention_weights(q, k, causal=True), expected)


@pytest.mark.parametrize("window", [1, 2, 3])
def test_window_and_padding_are_the_definition(window):
    q, k, pos = rand(2, 2, 5, 4), rand(2, 2, 5, 4, seed=1), torch.arange(5)
    real = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]], dtype=torch.bool)
    mask = causal_mask(pos, pos) & window_mask(pos, pos, window) & padding_mask(real)
    expected = weights_by_loops(q, k, lambda b, t, s: s <= t and t - s < window and real[b, s])
    torch.testing.assert_close(attention_weights(q, k, mask), expected)


def test_the_window_reaches_both_ways_without_causality():
    pos = torch.arange(4)
    expected = torch.tensor([[1, 1, 0, 0], [1, 1, 1, 0], [0, 1, 1, 1], [0, 0, 1, 1]], dtype=torch.bool)
    assert torch.equal(window_mask(pos, pos, 2), expected)


def test_causality_holds_by_perturbation():
    """Change the future: the past must not move. (A leak is invisible in the loss until it is too good.)"""
    attn, x = Attention(12, 3), rand(1, 6, 12)
    before = attn(x, causal=True)
    for t in range(6):
        changed = x.clone()
        changed[:, t] += 1
        after = attn(changed, causal=True)
        assert torch.equal(before[:, :t], after[:, :t])
        assert not torch.allclose(before[:, t], after[:, t])


combinations = list(itertools.product((None, "causal", "mask", "flag"), (True, False), (4, 2, 1)))


@pytest.mark.parametrize(("kind", "bias", "n_kv_heads"), combinations)
def test_fused_is_spelled_out(kind, bias, n_kv_heads):
    q, k, v = rand(2, 4, 6, 8), rand(2, n_kv_heads, 6, 8, seed=1), rand(2, n_kv_heads, 6, 8, seed=2)
    pos = torch.arange(6)
    mask = {"causal": causal_mask(pos, pos), "mask": rand(2, 1, 6, 6) > -0.3}.get(kind)
    how = dict(mask=mask, score_bias=rand(4, 6, 6) if bias else None, causal=kind == "flag")
    spelled = attention_weights(q, k, **how) @ v.repeat_interleave(4 // n_kv_heads, 1)
    torch.testing.assert_close(Attend()(q, k, v, **how), spelled)


@pytest.mark.parametrize("bias", [True, False])
def test_a_query_that_may_see_nothing_gets_zeros(bias):
    q, k, v = rand(1, 2, 3, 4), rand(1, 2, 3, 4, seed=1), rand(1, 2, 3, 4, seed=2)
    mask = torch.tensor([[1, 1, 0], [0, 0, 0], [1, 0, 1]], dtype=torch.bool)
    how = dict(mask=mask, score_bias=rand(2, 3, 3) if bias else None)
    weights, out = attention_weights(q, k, **how), Attend()(q, k, v, **how)
    assert torch.equal(weights[:, :, 1], torch.zeros(1, 2, 3)) and torch.equal(out[:, :, 1], torch.zeros(1, 2, 4))
    assert torch.isfinite(out).all()


def copy_from_torch(attn: Attention, mha: nn.MultiheadAttention):
    names = ("q_proj", "k_proj", "v_proj")
    for name, weight, bias in zip(names, mha.in_proj_weight.chunk(3), mha.in_proj_bias.chunk(3), strict=True):
        getattr(attn, name).load_state_dict({"weight": weight, "bias": bias})
    attn.o_proj.load_state_dict(mha.out_proj.state_dict())


@pytest.mark.parametrize("case", ["self", "causal", "padded", "cross"])
def test_attention_is_torchs_multihead_attention(case):
    mha, attn = nn.MultiheadAttention(24, 4, batch_first=True).eval(), Attention(24, 4).eval()
    nn.init.normal_(mha.in_proj_bias)
    nn.init.normal_(mha.out_proj.bias)
    copy_from_torch(attn, mha)
    x, memory = rand(2, 5, 24), rand(2, 7, 24)
    if case == "self":
        ours, theirs = attn(x), mha(x, x, x)[0]
    elif case == "causal":  # torch's masks say True = may NOT attend
        ours, theirs = attn(x, causal=True), mha(x, x, x, attn_mask=~torch.ones(5, 5, dtype=torch.bool).tril())[0]
    elif case == "padded":
        real = torch.tensor([[1] * 5, [1, 1, 1, 0, 0]], dtype=torch.bool)
        ours, theirs = attn(x, mask=padding_mask(real)), mha(x, x, x, key_padding_mask=~real)[0]
    else:
        ours, theirs = attn(x, memory), mha(x, memory, memory)[0]
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-5)


def test_weights_are_gpt2s_eager_attentions():
    import transformers as hf

    torch.manual_seed(0)
    config = hf.GPT2Config(vocab_size=50, n_embd=24, n_layer=1, n_head=4, n_positions=16, attn_implementation="eager")
    gpt2 = hf.GPT2Model(config).eval()
    for p in gpt2.parameters():
        nn.init.normal_(p, std=0.3)
    ids = torch.randint(0, 50, (2, 9))
    theirs = gpt2(ids, output_attentions=True).attentions[0]
    attn, block = Attention(24, 4), gpt2.h[0]
    with torch.no_grad():  # GPT-2 stores its matrices transposed, and q, k, v in one
        for name, w, b in zip("qkv", block.attn.c_attn.weight.T.chunk(3), block.attn.c_attn.bias.chunk(3), strict=True):
            getattr(attn, f"{name}_proj").load_state_dict({"weight": w, "bias": b})
        x = block.ln_1(gpt2.wte(ids) + gpt2.wpe(torch.arange(9)))
        split = (4, 6)
        q, k = (p(x).unflatten(-1, split).transpose(1, 2) for p in (attn.q_proj, attn.k_proj))
    torch.testing.assert_close(attention_weights(q, k, causal=True), theirs, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("n_kv_heads", [1, 2])
def test_grouped_heads_are_multi_head_with_repeated_weights(n_kv_heads):
    grouped, plain, x = Attention(24, 4, n_kv_heads), Attention(24, 4), rand(2, 5, 24)
    with torch.no_grad():
        for name in ("k_proj", "v_proj"):
            few, many = getattr(grouped, name), getattr(plain, name)
            by_head = few.weight.unflatten(0, (n_kv_heads, 6)).repeat_interleave(4 // n_kv_heads, 0)
            many.weight.copy_(by_head.flatten(0, 1))
            many.bias.copy_(few.bias.unflatten(0, (n_kv_heads, 6)).repeat_interleave(4 // n_kv_heads, 0).flatten())
        plain.q_proj.load_state_dict(grouped.q_proj.state_dict())
        plain.o_proj.load_state_dict(grouped.o_proj.state_dict())
    torch.testing.assert_close(grouped(x, causal=True), plain(x, causal=True))


def test_attention_without_positions_does_not_know_the_order():
    attn, x, order = Attention(12, 3), rand(1, 6, 12), torch.randperm(6)
    torch.testing.assert_close(attn(x[:, order]), attn(x)[:, order])


@pytest.mark.parametrize("chunks", [(1,) * 7, (3, 4), (5, 1, 1)])
@pytest.mark.parametrize("n_kv_heads", [4, 2, 1])
def test_cached_is_uncached(chunks, n_kv_heads):
    attn, rope, x, pos = Attention(24, 4, n_kv_heads), Rope(24, 4, 6, 16), rand(2, 7, 24), torch.arange(7)
    whole = attn(x, rotate=partial(rope.rotate, pos=pos), causal=True)
    cache, done, parts = KVCache(), 0, []
    for n in chunks:
        now = pos[done : done + n]
        mask = causal_mask(now, pos[: done + n])
        parts.append(attn(x[:, now], rotate=partial(rope.rotate, pos=now), mask=mask, cache=cache))
        done += n
    torch.testing.assert_close(torch.cat(parts, 1), whole)
    assert len(cache) == 7 and cache.nbytes == 2 * 2 * n_kv_heads * 7 * 6 * 4


def test_gradients_are_those_of_the_formula():
    q, k, v = (rand(1, 2, 4, 3, seed=s).double().requires_grad_() for s in range(3))
    assert torch.autograd.gradcheck(lambda q, k: attention_weights(q, k, causal=True), (q, k))
    fused = torch.autograd.grad(Attend()(q, k, v, causal=True).pow(2).sum(), (q, k, v))
    spelled = torch.autograd.grad((attention_weights(q, k, causal=True) @ v).pow(2).sum(), (q, k, v))
    torch.testing.assert_close(fused, spelled)


def test_scores_are_scaled_to_unit_variance():
    q, k = rand(1, 1, 200, 256), rand(1, 1, 200, 256, seed=1)
    spread = attention_weights(q, k).log().std(dim=-1).mean()  # log-weights are scores up to a constant per row
    assert 0.9 < spread < 1.1
    torch.testing.assert_close(attention_weights(q, k), F.softmax(q @ k.mT / 16, dim=-1))


# ---- bad input: one clear sentence each


def test_heads_that_do_not_divide():
    with pytest.raises(ValueError, match=r"n_heads \(5\) must divide d_model \(64\)"):
        Attention(64, 5)
    with pytest.raises(ValueError, match=r"n_kv_heads \(3\) must be at least 1 and divide n_heads \(4\)"):
        Attention(64, 4, n_kv_heads=3)
    assert Attention(64, 5, d_head=8)(rand(1, 2, 64)).shape == (1, 2, 64)


@pytest.mark.parametrize("call", [lambda q, m: attention_weights(q, q, m), lambda q, m: Attend()(q, q, q, m)])
def test_masks_of_the_wrong_kind(call):
    q = rand(2, 3, 4, 6)
    with pytest.raises(TypeError, match="True = may attend; this one is torch.float32"):
        call(q, torch.zeros(4, 4))
    with pytest.raises(ValueError, match=r"mask of shape \(5, 4\) does not fit scores .* \(2, 3, 4, 4\)"):
        call(q, torch.ones(5, 4, dtype=torch.bool))
    with pytest.raises(ValueError, match="does not fit"):  # it would broadcast the scores instead
        call(q, torch.ones(7, 2, 3, 4, 4, dtype=torch.bool))


@pytest.mark.parametrize(
    "call", [lambda q, k, **h: attention_weights(q, k, **h), lambda q, k, **h: Attend()(q, k, k, **h)]
)
def test_causal_flag_where_it_would_be_ambiguous(call):
    with pytest.raises(ValueError, match="T=2, S=5"):
        call(rand(1, 1, 2, 4), rand(1, 1, 5, 4), causal=True)
    with pytest.raises(ValueError, match="mask given"):
        call(rand(1, 1, 5, 4), rand(1, 1, 5, 4), causal=True, mask=torch.ones(5, 5, dtype=torch.bool))


def test_a_cache_with_another_batch():
    cache = KVCache()
    cache.append(rand(2, 1, 3, 4), rand(2, 1, 3, 4))
    with pytest.raises(ValueError, match="holds a batch of 2, not 3"):
        cache.append(rand(3, 1, 1, 4), rand(3, 1, 1, 4))
    assert len(cache) == 3


def test_a_refused_call_leaves_the_cache_as_it_was():
    attn, cache = Attention(12, 3), KVCache()
    attn(rand(1, 4, 12), causal=True, cache=cache)
    with pytest.raises(ValueError, match=r"mask of shape \(2, 9\) does not fit"):
        attn(rand(1, 2, 12), mask=torch.ones(2, 9, dtype=torch.bool), cache=cache)
    assert len(cache) == 4


@pytest.mark.parametrize("kind", [Attention, LatentAttention])
def test_what_makes_no_sense(kind):
    for how in (dict(causal=True), dict(rotate=lambda q_or_k: q_or_k)):
        with pytest.raises(ValueError, match="cross-attention takes no rotate and no causal"):
            kind(12, 3)(rand(1, 2, 12), rand(1, 5, 12), **how)
    for n_heads in (0, -4):
        with pytest.raises(ValueError, match=rf"n_heads \({n_heads}\) must divide d_model \(12\)"):
            kind(12, n_heads, d_head=3)
    with pytest.raises(ValueError, match="d_head must be at least 1, not 0"):
        kind(12, 3, d_head=0)
    for n_kv_heads in (0, -2):
        with pytest.raises(ValueError, match="must be"):
            kind(12, 4, n_kv_heads, d_head=3)
    with pytest.raises(ValueError, match="at least 1 .*, not 0"):
        window_mask(torch.arange(3), torch.arange(3), 0)


# ---- scale and soft cap


@pytest.mark.parametrize("n_kv_heads", [4, 2])
@pytest.mark.parametrize("masked", [True, False])
def test_scale_and_soft_cap_are_the_formula(n_kv_heads, masked):
    q, k, v = rand(2, 4, 6, 8), rand(2, n_kv_heads, 6, 8, seed=1), rand(2, n_kv_heads, 6, 3, seed=2)
    bias, mask = rand(4, 6, 6), (rand(2, 1, 6, 6) > -0.3 if masked else None)
    many = 4 // n_kv_heads
    for scale, cap in ((None, 2.0), (0.7, None), (0.7, 2.0)):
        scores = torch.einsum("bhtd,bhsd->bhts", q, k.repeat_interleave(many, 1)) * (scale or 8**-0.5)
        if cap:
            scores = cap * torch.tanh(scores / cap)
        scores = scores + bias
        if masked:
            scores = scores.where(mask, torch.tensor(-1e30))
        out = F.softmax(scores, -1) @ v.repeat_interleave(many, 1)
        weights = attention_weights(q, k, mask, bias, scale=scale, soft_cap=cap)
        torch.testing.assert_close(weights @ v.repeat_interleave(many, 1), out)
        torch.testing.assert_close(Attend(scale, cap)(q, k, v, mask, bias), out)
        attn = Attention(12, 4, n_kv_heads, scale=scale, soft_cap=cap)
        assert (attn.attend.scale, attn.attend.soft_cap) == (scale, cap)


@pytest.mark.parametrize("masked", [True, False])
def test_a_float32_bias_beside_queries_in_bfloat16(masked):
    q, k, bias = rand(1, 2, 5, 8).bfloat16(), rand(1, 2, 5, 8, seed=1).bfloat16(), rand(2, 5, 5)
    mask = torch.ones(5, 5, dtype=torch.bool).tril() if masked else None
    exact = attention_weights(q.float(), k.float(), mask, bias) @ k.float()
    out = Attend()(q, k, k, mask, bias)
    assert out.dtype == torch.bfloat16
    torch.testing.assert_close(out.float(), exact, atol=3e-2, rtol=3e-2)


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("scale", [None, 0.3])
def test_training_in_bfloat16_spells_short_attention_out(causal, scale, monkeypatch):
    """As near to the exact output and gradients as the fused kernel is, within and without autocast."""
    q, k, v = rand(2, 4, 7, 8), rand(2, 2, 7, 8, seed=1), rand(2, 2, 7, 8, seed=2)
    called = []
    monkeypatch.setattr(attend, "attend_short", lambda *a, f=attend.attend_short: called.append(1) or f(*a))

    def outcome(dtype, autocast):
        inputs = [part.detach().to(dtype, copy=True).requires_grad_() for part in (q, k, v)]
        with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
            out = Attend(scale)(*inputs, causal=causal)
        out.float().square().sum().backward()
        return [out.float(), *(part.grad.float() for part in inputs)]

    exact = outcome(torch.float32, False)
    assert not called
    for dtype, autocast in ((torch.bfloat16, False), (torch.float32, True), (torch.bfloat16, True)):
        for ours, theirs in zip(outcome(dtype, autocast), exact):
            assert float((ours - theirs).norm() / theirs.norm()) < 2e-2
    assert len(called) == 3
    with torch.no_grad():
        Attend(scale)(q.bfloat16(), k.bfloat16(), v.bfloat16(), causal=causal)
    assert len(called) == 3, "without gradients the fused kernel is the faster one"


def test_a_soft_cap_obeys_the_causal_flag():
    q, pos = rand(1, 2, 5, 4), torch.arange(5)
    flag, mask = Attend(soft_cap=3.0)(q, q, q, causal=True), Attend(soft_cap=3.0)(q, q, q, causal_mask(pos, pos))
    torch.testing.assert_close(flag, mask)


def test_nan_is_not_taken_for_an_empty_row():
    """What has diverged must show: only rows that a mask empties are zeros."""
    q = rand(1, 1, 3, 4)
    q[0, 0, 1] = torch.nan
    mask = torch.tensor([[1, 0, 0], [1, 1, 0], [0, 0, 0]], dtype=torch.bool)
    weights = attention_weights(q, rand(1, 1, 3, 4, seed=1), mask)[0, 0]
    assert weights[1, :2].isnan().all() and torch.equal(weights[2], torch.zeros(3))
    assert attention_weights(q, rand(1, 1, 3, 4, seed=1))[0, 0, 1].isnan().all()


def test_an_emptied_row_has_gradients():
    q = rand(1, 1, 3, 4).requires_grad_()
    mask = torch.tensor([[1, 0, 0], [0, 0, 0], [1, 1, 1]], dtype=torch.bool)
    attention_weights(q, rand(1, 1, 3, 4, seed=1), mask).pow(2).sum().backward()
    assert q.grad.isfinite().all() and q.grad[0, 0, 2].abs().sum() > 0


# ---- norms of queries and keys, latent and cross-attention


def test_qk_norm_stands_before_the_rotation_as_in_qwen3():
    from transformers import Qwen3Config
    from transformers.models.qwen3.modeling_qwen3 import Qwen3Attention, Qwen3RotaryEmbedding

    config = Qwen3Config(hidden_size=24, num_attention_heads=4, num_key_value_heads=2, head_dim=10, rms_norm_eps=1e-3)
    config._attn_implementation = "eager"
    theirs = Qwen3Attention(config, 0)
    ours = Attention(24, 4, 2, 10, bias=False, qk_norm=partial(RMSNorm, eps=1e-3))
    for p in theirs.parameters():
        nn.init.normal_(p)
    ours.load_state_dict(theirs.state_dict())
    x, pos, rope = rand(2, 5, 24), torch.arange(5), Rope(24, 4, 10, 32)
    low = torch.full((5, 5), -torch.inf).triu(1)
    expected = theirs(x, Qwen3RotaryEmbedding(config)(x, pos[None]), low)[0]
    torch.testing.assert_close(ours(x, rotate=partial(rope.rotate, pos=pos), causal=True), expected)


def test_latent_attention_is_deepseeks():
    from transformers import DeepseekV3Config
    from transformers.models.deepseek_v3.modeling_deepseek_v3 import DeepseekV3Attention, DeepseekV3RotaryEmbedding

    torch.manual_seed(0)
    config = DeepseekV3Config(
        hidden_size=24, num_attention_heads=4, num_key_value_heads=4, q_lora_rank=None, kv_lora_rank=12,
        qk_nope_head_dim=10, qk_rope_head_dim=6, v_head_dim=10, rope_interleave=False, max_position_embeddings=64,
    )  # fmt: skip
    config._attn_implementation = "eager"
    theirs, ours = DeepseekV3Attention(config, 0), LatentAttention(24, 4, d_head=10, bias=False, d_latent=12, d_rope=6)
    for p in theirs.parameters():
        nn.init.normal_(p, std=0.3)
    k_and_v = theirs.kv_b_proj.weight.unflatten(0, (4, 20))  # side by side in each head
    with torch.no_grad():
        for part, weight in (
            (ours.q_proj, theirs.q_proj.weight),
            (ours.latent_proj, theirs.kv_a_proj_with_mqa.weight),
            (ours.latent_norm, theirs.kv_a_layernorm.weight),
            (ours.k_proj, k_and_v[:, :10].flatten(0, 1)),
            (ours.v_proj, k_and_v[:, 10:].flatten(0, 1)),
            (ours.o_proj, theirs.o_proj.weight),
        ):
            part.weight.copy_(weight)
    x, pos, rope = rand(2, 5, 24), torch.arange(5), Rope(24, 4, 10, 64)
    low = torch.full((5, 5), -torch.inf).triu(1)[None, None]
    expected = theirs(x, DeepseekV3RotaryEmbedding(config)(x, pos[None]), low)[0]
    torch.testing.assert_close(ours(x, rotate=partial(rope.rotate, pos=pos), causal=True), expected)
    cache = KVCache()
    ours(x, rotate=partial(rope.rotate, pos=pos), causal=True, cache=cache)
    assert cache.nbytes == 2 * 5 * (12 + 6) * 4  # per row and position: the latent and the part that turns


def test_latent_attention_sizes():
    attn = LatentAttention(96, 4)
    assert (attn.d_head, attn.d_latent, attn.d_rope) == (24, 96, 12)
    assert LatentAttention(12, 4).d_rope == 2 and LatentAttention(40, 4).d_rope == 4  # even, for rope
    with pytest.raises(ValueError, match="n_kv_heads and qk_norm must be None, not 2 and None"):
        LatentAttention(24, 4, 2)
    with pytest.raises(ValueError, match="n_kv_heads and qk_norm must be None"):
        LatentAttention(24, 4, qk_norm=RMSNorm)


@pytest.mark.parametrize("how", [dict(d_latent=0), dict(d_rope=0), dict(d_rope=5), dict(d_latent=-1, d_rope=4)])
def test_latent_widths_of_no_sense(how):
    with pytest.raises(ValueError, match=r"d_latent \(.*\) must be at least 1, and d_rope \(.*\).* even"):
        LatentAttention(24, 4, **how)


@pytest.mark.parametrize("kind", [Attention, LatentAttention])
def test_cross_attention_projects_its_memory_once(kind):
    attn, cache, memory = kind(24, 4), KVCache(), rand(2, 7, 24)
    x, real = rand(2, 5, 24), torch.ones(2, 7, dtype=torch.bool)
    real[1, 4:] = False
    whole = attn(x, memory, mask=padding_mask(real))
    with_cache = [attn(x[:, t : t + 1], memory, mask=padding_mask(real), cache=cache) for t in range(5)]
    torch.testing.assert_close(torch.cat(with_cache, 1), whole)
    assert len(cache) == 0 and cache.cross[0].shape[2] == 7  # its place for the past stays free
    torch.testing.assert_close(attn(x, rand(2, 7, 24, seed=9), mask=padding_mask(real), cache=cache), whole)
    torch.testing.assert_close(whole[1:], attn(x[1:], memory[1:, :4]))


def test_latent_attention_has_biases_unless_told_otherwise_and_as_many_key_heads_as_heads():
    names = {"q_proj", "latent_proj", "k_proj", "v_proj", "o_proj"}
    of = lambda attn: {name.split(".")[0] for name, _ in attn.named_parameters() if name.endswith("bias")}  # noqa: E731
    assert of(LatentAttention(24, 4)) == names and of(LatentAttention(24, 4, 4)) == names
    assert not of(LatentAttention(24, 4, bias=False))
