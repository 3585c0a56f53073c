"""What the lab recommends: it builds, it costs what was asked, and the ledger decides only what it can."""

import re

import pytest
import torch

from lmkit import lab
from lmkit.config import Config
from lmkit.count import count
from lmkit.heads import LM
from lmkit.lab import ledger
from lmkit.lab.evidence import PAPERS
from lmkit.lab.findings import Findings, value_name
from lmkit.lab.recommend import PEAK, PURPOSES, REACHED

BUDGETS = [*(dict(flops=10.0**e) for e in (11, 14, 17)), dict(gpu_hours=1), dict(gpu_hours=0.1, hardware="cpu core")]


@pytest.mark.parametrize("how", BUDGETS, ids=str)
@pytest.mark.parametrize("purpose", PURPOSES)
def test_it_builds_and_costs_what_was_asked(how, purpose, tmp_path):
    found = lab.recommend(**how, purpose=purpose, seq_len=256, folder=tmp_path)
    asked = how.get("flops") or 3600 * how["gpu_hours"] * PEAK[how.get("hardware", "h100")] * REACHED
    s, c = found.settings, found.config
    with torch.device("meta"):
        model = LM(c)
        ids = torch.zeros(1, 8, dtype=torch.long)
        source = dict(source=ids) if c.n_encoder_layers else {}
        assert model(ids, **source).shape == (1, 8, c.vocab_size)
    step = s["batch_size"] * s["seq_len"] * count(c, s["seq_len"]).training_flops
    assert abs(s["steps"] * step - asked) <= step
    assert Config.from_dict(c.to_dict()) == c
    assert (c.causal, c.n_encoder_layers > 0) == (purpose != "classify" and purpose != "tag", purpose == "translate")


@pytest.mark.parametrize("flops", [1e14, 1e17, 1e19])
def test_twenty_tokens_per_parameter(flops, tmp_path):
    found = lab.recommend(flops=flops, folder=tmp_path)
    with torch.device("meta"):
        n = sum(p.numel() for p in LM(found.config).parameters())
    s = found.settings
    assert f"{n:,} parameters" in repr(found)
    assert 10 < s["steps"] * s["batch_size"] * s["seq_len"] / n < 30  # Hoffmann et al. 2022, roughly
    assert s["lr"] < 2e-3


def test_the_budget_of_gpt2_gives_the_shape_of_gpt2(tmp_path):
    found = lab.recommend(flops=6 * 124e6 * 20 * 124e6, folder=tmp_path)
    assert 10 <= found.config.n_layers <= 14 and 704 <= found.config.d_model <= 832
    assert found.settings["lr"] == pytest.approx(6e-4, rel=0.15)  # Brown et al. 2020, table 2.1


def test_little_text_makes_a_small_model(tmp_path):
    much, little = (lab.recommend(flops=1e19, tokens=n, folder=tmp_path) for n in (1e12, 1e8))
    s = little.settings
    assert s["steps"] * s["batch_size"] * s["seq_len"] < 4.5e8
    assert little.config.d_model < much.config.d_model and "not so much text" in repr(little)


def rows(losses, corpus="tales", study="ffn", **others):
    for variant, by_seed in losses.items():
        for seed, loss in enumerate(by_seed):
            yield dict(
                study=study, corpus=corpus, size="S", variant=variant, seed=seed, swept=False, lr=0.004, key=variant,
                code="0" * 16, bits_per_byte=loss, result={"1": loss}, active_parameters=1_000_000, floor=None,
            ) | others  # fmt: skip


LOSSES = {"gelu": [1.0, 1.1, 1.2], "swiglu": [0.9, 1.0, 1.1], "relu2": [0.8, 0.9, 1.0]}


def test_the_ledger_decides_about_models_like_its_own(tmp_path):
    for corpus in ("tales", "tinyshakespeare"):
        for row in rows(LOSSES, corpus):
            ledger.append(row, tmp_path)
    small, large = lab.recommend(flops=1e15, folder=tmp_path), lab.recommend(flops=1e20, folder=tmp_path)
    assert (small.config.ffn, large.config.ffn) == ("relu2", "swiglu")
    assert "relu2 less gelu -0.2000 ± 0.0000, less swiglu -0.1000 ± 0.0000 bits per byte" in repr(small)
    assert "swiglu less gelu -0.1000" in repr(large) and "no model of the ledger is near this size" in repr(large)
    assert "no runs of the study positions yet" in repr(small)


@pytest.mark.parametrize(
    "on_the_other",
    [
        {name: [1.0, 1.1, 1.2] for name in LOSSES},  # alike
        LOSSES | {"relu2": [0.5, 1.5, 0.9]},  # too noisy
        {"gelu": [1.0, 1.1, 1.2], "swiglu": [0.9, 1.0, 1.1]},  # not measured
    ],
)
def test_what_holds_on_one_corpus_alone_decides_nothing(tmp_path, on_the_other):
    for row in [*rows(LOSSES), *rows(on_the_other, "tinyshakespeare")]:
        ledger.append(row, tmp_path)
    assert lab.recommend(flops=1e15, folder=tmp_path).config.ffn == "swiglu"


def test_an_optimizer_comes_with_its_rate(tmp_path):
    losses = {"adamw": [1.0, 1.1, 1.2], "muon": [0.9, 1.0, 1.1]}
    for row in rows(losses, study="optimizers", lr=0.02):
        ledger.append(row, tmp_path)
    small, large = lab.recommend(flops=1e15, folder=tmp_path), lab.recommend(flops=1e20, folder=tmp_path)
    assert (small.settings["optimizer"], small.settings["lr"]) == ("muon", 0.02)
    assert large.settings["optimizer"] == "adamw" and large.settings["lr"] < 1e-3


def test_variants_are_found_by_what_they_change():
    assert value_name("ffn", "ffn", "gelu") == "gelu" and value_name("positions", "positions", "rope") == "rope"
    assert value_name("schedules", "schedule", "linear") == "linear to 0"
    assert value_name("optimizers", "optimizer", "muon") == "muon"
    assert Findings("no/such/folder", 1e6).pick("ffn", "ffn", "swiglu") == "swiglu"


def test_papers_are_cited_by_what_there_is(tmp_path):
    assert all(re.fullmatch(r"\d{4}\.\d{5}", paper.arxiv) for paper in PAPERS.values())
    assert len({paper.arxiv for paper in PAPERS.values()}) == len(PAPERS)
    used = set()
    for purpose in PURPOSES:
        for how in (dict(seq_len=1024), dict(seq_len=16_384, tokens=1e8)):
            found = lab.recommend(flops=1e19, purpose=purpose, folder=tmp_path, **how)
            used |= {name for choice in found.choices for name in choice.published}
            page = found._repr_markdown_()
            assert all(f"]({PAPERS[name].link})" in page for c in found.choices for name in c.published)
            assert sum(bool(choice.caution) for choice in found.choices) >= 6
    assert used | {"lengths"} == set(PAPERS), "a paper that nothing cites"


@pytest.mark.parametrize(
    "how, says",
    [
        (dict(), "give either flops or gpu_hours"), (dict(flops=1e9, gpu_hours=1), "give either"),
        (dict(flops=-1), "a budget is above 0, not -1"),
        (dict(gpu_hours=1, hardware="abacus"), "'abacus' is not one of"),
        (dict(flops=1e9, purpose="win"), "'win' is not one of"),
    ],
)  # fmt: skip
def test_wrong_constraints(how, says):
    with pytest.raises(ValueError, match=says):
        lab.recommend(**how)
