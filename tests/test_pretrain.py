"""The pretraining command, on a few steps: what it says, what it leaves, how it goes on, and what it refuses."""

import errno
import json
import os
import shutil
import signal
import sys
from functools import cache

import numpy as np
import pytest
import torch

import lmkit
from lmkit import atomic, checkpoints, ngrams
from lmkit.corpora import shards, tales
from lmkit.distributed import World
from lmkit.objectives import HEADS, Marks
from lmkit.pretrain import SIZES, Settings, arguments, main, tales_task, text_task
from lmkit.pretrain.reading import sentence_begins, stream, word_begins
from lmkit.pretrain.tasks import packed_task
from lmkit.recipes import RECIPES
from lmkit.tokenizers import from_dict


def test_tales_from_the_command_to_a_loaded_checkpoint(tmp_path, capsys):
    main(["--steps", "3", "--batch-size", "2", "--seq-len", "32", "--out", str(tmp_path / "run"), "--device", "cpu"])
    said = capsys.readouterr().out
    assert "exact floor: 0." in said and "bits per byte" in said and "Once there" in said and "saved in" in said
    model, tokenizer, provenance = checkpoints.load(tmp_path / "run")
    assert provenance["steps"] == 3 and provenance["loss"] > provenance["exact_floor"] > 0.3
    assert provenance["command"].startswith("python -m lmkit.pretrain --steps 3 --batch-size 2")
    words = from_dict(tokenizer)
    assert len(words) == len(tales.VOCABULARY) == model(torch.tensor([words.encode("Once there was")])).shape[-1]


def test_a_readers_own_text(tmp_path, capsys):
    text = "the cat sat on the mat. " * 200
    (tmp_path / "cats.txt").write_text(text, encoding="utf-8")
    main(["--corpus", str(tmp_path / "cats.txt"), "--steps", "2", "--seq-len", "16", "--out", str(tmp_path / "run")])
    said = capsys.readouterr().out
    assert said.startswith("cats.txt: 4,320 tokens, vocabulary of") and "5-gram counter: 0.0" in said
    assert checkpoints.load(tmp_path / "run")[2]["corpus"] == "cats.txt"


def test_the_floor_is_of_the_words_that_are_predicted():
    task = tales_task(seq_len=32, words=1000)
    sample = tales.generate(60_000, seed=1)
    first = sample.starts[0]
    assert task.rows[0].tolist() == task.tokenizer.ids(sample.words[first : first + 33])
    wanted = [-sample.logprobs[s + 1 : s + 33] for s in sample.starts if s + 32 < len(sample.words)]
    assert task.baseline == pytest.approx(sum(w.sum() for w in wanted) / (32 * len(wanted)))


def test_the_counter_sees_the_training_part_only(tmp_path):
    (tmp_path / "a.txt").write_text("abcab" * 100 + "zyxzy" * 20, encoding="utf-8")
    task = text_task(str(tmp_path / "a.txt"), seq_len=8)
    assert task.baseline > ngrams.fit(task.ids, order=5).loss(task.ids)  # the end of the text is another one
    assert SIZES["text"]["n_layers"] == 4


COUNTED = cache(lmkit.count)
TEXT = "the cat sat on the mat. " * 200
FEW = [
    "--batch-size",
    "2",
    "--seq-len",
    "16",
    "--device",
    "cpu",
    "--d-model",
    "16",
    "--n-layers",
    "1",
    "--n-heads",
    "2",
]


@pytest.fixture(autouse=True)
def counted_once(monkeypatch):
    """What a Config costs takes longer to count than these runs take."""
    monkeypatch.setattr(lmkit.pretrain.running, "count", COUNTED)


@pytest.fixture
def cats(tmp_path):
    (tmp_path / "cats.txt").write_text(TEXT, encoding="utf-8")
    return ["--corpus", str(tmp_path / "cats.txt"), *FEW, "--log-every", "1", "--out", str(tmp_path / "run")]


def losses(run):
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    return [line["loss"] for line in lines if "loss" in line], [
        line["held_out"] for line in lines if "held_out" in line
    ]


def weights(run):
    return lmkit.load(run)[0].state_dict()


# ---- going on


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_saves_and_the_command_that_it_prints_goes_on_bit_for_bit(number, cats, tmp_path, capsys, monkeypatch):
    handler = signal.getsignal(signal.SIGINT)  # Python's, or none where this runs in the background
    whole = [*cats[:-1], str(tmp_path / "whole"), "--steps", "12", "--save-every", "5"]
    main(whole)
    train = lmkit.pretrain.running.train

    def pressed(*args, **how):
        for step in train(*args, **how):
            if step.step == 6:
                os.kill(os.getpid(), number)
            yield step

    monkeypatch.setattr(lmkit.pretrain.running, "train", pressed)
    with pytest.raises(SystemExit) as stop:
        main([*cats, "--steps", "12", "--save-every", "5"])
    said = capsys.readouterr().out
    assert (
        stop.value.code == 128 + number
        and "stopped after 7 of 12 steps; all is kept. To go on: python -m lmkit" in said
    )
    assert signal.getsignal(signal.SIGINT) is handler
    monkeypatch.undo()
    np.random.rand(3), torch.rand(3)  # what a fresh process would not have drawn
    main([*cats, "--steps", "12", "--save-every", "5", "--resume", "auto"])
    assert "going on from" in (said := capsys.readouterr().out) and "after 7 of 12 steps" in said
    assert losses(tmp_path / "run") == losses(tmp_path / "whole") and len(losses(tmp_path / "run")[0]) == 12
    for (name, a), b in zip(weights(tmp_path / "whole").items(), weights(tmp_path / "run").values(), strict=True):
        assert torch.equal(a, b), name


@pytest.mark.parametrize("optimizer", ["adamw", "muon", "sgd"])
def test_a_damaged_checkpoint_is_passed_over(cats, tmp_path, capsys, optimizer):
    how = ["--optimizer", optimizer, "--steps", "9", "--save-every", "3"]
    main([*cats, *how])
    kept, ended = losses(tmp_path / "run")[0], weights(tmp_path / "run")
    weights_file = tmp_path / "run" / "step-00000009" / "model.safetensors"
    data = bytearray(weights_file.read_bytes())
    data[-3] ^= 4
    weights_file.write_bytes(data)
    main([*cats, *how, "--resume", "auto"])
    said = capsys.readouterr().out
    assert "passed over a checkpoint" in said and "model.safetensors is damaged" in said and "after 6 of 9" in said
    assert losses(tmp_path / "run")[0] == kept
    main([*cats, *how, "--resume", str(tmp_path / "run" / "step-00000006")])
    assert all(torch.equal(a, b) for a, b in zip(ended.values(), weights(tmp_path / "run").values(), strict=True))


def test_the_last_two_and_the_best_are_kept(cats, tmp_path):
    main([*cats, "--steps", "14", "--save-every", "2", "--lr", "0.05", "--schedule", "constant"])
    best = json.loads((tmp_path / "run" / "best.json").read_text(encoding="utf-8"))
    held = losses(tmp_path / "run")[1]
    assert best["held_out"] == min(held) and best["step"] == 2 * (1 + held.index(min(held)))
    names = [path.name for path in checkpoints.steps_of(tmp_path / "run")]
    assert names == sorted({f"step-{n:08}" for n in (best["step"], 12, 14)})
    assert not [path for path in (tmp_path / "run").iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize("objective", ["masked_words", "next_sentence", "replaced", "spans"])
def test_every_objective_goes_on_bit_for_bit(objective, cats, tmp_path, capsys):
    """Half of a run, in a folder of its own; "replaced" draws as it learns, so that it needs its generators back."""
    cats = ["--seed", "1", *FEW, "--log-every", "1", *cats[-2:]] if objective == "next_sentence" else cats
    main([*cats, "--objective", objective, "--steps", "4", "--save-every", "2"])
    shutil.copytree(tmp_path / "run", tmp_path / "half", ignore=shutil.ignore_patterns("step-00000004"))
    torch.rand(3)
    main(
        [
            "--out",
            str(tmp_path / "half"),
            "--resume",
            "auto",
            "--device",
            "cpu",
            "--log-every",
            "1",
            "--save-every",
            "2",
        ]
    )
    assert "after 2 of 4 steps" in capsys.readouterr().out
    assert losses(tmp_path / "half") == losses(tmp_path / "run")
    model, tokenizer = lmkit.load(tmp_path / "half")
    assert type(model) is HEADS[objective] and model.config.vocab_size > len(tokenizer)
    marks = checkpoints.load(tmp_path / "half")[2]["marks"]
    assert marks["n_tokens"] == len(tokenizer) and model.config.vocab_size == Marks(**marks).vocab_size
    for (name, a), b in zip(weights(tmp_path / "run").items(), model.state_dict().values(), strict=True):
        assert torch.equal(a, b), name


def test_where_words_and_sentences_begin():
    text = "the cat sat! and, oh: it sat on it."
    characters = lmkit.tokenizers.Characters(text)
    begins = np.flatnonzero(word_begins(characters, np.array(characters.encode(text))))
    assert [text[i] for i in begins if text[i].isalnum()] == list("tcsaoisoi")
    for kind, size in (("byte_bpe", 270), ("wordpiece", 35), ("unigram", 35)):
        subwords = lmkit.tokenizers.TOKENIZERS[kind].train(text * 9, size)
        ids = subwords.encode(text)
        pieces = [subwords.by_id[i] for i, new in zip(ids, word_begins(subwords, np.array(ids))) if new]
        assert {piece.lstrip("Ġ▁")[:1] for piece in pieces} >= set("csaoi"), kind
    words = lmkit.tokenizers.Words(tales.VOCABULARY)
    ids = np.array(words.encode("Once there was a boy. “No!” said Max. Max ran.\n\nOnce Max ran.\n\n"))
    said = np.array(words.by_id)[ids]
    starts = np.flatnonzero(np.append(tales.END, said[:-1]) == tales.END)
    at = sentence_begins(words, ids, starts)
    assert [" ".join(s) for s in np.split(said, at[1:])] == [
        "Once there was a boy .", "“ No ! ” said Max .", "Max ran . \n\n", "Once Max ran . \n\n"
    ]  # fmt: skip


def test_ranks_share_what_an_objective_makes():
    s = Settings(objective="masked", batch_size=4, seq_len=16)
    what = tales_task(16, 20_000)
    whole, *shares = (
        next(stream(s, what, World(rank, size, torch.device("cpu")), 3)) for rank, size in ((0, 1), (0, 2), (1, 2))
    )
    assert all(torch.equal(torch.cat([share[name] for share in shares]), whole[name]) for name in whole)
    with pytest.raises(ValueError, match="a batch of 4 cannot be shared evenly by 3 ranks"):
        next(stream(s, what, World(0, 3, torch.device("cpu"))))


def test_tensorboard_reads_what_the_log_says(cats, tmp_path, monkeypatch):
    """Also after going on: what was undone is not shown twice."""
    reader = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    board = ["--tensorboard", str(tmp_path / "board"), "--save-every", "2"]
    main([*cats, "--steps", "4", *board])
    shutil.rmtree(tmp_path / "run" / "step-00000004")
    main([*cats, *board, "--resume", "auto"])
    found = reader.EventAccumulator(str(tmp_path / "board")).Reload()
    train, held = losses(tmp_path / "run")
    assert [(e.step, e.value) for e in found.Scalars("loss")] == [
        (i + 1, pytest.approx(x)) for i, x in enumerate(train)
    ]
    assert [(e.step, e.value) for e in found.Scalars("held_out")] == [
        (2, pytest.approx(held[0])),
        (4, pytest.approx(held[1])),
    ]
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    assert "TensorBoard is not installed: pip install tensorboard" in refused([*cats[:-1], str(tmp_path / "b"), *board])


def test_nothing_to_go_on_from_is_a_new_run(cats, tmp_path):
    main([*cats, "--steps", "2", "--resume", "auto"])
    assert len(losses(tmp_path / "run")[0]) == 2


def test_another_run_may_branch_off_with_a_rate_of_its_own(cats, tmp_path, capsys):
    main([*cats, "--steps", "9", "--save-every", "3"])
    from_there = ["--resume", str(tmp_path / "run" / "step-00000006"), "--device", "cpu", "--log-every", "1"]
    branch = tmp_path / "branch"
    main([*from_there, "--lr", "0.001", "--steps", "8", "--out", str(branch)])
    said, steps = capsys.readouterr().out, [path.name for path in checkpoints.steps_of(branch)]
    assert "after 6 of 8 steps" in said and steps[-1] == "step-00000008" and len(losses(branch)[0]) == 2
    assert losses(branch)[0][0] == losses(tmp_path / "run")[0][6], "the same weights and the same batch"
    assert losses(branch)[1][0] == losses(tmp_path / "run")[1][1]
    assert "step-00000006 was trained with other settings: model (" in refused(
        [*from_there, "--ffn", "relu", "--out", str(tmp_path / "other")]
    )
    assert "holds a run" in refused([*from_there, "--out", str(branch)])
    (branch / "step-00000008" / "state.json").unlink()
    main(["--out", str(branch), "--resume", "auto", "--device", "cpu"])
    assert "step-00000008/state.json is missing" in (said := capsys.readouterr().out) and "after 7 of 8" in said


# ---- settings and budgets


def test_settings_come_from_recipe_file_and_flags(tmp_path, capsys):
    told = lambda *argv: arguments([*argv, "--device", "cpu"]).settings  # noqa: E731
    assert told() == Settings() and told("--lr", "0.5").lr == 0.5
    recipe = told("--recipe", "speedrun", "--steps", "7")
    assert recipe.to_dict() == Settings.from_dict(RECIPES["speedrun"] | {"steps": 7}).to_dict()
    (tmp_path / "own.json").write_text(json.dumps({"lr": 0.25, "model": {"ffn": "relu"}}), encoding="utf-8")
    mixed = told(
        "--recipe", "speedrun", "--config", str(tmp_path / "own.json"), "--norm", "layernorm", "--clip", "none"
    )
    assert (mixed.lr, mixed.model, mixed.clip) == (0.25, {"ffn": "relu", "norm": "layernorm"}, None)
    rope = told("--positions", '{"name": "rope", "theta": 500.0}', "--no-tied", "--n-kv-heads", "1").config(9)
    assert rope.positions == {"name": "rope", "theta": 500.0} and not rope.tied and rope.n_kv_heads == 1
    assert told("--preset", "gpt2").config(50257) == lmkit.presets.get("gpt2")
    for recipe in RECIPES.values():
        assert Settings.from_dict(recipe).to_dict() | recipe == Settings.from_dict(recipe).to_dict()


def test_budgets_become_steps(cats, tmp_path, capsys):
    main([*cats, "--tokens", "96"])
    assert "3 steps of 2 x 16 tokens" in capsys.readouterr().out
    model = lmkit.load(tmp_path / "run")[0]
    flops = 5 * 2 * 16 * lmkit.count(model.config, 16).training_flops
    main([*cats[:-1], str(tmp_path / "b"), "--flops", str(flops)])
    assert "5 steps of 2 x 16 tokens" in capsys.readouterr().out
    main([*cats[:-1], str(tmp_path / "c"), "--seconds", "0.2"])
    said = capsys.readouterr().out
    assert "ms a step" in said and len(losses(tmp_path / "c")[0]) == int(said.split("ms a step: ")[1].split()[0])


def test_documents_packed_into_rows(tmp_path, capsys):
    main([*FEW, "--steps", "3", "--seq-len", "128", "--pack", "--out", str(tmp_path / "run")])
    assert "exact floor" in capsys.readouterr().out and len(losses(tmp_path / "run")[1]) == 3
    what = packed_task(tales_task(128, 20_000), 128)
    rows = what.ids.reshape(-1, 129)
    words = np.array(what.tokenizer.by_id)[rows]
    assert (words[:, 0] == "Once").mean() > 0.1 and what.documents.reshape(rows.shape)[:, 0].min() >= 0
    stories = " ".join(words.ravel()).split("\n\n")
    told = " ".join(tales.generate(20_000).words).split("\n\n")
    assert {story.strip() for story in told} <= {story.strip() for story in stories}, "each of them is in one piece"


def test_a_preset_brings_its_context_and_a_rate_for_its_width():
    gpt2 = arguments(["--preset", "gpt2", "--device", "cpu"]).settings
    assert (gpt2.seq_len, gpt2.lr, gpt2.weight_decay) == (1024, pytest.approx(6e-4), 0.1)
    own = arguments(["--preset", "gpt2", "--lr", "0.5", "--seq-len", "9", "--device", "cpu"]).settings
    assert (own.seq_len, own.lr) == (9, 0.5)
    learned = arguments(["--positions", "learned", "--seq-len", "64", "--device", "cpu"]).settings
    assert learned.config(9).max_seq_len == 64, "there is no training beyond"


def test_shards_with_the_tokenizer_that_made_them(tmp_path, capsys):
    tokenizer = lmkit.tokenizers.ByteBPE.train(TEXT, 266)
    tokenizer.save(tmp_path / "tokenizer.json")
    lmkit.tokenizers.ByteBPE.train(TEXT, 262).save(tmp_path / "other.json")
    shards.prepare([TEXT] * 3, tokenizer, tmp_path / "shards", source="cats", tokens_per_shard=700)
    argv = ["--corpus", str(tmp_path / "shards"), *FEW, "--steps", "2", "--out", str(tmp_path / "run")]
    main([*argv, "--tokenizer", str(tmp_path / "tokenizer.json")])
    assert "3-gram counter" in capsys.readouterr().out and len(lmkit.load(tmp_path / "run")[1]) == 266
    for more, sentence in (
        ([], "say by --tokenizer"),
        (["--tokenizer", str(tmp_path / "other.json")], "another tokenizer"),
    ):
        with pytest.raises(SystemExit, match=sentence):
            main([*argv[:-1], str(tmp_path / "b"), *more])


# ---- what it refuses


def refused(argv):
    with pytest.raises(SystemExit) as stop:
        main(argv)
    assert "\n" not in str(stop.value) and str(stop.value).startswith("lmkit.pretrain: ")
    return str(stop.value)


def test_a_folder_that_is_in_use(cats, tmp_path):
    main([*cats, "--steps", "2"])
    assert "holds a run: --resume auto goes on with it; else give another --out" in refused([*cats, "--steps", "2"])
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.txt").write_text("mine", encoding="utf-8")
    assert "is not empty; else give another" in refused([*cats[:-1], str(tmp_path / "notes"), "--steps", "2"])
    assert "no whole checkpoint" in refused([*cats[:-1], str(tmp_path / "notes"), "--resume", "auto"])
    assert (tmp_path / "notes" / "a.txt").read_text(encoding="utf-8") == "mine"


def test_other_settings_than_those_of_the_checkpoint(cats, tmp_path):
    main([*cats, "--steps", "2"])
    said = refused([*cats, "--steps", "2", "--lr", "0.5", "--ffn", "relu", "--resume", "auto"])
    assert "was trained with other settings: model (" in said and "lr (0.01 there, 0.5 here)" in said


def test_a_run_that_diverges_keeps_its_last_good_checkpoint(cats, tmp_path, monkeypatch):
    train = lmkit.pretrain.running.train

    def broken(model, stream, objective, **how):
        seen = iter([1.0] * 5 + [float("nan")])
        return train(model, stream, lambda m, batch: objective(m, batch) * next(seen), **how)

    monkeypatch.setattr(lmkit.pretrain.running, "train", broken)
    said = refused([*cats, "--steps", "9", "--save-every", "2"])
    assert "the loss is nan at step 5, with the learning rate" in said and "try a third of the rate" in said
    kept = tmp_path / "run" / "step-00000004"
    assert f"The last good checkpoint is {kept}: --resume {kept} --out NEW --lr ... goes on from there" in said
    assert all(torch.isfinite(w).all() for w in weights(tmp_path / "run").values())


@pytest.mark.parametrize(
    "problem",
    [torch.OutOfMemoryError("CUDA out of memory"), RuntimeError("DefaultCPUAllocator: can't allocate memory")],
)
def test_too_little_memory_is_said(cats, monkeypatch, problem):
    def full(*args, **how):
        raise problem

    monkeypatch.setattr(lmkit.pretrain.running, "train", full)
    assert "does not hold a batch of 2 x 16 tokens in 1 part(s): read it in more parts (--accumulate 2)" in refused(
        cats
    )


def test_too_large_a_batch(cats):
    """For good: more bytes than a processor has addresses for."""
    said = refused([*cats, "--batch-size", str(10**14), "--steps", "2"])
    assert f"does not hold a batch of {10**14} x 16 tokens in 1 part(s)" in said


def test_a_full_disk_leaves_the_last_checkpoint(cats, tmp_path, monkeypatch):
    fsync, calls = atomic._fsync, []

    def full(path):
        if path.parent.name.startswith(".step-00000006"):
            raise OSError(errno.ENOSPC, "No space left on device")
        calls.append(path)
        fsync(path)

    monkeypatch.setattr(atomic, "_fsync", full)
    said = refused([*cats, "--steps", "9", "--save-every", "3"])
    assert f"the disk is full; the last checkpoint, {tmp_path / 'run' / 'step-00000003'}, is whole" in said and calls
    assert said.endswith("--resume auto")
    monkeypatch.undo()
    assert [path.name for path in checkpoints.steps_of(tmp_path / "run")] == ["step-00000003"]
    main([*cats, "--steps", "9", "--save-every", "3", "--resume", "auto"])
    assert len(losses(tmp_path / "run")[0]) == 9


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (["--corpus", "CATS", "--objective", "next_sentence"], "pairs of sentences are made of texts with documents"),
        (["--corpus", "CATS", "--objective", "masked_words", "--tokenizer", "bytes"], "whole words are known of"),
        (["--corpus", "CATS", "--pack"], "a text without ends of documents cannot be packed"),
        (["--corpus", "nowhere"], "is neither a file nor one of the known corpora"),
        (["--corpus", "SHORT"], "has 5 tokens; training needs at least 170 for a context of 16"),
        (["--corpus", "tinystories"], "is a corpus of documents; make token shards of it first"),
        (["--corpus", "CATS", "--tokenizer", "nothing"], "is no file and none of characters"),
        (["--corpus", "CATS", "--tokenizer", "byte_bpe"], "say how many tokens, as in byte_bpe:4096"),
    ],
)
def test_what_cannot_be_read(argv, sentence, tmp_path):
    (tmp_path / "short.txt").write_text("short", encoding="utf-8")
    (tmp_path / "cats.txt").write_text(TEXT, encoding="utf-8")
    paths = {"SHORT": str(tmp_path / "short.txt"), "CATS": str(tmp_path / "cats.txt")}
    argv = [paths.get(a, a) for a in argv]
    assert sentence in refused([*argv, *FEW, "--out", str(tmp_path / "run")]) and not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (["--steps", "0"], "steps must be at least 1, not 0"),
        (["--lr", "-1"], "lr must be above 0, not -1.0"),
        (["--tokens", "0"], "--tokens must be above 0, not 0"),
        (["--optimizer", "adam"], "optimizer: 'adam' is not one of ['adamw', 'muon', 'sgd']"),
        (["--norm", "batch"], "'batch' is not one of"),
        (
            ["--objective", "masked", "--causal"],
            "masked is for models that look both ways, and this one looks back only",
        ),
        (["--objective", "masked", "--pack"], "packing is for the objective causal, not for masked"),
        (["--objective", "spans", "--preset", "gpt2"], "is for models that have an encoder and a decoder"),
        (["--preset", "bert-base"], "is for models that look back only, and this one looks both ways"),
        (["--preset", "t5-small"], "is for models that look back only, and this one has an encoder"),
        (["--steps", "3", "--tokens", "5"], "--steps is a budget of its own"),
        (["--n-heads", "5"], "n_heads (5) must divide d_model"),
        (["--recipe", "fast"], "--recipe 'fast' is not one of"),
        (["--preset", "gpt9"], "'gpt9' is not one of"),
        (["--config", "no.json"], "no.json"),
        (["--positions", "{rope"], "is no JSON"),
        (["--device", "tpu"], "--device tpu cannot be used here"),
        (["--precision", "float8"], "precision must be auto, float32 or bfloat16"),
        (["--steps", "3", "--tokens", "5", "--flops", "3"], "not allowed with argument"),
    ],
)
def test_flags_that_make_no_run(argv, sentence, capsys):
    with pytest.raises(SystemExit) as stop:
        arguments(argv)
    assert stop.value.code == 2 and sentence in capsys.readouterr().err


def test_help_teaches(capsys):
    with pytest.raises(SystemExit):
        arguments(["--help"])
    said = capsys.readouterr().out
    for word in ("--corpus", "--norm", "rmsnorm_plus_one", "--seconds", "--resume auto", "torchrun", "--accumulate"):
        assert word in said
