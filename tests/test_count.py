"""Counts on the meta device against real models: their parameters, torch's own counters, their caches, their graphs."""

from dataclasses import replace
from functools import cache

import pytest
import torch
import torch.nn.functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from lmkit.attention import attend
from lmkit.count import count
from lmkit.ffn import FFN
from lmkit.heads import LM
from lmkit.model import Config
from lmkit.positions import NoPositions

T = 48
BASE = Config(97, 32, 2, 4, max_seq_len=64)


class Slope(NoPositions):
    """A reader's own scheme."""

    def score_bias(self, pos_q, pos_k):
        return -0.3 * (pos_q[:, None] - pos_k[None, :]).abs().float()[None, None]


class Bilinear(FFN):
    """A reader's own network, with a product of matrices that is no nn.Linear."""

    def forward(self, x):
        return super().forward(x @ self.up_proj.weight.T @ self.up_proj.weight)


MODELS = {
    "gpt-2": BASE,
    "alibi": replace(BASE, positions="alibi"),
    "untied": replace(BASE, tied=False, norm="dyt", residual="rezero", positions="none"),
    "llama": replace(BASE, positions="rope", norm="rmsnorm", ffn="swiglu", bias=False, n_kv_heads=2, d_head=12),
    "bert": replace(BASE, causal=False, residual="post", n_segments=2, embed_norm=True, final_norm=False),
    "t5": replace(BASE, n_layers=3, n_encoder_layers=4, positions="relative", norm="rmsnorm", ffn="geglu_tanh"),
    "windows": replace(BASE, n_layers=5, window=(8, None), residual="sandwich", qk_norm="rmsnorm"),
    "one layer of three windows": replace(BASE, n_layers=1, window=(8, 16, None)),
    "latent": replace(BASE, attention="latent", positions="rope", block="parallel"),
    "mixture": replace(BASE, ffn={"name": "moe", "n_experts": 4, "n_active": 3}),
    "soft cap": replace(BASE, attention={"name": "dot_product", "soft_cap": 5.0}, positions="sinusoidal"),
    "batchnorm": replace(BASE, norm="batchnorm", n_layers=1),
    "one's own": replace(BASE, positions=Slope, ffn=Bilinear),
}
every_model = pytest.mark.parametrize("name", MODELS)


@cache
def counted(name):
    return count(MODELS[name], T)


def real(name, dtype=torch.float32):
    config = MODELS[name]
    torch.manual_seed(0)
    ids = torch.randint(0, 97, (1, T))
    return LM(config).to(dtype), ids, dict(source=ids) if config.n_encoder_layers else {}


def loss(model, ids, how):
    return F.cross_entropy(model(ids, **how).flatten(0, 1), ids.flatten())


@every_model
def test_parameters(name):
    found, (model, *_) = counted(name), real(name)
    assert found.total_parameters == sum(p.numel() for p in model.parameters())
    assert found.parameter_bytes == 4 * found.total_parameters
    body = [model.body.encoder, model.body.decoder] if model.config.n_encoder_layers else [model.body]
    blocks = [block for stack in body for block in stack.blocks]

    def size(*modules):
        return sum(p.numel() for module in modules if module is not None for p in module.parameters())

    expected = {
        "embeddings": size(body[0].embed, *(stack.segments for stack in body)),
        "positions": size(*(stack.positions for stack in body)),
        "attention": size(*(b.attn for b in blocks), *(b.cross for b in blocks)),
        "feed-forward": size(*(b.ffn for b in blocks)),
        "head": size(model.head),
    }
    expected["norms and residuals"] = found.total_parameters - sum(expected.values())
    assert found.parameters == expected


@every_model
@sdpa_kernel(SDPBackend.MATH)  # torch's counter does not know its own fused kernel for CPUs
def test_flops_are_those_that_torch_counts(name):
    found, (model, ids, how) = counted(name), real(name)
    with FlopCounterMode(display=False) as counter:
        out = loss(model, ids, how)
        assert found.forward_flops * T == counter.get_total_flops()
        out.backward()
    assert found.training_flops * T == counter.get_total_flops()


@every_model
@sdpa_kernel(SDPBackend.MATH)
@torch.no_grad()
def test_generation(name):
    found, (model, ids, how) = counted(name), real(name)
    if not model.config.causal:
        assert found.generation_flops is None and found.cache_bytes is None
        return
    if how:
        how = dict(memory=model.body.encode(ids))
    caches = model.body.new_caches()
    model(ids[:, :-1], caches=caches, **how)
    crossed = sum(part.nbytes for layer in caches for part in layer.cross or ())
    assert (crossed > 0) == bool(how)
    assert found.cache_bytes == sum(layer.nbytes for layer in caches) + crossed
    with FlopCounterMode(display=False) as step:
        model(ids[:, -1:], caches=caches, **how)
    assert found.generation_flops == step.get_total_flops()


@every_model
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_activations_are_those_that_autograd_keeps(name, dtype, monkeypatch):
    monkeypatch.setattr(attend, "SHORT", 0)  # a fused kernel is counted; CPUs spell short attention out in bfloat16
    model, ids, how = real(name, dtype)
    own, kept = {p.untyped_storage().data_ptr() for p in model.parameters()}, {}

    def keep(tensor):
        kept[tensor.untyped_storage().data_ptr()] = tensor
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        loss(model, ids, how)
    expected = sum(tensor.untyped_storage().nbytes() for at, tensor in kept.items() if at not in own)
    found = (counted(name) if dtype == torch.float32 else count(MODELS[name], T, dtype)).activation_bytes
    tolerance = 0.001 * (name == "mixture")  # a real one is never in balance: a scalar or two per expert
    if dtype == torch.bfloat16 and model.config.norm == "layernorm":
        tolerance = 0.01  # CPUs keep the statistics of LayerNorm in bfloat16 too, other devices do not
    assert found == pytest.approx(expected, rel=tolerance, abs=0)


def test_by_formula():
    """GPT-2 as it was published: 124M parameters, 2 FLOPs per weight that multiplies, 4 T d_model per layer on top."""
    d, L, V, T = 768, 12, 50257, 1024
    found = count(Config(V))
    assert found.T == T and found.dtype == torch.float32
    assert found.total_parameters == found.active_parameters == 124_439_808
    assert found.flops == {
        "embeddings": 0,
        "positions": 0,
        "attention": L * (2 * 4 * d * d + 4 * T * d),
        "feed-forward": L * 2 * 8 * d * d,
        "norms and residuals": 0,
        "head": 2 * V * d,
    }
    assert found.forward_flops == found.generation_flops == sum(found.flops.values())
    assert found.training_flops == 3 * found.forward_flops
    assert found.cache_bytes == 2 * L * d * (T - 1) * 4
    # Per layer and token: 2 norms read d, give d and keep mean and rstd; q, k, v, and the output that o_proj reads; a
    # number per head; 4 d before gelu and after. At the end a norm, its output, log-probabilities.
    block = 2 * (2 * d + 2) + 4 * d + 12 + 8 * d
    words = T * (L * block + (2 * d + 2) + V)
    indices = 2 * T  # ids, which are the targets too, and positions
    assert found.activation_bytes == 4 * words + 8 * indices + 4  # the 4 are cross_entropy's count of targets
    half = count(Config(V), 256, torch.bfloat16)
    assert half.parameter_bytes == 2 * 124_439_808 and half.cache_bytes == 2 * L * d * 255 * 2 and half.T == 256


def test_gpt3():
    """Table 2.1 of Brown et al. 2020 calls it 175.0B; of 96 layers, 12 d² each. It has to fit into memory here."""
    found = count(Config(50257, 12288, 96, 96, max_seq_len=2048))
    d = 12288
    assert found.total_parameters == (50257 + 2048) * d + 96 * (12 * d * d + 13 * d) + 2 * d
    assert found.cache_bytes == 2 * 96 * d * 2047 * 4


def test_active_parameters():
    """Mixtral 8x7B: 46.7B parameters, 12.9B of them active (Jiang et al. 2024, arXiv:2401.04088)."""
    config = Config(
        32000, 4096, 32, 32, 8, d_ff=14336, max_seq_len=512, norm="rmsnorm", positions="rope", bias=False,
        ffn={"name": "moe", "n_experts": 8, "n_active": 2}, tied=False,
    )  # fmt: skip
    found = count(config)
    assert found.total_parameters == 46_702_792_704
    assert found.active_parameters == 46_702_792_704 - 32 * 6 * 3 * 4096 * 14336 == 12_879_925_248
    assert found.flops["feed-forward"] == 32 * 2 * 4096 * (8 + 2 * 3 * 14336)


def test_printed():
    lines = repr(count(MODELS["mixture"], T)).split("\n")
    found = counted("mixture")
    for words in (
        ("attention", found.parameters["attention"], found.flops["attention"]),
        ("total", found.total_parameters, found.forward_flops, "forward, T = 48"),
        ("met by a token", found.active_parameters),
        ("training", found.training_flops),
        ("generating token T", found.generation_flops),
        ("bytes in float32", found.parameter_bytes, "of parameters"),
        (found.activation_bytes, "activations"),
        (found.cache_bytes, "cache"),
    ):
        words = [f"{word:,}" if isinstance(word, int) else word for word in words]
        assert sum(all(word in line for word in words) for line in lines) == 1, words
    encoder = repr(count(MODELS["bert"], T))
    assert "generating" not in encoder and "cache" not in encoder and "met by" not in encoder


def test_nothing_random_and_nothing_left_behind():
    torch.manual_seed(0)
    drawn = torch.rand(())
    torch.manual_seed(0)
    count(MODELS["mixture"], 8)
    assert torch.rand(()) == drawn and drawn.device.type == "cpu"
    assert F.scaled_dot_product_attention(*torch.ones(3, 1, 1, 2, 2)).device.type == "cpu"


def test_refused():
    with pytest.raises(ValueError, match="T must be at least 1, not 0"):
        count(BASE, 0)
    with pytest.raises(ValueError, match="65 positions, but max_seq_len=64"):
        count(BASE, 65)
    assert count(BASE, 1).cache_bytes == 0 and count(BASE, 2).cache_bytes == 2 * 2 * 32 * 4
