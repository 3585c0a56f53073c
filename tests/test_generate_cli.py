"""`python -m lmkit.generate`: what it says, as it comes, and what it refuses."""

import io
import subprocess
import sys

import pytest
import torch

import lmkit
from lmkit.generate.__main__ import arguments, main
from lmkit.tokenizers import Bytes
from lmkit.tokens import end_of, ids_of, text_of


def test_it_says_what_generate_gives(capsys):
    main(["tales", "Once there", "--tokens", "20", "--count", "2", "--seed", "4", "--device", "cpu"])
    said = capsys.readouterr().out
    model, tokenizer = lmkit.load("tales")
    prompt = torch.tensor([tokenizer.encode("Once there")])
    texts = [tokenizer.decode(lmkit.generate(model, prompt, 20, seed=seed)[0].tolist()) for seed in (4, 5)]
    assert said == f"{texts[0]}\n\n{texts[1]}\n"


def test_half_a_character_waits_for_the_rest(capsys, tmp_path, monkeypatch):
    """A model of bytes that says "ä€" one byte after the other."""
    program = sys.modules[main.__module__]
    tokenizer, told = Bytes(), list("ä€!".encode())
    model = lmkit.LM(lmkit.Config(256, d_model=8, n_heads=2, n_layers=1, max_seq_len=64))
    monkeypatch.setattr(program, "load", lambda name, device: (model, tokenizer))
    monkeypatch.setattr(program, "stream", lambda *a, **how: (torch.tensor([i]) for i in told))
    written = []
    monkeypatch.setattr("sys.stdout", type("Out", (io.StringIO,), {"write": lambda self, s: written.append(s)})())
    main(["any", "a", "--device", "cpu"])
    assert [part for part in written if part not in ("", "\n")] == ["a", "ä", "€", "!"]


def test_it_stops_where_the_text_ends(capsys, monkeypatch):
    tokenizer = Bytes(special=("<|endoftext|>",))
    model = lmkit.LM(lmkit.Config(257, d_model=8, n_heads=2, n_layers=1, max_seq_len=64))
    told = [*tokenizer.encode("yes"), tokenizer.special["<|endoftext|>"], *tokenizer.encode("no")]
    monkeypatch.setattr(sys.modules[main.__module__], "load", lambda name, device: (model, tokenizer))
    monkeypatch.setattr(sys.modules[main.__module__], "stream", lambda *a, **how: (torch.tensor([i]) for i in told))
    main(["any", "a", "--device", "cpu"])
    assert capsys.readouterr().out == "ayes\n"


def test_the_prompt_may_come_in(capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("Once there\n"))
    main(["tales", "--tokens", "3", "--temperature", "0", "--device", "cpu"])
    assert capsys.readouterr().out.startswith("Once there ")


def test_both_kinds_of_tokenizer():
    ours = lmkit.tokenizers.ByteBPE.train("low lower lowest " * 9, 262, special=("<|endoftext|>",))
    for tokenizer in (ours, lmkit.tokenizers.fast(ours)):
        ids = ours.encode("lower")
        assert ids_of(tokenizer, "lower") == ids and text_of(tokenizer, ids) == "lower"
        assert end_of(tokenizer) == ours.special["<|endoftext|>"]
    assert end_of(Bytes()) is None


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (["nowhere", "hi"], "'nowhere' is no folder here"),
        (["tales", ""], "the prompt is empty"),
        (["tales", "Xyz"], "'Xyz' is not among the 464 words"),
        (["tales", "Once", "--tokens", "0"], "--tokens and --count must be at least 1, not 0 and 1"),
        (["tales", "Once", "--top-p", "7"], "top_p"),
        (["tales", "Once", "--device", "abacus"], "device 'abacus' cannot be used here"),
    ],
)
def test_what_it_refuses(argv, sentence, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(SystemExit) as stop:
        main(["--device", "cpu", *argv])
    assert sentence in str(stop.value) and "\n" not in str(stop.value)


def test_it_runs_as_a_module_without_a_warning():
    command = [sys.executable, "-W", "error", "-m", "lmkit.generate", "tales", "Once there", "--tokens", "2"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout.startswith("Once there") and done.stderr == ""


def test_help_teaches(capsys):
    with pytest.raises(SystemExit):
        arguments(["--help"])
    said = capsys.readouterr().out
    assert "--top-p" in said and "runs/tales" in said and "the likeliest" in said
