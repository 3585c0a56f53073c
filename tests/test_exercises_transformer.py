"""The right answers of chapter 8's exercises, against the library and against PyTorch."""

import torch
from torch import nn

from lmkit import Config, count
from lmkit.block import Block
from lmkit.exercises import EXERCISES
from lmkit.heads import LM


def test_the_size_is_what_is_counted():
    config = Config(32_000, 512, 8, 8, d_ff=1376, ffn="swiglu", norm="rmsnorm", positions="rope", bias=False, tied=True)
    assert EXERCISES["model_parameters"].right == count(config, 64).total_parameters


def test_training_costs_three_forwards_and_adamw_keeps_sixteen_bytes():
    config = Config(1000, 512, 8, 8, positions="none", tied=False)
    found, size = count(config, 1), 124e6
    matrices = found.total_parameters - found.parameters["embeddings"]
    assert abs(found.training_flops / (6 * matrices) - 1) < 0.01
    assert EXERCISES["training_hours"].right == 6 * size * 1e10 / 2e14 / 3600
    layer = nn.Linear(64, 64)
    optimizer = torch.optim.AdamW(layer.parameters(), foreach=False)
    layer(torch.ones(64)).sum().backward()
    optimizer.step()
    kept = [p.nbytes + p.grad.nbytes for p in layer.parameters()]
    kept += [t.nbytes for state in optimizer.state.values() for name, t in state.items() if name != "step"]
    assert EXERCISES["training_memory"].right * 1e9 / 1.5e9 == sum(kept) / sum(p.numel() for p in layer.parameters())


@torch.no_grad()
def test_block_and_forward_are_the_librarys():
    torch.manual_seed(0)
    model = LM(Config(50, 32, 3, 4, positions="none", init="fan_in"))
    for parameter in model.parameters():
        if parameter.ndim == 1:
            nn.init.uniform_(parameter, 0.5, 1.5)

    def steps(block: Block):
        return (block.attn_residual.norm, lambda x: block.attn(x, causal=True), block.ffn_residual.norm, block.ffn)

    blocks = [lambda x, b=b: EXERCISES["whole_block"].right(x, *steps(b)) for b in model.body.blocks]
    ids = torch.randint(50, (2, 7))
    found = EXERCISES["whole_forward"].right(ids, model.body.embed.weight, blocks, model.body.final_norm)
    torch.testing.assert_close(found, model(ids))
