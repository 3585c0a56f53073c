"""Loading text: what is wrong is said in a sentence, and a broken download leaves nothing behind.

The downloads come from a server on this machine that behaves as badly as it is told to.
"""

import hashlib
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from lmkit import corpora
from lmkit.corpora import CORPORA, load, mirrors, tales

SHARED = Path(__file__).parents[2] / "shared" / "data"
TEXT = "A text that nobody wrote, “with quotes”.\n" * 5_000
DATA = TEXT.encode("utf-8")


class Misbehaving(BaseHTTPRequestHandler):
    """Each path is one way for a download to go."""

    protocol_version = "HTTP/1.0"

    def do_GET(self):
        self.server.asked.append(self.path)
        behaviour = self.path.strip("/")
        if behaviour == "second-time":
            behaviour = "good" if self.server.asked.count(self.path) > 1 else "breaks-off"
        if behaviour == "missing":
            return self.send_error(404)
        if behaviour == "fails":
            return self.send_error(503)
        body = {"good": DATA, "no-length": DATA, "wrong-bytes": DATA[::-1], "too-long": DATA + b"!", "empty": b""}
        body = body.get(behaviour, DATA[: len(DATA) // 2])
        self.send_response(200)
        if behaviour in ("breaks-off", "stalls"):
            self.send_header("Content-Length", str(len(DATA)))
        elif behaviour == "lies-about-length":
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        if behaviour == "stalls":
            self.server.done.wait(10)

    def log_message(self, *_):
        pass


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Misbehaving)
    server.asked, server.done, server.daemon_threads = [], threading.Event(), True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    server.address = f"http://127.0.0.1:{server.server_port}/"
    yield server
    server.done.set()
    server.shutdown()
    server.server_close()


@pytest.fixture
def fetch(server, tmp_path):
    """Return a function that downloads from the behaviours named, quickly giving up."""

    def fetch(*behaviours, rounds=2, timeout=5.0):
        addresses = [server.address + b for b in behaviours]
        sha256 = hashlib.sha256(DATA).hexdigest()
        path = tmp_path / "cache" / "thing.txt"
        return mirrors.download("thing", addresses, path, sha256, len(DATA), rounds=rounds, timeout=timeout, wait=0.01)

    return fetch


def leftovers(folder):
    return sorted(p.name for p in folder.rglob("*") if p.is_file())


def test_a_download_is_saved_whole(fetch, tmp_path):
    assert fetch("good") == DATA
    assert (tmp_path / "cache" / "thing.txt").read_bytes() == DATA
    assert leftovers(tmp_path) == ["thing.txt"]


def test_a_server_need_not_name_the_length(fetch):
    assert fetch("no-length") == DATA


@pytest.mark.parametrize(
    ("behaviour", "says"),
    [
        ("breaks-off", "bytes came, expected"),
        ("lies-about-length", "bytes came, expected"),
        ("empty", "0 bytes came, expected"),
        ("too-long", "more than .* bytes came, expected"),
        ("wrong-bytes", "its sha256 is [0-9a-f]{64}, expected [0-9a-f]{64}"),
        ("missing", "404"),
        ("fails", "503"),
    ],
)
def test_a_bad_mirror_is_tried_again_named_and_leaves_nothing(fetch, server, tmp_path, behaviour, says):
    expected = rf"thing could not be downloaded: tried .*{behaviour} \(.*{says}"
    with pytest.raises(ConnectionError, match=expected) as caught:
        fetch(behaviour, rounds=3)
    assert "set LMKIT_DATA to that folder" in str(caught.value) and "thing.txt" in str(caught.value)
    assert server.asked == ["/" + behaviour] * 3
    assert leftovers(tmp_path) == []


def test_a_silent_server_is_left_after_the_timeout(fetch, tmp_path):
    with pytest.raises(ConnectionError, match="timed out"):
        fetch("stalls", rounds=1, timeout=0.3)
    assert leftovers(tmp_path) == []


def test_the_next_mirror_is_asked(fetch, server):
    assert fetch("breaks-off", "wrong-bytes", "good") == DATA
    assert server.asked == ["/breaks-off", "/wrong-bytes", "/good"]


def test_a_mirror_may_recover(fetch, server):
    assert fetch("second-time") == DATA
    assert len(server.asked) == 2


def test_nobody_listens(tmp_path):
    with pytest.raises(ConnectionError, match="Connection refused|refused"):
        mirrors.download("thing", ["http://127.0.0.1:1/x"], tmp_path / "thing.txt", "0" * 64, 1, rounds=2, wait=0.01)
    assert leftovers(tmp_path) == []


def test_an_interrupted_write_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(mirrors.os, "replace", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        mirrors.atomic.write(tmp_path / "thing.txt", b"half")
    assert leftovers(tmp_path) == []


@pytest.fixture
def thing(server, tmp_path, monkeypatch):
    """A known corpus called `thing`, with a cache of its own and no LMKIT_DATA."""
    monkeypatch.setenv("LMKIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("LMKIT_DATA", raising=False)
    sha256 = hashlib.sha256(DATA).hexdigest()
    entry = replace(CORPORA["tinyshakespeare"], mirrors=(server.address + "good",), sha256=sha256, size=len(DATA))
    monkeypatch.setitem(CORPORA, "thing", entry)
    return server


def test_the_second_load_comes_from_the_cache(thing):
    assert load("thing") == load("thing") == TEXT
    assert thing.asked == ["/good"]


def test_a_damaged_cache_is_replaced(thing, tmp_path):
    load("thing")
    (tmp_path / "cache" / "thing.txt").write_bytes(DATA[:-1] + b"?")
    assert load("thing") == TEXT
    assert thing.asked == ["/good", "/good"]


def test_a_local_copy_needs_no_network(thing, tmp_path, monkeypatch):
    (tmp_path / "thing.txt").write_bytes(DATA)
    monkeypatch.setenv("LMKIT_DATA", str(tmp_path))
    assert load("thing") == TEXT
    assert thing.asked == []


def test_a_wrong_local_copy_is_refused(thing, tmp_path, monkeypatch):
    (tmp_path / "thing.txt").write_bytes(b"something else")
    monkeypatch.setenv("LMKIT_DATA", str(tmp_path))
    with pytest.raises(ValueError, match=r"thing.txt has 14 bytes and sha256 [0-9a-f]{64}, expected 2\d+ and"):
        load("thing")
    assert thing.asked == []


def test_a_missing_data_folder_is_named(thing, tmp_path, monkeypatch):
    monkeypatch.setenv("LMKIT_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(FileNotFoundError, match="LMKIT_DATA names .*nowhere.*, which is not a folder"):
        load("thing")


def test_your_own_file(tmp_path):
    path = tmp_path / "mine.txt"
    path.write_bytes("Zeile eins\r\nZwei ü".encode())
    assert load(path) == load(str(path)) == "Zeile eins\r\nZwei ü"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty; expected a text"),
        (b"good \xff bad", "is not UTF-8: byte 5 is 0xff"),
        ("é".encode("latin-1"), "is not UTF-8: byte 0 is 0xe9"),
    ],
)
def test_a_bad_file_is_described(tmp_path, content, says):
    path = tmp_path / "mine.txt"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=f"mine.txt {says}"):
        load(path)


def test_what_is_not_there_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no file .*absent.txt"):
        load(tmp_path / "absent.txt")
    with pytest.raises(ValueError, match=r"'shakespear' is neither a file nor one of .*\['tales', 'tinyshakespeare'\]"):
        load("shakespear")
    with pytest.raises(ValueError, match="is a folder; expected a text file"):
        load(tmp_path)


def test_tales_by_name():
    assert load("tales").startswith(tales.generate(1_000).text)


@pytest.mark.parametrize(
    ("platform", "variables", "expected"),
    [
        ("linux", {"LMKIT_CACHE": "/x/y"}, "/x/y"),
        ("linux", {"XDG_CACHE_HOME": "/c"}, "/c/lmkit"),
        ("linux", {}, "/home/me/.cache/lmkit"),
        ("darwin", {}, "/home/me/Library/Caches/lmkit"),
        ("win32", {"LOCALAPPDATA": "/local"}, "/local/lmkit"),
    ],
)
def test_the_cache_is_where_the_platform_keeps_caches(monkeypatch, platform, variables, expected):
    for name in ("LMKIT_CACHE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(mirrors.sys, "platform", platform)
    monkeypatch.setattr(mirrors.Path, "home", lambda: Path("/home/me"))
    assert mirrors.cache_folder() == Path(expected)


def test_the_table_of_corpora_is_complete():
    for corpus in CORPORA.values():
        assert len(corpus.mirrors) > 1 and all(m.startswith("https://") for m in corpus.mirrors)
        assert len({m.split("/")[2:4][0] for m in corpus.mirrors}) > 1  # more than one host
        assert len(corpus.sha256) == 64 and corpus.size > 0
        assert corpus.licence and corpus.source and corpus.citation


@pytest.mark.skipif(not (SHARED / "tinyshakespeare.txt").is_file(), reason="shared/data is not beside the repository")
def test_tiny_shakespeare(monkeypatch):
    monkeypatch.setenv("LMKIT_DATA", str(SHARED))
    monkeypatch.setattr(corpora, "download", None)  # nothing may be downloaded
    text = load("tinyshakespeare")
    assert text.startswith("First Citizen:\n") and len(text) == 1_115_394
