"""Corpora that `datasets` reads: from local files, and from a hub on this machine's loopback that may misbehave.

The hub has the few addresses that `datasets` and huggingface_hub ask; nothing here leaves the machine.
"""

import hashlib
import io
import json
import socket
import sys
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import datasets
import huggingface_hub
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lmkit import atomic
from lmkit.corpora import CORPORA, Hub, documents, load, shards
from lmkit.corpora import hub as hub_module
from lmkit.corpora.hub import HubDocuments, articles
from lmkit.corpora.shards import preparing

COMMIT = "a" * 40
DOCUMENTS = [f"document {i} “ü” " + "x" * (i % 7) for i in range(120)]
FILES = 4


@pytest.fixture(autouse=True)
def alone(monkeypatch):
    """No address but the loopback's is looked up, whatever would swallow the error."""
    monkeypatch.setattr(datasets.config, "HF_UPDATE_DOWNLOAD_COUNTS", False)  # a count of the formats used, elsewhere
    asked, look_up = [], socket.getaddrinfo

    def local_only(host, *arguments, **options):
        if host not in ("127.0.0.1", "localhost"):
            asked.append(host)
            raise socket.gaierror(f"{host} is outside of this machine")
        return look_up(host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", local_only)
    yield
    assert not asked


def parquet(texts, name="text"):
    table = pa.table({"id": list(range(len(texts))), name: pa.array(texts, pa.string())})
    buffer = io.BytesIO()
    pq.write_table(table, buffer, row_group_size=10)
    return buffer.getvalue()


def local(tmp_path, texts=None, splits=("train",), files=FILES, name="text", **more):
    """A known corpus whose files are on this machine."""
    texts, paths = DOCUMENTS if texts is None else texts, []
    for i in range(files):
        path = tmp_path / f"part-{i}.parquet"
        path.write_bytes(parquet(texts[i * len(texts) // files : (i + 1) * len(texts) // files], name))
        paths.append(str(path))
    options = {"data_files": dict.fromkeys(splits, paths), "cache_dir": str(tmp_path / "cache")}
    return replace(CORPORA["tinystories"], hub=Hub("parquet", splits=splits, options=options, **more))


@pytest.fixture
def known(tmp_path, monkeypatch):
    """Make a corpus known as `thing`."""

    def known(*arguments, **options):
        monkeypatch.setitem(CORPORA, "thing", local(tmp_path, *arguments, **options))

    return known


@pytest.mark.parametrize("streaming", [True, False])
def test_documents_come_in_order_and_again(known, streaming):
    known()
    corpus = load("thing", "train", streaming=streaming)
    assert list(corpus) == list(corpus) == DOCUMENTS
    assert list(corpus.read(skip=33)) == DOCUMENTS[33:] and list(corpus.read(skip=500)) == []
    assert "thing, train" in repr(corpus)


def test_a_corpus_of_documents_needs_no_split(known):
    known()
    assert list(load("thing")) == list(load("Thing")) == list(documents("thing")) == DOCUMENTS


@pytest.mark.parametrize("streaming", [True, False])
@pytest.mark.parametrize("world_size", [2, 3, 4, 7])
def test_ranks_share_the_documents_without_overlap_or_loss(known, streaming, world_size):
    """With a number of files that the ranks divide, and with others; as `split_dataset_by_node` promises."""
    known()
    shares = [list(load("thing", streaming=streaming, rank=r, world_size=world_size)) for r in range(world_size)]
    assert sorted(sum(shares, [])) == sorted(DOCUMENTS)
    assert max(map(len, shares)) - min(map(len, shares)) <= 1
    for rank, share in enumerate(shares):
        assert list(load("thing", streaming=streaming, rank=rank, world_size=world_size).read(skip=5)) == share[5:]


def test_what_is_large_is_streamed():
    for name in ("tinystories", "wikitext-2", "wikitext-103"):
        assert not load(name).streaming and load(name, streaming=True).streaming
    for name in ("openwebtext", "fineweb-edu", "fineweb-2-chinese"):
        assert load(name).streaming and not load(name, streaming=False).streaming


def test_a_split_that_is_not_there_is_named():
    with pytest.raises(ValueError, match=r"openwebtext has no split 'validation' but \['train'\]"):
        load("openwebtext", "validation")


@pytest.mark.parametrize("streaming", [True, False])
def test_what_is_no_text_is_refused(known, streaming):
    known([*DOCUMENTS[:30], None], files=1)
    with pytest.raises(ValueError, match="thing, train, document 30 holds None; expected a text"):
        list(load("thing", streaming=streaming))
    known(name="body")
    with pytest.raises(ValueError, match=r"thing, train, has no column 'text' but \['id', 'body'\]"):
        list(load("thing", streaming=streaming))
    known(name="body", text="body")
    assert list(load("thing", streaming=streaming)) == DOCUMENTS


def test_the_extra_is_named_where_it_is_missing(known, monkeypatch):
    known()
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(ImportError, match=r'^thing needs the package datasets .*: pip install datasets$'):
        load("thing")
    assert load("tales")


# -- WikiText: a row is a line

LINES = [
    "", " = First = \n", "", " Text of the first . \n", "", " = = Section = = \n", "", " 1 \n", " = 2 = \n", " 3 . \n",
    "", " = Second title = = \n", "", " More . \n", "", " = Third = \n", "", " Last . \n", "",
]  # fmt: skip
ORIGINAL = "".join(line or " \n" for line in LINES)  # the file that these lines are of


def test_an_article_begins_with_its_title():
    found = list(articles(LINES))
    assert "".join(found) == ORIGINAL and len(found) == 3
    assert [article.strip().split("\n")[0].strip(" =") for article in found] == ["First", "Second title", "Third"]
    assert list(articles([])) == [] == list(articles(["", ""]))


@pytest.mark.parametrize("streaming", [True, False])
@pytest.mark.parametrize("world_size", [1, 2, 3])
def test_articles_are_whole_for_each_rank(known, streaming, world_size):
    """Though the files are cut in the middle of one."""
    known(LINES * 5, articles=True)
    expected = list(articles(LINES * 5))
    shares = [list(load("thing", streaming=streaming, rank=r, world_size=world_size)) for r in range(world_size)]
    assert [shares[i % world_size][i // world_size] for i in range(len(expected))] == expected
    assert "".join(expected) == ORIGINAL * 5
    assert list(load("thing", streaming=streaming).read(skip=4)) == expected[4:]


# -- a hub that may misbehave


class HubOnLoopback(BaseHTTPRequestHandler):
    """me/docs at one commit: `files` {name: bytes}; `behaviour` of the data files; the `log` of what was asked."""

    protocol_version = "HTTP/1.1"

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        path, files = self.path.split("?")[0], self.server.files
        self.server.log.append((self.command, path))
        api, resolve = "/api/datasets/me/docs", f"/datasets/me/docs/resolve/{COMMIT}/"
        if path == f"{api}/revision/{COMMIT}":
            return self.say({"id": "me/docs", "sha": COMMIT, "siblings": [{"rfilename": name} for name in files]})
        if path.startswith(f"{api}/tree/{COMMIT}"):
            folder = path.removeprefix(f"{api}/tree/{COMMIT}").strip("/")
            rows = [{"type": "file", "path": n, "size": len(b), "oid": sha1(b)} for n, b in files.items()]
            rows = [row for row in rows if row["path"].startswith(folder)]
            return self.say(rows if folder else [*rows, {"type": "directory", "path": "data", "oid": "0", "size": 0}])
        if (name := path.removeprefix(resolve)) in files and path.startswith(resolve):
            return self.data(name)
        self.say({}, 404, {"X-Error-Code": "EntryNotFound"})

    do_POST = do_GET

    def say(self, answer, status=200, headers=()):
        body = json.dumps(answer).encode()
        self.begin(status, {"Content-Length": len(body), "Content-Type": "application/json", **dict(headers)})
        if self.command != "HEAD":
            self.wfile.write(body)

    def begin(self, status, headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, str(value))
        self.end_headers()

    def data(self, name):
        body, status, behaviour = self.server.files[name], 200, self.server.behaviour
        headers = {"X-Repo-Commit": COMMIT, "ETag": f'"{sha1(body)}"', "Accept-Ranges": "bytes"}
        if self.command == "GET" and behaviour == "recovers":
            behaviour = "good" if self.server.asked_twice(name) else "breaks-off"
        if self.command == "GET" and behaviour in ("missing", "fails"):
            return self.say({}, 404 if behaviour == "missing" else 500)
        if asked := self.headers.get("Range"):
            first, last = asked.removeprefix("bytes=").split("-")
            first, last = int(first), int(last or len(body) - 1)
            headers["Content-Range"], status = f"bytes {first}-{last}/{len(body)}", 206
            body = body[first : last + 1]
        headers["Content-Length"] = len(body)
        if self.command == "HEAD":
            return self.begin(status, headers)
        if behaviour == "wrong-bytes":
            body = bytes(len(body))
        elif behaviour == "lies-about-length":
            body = body[: len(body) // 2]
            headers["Content-Length"] = len(body)
        elif behaviour in ("breaks-off", "stalls"):
            body = body[: len(body) // 2]
        self.begin(status, headers)
        self.wfile.write(body)
        self.wfile.flush()
        if behaviour == "stalls":
            self.server.done.wait(20)
        if behaviour in ("breaks-off", "stalls"):
            self.close_connection = True

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def asked_twice(self, name):
        return sum(command == "GET" and path.endswith(name) for command, path in self.log) > 1


def sha1(data):
    return hashlib.sha1(data).hexdigest()


@pytest.fixture
def hub(monkeypatch, tmp_path):
    """The hub, known as the corpus `thing`; it behaves well until told otherwise. Whoever asks it gives up quickly."""
    server = Server(("127.0.0.1", 0), HubOnLoopback)
    server.log, server.behaviour, server.done = [], "good", threading.Event()
    cuts = [DOCUMENTS[i * 30 : (i + 1) * 30] for i in range(FILES)]
    server.files = {f"data/train-{i:05}-of-{FILES:05}.parquet": parquet(cut) for i, cut in enumerate(cuts)}
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    constants, config = huggingface_hub.constants, datasets.config
    monkeypatch.setattr(constants, "ENDPOINT", address)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", address + "/{repo_id}/resolve/{revision}/{filename}")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(config, "HF_ENDPOINT", address)
    monkeypatch.setattr(config, "HUB_DATASETS_URL", address + "/datasets/{repo_id}/resolve/{revision}/{path}")
    monkeypatch.setattr(config, "STREAMING_READ_MAX_RETRIES", 2)
    monkeypatch.setattr(config, "STREAMING_READ_RETRY_INTERVAL", 0.01)
    options = {"cache_dir": str(tmp_path / "cache")}
    monkeypatch.setitem(
        CORPORA, "thing", replace(CORPORA["tinystories"], hub=Hub("me/docs", revision=COMMIT, options=options))
    )
    yield server
    server.done.set()
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("streaming", [True, False])
def test_the_hub_is_read_at_the_pinned_revision(hub, streaming):
    corpus = load("thing", "train", streaming=streaming)
    assert hub.log == []  # nothing is asked before it is needed
    assert list(corpus) == DOCUMENTS
    assert "thing, train, revision aaaaaaaa" in repr(corpus)
    data = [path for _, path in hub.log if path.endswith(".parquet")]
    assert len(set(data)) == FILES and all(f"/{COMMIT}/" in path for path in data)


@pytest.mark.parametrize("streaming", [True, False])
@pytest.mark.parametrize("behaviour", ["breaks-off", "lies-about-length", "wrong-bytes", "missing", "fails", "stalls"])
def test_a_misbehaving_hub_is_said_in_a_sentence(hub, behaviour, streaming, monkeypatch):
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    if behaviour == "stalls":
        monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_DOWNLOAD_TIMEOUT", 0.1)
    hub.behaviour = behaviour
    with pytest.raises(
        ConnectionError, match=r"^thing, train, .* could not be read from me/docs \(\w+: .+\)"
    ) as caught:
        list(load("thing", streaming=streaming))
    assert "files of your own" in str(caught.value) and "\n" not in str(caught.value)
    assert ("1 GB to download" in str(caught.value)) == (not streaming)


@pytest.mark.parametrize("streaming", [True, False])
def test_a_hub_that_recovers_is_read_whole(hub, streaming, monkeypatch):
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    hub.behaviour = "recovers"
    assert list(load("thing", streaming=streaming)) == DOCUMENTS


def test_no_network_is_said_in_a_sentence(monkeypatch, tmp_path):
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    offline = replace(CORPORA["tinystories"].hub, options={"cache_dir": str(tmp_path)})
    monkeypatch.setitem(CORPORA, "tinystories", replace(CORPORA["tinystories"], hub=offline))
    with pytest.raises(ConnectionError, match="could not be read from roneneldan/TinyStories .*without a network"):
        list(load("tinystories"))


def test_nobody_listens(hub, monkeypatch):
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    hub.shutdown()
    hub.server_close()
    with pytest.raises(ConnectionError, match="could not be read from me/docs .*; without a network, give the path of"):
        list(load("thing", streaming=True))


# -- preparing a corpus that is streamed


class ByteTokens:
    vocab = {str(i): i for i in range(257)}
    special = {"<|endoftext|>": 256}

    def encode_batch(self, texts):
        return [list(text.encode("utf-8")) for text in texts]


class Failing(ByteTokens):
    """Until it is told to encode its n-th document."""

    def __init__(self, n):
        self.n = n

    def encode_batch(self, texts):
        self.n -= len(texts)
        if self.n < 0:
            raise RuntimeError("the power is out")
        return super().encode_batch(texts)


def shard_files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(preparing, "BATCH", 1)
    monkeypatch.setattr(atomic.os, "fsync", lambda handle: None)


@pytest.mark.parametrize("streaming", [True, False])
@pytest.mark.parametrize("world_size", [1, 2, 3])
def test_a_preparation_goes_on_where_the_stream_stood(known, tmp_path, small, streaming, world_size):
    known()
    corpus = load("thing", streaming=streaming, rank=world_size - 1, world_size=world_size)
    shards.prepare(corpus, ByteTokens(), tmp_path / "whole", tokens_per_shard=97)
    for n in range(0, 120 // world_size, 11):
        folder = tmp_path / str(n)
        with pytest.raises(RuntimeError, match="the power is out"):
            shards.prepare(corpus, Failing(n), folder, tokens_per_shard=97)
        if n > 20:
            assert (folder / "resume.json").exists() == streaming
        again = load("thing", streaming=streaming, rank=world_size - 1, world_size=world_size)
        shards.prepare(again, ByteTokens(), folder, tokens_per_shard=97)
        assert shard_files(folder) == shard_files(tmp_path / "whole")


def test_another_rank_is_another_corpus(known, tmp_path, small):
    known()
    with pytest.raises(RuntimeError):
        shards.prepare(load("thing", rank=0, world_size=2), Failing(40), tmp_path / "out", tokens_per_shard=97)
    with pytest.raises(
        ValueError, match="begun with source 'thing, train, rank 0 of 2', not 'thing, train, rank 1 of 2'"
    ):
        shards.prepare(load("thing", rank=1, world_size=2), ByteTokens(), tmp_path / "out", tokens_per_shard=97)


def test_files_already_done_are_not_asked_for_again(hub, tmp_path, small):
    corpus = load("thing", streaming=True)
    with pytest.raises(RuntimeError):
        shards.prepare(corpus, Failing(115), tmp_path / "out", tokens_per_shard=97)
    hub.log.clear()
    shards.prepare(load("thing", streaming=True), ByteTokens(), tmp_path / "out", tokens_per_shard=97)
    read = {path[-len("00000-of-00004.parquet") :] for command, path in hub.log if path.endswith(".parquet")}
    assert "00003-of-00004.parquet" in read
    assert not read & {"00001-of-00004.parquet", "00002-of-00004.parquet"}  # the first tells the columns
    shards.prepare(load("thing", streaming=True), ByteTokens(), tmp_path / "whole", tokens_per_shard=97)
    assert shard_files(tmp_path / "out") == shard_files(tmp_path / "whole")


@pytest.mark.parametrize("mark", ["", "[]", "null", "[1000, 1, {}]", '[5, "0.0", {}]', "{}", '["x"]'])
def test_a_mark_that_makes_no_sense_costs_time_and_no_more(known, tmp_path, small, mark):
    known()
    shards.prepare(load("thing", streaming=True), ByteTokens(), tmp_path / "whole", tokens_per_shard=97)
    with pytest.raises(RuntimeError):
        shards.prepare(load("thing", streaming=True), Failing(60), tmp_path / "out", tokens_per_shard=97)
    (tmp_path / "out" / "resume.json").write_text(mark)
    shards.prepare(load("thing", streaming=True), ByteTokens(), tmp_path / "out", tokens_per_shard=97)
    assert shard_files(tmp_path / "out") == shard_files(tmp_path / "whole")


def test_a_lost_network_is_no_lost_work(hub, tmp_path, small, monkeypatch):
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    shards.prepare(load("thing", streaming=True), ByteTokens(), tmp_path / "whole", tokens_per_shard=97)
    good = dict(hub.files)
    hub.files["data/train-00002-of-00004.parquet"] = bytes(len(good["data/train-00002-of-00004.parquet"]))
    with pytest.raises(ConnectionError, match="could not be read from me/docs"):
        shards.prepare(load("thing", streaming=True), ByteTokens(), tmp_path / "out", tokens_per_shard=97)
    assert len(list((tmp_path / "out").glob("shard-*.bin"))) > 10
    hub.files.update(good)
    shards.prepare(load("thing", streaming=True), ByteTokens(), tmp_path / "out", tokens_per_shard=97)
    assert shard_files(tmp_path / "out") == shard_files(tmp_path / "whole")


def test_the_reason_is_the_first_cause():
    corpus = HubDocuments("tinystories", CORPORA["tinystories"])
    try:
        try:
            raise OSError("the disk is full\nand more")
        except OSError as error:
            raise datasets.exceptions.DatasetGenerationError("An error occurred") from error
    except datasets.exceptions.DatasetGenerationError as error:
        assert "(OSError: the disk is full); it takes 1 GB to download" in str(corpus.trouble(error))
    assert hub_module.LARGE > CORPORA["tinystories"].size
