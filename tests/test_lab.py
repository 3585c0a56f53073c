"""The lab: what it holds equal, its intervals, its runs and its ledger."""

import importlib.util
import json
import math
import multiprocessing
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from lmkit import lab, ngrams
from lmkit.config import Config
from lmkit.corpora import tales
from lmkit.count import count
from lmkit.heads import LM
from lmkit.lab import code, fair, ledger, running, settings, texts
from lmkit.lab.__main__ import main
from lmkit.lab.compare import beyond, with_rate
from lmkit.lab.statistics import paired, t_probability, t_quantile
from lmkit.objectives import next_token_loss
from lmkit.tokenizers import Words

TINY = dict(d_model=16, n_layers=1, n_heads=2, steps=6, warmup=1, batch_size=2)


@pytest.fixture(autouse=True)
def short_tales(monkeypatch):
    monkeypatch.setattr(texts, "N_WORDS", {"train": 20_000, "held out": 2_000})
    for made in (texts.told, texts._stories, texts._plain):
        made.cache_clear()
    yield
    for made in (texts.told, texts._stories, texts._plain):
        made.cache_clear()


# ---- statistics


@pytest.mark.parametrize("df, t", [(1, 12.7062), (2, 4.3027), (3, 3.1824), (4, 2.7764), (10, 2.2281), (30, 2.0423)])
def test_quantiles_are_those_of_the_printed_tables(df, t):
    assert t_quantile(df) == pytest.approx(t, abs=5e-5)


@pytest.mark.parametrize("df", [1, 2, 3, 6, 7, 20])
def test_probability_is_the_integral_of_the_density(df):
    x = np.linspace(0, 1.7, 200_001)
    constant = math.gamma((df + 1) / 2) / math.sqrt(df * math.pi) / math.gamma(df / 2)
    density = constant * (1 + x**2 / df) ** (-(df + 1) / 2)
    assert t_probability(1.7, df) == pytest.approx(2 * np.trapezoid(density, x), abs=1e-9)


def test_paired_differences_worked_by_hand():
    found = paired({0: 1.1, 1: 1.4, 2: 1.2, 9: 7.0}, {0: 1.0, 1: 1.2, 2: 0.9})
    assert (found.mean, found.n) == (pytest.approx(0.2), 3)  # of 0.1, 0.2, 0.3: s = 0.1
    assert found.half_width == pytest.approx(4.30265 * 0.1 / math.sqrt(3), rel=1e-5)
    assert found.verdict == "not told apart" and found.low < 0 < found.high
    assert paired({0: 1.0, 1: 1.0}, {0: 2.0, 1: 2.01}).verdict == "better"
    assert paired({0: 3.0}, {0: 2.0}).verdict == "not told apart", "one seed shows nothing"


def test_intervals_hold_the_truth_as_often_as_they_say():
    random = np.random.default_rng(0)
    held = sum(
        abs((d := paired(dict(enumerate(random.normal(0.3, 1, 4))), dict.fromkeys(range(4), 0.0))).mean - 0.3)
        <= d.half_width
        for _ in range(2000)
    )
    assert 0.93 < held / 2000 < 0.97


def test_no_shared_seed():
    with pytest.raises(ValueError, match=r"no seed is shared by \[0\] and \[1\]"):
        paired({0: 1.0}, {1: 1.0})


# ---- settings and what is held equal


def test_a_variant_changes_the_model_or_the_training():
    found = settings.changed(lab.BASE, {"norm": "layernorm", "optimizer": "muon"})
    assert (found["model"]["norm"], found["optimizer"], lab.BASE["model"]["norm"]) == ("layernorm", "muon", "rmsnorm")
    with pytest.raises(ValueError, match=r"\['hidden'\] are no settings"):
        settings.changed(lab.BASE, {"hidden": 3})


def test_a_config_as_the_base_keeps_its_own_choices():
    config = Config(99, d_model=32, n_layers=2, n_heads=4, norm="dyt", window=(8, None))
    assert Config.from_dict(settings.of(config)["model"] | {"vocab_size": 99}) == config
    whole = settings.of(config)
    assert settings.of(whole) == whole


def test_a_grid_has_every_combination():
    found = lab.grid({"a": {"x": 1}, "b": {"x": 2}}, {"c": {"y": 3}, "d": {"y": 4}})
    assert found == {
        "a, c": {"x": 1, "y": 3}, "a, d": {"x": 1, "y": 4}, "b, c": {"x": 2, "y": 3}, "b, d": {"x": 2, "y": 4},
    }  # fmt: skip


CONFIG = Config(300, d_model=64, n_layers=2, n_heads=4, max_seq_len=64, positions="rope", norm="rmsnorm")


@pytest.mark.parametrize(
    "change",
    [
        dict(ffn="swiglu"), dict(ffn="moe"), dict(n_kv_heads=1), dict(attention="latent"), dict(tied=False),
        dict(positions="learned"), dict(n_layers=24), dict(n_layers=1), dict(residual="sandwich"),
        dict(d_model=32), dict(d_model=96), dict(vocab_size=1200), dict(d_ff=17),
    ],
    ids=str,
)  # fmt: skip
def test_variants_have_the_parameters_of_the_base(change):
    target = sum(p.numel() for p in LM(CONFIG).parameters())
    scaled = fair.with_parameters(replace(CONFIG, **change), target)
    model = LM(scaled)
    mixtures = [m for m in model.modules() if hasattr(m, "experts")]
    idle = {id(p) for m in mixtures for expert in m.experts[m.n_active :] for p in expert.parameters()}
    assert sum(p.numel() for p in model.parameters() if id(p) not in idle) == pytest.approx(target, rel=0.01)
    kept = {name: value for name, value in change.items() if name not in ("d_model", "d_ff")}
    assert replace(CONFIG, **kept) == replace(scaled, d_model=CONFIG.d_model, d_ff=CONFIG.d_ff), "another field moved"


def test_what_cannot_be_made_equal_says_so():
    with pytest.raises(ValueError, match="no width gives 1,000 parameters"):
        fair.with_parameters(CONFIG, 1000)


def test_equal_flops_to_within_one_step():
    variants = {"base": {}, "short": dict(seq_len=256, batch_size=3), "latent": dict(attention="latent")}
    study = lab.Study("s", "?", variants, base=TINY | dict(steps=50), corpora={"tales": {}})
    first, *others = study.plan()
    for row in others:
        s = row["settings"]
        config = Config.from_dict(s["model"] | dict(vocab_size=464, max_seq_len=s["seq_len"]))
        step = s["batch_size"] * s["seq_len"] * count(config, s["seq_len"]).training_flops
        assert row["training_flops"] == step * s["steps"]
        assert abs(row["training_flops"] - first["training_flops"]) <= step
        assert row["active_parameters"] == pytest.approx(first["active_parameters"], rel=0.01)
    unequal = replace(study, equal=()).plan()
    assert {row["settings"]["steps"] for row in unequal} == {50} and not any(row["rescaled"] for row in unequal)


# ---- texts


def whole_text(corpus="tales", tokenizer="words", level=1):
    return texts.text_for(dict(corpus=corpus, tokenizer=tokenizer, level=level))


@pytest.mark.parametrize("T", [119, 128, 300, 5000])
def test_every_story_is_scored_once_from_its_beginning(T):
    text, sample = whole_text(), tales.generate(2_000, 1)
    rows, real, n_bytes, floor = texts.held_out(text, T)
    assert rows.shape[1] == T + 1 and real.shape == (len(rows), T)
    told = Words(tales.vocabulary(1)).ids(sample.words)
    assert rows[:, 1:][real].tolist() == list(told)
    assert n_bytes == len(sample.text.encode()) and floor / n_bytes == tales.floor(sample).bits_per_byte
    assert (rows[:, 0] == told[-1]).all(), "rows begin behind the end of a story"


def test_tokens_of_any_kind_are_scored_on_the_same_stories():
    sample = tales.generate(2_000, 1)
    text = whole_text(tokenizer={"name": "byte_bpe", "vocab_size": 300})
    rows, real, n_bytes, floor = texts.held_out(text, 700)
    assert real.sum() == len(text.held) - 1 and (n_bytes, floor) == (len(sample.text.encode()), text.floor_bits)
    assert text.floor_bits == pytest.approx(-sample.logprobs.sum() / math.log(2), rel=1e-12)


def test_a_window_shorter_than_a_story_is_refused():
    with pytest.raises(ValueError, match="windows of 50 tokens cannot hold stories of up to 11"):
        texts.held_out(whole_text(), 50)


def test_a_plain_text_is_read_in_windows_beside_its_counter():
    text = whole_text("excerpt", "characters")
    rows, real, n_bytes, floor = texts.held_out(text, 100)
    assert np.array_equal(rows[:, 1:].ravel(), text.held[1 : rows[:, 1:].size + 1]) and real.all() and floor is None
    assert n_bytes == pytest.approx(real.sum())  # an ASCII character is a byte
    ids = np.array(text.ids.tolist() + text.held.tolist())
    counted = ngrams.fit(ids[: len(text.ids)], 5, int(ids.max()) + 1).loss(ids[len(text.ids) :])
    assert text.counter == pytest.approx(counted / math.log(2), rel=1e-2)


def test_windows_hold_as_many_bytes_whatever_the_tokens():
    for tokenizer in ("characters", {"name": "byte_bpe", "vocab_size": 400}):
        text = whole_text("excerpt", tokenizer)
        T = texts.seq_len_for(dict(window_bytes=500, seq_len=1), text)
        assert T * text.bytes_per_token == pytest.approx(500, rel=0.01)


class Uniform(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.vocab_size, self.body = vocab_size, nn.Module()
        self.body.positions = nn.Module()
        self.body.positions.limit = 400

    def forward(self, ids):
        return torch.zeros(*ids.shape, self.vocab_size)


def test_bits_per_byte_of_knowing_nothing():
    text = whole_text()
    known = (len(text.held) - 1) * math.log2(text.vocab_size) / len(tales.generate(2_000, 1).text.encode())
    assert running.bits_per_byte(Uniform(text.vocab_size), text, 300) == pytest.approx(known, rel=1e-6)
    assert running.bits_per_byte(Uniform(text.vocab_size), text, 500) is None, "beyond what it can read"


# ---- runs


def rows_of(**changes):
    variants = {"base": {}, "layernorm": dict(norm="layernorm")}
    study = lab.Study("s", "?", variants, base=TINY | changes, corpora={"tales": {}})
    return [with_rate(row, row["settings"]["lr"], seed) for row in study.plan() for seed in (0, 1)]


RESULT = ("variant", "seed", "bits_per_byte", "curve", "result")


def results(rows):
    return sorted(json.dumps({name: row[name] for name in RESULT}) for row in rows)


def test_batches_do_not_depend_on_how_long_the_run_is():
    text, s = whole_text(), lab.BASE | dict(seed=3)
    long, short = (list(running.windows_of(text, s | dict(steps=n), "cpu")) for n in (120, 70))
    assert len(long) == 120 and all(torch.equal(a, b) for a, b in zip(long, short))
    assert all((batch[:, 0] == int(text.ids[0])).all() for batch in long), "windows begin where a story begins"
    assert not torch.equal(long[0], long[1])


def test_a_run_is_the_loop_written_out():
    [row, *_] = rows_of(optimizer="sgd", schedule="constant", weight_decay=0.0, lr=0.1, warmup=0, clip=1e9)
    text, s = whole_text(), row["settings"]
    [found] = running.in_turns([(row, text)], "cpu", 1)
    torch.manual_seed(s["seed"])
    model = LM(Config.from_dict(s["model"] | dict(vocab_size=text.vocab_size, max_seq_len=s["seq_len"])))
    momentum = {p: torch.zeros_like(p) for p in model.parameters()}
    losses = []
    for batch in running.windows_of(text, s, "cpu"):
        loss = next_token_loss(model, batch)
        losses.append(loss.item() / math.log(2) / text.bytes_per_token)
        gradients = torch.autograd.grad(loss, list(momentum))
        with torch.no_grad():
            for p, gradient in zip(momentum, gradients):
                momentum[p] = 0.9 * momentum[p] + gradient
                p -= 0.1 * (gradient + 0.9 * momentum[p])
    assert [loss for _, loss in found["curve"]] == pytest.approx(losses, abs=2e-4)


def test_runs_in_turns_are_the_runs_one_after_the_other():
    jobs = [(row, whole_text()) for row in rows_of()]
    alone = results(running.run_all(jobs))
    assert len(alone) == 4 and results(running.run_all(jobs, at_once=3)) == alone


@pytest.mark.slow
def test_runs_in_processes_are_the_runs_one_after_the_other():
    jobs = [(row, whole_text()) for row in rows_of()]
    alone = results(running.run_all(jobs))
    assert results(running.run_all(jobs, workers=2)) == results(running.run_all(jobs, workers=2, at_once=2)) == alone


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_runs_on_a_card_take_turns():
    jobs = [(row, whole_text()) for row in rows_of(steps=40, d_model=64, batch_size=16)]
    here, alone, turns = (
        {(row["variant"], row["seed"]): row["bits_per_byte"] for row in running.in_turns(jobs, device, at_once)}
        for device, at_once in (("cpu", 1), ("cuda", 1), ("cuda", 3))
    )
    assert alone == pytest.approx(here, rel=2e-2) and turns == pytest.approx(alone, rel=5e-3)


@pytest.mark.slow
def test_runs_over_a_ray_cluster():
    ray = pytest.importorskip("ray")
    import joblib
    from ray.util.joblib import register_ray

    jobs = [(row, whole_text()) for row in rows_of()]
    ray.init(num_cpus=2, include_dashboard=False)
    try:
        register_ray()
        with joblib.parallel_config("ray", n_jobs=2):
            assert results(running.run_all(jobs, workers=None)) == results(running.run_all(jobs))
    finally:
        ray.shutdown()


def test_the_time_is_up():
    assert list(running.in_turns([(row, whole_text()) for row in rows_of()], "cpu", 1, until=0.0)) == []


def test_a_run_that_diverges_is_a_row_without_a_result():
    [row, *_] = rows_of(lr=1e9, optimizer="sgd", clip=math.inf)
    [found] = running.in_turns([(row, whole_text())], "cpu", 1)
    assert found["bits_per_byte"] is None and "at step" in found["diverged"] and json.loads(json.dumps(found))


@pytest.mark.parametrize(
    "tried, wanted",
    [
        ({1.0: 3.0, 2.0: 2.0, 4.0: 2.5}, None), ({1.0: 3.0, 2.0: 2.0, 4.0: 1.0}, 8.0),
        ({1.0: 1.0, 2.0: 2.0}, 0.5), ({1.0: math.inf, 2.0: math.inf}, 0.5), ({2.0**i: -i for i in range(7)}, None),
    ],
)  # fmt: skip
def test_the_sweep_goes_on_while_the_best_stands_at_the_edge(tried, wanted):
    assert beyond(tried) == wanted


# ---- comparisons, the ledger, tables and pictures


@pytest.fixture
def counted(monkeypatch):
    """The runs that were really made."""
    made, plain = [], running.run

    def run(row, *how):
        made.append(row["key"])
        return (yield from plain(row, *how))

    monkeypatch.setattr(running, "run", run)
    return made


VARIANTS = {"layernorm": dict(norm="layernorm")}


def compared(folder, **how):
    return lab.compare(TINY, VARIANTS, seeds=2, rates=(1.0,), name="norms", folder=folder, **how)


def test_what_stands_in_the_ledger_is_not_run_again(tmp_path, counted):
    first = compared(tmp_path)
    assert len(counted) == len(set(counted)) == len(first.rows) == 2 * 2
    again = compared(tmp_path)
    assert len(counted) == len(first.rows) and repr(again) == repr(first)
    lines = (tmp_path / "norms.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(lines) == len(first.rows)
    (tmp_path / "norms.jsonl").write_text("\n".join(lines[:-1]) + "\n" + lines[-1][:40], encoding="utf-8")  # kill -9
    assert repr(compared(tmp_path)) != "" and len(counted) == len(first.rows) + 1


def test_rows_of_other_code_are_marked_and_run_again(tmp_path, counted):
    first = compared(tmp_path)
    assert "stale" not in repr(lab.table("norms", tmp_path))
    path = tmp_path / "norms.jsonl"
    rows = [row | dict(code="0" * 16) if row["variant"] == "base" else row for row in ledger.lines(path)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    made = len(counted)
    assert repr(lab.table("norms", tmp_path)).count("(stale)") == 1
    compared(tmp_path, stale=False)
    assert len(counted) == made
    compared(tmp_path)
    assert len(counted) == made + sum(row["variant"] == "base" for row in first.rows)
    assert "stale" not in repr(lab.table("norms", tmp_path))


def test_a_run_under_another_name_is_taken_over(tmp_path, counted):
    compared(tmp_path)
    made = len(counted)
    other = lab.compare(TINY, {"none": dict(norm="none")}, seeds=2, rates=(1.0,), name="other", folder=tmp_path)
    assert {row["study"] for row in other.rows} == {"other"}
    assert len(counted) - made == sum(row["variant"] == "none" for row in other.rows), "the base was there"
    assert {row["variant"] for row in ledger.read("other", tmp_path)} == {"base", "none"}


def test_tables_and_pictures_read_what_was_written(tmp_path):
    found = compared(tmp_path, lengths=(1, 2))
    group = ("tales", "S")
    finals = [row for row in ledger.read("norms", tmp_path) if not row["swept"]]
    losses = {n: [row["result"]["1"] for row in finals if row["variant"] == n] for n in ("base", "layernorm")}
    assert len(losses["base"]) == len(losses["layernorm"]) == 2
    read = lab.table("norms", tmp_path)
    assert repr(read) == repr(found)
    by_hand = (losses["layernorm"][0] - losses["base"][0] + losses["layernorm"][1] - losses["base"][1]) / 2
    assert read.differences(group)["layernorm"].mean == pytest.approx(by_hand)
    floor = tales.floor(tales.generate(2_000, 1)).bits_per_byte
    assert f"{sum(losses['base']) / 2 - floor:.4f}" in repr(read) and f"floor of {floor:.4f}" in repr(read)
    assert "at 2 × the length" in read._repr_markdown_() and read._repr_markdown_().count("\n|") == 4
    picture = lab.plot("norms", tmp_path)
    assert "layernorm" in repr(picture) and f"{np.mean(losses['base']) - floor:.3f}" in repr(picture)
    one_length = lab.Table([row | dict(result={"1": row["result"]["1"]}) for row in finals], "norms")
    assert f"{np.mean(losses['base']) - floor:.4f}" in repr(lab.plot(one_length))
    gone = [row | dict(result={"1": None}) if row["variant"] == "layernorm" else row for row in finals]
    assert "diverged" in repr(lab.Table(gone, "norms")) and lab.plot(lab.Table(gone, "norms"))


def test_unknown_studies_and_empty_ones(tmp_path):
    with pytest.raises(FileNotFoundError, match="has no study 'nothing'; it has: none"):
        lab.table("nothing", tmp_path)
    with pytest.raises(ValueError, match="has no finished run"):
        lab.Table([], "empty")


def write_many(folder, process):
    for i in range(40):
        ledger.append(dict(study="many", n=[process, i], text="x" * 5000), folder)


def test_many_processes_write_whole_rows(tmp_path):
    jobs = [multiprocessing.get_context("fork").Process(target=write_many, args=(tmp_path, p)) for p in range(4)]
    for job in jobs:
        job.start()
    for job in jobs:
        job.join()
    rows = [json.loads(line) for line in (tmp_path / "many.jsonl").read_text(encoding="utf-8").splitlines()]
    assert sorted(row["n"] for row in rows) == [[p, i] for p in range(4) for i in range(40)]


def test_the_first_rows_can_still_be_read():
    rows = ledger.read("tokenizers")
    plain = [json.loads(line) for line in (ledger.FOLDER / "tokenizers.jsonl").read_text(encoding="utf-8").splitlines()]
    assert sorted(row["bits_per_byte"] for row in rows) == sorted(row["bits_per_byte"] for row in plain)
    assert "byte_bpe 1024" in repr(lab.table("tokenizers")) and lab.is_stale(rows[0]) is None


def test_of_several_rows_of_a_run_the_newest_counts():
    def row(lr, loss):
        return dict(study="s", corpus="c", size="S", variant="v", seed=0, swept=False, lr=lr, bits_per_byte=loss)

    rows = ledger.newest([row(1.0, 3.0), row(2.0, 2.0), row(1.0, 1.0)])
    assert [(r["lr"], r["bits_per_byte"]) for r in rows] == [(2.0, 2.0), (1.0, 1.0)], "the last stands last"


# ---- the code's hash


def probe(tmp_path, source):
    path = tmp_path / "probe.py"
    path.write_text(source, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("lmkit._probe", path)
    module = sys.modules["lmkit._probe"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    code.read.cache_clear()
    importlib.import_module("linecache").clearcache()
    return code.hash_of([module.outer])


SOURCE = '''
def inner(x):
    return x + 1

def outer(x):
    """Says."""
    return inner(x)

def beside(x):
    return 0
'''


@pytest.mark.parametrize(
    "old, new, same",
    [
        ("Says", "Says more", True), ("    return x + 1", "    # why\n    return (x + 1)", True),
        ("return 0", "return 1", True), ("x + 1", "x + 2", False), ("return inner(x)", "return 2 * inner(x)", False),
    ],
)  # fmt: skip
def test_what_runs_changes_the_hash_and_what_does_not_run_does_not(tmp_path, old, new, same):
    assert old in SOURCE
    assert (probe(tmp_path, SOURCE) == probe(tmp_path, SOURCE.replace(old, new))) is same


def test_a_run_reaches_its_components_and_no_others():
    with torch.device("meta"):
        model = LM(Config(9, d_model=16, n_layers=1, n_heads=2, positions="rope", norm="rmsnorm"))
    names = code.reached([*{type(m) for m in model.modules()}, *running.DECIDE]).keys()
    wanted = "positions.rope.Rope norms.RMSNorm train.train masks.causal_mask"
    wanted += " lab.running.bits_per_byte lab.texts.held_out"
    assert {f"lmkit.{name}" for name in wanted.split()} <= names
    assert not {"lmkit.positions.biases.Alibi", "lmkit.norms.DyT", "lmkit.optimizers.muon"} & names
    other = lab.BASE | dict(optimizer="muon")
    assert code.code_hash(lab.BASE, *running.DECIDE) != code.code_hash(other, *running.DECIDE)


# ---- the studies and the command


@pytest.mark.parametrize("name", lab.STUDIES)
def test_studies_ask_for_what_there_is(name):
    study = lab.STUDIES[name]
    asked = set()
    for change in study.variants.values():
        s = settings.changed(settings.of(study.base), change)
        with torch.device("meta"):
            LM(Config.from_dict(s["model"] | dict(vocab_size=99, max_seq_len=s["seq_len"])))
        code.code_hash(s)  # chooses optimizer, schedule and objective
        asked.add(settings.key(s))
    assert len(asked) == len(study.variants), "two variants are the same"


def test_the_command(capsys, tmp_path, monkeypatch):
    heads = ledger.read("heads")
    monkeypatch.setattr(ledger, "read", lambda: heads)
    main([])
    said = capsys.readouterr().out
    assert all(name in said for name in lab.STUDIES) and f"2 variants, {len(heads)} runs" in said
    main(["heads", "--dry-run", "--corpora", "tales", "--sizes", "S", "--steps", "7"])
    said = capsys.readouterr().out
    assert "heads, tales, S, tied: 6 runs of 7 steps" in said and "in all: " in said
    how = ["--corpora", "tales", "--sizes", "S", "--steps", "2", "--seeds", "1", "--out", str(tmp_path)]
    main(["heads", "--run", "--minutes", "0", *how])
    assert "the time is up" in capsys.readouterr().out and not list(tmp_path.iterdir())
    with pytest.raises(SystemExit):
        main(["nothing"])
    assert "there is no study ['nothing']" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="norms, warmup: no size M; these have S"):
        main(["norms", "warmup", "--run", *how, "--sizes", "M"])
    with pytest.raises(SystemExit, match="depth: nothing on tinyshakespeare; these have S"):
        main(["depth", "--run", *how, "--corpora", "tinyshakespeare"])


@pytest.mark.slow
def test_the_command_runs_a_study(capsys, tmp_path):
    how = ["--corpora", "tales", "--sizes", "S", "--steps", "2", "--seeds", "2", "--out", str(tmp_path)]
    main(["heads", "--run", *how])
    assert "untied" in capsys.readouterr().out
    main(["heads", "--out", str(tmp_path)])
    assert "untied" in capsys.readouterr().out
