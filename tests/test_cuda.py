"""What a graphics card computes is what the processor computes. Skipped where there is none."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

import lmkit
from lmkit import pretrain
from lmkit.attention import attention_weights

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
SHAPES = {
    "GPT-2": dict(norm="layernorm", positions="learned", ffn="gelu_tanh"),
    "Llama": dict(norm="rmsnorm", positions="rope", ffn="swiglu", n_kv_heads=2, bias=False),
    "ALiBi, window": dict(positions="alibi", window=5),
    "latent, sandwich": dict(attention="latent", positions="rope", residual="sandwich"),
    "experts": dict(ffn="moe", positions="rope"),
}


def model(name, vocab_size=50):
    torch.manual_seed(0)
    config = lmkit.Config(vocab_size, d_model=64, n_layers=2, n_heads=4, max_seq_len=64, **SHAPES[name])
    return lmkit.LM(config).eval()


@pytest.mark.parametrize("name", SHAPES)
def test_logits_and_gradients(name):
    here, there = model(name), model(name).cuda()
    ids = torch.randint(50, (2, 33), generator=torch.Generator().manual_seed(1))
    for m, rows in ((here, ids), (there, ids.cuda())):
        lmkit.next_token_loss(m, rows).backward()
    torch.testing.assert_close(there(ids.cuda()).cpu(), here(ids), atol=2e-4, rtol=1e-3)
    for ours, theirs in zip(there.parameters(), here.parameters()):
        torch.testing.assert_close(ours.grad.cpu(), theirs.grad, atol=2e-4, rtol=1e-2)


@pytest.mark.parametrize("name", SHAPES)
def test_greedy_tokens_with_and_without_a_cache(name):
    there, prompt = model(name).cuda(), torch.tensor([[1, 2, 3]]).cuda()
    with_cache = lmkit.generate(there, prompt, 20, temperature=0)
    assert torch.equal(with_cache, lmkit.generate(there, prompt, 20, temperature=0, use_cache=False))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_fused_and_spelled_out_attention(dtype):
    q, k, v = (torch.randn(2, h, 40, 16, device="cuda", dtype=dtype) for h in (4, 2, 2))
    fused = F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True)
    spelled = attention_weights(q.float(), k.float(), causal=True) @ v.float().repeat_interleave(2, dim=1)
    torch.testing.assert_close(fused.float(), spelled, atol=2e-2 if dtype == torch.bfloat16 else 2e-3, rtol=1e-2)


def runs(names, streams, **how):
    """The losses of runs that take turns on one card, each in a stream of its own."""
    ids = np.tile(np.arange(50), 40)
    begun = {}
    for name, stream in zip(names, streams):
        with torch.cuda.stream(stream):
            there = model(name).cuda()
            stream_of_batches = lmkit.batches(ids, 8, 32, device="cuda")
            begun[name] = lmkit.train(there, stream_of_batches, lmkit.next_token_loss, steps=30, lr=3e-3, **how)
    losses = {name: [] for name in names}
    for _ in range(30):
        for name, stream in zip(names, streams):
            with torch.cuda.stream(stream):
                losses[name].append(next(begun[name]))
    return {name: [step.loss for step in steps] for name, steps in losses.items()}


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_a_replayed_graph_trains_as_the_loop_does(optimizer):
    names = ["GPT-2", "Llama", "ALiBi, window", "latent, sandwich"]
    eager = runs(names, [torch.cuda.current_stream()] * 4, optimizer=optimizer)
    replayed = runs(names, [torch.cuda.Stream() for _ in names], optimizer=optimizer, graph=True)
    for name in names:
        assert replayed[name] == pytest.approx(eager[name], rel=2e-2), name
        assert replayed[name][-1] < 0.7 * replayed[name][0], name


def test_pretraining_learns_in_mixed_precision(tmp_path, capsys):
    pretrain.main(["--steps", "60", "--out", str(tmp_path / "out"), "--device", "cuda"])
    said = capsys.readouterr().out
    loaded, _ = lmkit.load(tmp_path / "out")
    assert "parameters on cuda" in said and all(torch.isfinite(p).all() for p in loaded.parameters())
    assert next(loaded.parameters()).device.type == "cpu"
    reports = [line.split("held-out loss ")[1] for line in said.splitlines() if "held-out loss" in line]
    assert reports and float(reports[-1].split()[0]) < 3 < np.log(465)  # of words: knowing nothing
