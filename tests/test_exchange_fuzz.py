"""Damaged checkpoints: each loads with exactly the numbers that its file holds, or is refused in one sentence.

A flipped bit in the weights of a plain checkpoint is a number like any other, unless it makes a nan or an infinity: the
format has no checksum. Folders that lmkit wrote have a manifest, and there every flip is refused.
"""

import json
import random
import shutil

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from lmkit import LM, Config, checkpoints
from lmkit.exchange import export, load
from lmkit.exchange.tensors import INDEX, SINGLE
from lmkit.presets import FAMILIES
from lmkit.presets.format import Settings

pytestmark = pytest.mark.filterwarnings("ignore:.*unknown to lmkit")

CONFIG = Config(7, 6, 2, 3, d_ff=5, max_seq_len=4, ffn="gelu", eps=1e-3)
# What config.json says, and what it must come to; written out here, so that it is no reading by the loader itself.
SAID = {
    "vocab_size": "vocab_size",
    "n_embd": "d_model",
    "n_layer": "n_layers",
    "n_head": "n_heads",
    "n_inner": "d_ff",
    "n_positions": "max_seq_len",
    "layer_norm_epsilon": "eps",
    "tie_word_embeddings": "tied",
}
NAMES = ["", "x\ny", "../..", "\0", "gpt2", "bert", "llama", "t5", "GPT2Model", "BertModel", "gelu", "swiglu", "7"]
NUMBERS = [-1, 0, 1, 2, 3, 5, 7, 10**9, 2**31 - 1, 2**31, 10**18, 10**40, 0.5, 1e-30, float("nan"), float("inf")]
WEIRD = [*NAMES, *NUMBERS, None, True, False, [], [1], [[]], ["GPT2Model", 3], {}, {"a": 1}]


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """A checkpoint in one file, without the manifest that only lmkit writes."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("fuzz") / "plain"
    export(LM(CONFIG), None, folder)
    (folder / "manifest.json").unlink()
    return folder


@pytest.fixture(scope="module")
def sharded(plain):
    model, _ = load(plain)
    folder = export(model, None, plain.with_name("sharded"), max_shard_size=700)
    (folder / "manifest.json").unlink()
    assert len(list(folder.glob("*.safetensors"))) > 2
    return folder


@pytest.fixture(scope="module")
def original(plain):
    model, _ = load(plain)
    return model.state_dict()


def copy_of(folder, tmp_path, number):
    copy = tmp_path / str(number)
    shutil.copytree(folder, copy)
    return copy


def outcome(folder):
    """The model, or None if the folder was refused as it should be."""
    try:
        return load(folder)[0]
    except (ValueError, FileNotFoundError) as error:
        sentence = str(error)
        assert "\n" not in sentence and folder.name in sentence and 20 < len(sentence) < 600, repr(sentence)
        assert isinstance(error, ValueError | FileNotFoundError) and error.__cause__ is None
        return None


def same(model, weights):
    """Whether the weights are these, under a head or without one."""
    ours = {name.removeprefix("body."): tensor for name, tensor in model.state_dict().items()}
    return len(ours) == len(weights) and all(
        torch.equal(ours[name.removeprefix("body.")], weights[name]) for name in weights
    )


def as_said(model, folder):
    """Whether the model has the sizes that its config.json now tells."""
    said = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    said = {"layer_norm_epsilon": 1e-5, "tie_word_embeddings": True} | {k: v for k, v in said.items() if v is not None}
    return all(getattr(model.config, ours) == said.get(theirs) for theirs, ours in SAID.items())


def flipped(data, rng, first=0, last=None, times=1):
    data = bytearray(data)
    for _ in range(times):
        data[rng.randrange(first, len(data) if last is None else last)] ^= 1 << rng.randrange(8)
    return bytes(data)


def header_end(data):
    return 8 + int.from_bytes(data[:8], "little")


def test_flips_in_the_header(plain, original, tmp_path):
    rng, whole = random.Random(1), (plain / SINGLE).read_bytes()
    folder, refused = copy_of(plain, tmp_path, "flips"), 0
    for _ in range(400):
        (folder / SINGLE).write_bytes(flipped(whole, rng, last=header_end(whole), times=rng.choice([1, 1, 2, 5])))
        model = outcome(folder)
        refused += model is None
        assert model is None or same(model, original)
    assert refused > 380  # of the rest, all were in what nobody reads


def bits(tensors):
    """All numbers, as the bits that they are, in order of size."""
    return torch.cat([tensor.reshape(-1) for tensor in tensors]).view(torch.int32).sort().values


def test_flips_in_the_weights(plain, original, tmp_path):
    rng, whole = random.Random(2), (plain / SINGLE).read_bytes()
    folder, start, refused = copy_of(plain, tmp_path, "flips"), header_end(whole), 0
    for number in range(200):
        damaged = bytearray(flipped(whole, rng, start))
        if number % 4 == 0:  # all ones where the exponent stands
            top = start + 4 * rng.randrange((len(whole) - start) // 4) + 3
            damaged[top] |= 0x7F
            damaged[top - 1] |= 0x80
        (folder / SINGLE).write_bytes(damaged)
        model, held = outcome(folder), torch.from_numpy(np.frombuffer(damaged[start:], "<f4").copy())
        assert (model is not None) == bool(held.isfinite().all())
        refused += model is None
        if model is not None:
            weights = model.state_dict()
            assert torch.equal(bits(weights.values()), bits([held]))
            assert sum(not torch.equal(weights[name], original[name]) for name in original) <= 1
    assert refused >= 50


def test_files_cut_short_or_longer(plain, sharded, original, tmp_path):
    rng = random.Random(3)
    copies = [copy_of(plain, tmp_path, "plain"), copy_of(sharded, tmp_path, "sharded")]
    for number in range(250):
        folder = copies[number % 2]
        path = rng.choice(sorted(folder.iterdir()))
        whole = path.read_bytes()
        kept = rng.randrange(len(whole)) if number % 5 else rng.randrange(min(len(whole), 12))
        path.write_bytes(whole[:kept] if number % 7 else whole + rng.randbytes(1 + kept))
        model = outcome(folder)
        # a JSON file may lose the newline at its end
        assert model is None or (same(model, original) and path.suffix == ".json" and kept == len(whole) - 1)
        path.write_bytes(whole)
    assert all(same(outcome(folder), original) for folder in copies)


def test_flips_in_config_json(plain, original, tmp_path):
    rng, whole = random.Random(4), (plain / "config.json").read_bytes()
    folder, refused = copy_of(plain, tmp_path, "flips"), 0
    for _ in range(300):
        (folder / "config.json").write_bytes(flipped(whole, rng, times=rng.choice([1, 1, 2])))
        model = outcome(folder)
        refused += model is None
        assert model is None or (same(model, original) and as_said(model, folder))
    assert refused > 200


def test_configs_that_say_something_else(plain, original, tmp_path):
    rng, said = random.Random(5), json.loads((plain / "config.json").read_text(encoding="utf-8"))
    folder, loaded = copy_of(plain, tmp_path, "other"), 0
    for number in range(300):
        other = dict(said)
        for key in rng.sample(sorted(said), rng.choice([1, 1, 2])):
            if number % 8:
                other[key] = rng.choice(WEIRD)
            else:
                del other[key]
        (folder / "config.json").write_text(json.dumps(other), encoding="utf-8")
        model = outcome(folder)
        loaded += model is not None
        assert model is None or (same(model, original) and as_said(model, folder))
    assert 50 < loaded < 250


def test_flips_in_the_index(sharded, original, tmp_path):
    rng, whole = random.Random(6), (sharded / INDEX).read_bytes()
    folder, refused = copy_of(sharded, tmp_path, "flips"), 0
    for _ in range(200):
        (folder / INDEX).write_bytes(flipped(whole, rng, times=rng.choice([1, 1, 2, 20])))
        model = outcome(folder)
        refused += model is None
        assert model is None or same(model, original)
    assert refused > 150


def other_index(said, rng):
    """An index in which one thing is changed for another."""
    where = dict(said["weight_map"])
    name, other = rng.sample(sorted(where), 2)
    change = rng.randrange(6)
    if change == 0:
        return said | {"weight_map": rng.choice(WEIRD)}
    if change == 1:
        where[name] = rng.choice([shard for shard in {*where.values(), *NAMES} if shard != where[name]])
    elif change == 2:
        where[name] = rng.choice([value for value in WEIRD if not isinstance(value, str)])
    elif change == 3:
        del where[name]
    elif change == 4:
        where[name + rng.choice(NAMES) + "2"] = where[other]
    else:
        return rng.choice([*WEIRD, where, {"weight_map": [said]}])
    return said | {"weight_map": where}


def test_an_index_that_says_something_else(sharded, tmp_path):
    rng, said = random.Random(10), json.loads((sharded / INDEX).read_text(encoding="utf-8"))
    folder = copy_of(sharded, tmp_path, "other")
    for _ in range(150):
        other = other_index(said, rng)
        (folder / INDEX).write_text(json.dumps(other), encoding="utf-8")
        assert outcome(folder) is None, other


def other_tensors(tensors, rng):
    """(the tensors with one of them spoilt, whether anybody would need to see it)"""
    name = rng.choice(sorted(tensors))
    tensor, place = tensors[name].clone(), rng.randrange(tensors[name].numel())
    spoilt = {
        "missing": None,
        "renamed": None,
        "flat": tensor.reshape(-1) if tensor.ndim > 1 else tensor[None],
        "longer": torch.cat([tensor, tensor]),
        "shorter": tensor[:-1],
        "a number": tensor.reshape(-1)[0],
        "empty": tensor[:0],
        **{str(dtype): tensor.to(dtype) for dtype in (torch.int64, torch.int8, torch.bool, torch.float8_e4m3fn)},
        "nan": tensor.reshape(-1).index_fill(0, torch.tensor(place), torch.nan).reshape(tensor.shape),
        "inf": tensor.reshape(-1).index_fill(0, torch.tensor(place), torch.inf).reshape(tensor.shape),
        "-inf": tensor.reshape(-1).index_fill(0, torch.tensor(place), -torch.inf).reshape(tensor.shape),
    }
    kind = rng.choice([*spoilt, "extra"])
    rest = {key: value for key, value in tensors.items() if key != name}
    if kind == "extra":
        return kind, tensors | {rng.choice(["extra", name + ".scale", name.replace("h.0", "h.2") + "2"]): tensor}
    if kind == "renamed":
        return kind, rest | {name[:-1]: tensor}
    return kind, rest if spoilt[kind] is None else rest | {name: spoilt[kind].contiguous()}


def test_tensors_that_do_not_fit(plain, sharded, tmp_path):
    rng, kinds = random.Random(7), set()
    copies = [copy_of(plain, tmp_path, "plain"), copy_of(sharded, tmp_path, "sharded")]
    for number in range(250):
        folder = copies[number % 2]
        path = rng.choice(sorted(folder.glob("*.safetensors")))
        whole = path.read_bytes()
        kind, tensors = other_tensors(load_file(path), rng)
        save_file(tensors, path)
        assert outcome(folder) is None, kind
        path.write_bytes(whole)
        kinds.add(kind)
    assert len(kinds) == 15


def test_files_that_are_missing_or_no_files(plain, sharded, tmp_path):
    for folder in (plain, sharded):
        for path in sorted(folder.iterdir()):
            copy = copy_of(folder, tmp_path, f"{folder.name}-without-{path.name}")
            (copy / path.name).unlink()
            assert outcome(copy) is None
            (copy / path.name).mkdir()
            assert outcome(copy) is None
    with pytest.raises(FileNotFoundError, match="nowhere"):
        load(tmp_path / "nowhere")


@pytest.mark.parametrize("own", [False, True], ids=["exported", "the book's own"])
def test_every_flip_in_a_folder_with_a_manifest_is_refused(own, plain, tmp_path):
    rng, model = random.Random(8), load(plain)[0]
    folder = tmp_path / "whole"
    if own:
        checkpoints.save(model, folder, {"kind": "characters", "characters": list("abcdefg")}, steps=1)
    else:
        export(model, None, folder)
    assert same(outcome(folder), model.state_dict())
    files = sorted(folder.iterdir())
    for number in range(200):
        path = files[number % len(files)]
        whole = path.read_bytes()
        path.write_bytes(flipped(whole, rng) if number % 3 else whole[: rng.randrange(len(whole))])
        assert outcome(folder) is None, path
        path.write_bytes(whole)
    assert same(outcome(folder), model.state_dict())


def tiny(family):
    """A small model of the family: what becomes of a Config that goes through its config.json."""
    sizes = dict(vocab_size=7, d_model=8, n_layers=2, n_heads=2, d_head=4, d_ff=5, max_seq_len=6, n_segments=2)
    said = family.config_to(Config(**sizes, n_encoder_layers=1, positions="rope", ffn="gelu", norm="rmsnorm"))
    return next(iter(family.HEADS.values()))(family.config_from(Settings(said)))


@pytest.mark.parametrize("name", FAMILIES)
def test_configs_of_every_family_that_say_something_else(name, tmp_path):
    model = tiny(FAMILIES[name])
    path = export(model, None, tmp_path / "it", family=name) / "config.json"
    (tmp_path / "it" / "manifest.json").unlink()
    rng, said, refused = random.Random(9), json.loads(path.read_text(encoding="utf-8")), 0
    assert same(outcome(tmp_path / "it"), model.state_dict())
    for _ in range(60):
        path.write_text(json.dumps(said | {rng.choice(sorted(said)): rng.choice(WEIRD)}), encoding="utf-8")
        other = outcome(tmp_path / "it")
        refused += other is None
        assert other is None or same(other, model.state_dict())
    assert refused > 20
