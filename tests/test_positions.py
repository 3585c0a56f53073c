"""Position schemes, each against its paper's formula, transformers, or what it must be blind to."""

import math

import pytest
import torch
from torch import nn

from lmkit.masks import causal_mask, offsets, padding_mask, positions_of, window_mask
from lmkit.positions import (
    POSITIONS,
    Alibi,
    Learned,
    NoPositions,
    RelativeBias,
    Rope,
    RopeLinear,
    RopeLlama3,
    RopeNTK,
    RopeYarn,
    Sinusoidal,
    halves_to_pairs,
    pairs_to_halves,
)

torch.manual_seed(0)


@pytest.mark.parametrize("d_model", [1, 2, 7, 8])
def test_sinusoids_are_the_papers_formula(d_model):
    pos, x = torch.tensor([0, 1, 5, 900]), torch.randn(2, 4, d_model)
    wave = torch.zeros(4, d_model, dtype=torch.float64)
    for row, t in enumerate(pos.tolist()):
        for i in range(d_model):
            angle = t / 10_000 ** (2 * (i // 2) / d_model)
            wave[row, i] = math.cos(angle) if i % 2 else math.sin(angle)
    torch.testing.assert_close(Sinusoidal(d_model, 1, d_model, 8).embed(x, pos), x + wave.float(), atol=1e-4, rtol=1e-5)


def test_sinusoids_of_the_papers_code_are_the_same_features_in_another_order():
    """tensor2tensor puts all sines first: a permutation of the features for an even width (with its own spacing)."""
    ours = Sinusoidal(8, 1, 8, 8).embed(torch.zeros(1, 6, 8), torch.arange(6))
    concatenated = torch.cat([ours[..., 0::2], ours[..., 1::2]], -1)
    angle = torch.arange(6)[:, None] / 10_000 ** (torch.arange(0, 8, 2) / 8)
    torch.testing.assert_close(concatenated[0], torch.cat([angle.sin(), angle.cos()], -1))


@pytest.mark.parametrize("name", POSITIONS)
def test_positions_per_row_are_the_same_positions(name):
    scheme = POSITIONS[name](8, 2, 4, 32)
    for p in scheme.parameters():
        nn.init.normal_(p)
    pos = torch.stack([torch.arange(5), torch.arange(3, 8)])
    x, q = torch.randn(2, 5, 8), torch.randn(2, 2, 5, 4)
    embedded, turned, bias = scheme.embed(x, pos), scheme.rotate(q, pos), scheme.score_bias(pos, pos)
    for row in range(2):
        torch.testing.assert_close(embedded[row], scheme.embed(x[row : row + 1], pos[row])[0])
        torch.testing.assert_close(turned[row], scheme.rotate(q[row : row + 1], pos[row])[0])
        if bias is not None:
            torch.testing.assert_close(bias[row], scheme.score_bias(pos[row], pos[row]))
            assert scheme.score_bias(pos[row], pos[row][:2]).shape == (2, 5, 2)


@pytest.mark.parametrize("name", POSITIONS)
def test_a_scheme_acts_in_one_place(name):
    scheme, x, pos = POSITIONS[name](8, 2, 4, 32), torch.randn(1, 5, 8), torch.arange(1, 6)
    q = torch.randn(1, 2, 5, 4)
    for p in scheme.parameters():
        nn.init.normal_(p)
    acts = [scheme.embed(x, pos) is not x, scheme.rotate(q, pos) is not q, scheme.score_bias(pos, pos) is not None]
    assert sum(acts) == (name != "none")


def test_a_model_asks_for_one_rotation_and_a_rotate_of_ones_own_still_rules():
    class Backwards(Rope):
        def rotate(self, q_or_k, pos):
            return super().rotate(q_or_k, -pos)

    q, pos = torch.randn(2, 3, 5, 4), torch.arange(5)
    for scheme in (Rope(12, 3, 4, 32), Backwards(12, 3, 4, 32), RopeYarn(12, 3, 4, 32, factor=4.0)):
        rotation = scheme.rotation(pos)
        assert torch.equal(rotation(q), scheme.rotate(q, pos))
        assert torch.equal(rotation(q[..., :2]), scheme.rotate(q[..., :2], pos))
    plain, backwards = Rope(12, 3, 4, 32), Backwards(12, 3, 4, 32)
    torch.testing.assert_close(backwards.rotation(pos)(q), plain.rotate(q, -pos))


def rope_by_complex_numbers(x, pos, theta=10_000.0):
    """RoPE as its paper states it, on pairs (i, i + d/2): multiply by exp(i t theta^(-2i/d))."""
    a, b = x.double().chunk(2, -1)
    freq = theta ** (-torch.arange(0, x.shape[-1], 2, dtype=torch.float64) / x.shape[-1])
    turned = torch.complex(a, b) * torch.exp(1j * pos.double()[:, None] * freq)
    return torch.cat([turned.real, turned.imag], -1)


@pytest.mark.parametrize("d_head", [2, 6, 8])
@pytest.mark.parametrize("start", [0, 7])
def test_rope_is_a_complex_rotation(d_head, start):
    x, pos = torch.randn(2, 3, 5, d_head), torch.arange(start, start + 5)
    ours = Rope(9, 3, d_head, 32, theta=500.0).rotate(x, pos)
    torch.testing.assert_close(ours.double(), rope_by_complex_numbers(x, pos, 500.0), atol=1e-5, rtol=1e-5)


def test_rope_scores_depend_on_distance_only():
    rope, q, k = Rope(8, 1, 8, 64), torch.randn(1, 1, 1, 8), torch.randn(1, 1, 1, 8)

    def score(t, s):
        return float((rope.rotate(q, torch.tensor([t])) * rope.rotate(k, torch.tensor([s]))).sum())

    assert score(3, 1) == pytest.approx(score(40, 38), abs=1e-4)
    assert abs(score(3, 1) - score(3, 2)) > 1e-3


def test_rope_is_hugging_faces():
    from transformers.models.llama.modeling_llama import apply_rotary_pos_emb

    x, pos = torch.randn(2, 3, 5, 8), torch.arange(5)
    angle = pos[:, None] * 10_000.0 ** (-torch.arange(0, 8, 2) / 8)
    cos, sin = (torch.cat([f(angle)] * 2, -1)[None] for f in (torch.cos, torch.sin))
    torch.testing.assert_close(Rope(24, 3, 8, 32).rotate(x, pos), apply_rotary_pos_emb(x, x, cos, sin)[0])


def test_rope_refuses_an_odd_width():
    with pytest.raises(ValueError, match="d_head must be even, not 5"):
        Rope(15, 3, 5, 32)


def test_learned_adds_the_table_and_nothing_else():
    scheme, x, pos = Learned(6, 2, 3, 10), torch.randn(2, 4, 6), torch.arange(3, 7)
    torch.testing.assert_close(scheme.embed(x, pos), x + scheme.table.weight[3:7])
    assert scheme.rotate(x, pos) is x and scheme.score_bias(pos, pos) is None
    assert NoPositions(6, 2, 3, 10).embed(x, pos) is x


def test_rope_angles_are_float32_in_a_bfloat16_model():
    rope, x, pos = Rope(8, 1, 8, 8192), torch.randn(1, 1, 1, 8), torch.tensor([4000])
    torch.testing.assert_close(
        rope.bfloat16().rotate(x, pos), rope_by_complex_numbers(x, pos).float(), atol=2e-3, rtol=0
    )


def hugging_faces(rope_type, theta=10_000.0, d_head=16, **parameters):
    """(frequencies, amplitude) as transformers computes them for a Llama with this rope_scaling."""
    from transformers import LlamaConfig
    from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

    config = LlamaConfig(hidden_size=2 * d_head, num_attention_heads=2, max_position_embeddings=2048)
    config.rope_parameters = {"rope_type": rope_type, "rope_theta": theta, **parameters}
    return ROPE_INIT_FUNCTIONS[rope_type](config, "cpu")


@pytest.mark.parametrize("theta", [10_000.0, 500_000.0])
@pytest.mark.parametrize("factor", [1.0, 4.0, 32.0])
@pytest.mark.parametrize("d_head", [16, 64])
def test_scaled_ropes_are_those_of_transformers(theta, factor, d_head):
    sizes, how = (2 * d_head, 2, d_head, 2048), dict(theta=theta, factor=factor)
    linear, amplitude = hugging_faces("linear", theta, d_head, factor=factor)
    torch.testing.assert_close(RopeLinear(*sizes, **how).frequencies(d_head), linear, atol=0, rtol=1e-6)
    assert amplitude == RopeLinear(*sizes, **how).amplitude == 1.0
    told = dict(factor=factor, original_max_position_embeddings=256)
    yarn, amplitude = hugging_faces("yarn", theta, d_head, **told)
    ours = RopeYarn(*sizes, trained_len=256, **how)
    torch.testing.assert_close(ours.frequencies(d_head), yarn, atol=0, rtol=1e-5)
    assert ours.amplitude == pytest.approx(amplitude)
    told |= dict(low_freq_factor=1.5, high_freq_factor=5.0)
    llama3, _ = hugging_faces("llama3", theta, d_head, **told)
    ours = RopeLlama3(*sizes, trained_len=256, slow=1.5, fast=5.0, **how)
    torch.testing.assert_close(ours.frequencies(d_head), llama3, atol=0, rtol=1e-5)


def test_defaults_of_scaled_ropes_are_the_published_ones():
    told = dict(factor=2.0, original_max_position_embeddings=2048)
    for ours, theirs in (
        (RopeYarn(32, 2, 16, 2048), hugging_faces("yarn", **told)),
        (RopeLlama3(32, 2, 16, 2048), hugging_faces("llama3", **told, low_freq_factor=1.0, high_freq_factor=4.0)),
        (RopeLinear(32, 2, 16, 2048), hugging_faces("linear", factor=2.0)),
    ):
        torch.testing.assert_close(ours.frequencies(16), theirs[0], atol=0, rtol=1e-5)
    yarn, llama3 = RopeYarn(32, 2, 16, 2048), RopeLlama3(32, 2, 16, 2048)
    assert (yarn.fast, yarn.slow, llama3.fast, llama3.slow) == (32.0, 1.0, 4.0, 1.0)


@pytest.mark.parametrize(("theta", "trained_len"), [(10_000.0, 64), (10.0, 2048), (10_000.0, 6)])
def test_the_ramp_of_yarn_ends_within_the_pairs(theta, trained_len):
    """No pair turns 32 times; all turn more than once; none turns once, so that the ramp is a step."""
    theirs, _ = hugging_faces("yarn", theta, factor=4.0, original_max_position_embeddings=trained_len)
    ours = RopeYarn(32, 2, 16, 2048, theta=theta, factor=4.0, trained_len=trained_len)
    torch.testing.assert_close(ours.frequencies(16), theirs, atol=0, rtol=1e-5)


def test_ntk_of_a_single_pair_spares_it():
    assert RopeNTK(4, 2, 2, 64, factor=4.0).frequencies(2).tolist() == [1.0]


@pytest.mark.parametrize("name", POSITIONS)
def test_a_scheme_keeps_the_dtype_and_says_how_far_it_reaches(name):
    scheme, pos = POSITIONS[name](8, 2, 4, 32).bfloat16(), torch.arange(5)
    x, q = torch.randn(1, 5, 8).bfloat16(), torch.randn(1, 2, 5, 4).bfloat16()
    assert scheme.embed(x, pos).dtype == scheme.rotate(q, pos).dtype == torch.bfloat16
    assert scheme.limit == (32 if name == "learned" else None)


@pytest.mark.parametrize("factor", [1.0, 4.0])
def test_ntk_slows_the_slowest_pair_by_the_factor_and_spares_the_fastest(factor):
    plain, ntk = Rope(32, 2, 16, 64).frequencies(16), RopeNTK(32, 2, 16, 64, factor=factor).frequencies(16)
    assert ntk[0] == plain[0] == 1.0
    torch.testing.assert_close(ntk[-1] * factor, plain[-1])
    # transformers' "dynamic" scaling is NTK's, with a factor that follows the length of the input.
    from transformers import LlamaConfig
    from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

    config = LlamaConfig(hidden_size=32, num_attention_heads=2, max_position_embeddings=2048)
    config.rope_parameters = {"rope_type": "dynamic", "rope_theta": 10_000.0, "factor": 1.0}
    grown, _ = ROPE_INIT_FUNCTIONS["dynamic"](config, "cpu", seq_len=int(2048 * factor))
    torch.testing.assert_close(ntk, grown, atol=0, rtol=1e-5)


def test_yarn_turns_and_stretches():
    x, pos = torch.randn(1, 1, 3, 8), torch.arange(3)
    turned = RopeYarn(8, 1, 8, 64, factor=4.0).rotate(x, pos)
    length = lambda t: torch.stack(t.chunk(2, -1)).norm(dim=0)  # noqa: E731
    torch.testing.assert_close(length(turned), length(x) * (0.1 * math.log(4) + 1))


def test_longer_by_less_than_nothing():
    with pytest.raises(ValueError, match="at least 1, not 0.5"):
        RopeLinear(8, 1, 8, 64, factor=0.5)
    with pytest.raises(ValueError, match="at least 1, not nan"):
        RopeLinear(8, 1, 8, 64, factor=math.nan)
    with pytest.raises(ValueError, match=r"fast \(1.0\) must exceed slow \(1.0\)"):
        RopeLlama3(8, 1, 8, 64, fast=1.0)


def test_layouts_of_rope_go_into_each_other():
    """The paper turns neighbours. With rows reordered, its scores are ours, and the way back is exact."""
    d_head, x, pos = 6, torch.randn(1, 5, 12), torch.arange(5)
    wq, wk = torch.randn(2 * d_head, 12), torch.randn(2 * d_head, 12)

    def neighbours(t):  # the paper's equation 34, features (0, 1), (2, 3), ...
        angle = (pos[:, None] * 10_000.0 ** (-torch.arange(0, d_head, 2) / d_head)).repeat_interleave(2, -1)
        other = torch.stack([-t[..., 1::2], t[..., 0::2]], -1).flatten(-2)
        return t * angle.cos() + other * angle.sin()

    split = lambda w: (x @ w.T).unflatten(-1, (2, d_head)).transpose(1, 2)  # noqa: E731
    rope = Rope(12, 2, d_head, 16)
    ours = rope.rotate(split(wq), pos) @ rope.rotate(split(wk), pos).mT
    q, k = (neighbours(split(halves_to_pairs(w, d_head))) for w in (wq, wk))
    torch.testing.assert_close(q @ k.mT, ours)
    assert torch.equal(pairs_to_halves(halves_to_pairs(wq, d_head), d_head), wq)
    assert halves_to_pairs(torch.arange(6), 6).tolist() == [0, 3, 1, 4, 2, 5]
    assert pairs_to_halves(torch.arange(12), 6).tolist() == [0, 2, 4, 1, 3, 5, 6, 8, 10, 7, 9, 11]  # a bias, two heads


@pytest.mark.parametrize("n_heads", [1, 2, 3, 4, 6, 8, 12, 16, 20])
def test_alibi_is_that_of_bloom(n_heads):
    from transformers.models.bloom.modeling_bloom import build_alibi_tensor

    theirs = build_alibi_tensor(torch.ones(1, 7), n_heads, torch.float32).view(
        n_heads, 7
    )  # slope * position of the key
    pos = torch.arange(7)
    ours = Alibi(n_heads * 4, n_heads, 4, 32).score_bias(pos, pos)
    torch.testing.assert_close(ours[:, -1] - ours[:, -1, :1], theirs - theirs[:, :1])  # one query: up to a constant
    assert torch.equal(ours, ours.mT) and (ours.diagonal(dim1=1, dim2=2) == 0).all()
    assert Alibi(32, 8, 4, 32).slopes().tolist() == [2.0**-i for i in range(1, 9)]


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize(("n_buckets", "max_distance"), [(32, 128), (8, 20)])
def test_relative_bias_is_t5s(causal, n_buckets, max_distance):
    from transformers.models.t5.modeling_t5 import T5Attention

    pos_q, pos_k = torch.arange(300, 305), torch.arange(600)
    scheme = RelativeBias(8, 2, 4, 32, causal, n_buckets=n_buckets, max_distance=max_distance)
    nn.init.normal_(scheme.table.weight)
    theirs = T5Attention._relative_position_bucket(
        pos_k[None, :] - pos_q[:, None], bidirectional=not causal, num_buckets=n_buckets, max_distance=max_distance
    )
    assert torch.equal(scheme.bucket(offsets(pos_q, pos_k)), theirs) and theirs.max() == n_buckets - 1
    torch.testing.assert_close(scheme.score_bias(pos_q, pos_k), scheme.table.weight[theirs].permute(2, 0, 1))


def test_relative_bias_defaults_are_t5s():
    scheme = RelativeBias(8, 2, 4, 32)
    assert scheme.table.num_embeddings == 32 and scheme.max_distance == 128 and scheme.causal


@pytest.mark.parametrize("how", [dict(n_buckets=7), dict(n_buckets=0), dict(n_buckets=32, max_distance=8)])
def test_relative_bias_of_no_sense(how):
    with pytest.raises(ValueError, match=r"n_buckets \(\d+\) must be even and at least \d, and max_distance \(\d+\)"):
        RelativeBias(8, 2, 4, 32, False, **how)


@pytest.mark.parametrize(("causal", "least"), [(True, 2), (False, 4)])
def test_the_least_relative_bias(causal, least):
    """In each direction one bucket for distance 0 and one for all others."""
    scheme, apart = RelativeBias(8, 2, 4, 32, causal, n_buckets=least, max_distance=2), torch.tensor([-5, -1, 0, 1, 5])
    assert scheme.bucket(apart).tolist() == ([0, 0, 0, 1, 1] if causal else [3, 3, 0, 1, 1])
    for how in (dict(n_buckets=least - 2), dict(n_buckets=least, max_distance=1)):
        with pytest.raises(ValueError, match=rf"at least {least}, .* beyond the {how['n_buckets'] // least} distances"):
            RelativeBias(8, 2, 4, 32, causal, **how)


# ---- masks, which are functions of positions


def test_masks_by_loops():
    pos_q, pos_k = torch.tensor([2, 3]), torch.arange(5)
    for i, t in enumerate(pos_q.tolist()):
        for j, s in enumerate(pos_k.tolist()):
            assert offsets(pos_q, pos_k)[i, j] == t - s
            assert causal_mask(pos_q, pos_k)[i, j] == (s <= t)
            assert window_mask(pos_q, pos_k, 2)[i, j] == (abs(t - s) < 2)


def test_masks_of_positions_per_row():
    pos = torch.tensor([[0, 0, 1, 2], [0, 1, 2, 3]])
    for mask in (causal_mask, lambda q, k: window_mask(q, k, 2)):
        assert mask(pos, pos).shape == (2, 1, 4, 4)
        for row in range(2):
            assert torch.equal(mask(pos, pos)[row, 0], mask(pos[row], pos[row]))


def test_positions_count_the_real_tokens():
    real = torch.tensor([[0, 0, 1, 1], [1, 1, 0, 0], [1, 0, 1, 1]], dtype=torch.bool)
    assert positions_of(real).tolist() == [[0, 0, 0, 1], [0, 1, 1, 1], [0, 0, 1, 2]]
    assert torch.equal(padding_mask(real)[:, 0, 0], real)
