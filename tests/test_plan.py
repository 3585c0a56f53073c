"""tools/plan.py: each line of the plan against what is known otherwise; the page says what the script prints."""

import math
import shlex
from pathlib import Path

import plan
import pytest
import torch

from lmkit import presets, pretrain
from lmkit.heads import LM
from lmkit.model import Config
from lmkit.objectives import next_token_loss
from lmkit.optimizers import OPTIMIZERS

ROOT = Path(__file__).parents[1]
SMALL = Config(64, d_model=64, n_layers=2, n_heads=4, max_seq_len=32)


def rows(*argv):
    """The cells of the table, by the first of each row; where a title comes twice, the first is meant."""
    lines = [line.strip("| ").split(" | ") for line in plan.table(plan.arguments(argv)).split("\n")[2:]]
    return {title: cells for title, *cells in reversed([[c.strip() for c in line] for line in lines])}


def test_the_page_shows_what_the_script_prints():
    """To write it anew: python tools/plan.py."""
    assert f"\n\n{plan.table(plan.arguments([]))}\n\n" in (ROOT / "training.md").read_text(encoding="utf-8")


def commands():
    """What the page has readers type for lmkit.pretrain: the words before and after its name."""
    page = (ROOT / "training.md").read_text(encoding="utf-8").replace("\\\n", "")
    for line in page.split("\n"):
        before, name, after = line.partition(" -m lmkit.pretrain")
        if name and before.split()[0] in ("python", "torchrun") and "..." not in after:
            yield shlex.split(before), shlex.split(after, comments=True)


def test_the_commands_of_the_page_are_understood():
    found = [pretrain.arguments(after) for _, after in commands() if after != ["--help"]]
    assert len(found) > 6


def test_the_commands_of_the_page_are_those_of_the_plan():
    found = [(before, pretrain.arguments(after)) for before, after in commands() if "--preset" in after]
    for (before, options), run in zip(found, plan.RUNS, strict=True):
        name, gpus = run.split(":")
        planned, s = plan.Run(presets.get(name), int(gpus), None, 80e9, 2**19), options.settings
        counts = [int(before[i + 1]) for i, word in enumerate(before) if word in ("--nnodes", "--nproc-per-node")]
        assert math.prod(counts) == int(gpus) and options.preset == name
        assert s.seq_len == planned.counted.T and s.seq_len * s.batch_size == planned.batch
        assert planned.part() == f"{s.batch_size // s.accumulate // int(gpus)} x {s.accumulate}"
        assert options.tokens == pytest.approx(20 * planned.parameters, rel=0.003)
        assert (options.parallel == "fsdp") == (planned.how == "fsdp")


def test_by_hand():
    found = rows("gpt2:2", "--gpu", "A100", "--share", "0.5", "--price", "3", "--tokens-per-parameter", "10")
    assert found["parameters"] == ["124,439,808"]  # Radford et al. 2019, as counted by transformers
    assert found["tokens"] == ["1.24B"]
    flops = 10 * 124_439_808 * float(found["training FLOPs a token"][0])
    hours = flops / (312e12 * 0.5) / 3600
    assert float(found["GPU hours"][0]) == pytest.approx(hours, abs=0.06)
    assert float(found["cost at 3 a GPU hour"][0]) == pytest.approx(3 * hours, abs=0.6)
    assert float(found["days"][0]) == pytest.approx(hours / 2 / 24, abs=0.06)
    assert found["updates"] == ["2,374"]  # 1,244,398,080 tokens in batches of 524,288
    assert found["weights, gradients, AdamW"] == ["2.0 GB"]


@pytest.mark.parametrize("name, nearest", [("gpt2", 2.25e20), ("gpt2-xl", 2.38e21)])
def test_arithmetic_is_near_the_published(name, nearest):
    """Brown et al. 2020, table D.1: six times parameters times tokens. Here attention counts, and GPT-2's shapes."""
    flops = float(rows(f"{name}:1")["training FLOPs a token"][0]) * 300e9
    assert 1.0 < flops / nearest < 1.4


def test_bytes_of_a_parameter():
    """What PyTorch holds after an update: weights, gradients, AdamW's averages; and what autocast copies."""
    model = LM(SMALL)
    (optimizer,) = OPTIMIZERS["adamw"](model, 1e-3, 0.1)
    copies = {}

    def keep(tensor):
        if tensor.dtype == torch.bfloat16 and tensor.shape in shapes:
            copies[tensor.untyped_storage()._cdata] = tensor
        return tensor

    shapes = {p.shape for p in model.parameters()} | {p.T.shape for p in model.parameters() if p.ndim == 2}
    ids = torch.randint(0, 64, (3, 8))
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda t: t), torch.autocast("cpu", torch.bfloat16):
        next_token_loss(model, ids).backward()
    optimizer.step()
    averages = [t for state in optimizer.state.values() for name, t in state.items() if name != "step"]
    held = [*model.parameters(), *(p.grad for p in model.parameters()), *averages]
    parameters = sum(p.numel() for p in model.parameters())
    assert sum(t.nbytes for t in held) == plan.STATE * parameters
    assert 0.95 < sum(t.nbytes for t in copies.values()) / (plan.COPY * parameters) <= 1.0


def test_ways_and_parts():
    """What one GPU holds is held whole; what only many hold is sharded; what none holds is said."""
    small, middle, large = (rows(run)["the first way that fits"] for run in ("gpt2:1", "gpt2-xl:8", "llama-2-7b:64"))
    assert (small, middle, large) == (["none"], ["ddp"], ["fsdp"])
    assert rows("llama-2-7b:1")["the first way that fits"] == ["does not fit"]
    run = plan.Run(presets.get("gpt2-xl"), 8, None, 80e9, 2**19)
    number = run.sequences("ddp")
    assert run.state("ddp") + number * run.activations <= 0.8 * 80e9 < run.state("ddp") + 2 * number * run.activations
    assert run.part() == f"{number} x {2**19 // 1024 // 8 // number}"
    assert plan.Run(presets.get("gpt2"), 512, None, 80e9, 2**19).sequences("ddp") == 1  # no more than there are


def test_more_gpus_shard_more():
    few, many = (plan.Run(presets.get("gpt2"), n, None, 80e9, 2**19).state("fsdp") for n in (8, 64))
    assert few - many == pytest.approx(16 * 124_439_808 * (1 / 8 - 1 / 64))


@pytest.mark.parametrize("run", ["gpt2", "gpt9:1", "gpt2:0", "gpt2:many"])
def test_runs_that_there_are_not(run, capsys):
    with pytest.raises(SystemExit):
        plan.arguments([run])
    assert f"{run!r} is no PRESET:GPUS such as gpt2:1" in capsys.readouterr().err
