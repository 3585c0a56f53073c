"""Loading text: what is wrong is said in a sentence, and a broken download leaves nothing behind.

The downloads come from a server on this machine that behaves as badly as it is told to.
"""

import hashlib
import re
import sys
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from lmkit import corpora
from lmkit.corpora import CORPORA, documents, known, load, mirrors, tales

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared" / "data"
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
    with pytest.raises(ValueError, match=r"'shakespear' is neither a file nor one of .*'tales', 'tinyshakespeare'.*\]"):
        load("shakespear")
    with pytest.raises(ValueError, match="holds no .jsonl, .parquet, .txt file; expected at least one"):
        load(tmp_path)
    with pytest.raises(ValueError, match="is a folder; expected a text file"):
        corpora.text(tmp_path)
    (tmp_path / "mine.jsonl").write_text('{"text": "a"}')
    with pytest.raises(ValueError, match="is a file of documents; expected a text file"):
        corpora.text(tmp_path / "mine.jsonl")
    with pytest.raises(ValueError, match="tinystories is a corpus of documents, not one text"):
        corpora.text("TinyStories")


def test_tales_by_name():
    assert load("tales").startswith(tales.generate(1_000).text)


def test_a_split_of_a_text_is_documents(tmp_path):
    """The last tenth is the validation split, as the pretraining command has it."""
    path = tmp_path / "mine.txt"
    path.write_text("0123456789" * 3, encoding="utf-8")
    assert list(load(path, "train")) == [("0123456789" * 3)[:27]] == list(load(path, streaming=True))
    assert list(load(path, "validation")) == ["789"]
    with pytest.raises(ValueError, match=r"has no split 'test' but \['train', 'validation'\]"):
        load(path, "test")


def test_each_tale_is_a_document():
    train, held_out = list(load("tales", "train")), list(load("tales", "validation"))
    assert "".join(tale + "\n\n" for tale in train) == load("tales")
    assert len(train) > 100 and len(held_out) > 100 and not set(train) & set(held_out)


def folder_of_documents(folder):
    """Nine documents in three formats, and files that are none; the documents, in the order of the files' names."""
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    (folder / "c").mkdir()
    (folder / "c" / "1.txt").write_text("five ü\r\n", encoding="utf-8", newline="")
    (folder / "a.jsonl").write_text('{"text": "one"}\n\n{"text": "two \\u00fc", "id": 3}\r\n{"text": "three"}', "utf-8")
    (folder / "b.txt").write_text("four", encoding="utf-8")
    rows = ["six", "", "eight", "neun"]
    pq.write_table(pa.table({"id": range(4), "text": rows}), folder / "d.parquet", row_group_size=3)
    (folder / "notes.md").write_text("not this")
    (folder / ".hidden.txt").write_text("nor this")
    (folder / ".git").mkdir()
    (folder / ".git" / "x.txt").write_text("nor this")
    return ["one", "two ü", "three", "four", "five ü\r\n", *rows]


def test_a_folder_is_read_by_the_names_of_its_files(tmp_path):
    expected = folder_of_documents(tmp_path)
    corpus = load(tmp_path)
    assert list(corpus) == list(corpus) == list(load(str(tmp_path), "train", streaming=True)) == expected
    assert list(load(tmp_path / "a.jsonl")) == expected[:3] and list(load(tmp_path / "d.parquet")) == expected[5:]
    assert "4 files" in repr(corpus)


@pytest.mark.parametrize("world_size", [1, 2, 3, 8])
def test_ranks_share_a_folder_without_overlap_or_loss(tmp_path, world_size):
    expected = folder_of_documents(tmp_path)
    shares = [list(load(tmp_path, rank=rank, world_size=world_size)) for rank in range(world_size)]
    assert sorted(sum(shares, [])) == sorted(expected)  # the nine documents differ
    assert max(map(len, shares)) - min(map(len, shares)) <= 1
    for rank in range(world_size):
        assert list(load(tmp_path, rank=rank, world_size=world_size).read(skip=1)) == shares[rank][1:]


def test_a_rank_without_documents_is_told_so(tmp_path):
    (tmp_path / "only.txt").write_text("one")
    assert list(load(tmp_path, rank=0, world_size=2)) == ["one"]
    with pytest.raises(ValueError, match="there is no document in .*, rank 1 of 2"):
        list(load(tmp_path, rank=1, world_size=2))


@pytest.mark.parametrize(
    ("rank", "world_size", "says"),
    [
        (2, 2, r"rank 2 is not in 0\.\.1"),
        (-1, 2, "rank -1 is not in"),
        (0, 0, r"rank 0 is not in 0\.\.-1"),
        (0.0, 1, "rank is 0.0; expected a whole number"),
        (0, True, "world_size is True"),
    ],
)
def test_ranks_of_no_sense_are_refused(tmp_path, rank, world_size, says):
    (tmp_path / "only.txt").write_text("one")
    with pytest.raises(ValueError, match=says):
        documents(tmp_path, rank=rank, world_size=world_size)


def test_a_split_of_a_folder_is_its_subfolder(tmp_path):
    for split in ("train", "dev"):
        (tmp_path / split).mkdir()
        (tmp_path / split / "x.txt").write_text(split)
    assert list(load(tmp_path, "train")) == ["train"] and list(load(tmp_path, "dev")) == ["dev"]
    assert list(load(tmp_path)) == ["train"]
    with pytest.raises(ValueError, match="has no split 'test': a split is a folder of that name in it"):
        load(tmp_path, "test")


def test_what_is_held_out_is_not_trained_on(tmp_path):
    (tmp_path / "x.txt").write_text("one")
    (tmp_path / "validation").mkdir()
    (tmp_path / "validation" / "y.txt").write_text("two")
    with pytest.raises(ValueError, match=r"has \['validation'\] but no 'train': all of it would mix in"):
        load(tmp_path)
    assert list(load(tmp_path, "validation")) == ["two"]


def test_a_column_of_another_name(tmp_path):
    (tmp_path / "x.jsonl").write_text('{"content": "one"}\n')
    assert list(documents(tmp_path, column="content")) == ["one"]
    with pytest.raises(ValueError, match=r"x.jsonl, line 1, has no field 'text' but \['content'\]"):
        list(documents(tmp_path))


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b'{"text": "bad \xff"}', r"x.jsonl is not UTF-8: byte 32 is 0xff \(invalid start byte\)"),
        (b'{"text": "cut', "x.jsonl, line 2, is not JSON: Unterminated string"),
        (b"[" * 100_000, "x.jsonl, line 2, is not JSON: "),
        (b'["text"]', "x.jsonl, line 2, has no field 'text' but list"),
        (b'{"text": null}', "x.jsonl, line 2, holds None; expected a text"),
        (b'{"text": 3}', "x.jsonl, line 2, holds 3; expected a text"),
        (b'{"text": "a\\ud83d!"}', r"x.jsonl, line 2, holds U\+D83D at character 1, half of a surrogate pair"),
    ],
)
def test_a_bad_line_is_named(tmp_path, line, says):
    path = tmp_path / "x.jsonl"
    path.write_bytes(b'{"text": "good"}\r\n'.ljust(18) + line + b"\n")
    read = iter(load(path))
    assert next(read) == "good"
    with pytest.raises(ValueError, match=says):
        next(read)


def test_a_byte_order_mark_is_no_text(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"\xef\xbb\xbfone \xef\xbb\xbf")
    (tmp_path / "b.jsonl").write_bytes(b'\xef\xbb\xbf{"text": "two"}\r\n{"text": "three"}\r\n')
    assert load(tmp_path / "a.txt") == "one \ufeff"
    assert list(documents(tmp_path)) == ["one \ufeff", "two", "three"]
    (tmp_path / "a.txt").write_bytes(b"\xef\xbb\xbf")
    with pytest.raises(ValueError, match="a.txt is empty"):
        load(tmp_path / "a.txt")


def test_a_corpus_without_a_name_is_not_this_folder():
    with pytest.raises(ValueError, match="the name of the corpus is empty"):
        load("")


def test_bytes_that_are_not_utf8_are_named_in_other_files_too(tmp_path):
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    (tmp_path / "x.txt").write_bytes(b"abc\xe9")
    with pytest.raises(ValueError, match="x.txt is not UTF-8: byte 3 is 0xe9"):
        list(load(tmp_path))
    bad = pa.array([b"good", b"ab\xff"]).view(pa.string())
    pq.write_table(pa.table({"text": bad}), tmp_path / "x.parquet")
    with pytest.raises(ValueError, match="x.parquet, row 1, is not UTF-8: byte 2 of it is 0xff"):
        list(load(tmp_path / "x.parquet"))
    pq.write_table(pa.table({"text": ["good", None]}), tmp_path / "x.parquet")
    with pytest.raises(ValueError, match="x.parquet, row 1, holds None; expected a text"):
        list(load(tmp_path / "x.parquet"))
    pq.write_table(pa.table({"body": ["good"]}), tmp_path / "x.parquet")
    with pytest.raises(ValueError, match=r"x.parquet has no column 'text' but \['body'\]"):
        list(load(tmp_path / "x.parquet"))


def test_a_damaged_parquet_file_is_named(tmp_path):
    folder_of_documents(tmp_path)
    path = tmp_path / "d.parquet"
    data = path.read_bytes()
    for damaged in (b"", data[:-9], data[: len(data) // 2], b"not parquet at all"):
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match="d.parquet is no whole parquet file: "):
            list(load(path))


def test_parquet_needs_the_extra(tmp_path, monkeypatch):
    folder_of_documents(tmp_path)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(
        ImportError, match=r'd.parquet needs the package pyarrow to be read: pip install datasets'
    ):
        list(load(tmp_path / "d.parquet"))
    assert len(list(load(tmp_path / "a.jsonl"))) == 3  # and other files do not


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


@pytest.mark.parametrize("name", CORPORA)
def test_the_table_of_corpora_is_complete(name):
    corpus = CORPORA[name]
    assert name == name.lower() and corpus.size > 0 and corpus.documents > 0
    assert (
        corpus.title and corpus.language and corpus.licence and corpus.source and re.search(r"\d{4}$", corpus.citation)
    )
    assert corpus.address.startswith("https://") and corpus.work.startswith("https://")
    if corpus.hub:
        assert not corpus.mirrors and re.fullmatch(r"[0-9a-f]{40}", corpus.hub.revision)
        assert (
            corpus.address == f"https://huggingface.co/datasets/{corpus.hub.path}" and corpus.hub.splits[0] == "train"
        )
    else:
        assert len(corpus.mirrors) > 1 and all(m.startswith("https://") for m in corpus.mirrors)
        assert len({m.split("/")[2] for m in corpus.mirrors}) > 1  # more than one host
        assert len(corpus.sha256) == 64


@pytest.mark.parametrize("level", [1, 2, 3])
def test_the_page_of_corpora_tells_the_levels(level):
    page = (ROOT / "corpora.md").read_text(encoding="utf-8")
    row = next(line for line in page.split("\n") if line.startswith(f"| {level} |"))
    _, _, most, vocabulary, floor = (cell.strip() for cell in row.strip("|").split("|"))
    nats, bits = (float(part.split()[0]) for part in floor.split(", "))
    measured = tales.floor(tales.generate(100_000, seed=12, level=level))
    assert int(vocabulary) == len(tales.vocabulary(level)) and tales.survey(level).most + 1 == int(most)
    assert abs(measured.nats_per_word - nats) < 4 * measured.standard_error + 0.001
    assert abs(measured.bits_per_byte - bits) < 0.01 * bits + 0.001


def test_the_page_of_corpora_has_the_table():
    """To write it anew: python -m lmkit.corpora.known."""
    page = (ROOT / "corpora.md").read_text(encoding="utf-8").partition("## Known corpora")[2]
    lines = [line for line in page.split("\n") if line.startswith("| ")]
    assert "\n".join(lines[: len(CORPORA) + 2]) == known.table()
    for name, corpus in CORPORA.items():  # and the table has what it should
        (row,) = [line for line in lines if line.startswith(f"| `{name}` |")]
        assert all(part in row for part in (corpus.licence, corpus.source, corpus.citation, corpus.work))
        assert known.bytes_in_words(corpus.size) in row


@pytest.mark.parametrize(
    ("size", "words"),
    [(7, "7 bytes"), (1_115_394, "1.12 MB"), (999_600, "1 MB"), (24_193_092_408, "24.2 GB"), (10**15, "1e+03 TB")],
)
def test_bytes_in_words(size, words):
    assert known.bytes_in_words(size) == words


def test_the_excerpt_comes_with_the_library(monkeypatch):
    monkeypatch.setattr(corpora, "download", None)  # nothing may be downloaded
    text = load("excerpt")
    assert text == load("Excerpt") and text.startswith("First Citizen:\n") and len(text) == 239_976
    parts = [document for split in ("train", "validation") for document in load("excerpt", split)]
    assert len(parts) == 2 and "".join(parts) == text
    if (SHARED / "tinyshakespeare.txt").is_file():
        assert (SHARED / "tinyshakespeare.txt").read_text(encoding="utf-8").startswith(text)


@pytest.mark.skipif(not (SHARED / "tinyshakespeare.txt").is_file(), reason="shared/data is not beside the repository")
def test_tiny_shakespeare(monkeypatch):
    monkeypatch.setenv("LMKIT_DATA", str(SHARED))
    monkeypatch.setattr(corpora, "download", None)  # nothing may be downloaded
    text = load("tinyshakespeare")
    assert text.startswith("First Citizen:\n") and len(text) == 1_115_394
