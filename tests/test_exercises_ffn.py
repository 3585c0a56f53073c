"""The right answers of chapter 4's exercises, against the library, transformers and counted Configs."""

from dataclasses import replace

import torch
import torch.nn.functional as F
from transformers import MixtralConfig
from transformers.models.mixtral.modeling_mixtral import MixtralTopKRouter

from lmkit import presets
from lmkit.count import count
from lmkit.exercises.ffn import EXERCISES
from lmkit.ffn import MoE, SwiGLU, active_parameters, matched_d_ff


def right(name):
    return EXERCISES[name].right


def test_widths_and_parameters():
    assert right("ffn_width") == matched_d_ff("swiglu", 1536)
    with torch.device("meta"):
        moe = MoE(4096, 14336, bias=False)
    router = 8 * 4096
    total, active = (1e6 * millions for millions in right("moe_parameters"))
    assert total == sum(p.numel() for p in moe.parameters()) - router and active == active_parameters(moe) - router


def test_where_scores_overtake_the_network():
    llama, T = presets.get("llama-3-8b"), right("ffn_crossing")
    once, twice = (count(replace(llama, max_seq_len=n), n).flops for n in (T, 2 * T))
    assert twice["attention"] - once["attention"] == once["feed-forward"]


def test_swiglu_is_the_librarys():
    torch.manual_seed(0)
    ffn, x = SwiGLU(6, 10, bias=False), torch.randn(2, 3, 6)
    weights = ffn.gate_proj.weight, ffn.up_proj.weight, ffn.down_proj.weight
    torch.testing.assert_close(right("swiglu")(x, *weights), ffn(x))


def test_gates_are_mixtrals():
    torch.manual_seed(0)
    router = MixtralTopKRouter(MixtralConfig(hidden_size=6, num_local_experts=5, num_experts_per_tok=2))
    torch.nn.init.normal_(router.weight)
    logits, weights, chosen = router(torch.randn(7, 6))
    torch.testing.assert_close(right("top_k_gates")(logits, 2), torch.zeros(7, 5).scatter(1, chosen, weights))


def test_the_dead_are_counted_one_by_one():
    h = F.relu(torch.randn(2, 3, 8, generator=torch.Generator().manual_seed(0)) - 1)
    h[..., 5] = 0
    dead = sum(all(h[b, t, n] == 0 for b in range(2) for t in range(3)) for n in range(8))
    assert dead > 0 and right("share_dead")(h) == dead / 8
