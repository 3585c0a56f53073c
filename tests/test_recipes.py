"""The recipes: what they say of themselves holds, and a few of their steps learn."""

import json

import pytest
import torch

from lmkit.config import Config
from lmkit.heads import LM
from lmkit.pretrain import Settings, main
from lmkit.recipes import RECIPES

ALPHABET = 65  # characters of tiny Shakespeare


def parameters_by_hand(name):
    """Counted on paper: embeddings, four matrices of attention, those of the network, the gains of the norms."""
    if name == "nanogpt":  # 65 + 64 vectors; 4 + 2 * 4 squares a layer, two gains and shifts; the last norm
        return 129 * 128 + 4 * (12 * 128**2 + 4 * 128) + 2 * 128
    d_model, d_ff, d_head = {"speedrun": (128, 341, 64), "equal_time": (192, 512, 64)}[name]
    layer = 4 * d_model**2 + 3 * d_model * d_ff + 4 * d_model + 2 * d_head
    return 2 * ALPHABET * d_model + 4 * layer + 2 * d_model


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_is_a_run_of_the_program(name):
    plain = json.loads(json.dumps(RECIPES[name], allow_nan=False))
    assert Settings.from_dict(plain).to_dict().items() >= RECIPES[name].items()
    assert Settings.from_dict(plain).config(ALPHABET) == Config(ALPHABET, **RECIPES[name]["model"])


@pytest.mark.parametrize("name", RECIPES)
def test_it_has_the_parameters_that_it_says(name):
    with torch.device("meta"):
        model = LM(Config(ALPHABET, **RECIPES[name]["model"]))
    assert sum(p.numel() for p in model.parameters()) == parameters_by_hand(name)
    assert name == "equal_time" or 0.79e6 < parameters_by_hand(name) < 0.82e6


@pytest.mark.parametrize("name", RECIPES)
def test_its_first_steps_learn(name, tmp_path):
    """By the command, with nothing changed but the text and how long it is trained."""
    (tmp_path / "alphabet.txt").write_text("abcdefghijk" * 90, encoding="utf-8")
    run = tmp_path / "run"
    few = "--steps 12 --warmup 2 --batch-size 2 --seq-len 32 --log-every 1 --device cpu".split()
    main(["--recipe", name, "--corpus", str(tmp_path / "alphabet.txt"), "--out", str(run), *few])
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    losses = [line["loss"] for line in lines if "loss" in line]
    assert losses[0] > 2.2 and losses[-1] < (2.0 if name == "nanogpt" else 1.0)
