"""Checkpoints: whole or not there, refused when damaged."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from lmkit import checkpoints
from lmkit.heads import LM
from lmkit.model import Config

CONFIG = Config(11, d_model=16, n_layers=1, n_heads=2, max_seq_len=32, positions="rope")


def small(seed=0, **choices):
    torch.manual_seed(seed)
    return LM(replace(CONFIG, **choices))


def test_checkpoint_round_trip(tmp_path):
    model = small(tied=False)
    folder = checkpoints.save(model, tmp_path / "run" / "a", {"kind": "none"}, steps=3)
    loaded, tokenizer, provenance = checkpoints.load(folder)
    assert loaded.config == model.config and tokenizer == {"kind": "none"} and provenance == {"steps": 3}
    for (name, a), (_, b) in zip(model.state_dict().items(), loaded.state_dict().items(), strict=True):
        assert torch.equal(a, b), name
    checkpoints.save(small(seed=1), folder, {}, steps=4)  # replaces the older one, and leaves nothing beside it
    assert checkpoints.load(folder)[2] == {"steps": 4} and [p.name for p in folder.parent.iterdir()] == ["a"]


def test_an_encoder_decoder_is_saved_with_its_embedding_shared(tmp_path):
    model = small(n_encoder_layers=1).eval()
    loaded, _, _ = checkpoints.load(checkpoints.save(model, tmp_path / "a", {}))
    ids = torch.tensor([[1, 2, 3]])
    assert torch.equal(loaded(ids, source=ids), model(ids, source=ids))
    assert loaded.body.encoder.embed is loaded.body.decoder.embed


def test_a_damaged_checkpoint_is_refused(tmp_path):
    folder = checkpoints.save(small(), tmp_path / "a", {})
    weights = folder / "model.safetensors"
    data = bytearray(weights.read_bytes())
    data[-5] ^= 1  # one bit of one weight
    weights.write_bytes(data)
    with pytest.raises(ValueError, match=r"model.safetensors is damaged"):
        checkpoints.load(folder)
    weights.unlink()
    with pytest.raises(ValueError, match=r"model.safetensors is missing"):
        checkpoints.load(folder)


def test_a_failed_save_leaves_the_old_one_and_nothing_else(tmp_path, monkeypatch):
    folder = checkpoints.save(small(), tmp_path / "a", {}, steps=1)
    with pytest.raises(TypeError):
        checkpoints.save(small(seed=1), folder, {}, steps=object())  # no JSON
    assert checkpoints.load(folder)[2] == {"steps": 1} and [p.name for p in tmp_path.iterdir()] == ["a"]


def test_an_interrupted_exchange_keeps_the_old_one(tmp_path, monkeypatch):
    folder = checkpoints.save(small(), tmp_path / "a", {}, steps=1)
    rename, calls = Path.rename, []

    def interrupted(self, target):
        calls.append(self)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", interrupted)
    with pytest.raises(KeyboardInterrupt):
        checkpoints.save(small(seed=1), folder, {}, steps=2)
    assert checkpoints.load(folder)[2] == {"steps": 1} and [p.name for p in tmp_path.iterdir()] == ["a"]


@pytest.mark.parametrize("manifest", ["", "{}", "[]"])
def test_a_manifest_that_does_not_name_every_file(tmp_path, manifest):
    folder = checkpoints.save(small(), tmp_path / "a", {})
    (folder / "manifest.json").write_text(manifest, encoding="utf-8")
    with pytest.raises(ValueError, match="manifest.json"):
        checkpoints.load(folder)


def test_what_is_no_checkpoint(tmp_path):
    (tmp_path / "notes").mkdir()
    with pytest.raises(FileExistsError, match="is there and is no checkpoint"):
        checkpoints.save(small(), tmp_path / "notes", {})
    for name in ("nowhere", tmp_path / "notes"):
        with pytest.raises(FileNotFoundError, match="neither a checkpoint folder nor one of the book's models"):
            checkpoints.load(name)


def test_the_manifest_names_every_file(tmp_path):
    folder = checkpoints.save(small(), tmp_path / "a", {})
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert set(manifest) | {"manifest.json"} == {p.name for p in folder.iterdir()}
