"""Bits per byte and calibration: against transformers, by hand, and against the tales' exact probabilities."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import lmkit
from lmkit.corpora import tales
from lmkit.evaluate import calibrated, main, measure, predictions, windows
from lmkit.tokenizers import Bytes, Words

TEXT = "Wer reitet so spät durch Nacht und Wind? Es ist der Vater mit seinem Kind. " * 3


def small(**choices):
    torch.manual_seed(0)
    how = dict(d_model=16, n_layers=2, n_heads=2, max_seq_len=64, positions="rope") | choices
    return lmkit.LM(lmkit.Config(256, **how)).eval()


def test_the_loss_is_transformers(tmp_path):
    """Of a random GPT-2, over a text that fits into its window, by its own loss."""
    from transformers import AutoModelForCausalLM

    model, tokenizer = small(positions="learned", max_seq_len=300), Bytes()
    lmkit.export(model, None, tmp_path / "a")
    theirs = AutoModelForCausalLM.from_pretrained(tmp_path / "a").eval()
    ids = torch.tensor([tokenizer.encode(TEXT)])
    found, _ = measure(model, tokenizer, TEXT)
    assert found.nats == pytest.approx(theirs(ids, labels=ids).loss.item(), rel=1e-5)
    assert found.tokens == found.bytes == len(TEXT.encode()) - 1
    assert found.bits_per_byte == pytest.approx(found.nats / math.log(2))
    assert found.perplexity == pytest.approx(math.exp(found.nats))


@pytest.mark.parametrize(("window", "stride"), [(64, 64), (64, 32), (64, 1), (17, 5), (9, 9), (500, 100)])
def test_windows_ask_for_each_token_once_with_what_stands_before_it(window, stride):
    model, ids = small(max_seq_len=600), torch.tensor(Bytes().encode(TEXT))
    parts = list(predictions(model, ids, window, stride, batch_size=3))
    logits, targets = (torch.cat(part) for part in zip(*parts))
    assert torch.equal(targets, ids[1:])
    for i in (0, 5, window - 1, window, window + 3, 100, len(ids) - 2):
        if i >= len(targets):
            continue
        last = len(ids) - 1 - min(window, len(ids) - 1)
        start = 0 if i < window else min(last, -(-(i + 1 - window) // stride) * stride)
        alone = model(ids[None, start : i + 1])[0, -1]
        torch.testing.assert_close(logits[i], alone, atol=1e-5, rtol=1e-4)
        assert i - start >= min(i, window - stride)


def test_few_logits_are_held_at_once(monkeypatch):
    """Whatever the batch: no more than the bound, or one window; and the same predictions."""
    model, ids, rows = small(), torch.tensor(Bytes().encode(TEXT)), []
    whole = torch.cat([part for part, _ in predictions(model, ids, 64, 32)])
    model.register_forward_pre_hook(lambda _, told: rows.append(len(told[0])))
    for bound, most in ((2 * 64 * 256, 2), (1, 1)):
        monkeypatch.setattr("lmkit.evaluate.AT_ONCE", bound)
        rows.clear()
        parts = torch.cat([part for part, _ in predictions(model, ids, 64, 32)])
        assert max(rows) == most
        torch.testing.assert_close(parts, whole, atol=1e-5, rtol=1e-4)


def test_a_window_that_nobody_asked_for_is_bounded():
    long = small(max_seq_len=131072)
    assert windows(long, None, None) == (2048, 1024) and windows(long, 4096, None) == (4096, 2048)
    assert windows(small(), None, None) == (64, 32)


def test_words_count_the_bytes_that_they_stand_for():
    class Even(nn.Module):
        """Every word alike."""

        config = lmkit.Config(len(tales.VOCABULARY), d_model=8, n_heads=2, n_layers=1)

        def __init__(self):
            super().__init__()
            self.p = nn.Parameter(torch.zeros(1))

        def forward(self, ids):
            return torch.zeros(*ids.shape, self.config.vocab_size)

    words, text = Words(tales.VOCABULARY), tales.generate(200, seed=4).text
    found, _ = measure(Even(), words, text, window=32)
    n = len(words.encode(text))
    assert found.nats == pytest.approx(math.log(len(words)), rel=1e-6) and found.tokens == n - 1
    assert found.bytes == len(text.encode()) - len(words.decode(words.encode(text)[:1]))


def test_calibration_by_hand():
    sure = torch.tensor([0.95, 0.85, 0.85, 0.15, 1.0])
    found = calibrated(sure, torch.tensor([True, True, False, False, True]))
    assert found.counts.tolist() == [0, 1, 0, 0, 0, 0, 0, 0, 2, 2]
    assert found.confidence[[1, 8, 9]].tolist() == pytest.approx([0.15, 0.85, 0.975])
    assert found.accuracy[[1, 8, 9]].tolist() == pytest.approx([0.0, 0.5, 1.0])
    assert found.error == pytest.approx((1 * 0.15 + 2 * 0.35 + 2 * 0.025) / 5)
    assert "0.80 to 0.90" in repr(found) and "expected calibration error 0.1800" in repr(found)


def test_the_tales_own_probabilities_are_calibrated_and_surer_ones_are_not():
    """The oracle's guess is right as often as it says; with 0.2 more it would be too sure."""
    sure, right, too_sure = [], [], []
    for story in tales.stories(60, seed=3):
        for i in range(1, len(story.words), 2):
            following = tales.oracle(story.words[:i])
            word, p = max(following.items(), key=lambda pair: pair[1])
            sure.append(p)
            right.append(word == story.words[i])
            too_sure.append(p + 0.2 if p < 0.8 else p)
    true = calibrated(torch.tensor(sure, dtype=torch.float64), torch.tensor(right))
    for n, said, was in zip(true.counts.tolist(), true.confidence.tolist(), true.accuracy.tolist()):
        if n >= 20:
            assert abs(said - was) <= 4 * math.sqrt(max(said * (1 - said), 1e-3) / n)
    assert calibrated(torch.tensor(too_sure, dtype=torch.float64), torch.tensor(right)).error > 2 * true.error


def test_calibration_of_a_model_is_that_of_its_softmax():
    model, ids = small(), torch.tensor(Bytes().encode(TEXT))
    logits = torch.cat([part for part, _ in predictions(model, ids, 64, 32)])
    top = F.softmax(logits, dim=-1).max(-1)
    wanted = calibrated(top.values, top.indices == ids[1:])
    assert measure(model, Bytes(), TEXT)[1].error == pytest.approx(wanted.error)


def test_the_command(tmp_path, capsys, monkeypatch):
    (tmp_path / "story.txt").write_text(tales.generate(300, seed=5).text, encoding="utf-8")
    main(["tales", str(tmp_path / "story.txt"), "--device", "cpu"])
    said = capsys.readouterr().out
    assert "bits per byte over" in said and "perplexity" in said and "expected calibration error" in said
    model, tokenizer = lmkit.load("tales")
    found, _ = measure(model, tokenizer, (tmp_path / "story.txt").read_text(encoding="utf-8"))
    assert f"{found.bits_per_byte:.4f} bits per byte" in said


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (["nowhere", "excerpt"], "'nowhere' is no folder here"),
        (["tales", "nothing.txt"], "there is no file 'nothing.txt'"),
        (["tales", "excerpt"], "is not among the 464 words"),
        (["tales", "tales", "--limit", "6"], "leaves nothing to predict"),
        (["tales", "tales", "--limit", "90", "--stride", "900"], "the stride must lie between 1 and the window"),
    ],
)
def test_what_the_command_refuses(argv, sentence, capsys, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(SystemExit) as stop:
        main([*argv, "--device", "cpu"])
    assert sentence in str(stop.value) and "\n" not in str(stop.value)


def test_models_that_look_both_ways_are_refused():
    with pytest.raises(ValueError, match="this one looks both ways"):
        measure(small(causal=False), Bytes(), TEXT)
