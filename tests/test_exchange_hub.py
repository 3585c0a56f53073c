"""lmkit.load from a hub: a small one on this machine's loopback, with the few addresses that huggingface_hub asks."""

import hashlib
import json
import re
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import torch

from lmkit import LM, Config
from lmkit.exchange import export, load

OLD, NEW, PICKLED = "a" * 40, "b" * 40, "c" * 40  # three commits


def folder_of(seed, path):
    torch.manual_seed(seed)
    return export(LM(Config(7, 6, 1, 2, max_seq_len=4)), None, path)


class Hub(BaseHTTPRequestHandler):
    """tiny/model at two commits; the server holds `files` {commit: {name: bytes}} and the `log` of what was asked."""

    protocol_version = "HTTP/1.1"

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        path, files = self.path.split("?")[0], self.server.files
        self.server.log.append((self.command, path))
        if found := re.fullmatch(r"/api/models/tiny/model/revision/(\w+)", path):
            commit = {"main": NEW, "v1": OLD}.get(found[1], found[1])
            if commit in files:
                siblings = [{"rfilename": name} for name in files[commit]]
                return self.answer(json.dumps({"id": "tiny/model", "sha": commit, "siblings": siblings}).encode())
            return self.answer(b"{}", 404, "RevisionNotFound")
        if found := re.fullmatch(r"/api/models/tiny/model/tree/(\w+)", path):
            tree = files[found[1]].items()
            rows = [{"type": "file", "path": n, "size": len(b), "oid": hashlib.sha1(b).hexdigest()} for n, b in tree]
            return self.answer(json.dumps(rows).encode())
        if found := re.fullmatch(r"/tiny/model/resolve/(\w+)/(.+)", path):
            return self.answer(files[found[1]][found[2]], commit=found[1])
        return self.answer(b"{}", 404, "RepoNotFound")

    def answer(self, body, status=200, error=None, commit=None):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Type", "application/json")
        if error:
            self.send_header("X-Error-Code", error)
        if commit:
            self.send_header("X-Repo-Commit", commit)
            self.send_header("ETag", f'"{hashlib.sha1(body).hexdigest()}"')
        self.end_headers()
        if self.command == "GET":
            cut = self.server.cut.pop(self.path.rsplit("/")[-1], None) if commit else None
            self.wfile.write(body[:cut])
            if cut is not None:
                self.close_connection = True  # in the middle of the file

    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    root = tmp_path_factory.mktemp("hub")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    server.folders = {OLD: folder_of(1, root / "old"), NEW: folder_of(2, root / "new")}
    extra = {
        "pytorch_model.bin": b"pickle",
        "onnx/model.safetensors": b"other",
        "README.md": b"#",
        "flax.msgpack": b"x",
    }
    server.files = {
        commit: {p.name: p.read_bytes() for p in folder.iterdir()} | extra for commit, folder in server.folders.items()
    }
    server.files[PICKLED] = extra | {"config.json": server.files[NEW]["config.json"]}
    server.log, server.cut = [], {}
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()


ASK = """
import json, sys, warnings
import torch
from lmkit.exchange import load
for how in json.loads(sys.argv[1]):
    try:
        model, tokenizer = load(how.pop("name"), **how)
        print("loaded", model.body.embed.weight.sum().item(), tokenizer)
    except Exception as error:
        print(type(error).__name__, str(error).replace(chr(10), "NEWLINE"))
"""


def ask(hub, home, *calls, **environment):
    """What load says to each of the calls, in a process of its own that knows this hub only."""
    import os

    port = hub.server_address[1]
    known = dict(HF_ENDPOINT=f"http://127.0.0.1:{port}", HF_HOME=str(home), HF_HUB_DISABLE_XET="1", NO_PROXY="*")
    env = {key: value for key, value in os.environ.items() if not key.lower().endswith("_proxy")} | known | environment
    done = subprocess.run(
        [sys.executable, "-c", ASK, json.dumps(calls)], capture_output=True, text=True, env=env, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines(), done.stderr


def test_a_model_of_the_hub(hub, tmp_path):
    sums = {commit: load(folder)[0].body.embed.weight.sum().item() for commit, folder in hub.folders.items()}
    hub.cut["model.safetensors"] = 1000  # the first answer breaks off
    said, progress = ask(
        hub,
        tmp_path,
        dict(name="tiny/model"),
        dict(name="tiny/model", revision="v1"),
        dict(name="tiny/model", revision=OLD),
        dict(name="tiny/model", revision="v9"),
        dict(name="tiny/none"),
        dict(name="tiny/model", revision=PICKLED),
    )
    assert said[:3] == [f"loaded {sums[NEW]} None", f"loaded {sums[OLD]} None", f"loaded {sums[OLD]} None"]
    assert said[3].startswith("FileNotFoundError 'tiny/model' at revision 'v9'"), said[3]
    assert said[4].startswith("FileNotFoundError 'tiny/none' is no folder here"), said[4]
    assert said[5].startswith("ValueError tiny/model holds pytorch_model.bin"), said[5]
    assert "t.GPT2LMHeadModel.from_pretrained('tiny/model').save_pretrained('model-safetensors')" in said[5]
    assert "NEWLINE" not in "".join(said)
    asked = [path for _, path in hub.log if "/resolve/" in str(path)]
    assert not [path for path in asked if path.endswith((".bin", ".md", ".msgpack")) or "onnx" in path]
    assert "100%" in progress, "progress is shown"
    files = [entry for entry in hub.log if entry[0] == "GET" and str(entry[1]).endswith("model.safetensors")]
    assert len(files) == 3, "two commits, one of them asked for again after it broke off"

    hub.log.clear()
    said, _ = ask(hub, tmp_path, dict(name="tiny/model", revision=NEW), dict(name="tiny/other"), HF_HUB_OFFLINE="1")
    assert said[0] == f"loaded {sums[NEW]} None" and hub.log == [], "the cache needs no network"
    assert said[1].startswith("FileNotFoundError 'tiny/other' is no folder here")


@pytest.mark.parametrize("name", ["no/such/folder", "./nowhere", "what is this?"])
def test_names_that_no_hub_has(name):
    with pytest.raises(FileNotFoundError, match="neither a folder nor the name of a model on the hub"):
        load(name)
