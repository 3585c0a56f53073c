"""The pretraining command, on a few steps: what it says, what it leaves, and what it refuses."""

import pytest
import torch

from lmkit import checkpoints, ngrams
from lmkit.corpora import tales
from lmkit.pretrain import SIZES, arguments, main, tales_task, text_task
from lmkit.tokenizers import from_dict


def test_tales_from_the_command_to_a_loaded_checkpoint(tmp_path, capsys):
    main(["--steps", "3", "--batch-size", "2", "--seq-len", "32", "--out", str(tmp_path / "run"), "--device", "cpu"])
    said = capsys.readouterr().out
    assert "exact floor: 0." in said and "bits per byte" in said and "Once there" in said and "saved in" in said
    model, tokenizer, provenance = checkpoints.load(tmp_path / "run")
    assert provenance["steps"] == 3 and provenance["loss"] > provenance["exact_floor"] > 0.3
    assert provenance["command"].startswith("python -m lmkit.pretrain --corpus tales --steps 3")
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


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (["--corpus", "nowhere"], "lmkit.pretrain: "),
        (["--corpus", "SHORT"], "training needs at least 1290"),
    ],
)
def test_what_it_refuses(argv, sentence, tmp_path, capsys):
    (tmp_path / "short.txt").write_text("short", encoding="utf-8")
    argv = [str(tmp_path / "short.txt") if a == "SHORT" else a for a in argv]
    with pytest.raises(SystemExit) as stop:
        main([*argv, "--out", str(tmp_path / "run")])
    assert sentence in str(stop.value) and "\n" not in str(stop.value) and not (tmp_path / "run").exists()


def test_arguments(capsys):
    with pytest.raises(SystemExit):
        arguments(["--steps", "0"])
    assert "--steps must be above 0, not 0" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        arguments(["--help"])
    assert "--corpus" in capsys.readouterr().out
