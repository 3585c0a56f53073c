"""Whole or not there: files and folders under interruption."""

import json
import os

import pytest

from lmkit import atomic


def there(folder):
    return sorted(p.name for p in folder.iterdir())


def test_a_file_is_replaced_in_one_step_and_keeps_its_mode(tmp_path):
    path = tmp_path / "deep" / "a.txt"
    atomic.write(path, "é")
    assert path.read_bytes() == "é".encode() and path.stat().st_mode & 0o777 == 0o644
    path.chmod(0o600)
    atomic.write(path, b"new")
    assert path.read_bytes() == b"new" and path.stat().st_mode & 0o777 == 0o600 and there(path.parent) == ["a.txt"]


@pytest.mark.parametrize("step", ["replace", "fsync", "chmod"])
def test_an_interrupted_write_keeps_the_old_file(tmp_path, monkeypatch, step):
    atomic.write(tmp_path / "a.txt", "old")

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, step, interrupted)
    with pytest.raises(KeyboardInterrupt):
        atomic.write(tmp_path / "a.txt", "new")
    assert (tmp_path / "a.txt").read_text(encoding="utf-8") == "old" and there(tmp_path) == ["a.txt"]


def test_a_folder_gets_its_name_at_the_end(tmp_path):
    with atomic.new_folder(tmp_path / "x") as new:
        (new / "a.txt").write_text("1", encoding="utf-8")
        assert "x" not in there(tmp_path)
    assert there(tmp_path) == ["x"] and there(tmp_path / "x") == ["a.txt", "manifest.json"]
    atomic.check_manifest(tmp_path / "x")
    with pytest.raises(RuntimeError), atomic.new_folder(tmp_path / "x") as new:
        raise RuntimeError
    assert there(tmp_path) == ["x"] and (tmp_path / "x" / "a.txt").read_text(encoding="utf-8") == "1"
    (tmp_path / "other").mkdir()
    with pytest.raises(FileExistsError, match="other is there and is no checkpoint"):
        atomic.check_free(tmp_path / "other")


def test_a_manifest_is_held_against_every_file(tmp_path):
    with atomic.new_folder(tmp_path / "x") as new:
        (new / "a.txt").write_text("1", encoding="utf-8")
    folder = tmp_path / "x"
    (folder / "b.txt").write_text("2", encoding="utf-8")
    with pytest.raises(ValueError, match=r"b.txt is not named in manifest.json"):
        atomic.check_manifest(folder)
    (folder / "b.txt").unlink()
    (folder / "a.txt").write_text("2", encoding="utf-8")
    with pytest.raises(ValueError, match=r"a.txt is damaged: its sha256"):
        atomic.check_manifest(folder)
    (folder / "a.txt").unlink()
    with pytest.raises(ValueError, match=r"a.txt is missing"):
        atomic.check_manifest(folder)
    (folder / "manifest.json").write_text(json.dumps([1]), encoding="utf-8")
    with pytest.raises(ValueError, match="manifest.json is damaged"):
        atomic.check_manifest(folder)
