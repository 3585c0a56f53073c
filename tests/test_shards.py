"""Token shards: the layout as documented, what is refused, and preparations that are killed and taken up again.

The oracles are a loop over documents and `struct` on the documented offsets.
"""

import errno
import hashlib
import json
import os
import random
import shutil
import signal
import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lmkit import atomic, data, tokenizers
from lmkit.corpora import documents, load, shards
from lmkit.corpora.shards import __main__ as command
from lmkit.corpora.shards import preparing


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Without waiting for the disk: what a process wrote outlives its kill, and nobody here cuts the power."""
    monkeypatch.setattr(atomic.os, "fsync", lambda handle: None)


class ByteTokens:
    """Bytes as tokens, and a special one that no text has."""

    vocab = {**{f"<{i}>": i for i in range(256)}, "<|endoftext|>": 256}
    special = {"<|endoftext|>": 256}

    def __len__(self):
        return len(self.vocab)

    def encode_batch(self, texts):
        return [list(text.encode("utf-8")) for text in texts]


class Plain(ByteTokens):
    vocab = {f"<{i}>": i for i in range(256)}
    special = {}


def some_documents(n=60, seed=0):
    """Documents of 0 to 40 letters."""
    draw = random.Random(seed)
    return ["".join(draw.choices("abcdé ", k=draw.randrange(41))) for _ in range(n)]


DOCUMENTS = some_documents()
SHAKESPEARE = Path(__file__).parents[2] / "shared" / "data" / "tinyshakespeare.txt"


def as_a_loop(documents, end=256):
    """The ids that should be on disk."""
    ids = []
    for document in filter(None, documents):
        ids += [*document.encode("utf-8"), *([] if end is None else [end])]
    return ids


def files_of(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def raw_ids(folder):
    """All ids, read as the layout says."""
    ids = []
    for path in sorted(folder.glob("shard-*.bin")):
        content = path.read_bytes()
        width, count = struct.unpack_from("<I", content, 12)[0], struct.unpack_from("<Q", content, 16)[0]
        ids += struct.unpack_from(f"<{count}{'H' if width == 2 else 'I'}", content, 128)
        assert len(content) == 128 + count * width
    return ids


@pytest.mark.parametrize(("size", "n"), [(1, 5), (7, 20), (100, 60), (10_000, 60)])
def test_the_ids_are_those_of_a_loop(tmp_path, size, n):
    opened = shards.prepare(DOCUMENTS[:n], ByteTokens(), tmp_path / "out", tokens_per_shard=size)
    expected = as_a_loop(DOCUMENTS[:n])
    assert raw_ids(tmp_path / "out") == expected == opened[:].tolist() == list(opened)
    assert len(opened) == len(expected) and len(opened.parts) == -(-len(expected) // size)
    assert opened.dtype == np.uint16 and opened.shape == (len(expected),) and opened.end == 256
    assert sorted(files_of(tmp_path / "out")) == [
        "index.json",
        *[f"shard-{i:05}.bin" for i in range(len(opened.parts))],
    ]


def test_the_header_is_the_documented_one(tmp_path):
    shards.prepare(["abc", "", "defgh"], ByteTokens(), tmp_path / "out", tokens_per_shard=6)
    first, second = ((tmp_path / "out" / f"shard-0000{i}.bin").read_bytes() for i in (0, 1))
    pairs = json.dumps([[f"<{i}>", i] for i in range(256)] + [["<|endoftext|>", 256]]).replace(" ", "").encode()
    vocabulary = hashlib.sha256(pairs).digest()
    assert first[:8] == b"LMKSHARD" and struct.unpack_from("<II", first, 8) == (1, 2)
    assert struct.unpack_from("<6Q", first, 16) == (6, 0, 0, 2, 2, 256)  # the next id is id 2 of document 2
    assert struct.unpack_from("<6Q", second, 16) == (4, 1, 6, 3, 0, 256)
    for shard in (first, second):
        assert shard[64:96] == vocabulary and shard[96:128] == hashlib.sha256(shard[:96] + shard[128:]).digest()
    assert struct.unpack_from("<6H", first, 128) == (97, 98, 99, 256, 100, 101)
    index = json.loads((tmp_path / "out" / "index.json").read_text())
    assert index == {
        "vocabulary": vocabulary.hex(), "source": "", "tokens_per_shard": 6, "end": 256, "limit": None,
        "shards": 2, "tokens": 10, "documents": 3, "finished": True,
    }  # fmt: skip


def test_a_large_vocabulary_takes_four_bytes(tmp_path):
    class Large(Plain):
        vocab = {str(i): i for i in range(65_537)}

        def encode_batch(self, texts):
            return [[65_536, int(text)] for text in texts]

    opened = shards.prepare(["5", "65535"], Large(), tmp_path / "four")
    assert opened.dtype == np.uint32 and raw_ids(tmp_path / "four") == [65_536, 5, 65_536, 65_535]
    Large.vocab = {str(i): i for i in range(65_536)}
    with pytest.raises(ValueError, match=r"document 0 has ids 5..65536, expected 0..65535"):
        shards.prepare(["5"], Large(), tmp_path / "two")  # as uint16 it would have become 0


@pytest.mark.parametrize(
    ("tokenizer", "end", "expected"), [(Plain(), None, None), (Plain(), 10, 10), (ByteTokens(), 0, 0)]
)
def test_what_ends_a_document(tmp_path, tokenizer, end, expected):
    opened = shards.prepare(DOCUMENTS, tokenizer, tmp_path / "out", end=end)
    assert list(opened) == as_a_loop(DOCUMENTS, expected) and opened.end == expected
    if expected is None:
        with pytest.raises(ValueError, match="out was prepared without an id that ends a document"):
            opened.starts


def test_where_documents_start(tmp_path):
    opened = shards.prepare(DOCUMENTS, ByteTokens(), tmp_path / "out", tokens_per_shard=13)
    starts = np.cumsum([0, *[len(d.encode()) + 1 for d in DOCUMENTS if d]])[:-1]
    assert opened.starts.tolist() == starts.tolist()


@pytest.mark.parametrize("limit", [1, 69, 70, 71, 140, 10_000_000])
def test_a_limit_cuts_the_ids_and_nothing_else(tmp_path, limit):
    opened = shards.prepare(DOCUMENTS, ByteTokens(), tmp_path / "out", tokens_per_shard=70, limit=limit)
    assert list(opened) == as_a_loop(DOCUMENTS)[:limit]


def test_a_limit_reads_no_further(tmp_path):
    def endless():
        while True:
            yield "abc" * 100

    assert len(shards.prepare(endless(), ByteTokens(), tmp_path / "out", tokens_per_shard=1000, limit=2500)) == 2500


def test_one_text_is_one_document(tmp_path):
    assert list(shards.prepare("ab", ByteTokens(), tmp_path / "out")) == [97, 98, 256]


def test_a_corpus_of_this_library(tmp_path):
    """Its name says what was prepared, so that another one is not taken for it."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "x.jsonl").write_text("".join(json.dumps({"text": d}) + "\n" for d in DOCUMENTS), "utf-8")
    opened = shards.prepare(load(tmp_path / "in"), ByteTokens(), tmp_path / "out")
    assert list(opened) == as_a_loop(DOCUMENTS)
    (tmp_path / "in" / "y.txt").write_text("more")
    with pytest.raises(ValueError, match=r"out was begun with source '.*\(1 file, .*', not '.*\(2 files, "):
        shards.prepare(load(tmp_path / "in"), ByteTokens(), tmp_path / "out")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"tokens_per_shard": 0}, "tokens_per_shard is 0; expected a whole number of at least 1"),
        ({"tokens_per_shard": 2.5}, "tokens_per_shard is 2.5"),
        ({"limit": True}, "limit is True"),
        ({"end": -1}, "end is -1"),
        ({"end": 257}, r"end is 257, but the ids of this tokenizer are 0..256"),
    ],
)
def test_options_of_no_sense_are_refused(tmp_path, options, says):
    with pytest.raises(ValueError, match=says):
        shards.prepare(DOCUMENTS, ByteTokens(), tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("documents", [[], ["", ""]])
def test_a_corpus_without_tokens_is_refused(tmp_path, documents):
    with pytest.raises(ValueError, match="the corpus has no documents with a token in them"):
        shards.prepare(documents, ByteTokens(), tmp_path / "out")


def test_what_is_there_is_not_overwritten(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="is there and holds no token shards; give another name or remove it"):
        shards.prepare(DOCUMENTS, ByteTokens(), tmp_path)
    with pytest.raises(FileExistsError, match="notes.txt is there and holds no token shards"):
        shards.prepare(DOCUMENTS, ByteTokens(), tmp_path / "notes.txt")
    assert files_of(tmp_path) == {"notes.txt": b"mine"}


# -- reading


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    folder = tmp_path_factory.mktemp("prepared") / "out"
    return shards.prepare(DOCUMENTS, ByteTokens(), folder, tokens_per_shard=100)


BORDERS = st.integers(-1500, 1500) | st.sampled_from([0, 99, 100, 101, 199, 200, -1, -100]) | st.none()


@settings(max_examples=300, deadline=None)
@given(start=BORDERS, stop=BORDERS, step=st.sampled_from([None, 1, 1, 2, 7, 150, -1, -3]))
def test_slices_are_those_of_an_array(prepared, start, stop, step):
    ids = np.array(as_a_loop(DOCUMENTS), np.uint16)
    cut = prepared[start:stop:step]
    assert cut.dtype == ids.dtype and np.array_equal(cut, ids[start:stop:step])


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_indices_are_those_of_an_array(prepared, draw):
    ids = np.array(as_a_loop(DOCUMENTS), np.uint16)
    index = st.integers(-len(ids), len(ids) - 1)
    rows = np.array(draw.draw(st.lists(st.tuples(index, index, index), max_size=5)), np.int64).reshape(-1, 3)
    assert np.array_equal(prepared[rows], ids[rows]) and prepared[rows].dtype == ids.dtype
    i = draw.draw(index)
    assert prepared[i] == ids[i] and np.ndim(prepared[i]) == 0


@pytest.mark.parametrize("index", [10_000, -10_000, [0, 10_000], 0.5, [True, False], "x", None])
def test_an_index_outside_is_refused(prepared, index):
    with pytest.raises(IndexError, match="an index "):
        prepared[index]


def test_a_slice_within_a_shard_is_no_copy(prepared):
    assert isinstance(prepared[100:200], np.memmap) and prepared[100:200].base is not None
    with pytest.raises(ValueError, match="read-only"):
        prepared[100:200][0] = 0


def test_a_worker_is_sent_the_folder_and_not_the_tokens(prepared):
    function, arguments = prepared.__reduce__()
    assert len(repr(arguments)) < 300 and list(function(*arguments)) == list(prepared)


def test_batches_of_shards_are_those_of_an_array(prepared, monkeypatch):
    """And only their windows are read: no iteration, no array of all."""
    ids = np.array(as_a_loop(DOCUMENTS), np.uint16)
    starts = prepared.starts
    expected = [data.batch_at(step, ids, 8, 20, seed=3) for step in range(30)]
    from_starts = [data.batch_at(step, ids, 8, 20, starts=starts, seed=3) for step in range(30)]
    read = []
    fetch = shards.Shards.__getitem__
    monkeypatch.setattr(shards.Shards, "__getitem__", lambda self, index: read.append(index.size) or fetch(self, index))
    monkeypatch.setattr(shards.Shards, "__iter__", None)
    for step in range(30):
        assert torch.equal(data.batch_at(step, prepared, 8, 20, seed=3), expected[step])
        assert torch.equal(data.batch_at(step, prepared, 8, 20, starts=starts, seed=3), from_starts[step])
    assert read == [8 * 21] * 60
    cut = data.windows(prepared, [0, 95, len(ids) - 1], 10)
    assert np.array_equal(cut, data.windows(ids, [0, 95, len(ids) - 1], 10)) and len(cut) == 2
    with pytest.raises(ValueError, match=f"a window of {len(ids) + 1} tokens does not fit into a text of {len(ids)}"):
        data.batch_at(0, prepared, 1, len(ids))


def test_ranks_share_the_windows_of_a_step():
    ids = np.arange(10_000)
    whole = data.batch_at(5, ids, 16, 4, seed=1)
    of_rank = [data.batch_at(5, ids, 16, 4, seed=1, rank=rank, world_size=4) for rank in range(4)]
    assert torch.equal(torch.cat(of_rank), whole) and len({tuple(rows[:, 0].tolist()) for rows in of_rank}) == 4
    first = next(data.batches(ids, 16, 4, seed=1, rank=2, world_size=4))
    assert torch.equal(first, data.batch_at(0, ids, 16, 4, seed=1, rank=2, world_size=4))


# -- what is refused when shards are opened


@pytest.fixture
def copy(prepared, tmp_path):
    return shutil.copytree(prepared.name, tmp_path / "copy")


def test_the_tokenizer_is_checked(copy):
    assert len(shards.open(copy, ByteTokens())) == len(shards.open(copy))

    class Another(ByteTokens):
        vocab = {**ByteTokens.vocab, "<0>": 1, "<1>": 0}

    says = r"copy was prepared with another tokenizer: the vocabulary there has sha256 \w{12}…, this one \w{12}…"
    with pytest.raises(ValueError, match=says):
        shards.open(copy, Another())
    with pytest.raises(ValueError, match=r"copy was begun with vocabulary '\w+', not '\w+'"):
        shards.prepare(DOCUMENTS, Another(), copy, tokens_per_shard=100)


def test_a_truncated_shard_is_named(copy):
    path = copy / "shard-00002.bin"
    whole = path.read_bytes()
    for length in (0, 1, 7, 8, 50, 127, 128, 129, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r"shard-00002.bin (has \d+ bytes, .*cut short|is no token shard)"):
            shards.open(copy)
        with pytest.raises(ValueError, match=r"shard-00002.bin "):
            shards.open(copy, check=False)
    path.write_bytes(whole + b"\0")
    with pytest.raises(
        ValueError, match=r"shard-00002.bin has 329 bytes, expected 328: it was cut short or is damaged"
    ):
        shards.open(copy)
    path.unlink()
    with pytest.raises(ValueError, match=r"shard-00002.bin is missing"):
        shards.open(copy)


def test_every_flipped_bit_is_noticed(copy):
    path = copy / "shard-00001.bin"
    whole = path.read_bytes()
    for byte in range(len(whole)):
        damaged = bytearray(whole)
        damaged[byte] ^= 1 << byte % 8
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match="shard-00001.bin (is|has) ") as caught:
            shards.open(copy)
        assert str(caught.value).count("\n") == 0
    path.write_bytes(whole)
    shards.open(copy)


def test_an_unchecked_opening_does_not_read_the_ids(copy):
    path = copy / "shard-00001.bin"
    damaged = bytearray(path.read_bytes())
    damaged[200] ^= 1
    path.write_bytes(damaged)
    assert len(shards.open(copy, check=False)) == len(as_a_loop(DOCUMENTS))
    with pytest.raises(ValueError, match="is damaged: its bytes do not have the checksum that it names"):
        shards.open(copy)


@pytest.mark.parametrize(
    ("offset", "value", "says"),
    [
        (0, b"PK\3\4", r"is no token shard: it begins with b'PK.*ARD', expected b'LMKSHARD'"),
        (8, struct.pack("<I", 2), "has version 2 of the layout; this lmkit reads version 1"),
        (12, struct.pack("<I", 8), "is damaged: it says 8 bytes per id, expected 2 or 4"),
        (16, struct.pack("<Q", 2**60), r"has 328 bytes, expected \d+: it was cut short or is damaged"),
    ],
)
def test_a_foreign_header_is_described(copy, offset, value, says):
    path = copy / "shard-00001.bin"
    content = bytearray(path.read_bytes())
    content[offset : offset + len(value)] = value
    path.write_bytes(content)
    with pytest.raises(ValueError, match="shard-00001.bin " + says):
        shards.open(copy)


def test_shards_out_of_order_are_noticed(copy, tmp_path):
    a, b = copy / "shard-00001.bin", copy / "shard-00002.bin"
    first, second = a.read_bytes(), b.read_bytes()
    a.write_bytes(second), b.write_bytes(first)
    with pytest.raises(ValueError, match="shard-00001.bin is shard 2 of a corpus, expected shard 1: was it renamed"):
        shards.open(copy)
    a.write_bytes(first), b.write_bytes(second)
    shards.prepare(DOCUMENTS, ByteTokens(), tmp_path / "other", tokens_per_shard=50)
    b.write_bytes((tmp_path / "other" / "shard-00002.bin").read_bytes())
    with pytest.raises(ValueError, match="shard-00002.bin does not follow on the shards before it"):
        shards.open(copy)


def test_the_index_is_checked(copy):
    path = copy / "index.json"
    index = json.loads(path.read_text())
    for key, value in (("tokens", 5), ("vocabulary", "0" * 64)):
        path.write_text(json.dumps({**index, key: value}))
        with pytest.raises(ValueError, match=r"index.json tells of \d+ tokens; the shards beside it hold \d+, or are"):
            shards.open(copy)
    path.write_text(json.dumps({**index, "shards": 3}))
    with pytest.raises(ValueError, match="index.json tells of "):
        shards.open(copy)
    for damaged in ("", "[]", "{", json.dumps({**index, "tokens": "5"}), json.dumps({**index, "finished": 1}), "\xff"):
        path.write_text(damaged, encoding="latin-1")
        with pytest.raises(ValueError, match="index.json is damaged: it does not say how its shards were made"):
            shards.open(copy)
    path.unlink()
    with pytest.raises(FileNotFoundError, match=r"copy holds no token shards \(no index.json\); prepare them first"):
        shards.open(copy)


# -- interrupted preparations


class Stop(Exception):
    pass


def stopping(documents, n):
    """The documents, but the network goes down after n."""
    yield from documents[:n]
    raise Stop


@pytest.fixture
def undisturbed(tmp_path):
    shards.prepare(DOCUMENTS, ByteTokens(), tmp_path / "undisturbed", tokens_per_shard=150, source="here")
    return files_of(tmp_path / "undisturbed")


def go_on(folder, documents=DOCUMENTS):
    return shards.prepare(documents, ByteTokens(), folder, tokens_per_shard=150, source="here")


def test_a_preparation_goes_on_wherever_it_stopped(tmp_path, undisturbed, monkeypatch):
    """After any document, with few and with many encoded at a time."""
    for batch, step in ((1, 3), (100, 7), (1_000_000, 20)):
        monkeypatch.setattr(preparing, "BATCH", batch)
        for n in range(0, len(DOCUMENTS) + 1, step):
            folder = tmp_path / f"{batch}-{n}"
            with pytest.raises(Stop):
                go_on(folder, stopping(DOCUMENTS, n))
            with pytest.raises(ValueError, match="is not finished; the same call of prepare goes on with it"):
                shards.open(folder)
            go_on(folder)
            assert files_of(folder) == undisturbed


def test_stopped_again_and_again(tmp_path, undisturbed, monkeypatch):
    monkeypatch.setattr(preparing, "BATCH", 1)
    for n in range(len(DOCUMENTS) + 1):
        with pytest.raises(Stop):
            go_on(tmp_path / "out", stopping(DOCUMENTS, n))
    go_on(tmp_path / "out")
    assert files_of(tmp_path / "out") == undisturbed


def test_what_is_finished_is_not_done_again(tmp_path, undisturbed):
    opened = go_on(tmp_path / "undisturbed", stopping(DOCUMENTS, 0))
    assert list(opened) == as_a_loop(DOCUMENTS)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"tokens_per_shard": 51}, "tokens_per_shard 150, not 51"),
        ({"limit": 1000}, "limit None, not 1000"),
        ({"end": 0}, "end 256, not 0"),
        ({"source": "there"}, "source 'here', not 'there'"),
    ],
)
def test_another_way_of_preparing_is_refused(tmp_path, change, says):
    with pytest.raises(Stop):
        go_on(tmp_path / "out", stopping(DOCUMENTS, 30))
    before = files_of(tmp_path / "out")
    options = {"tokens_per_shard": 150, "source": "here", **change}
    with pytest.raises(ValueError, match=f"out was begun with {says}; give another folder or remove it"):
        shards.prepare(DOCUMENTS, ByteTokens(), tmp_path / "out", **options)
    assert files_of(tmp_path / "out") == before


def test_another_column_is_another_corpus(tmp_path):
    (tmp_path / "rows.jsonl").write_text('{"text": "abc", "title": "xyz"}\n', encoding="utf-8")
    texts, titles = (documents(tmp_path / "rows.jsonl", column=column) for column in ("text", "title"))
    shards.prepare(texts, ByteTokens(), tmp_path / "out")
    with pytest.raises(ValueError, match="out was begun with source .*, column 'title'"):
        shards.prepare(titles, ByteTokens(), tmp_path / "out")


def test_a_damaged_shard_is_not_built_on(tmp_path, monkeypatch):
    monkeypatch.setattr(preparing, "BATCH", 1)
    with pytest.raises(Stop):
        go_on(tmp_path / "out", stopping(DOCUMENTS, 40))
    path = tmp_path / "out" / "shard-00003.bin"
    damaged = bytearray(path.read_bytes())
    damaged[150] ^= 4
    path.write_bytes(damaged)
    with pytest.raises(ValueError, match="shard-00003.bin is damaged"):
        go_on(tmp_path / "out")


needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")


def in_a_child(work):
    """Run `work` in a fork of this process; return its id."""
    child = os.fork()
    if child:
        return child
    try:
        work()
    finally:
        os._exit(0)


def reap(child):
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@needs_fork
@pytest.mark.parametrize("step", ["before it is written", "half written", "before it has its name", "when it has it"])
def test_killed_at_each_step_of_each_file(tmp_path, undisturbed, monkeypatch, step):
    """The n-th file of the folder is where the process dies, for all n."""

    def die():
        os.kill(os.getpid(), signal.SIGKILL)

    def preparation(fatal):
        files = iter(range(1000))
        replace, fdopen = os.replace, os.fdopen

        def fdopen_or_die(handle, mode):
            if next(files) != fatal or step in ("before it has its name", "when it has it"):
                return fdopen(handle, mode)
            if step == "half written":
                os.write(handle, b"half of a header")
            die()

        def replace_or_die(old, new):
            written = next(count)
            if written == fatal and step == "before it has its name":
                die()
            replace(old, new)
            if written == fatal and step == "when it has it":
                die()

        count = iter(range(1000))
        atomic.os.fdopen, atomic.os.replace = fdopen_or_die, replace_or_die  # in the child alone
        go_on(tmp_path / "out")

    n_files = len(undisturbed) + 1  # the index is written twice
    for fatal in range(n_files):
        assert reap(in_a_child(lambda fatal=fatal: preparation(fatal))) == -signal.SIGKILL
        go_on(tmp_path / "out")
        assert files_of(tmp_path / "out") == undisturbed
        shutil.rmtree(tmp_path / "out")


def kill_at_random(tmp_path, undisturbed, kills, seed):
    """Kill a preparation after a random document, again and again, and compare the bytes in the end."""
    draw = random.Random(seed)

    def told(documents, pipe):
        for document in documents:
            os.write(pipe, b".")
            yield document

    for _ in range(kills):
        out, into = os.pipe()
        child = in_a_child(lambda into=into: go_on(tmp_path / "out", told(DOCUMENTS, into)))
        os.close(into)
        for _ in range(draw.randrange(1, len(DOCUMENTS))):
            if not os.read(out, 1):
                break
        os.kill(child, signal.SIGKILL)
        reap(child)
        os.close(out)
    go_on(tmp_path / "out")
    assert files_of(tmp_path / "out") == undisturbed


@needs_fork
def test_killed_at_random_moments(tmp_path, undisturbed, monkeypatch):
    monkeypatch.setattr(preparing, "BATCH", 1)
    kill_at_random(tmp_path, undisturbed, kills=3, seed=0)


@needs_fork
@pytest.mark.slow
def test_killed_thirty_times(tmp_path, undisturbed, monkeypatch):
    monkeypatch.setattr(preparing, "BATCH", 1)
    for seed in range(10):
        kill_at_random(tmp_path, undisturbed, kills=3, seed=seed)
        shutil.rmtree(tmp_path / "out")
    kill_at_random(tmp_path, undisturbed, kills=30, seed=10)


def test_a_full_disk_is_said_and_leaves_nothing_half_written(tmp_path, undisturbed, monkeypatch):
    for room in range(len(undisturbed) + 1):  # files that still fit
        files = iter(range(1000))

        def full(handle, files=files, room=room):
            if next(files) >= room:
                raise OSError(errno.ENOSPC, "No space left on device")

        with monkeypatch.context() as patch:
            patch.setattr(atomic.os, "fsync", full)
            with pytest.raises(OSError, match=r"the disk is full: .* does not fit into .*out; \d+ shards are whole"):
                go_on(tmp_path / "out")
        assert all(undisturbed[name] == b for name, b in files_of(tmp_path / "out").items() if name != "index.json")
        assert len(files_of(tmp_path / "out")) <= room
        go_on(tmp_path / "out")
        assert files_of(tmp_path / "out") == undisturbed
        shutil.rmtree(tmp_path / "out")


def test_other_errors_of_the_disk_are_left_as_they_are(tmp_path, monkeypatch):
    monkeypatch.setattr(atomic.os, "fsync", lambda handle: (_ for _ in ()).throw(OSError(errno.EIO, "I/O error")))
    with pytest.raises(OSError, match="I/O error"):
        go_on(tmp_path / "out")


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 48 kB, where this machine lets one be made."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if shutil.which("mount") is None or os.name != "posix":
        pytest.skip("no mount here")
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48k", "tmpfs", str(folder)], capture_output=True)
    if done.returncode:
        pytest.skip("no file system may be mounted here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_disk_that_is_really_full(small_disk, tmp_path):
    documents = ["x" * 999] * 30  # 60 kB
    options = {"tokens_per_shard": 4000, "source": "here"}
    whole = shards.prepare(documents, ByteTokens(), tmp_path / "whole", **options)
    with pytest.raises(OSError, match=r"the disk is full: shard-0000\d.bin \(8,128 bytes\) does not fit"):
        shards.prepare(documents, ByteTokens(), small_disk / "out", **options)
    there = files_of(small_disk / "out")
    assert sorted(there)[0] == "index.json" and not any(name.startswith(".") for name in there)
    shutil.copytree(small_disk / "out", tmp_path / "out")
    assert list(shards.prepare(documents, ByteTokens(), tmp_path / "out", **options)) == list(whole)
    assert files_of(tmp_path / "out") == files_of(tmp_path / "whole")


# -- the command


def test_a_document_that_cannot_be_encoded_is_named(tmp_path):
    letters = tokenizers.Characters("abcdefgh")
    with pytest.raises(ValueError, match="document 2 cannot be encoded: .*'z'"):
        shards.prepare(["abc", "", "abz", "d"], letters, tmp_path / "out")
    opened = shards.prepare(["abc", "", "h"], letters, tmp_path / "out")
    assert list(opened) == [0, 1, 2, 7] and opened.end is None


@pytest.fixture
def run(tmp_path):
    """The command, in a folder with a corpus."""
    (tmp_path / "in").mkdir()
    for i, document in enumerate(DOCUMENTS):
        (tmp_path / "in" / f"{i:03}.txt").write_text(document, "utf-8")
    return lambda *more: command.main([str(tmp_path / "in"), "gpt2", str(tmp_path / "out"), *more])


@pytest.mark.parametrize("rust", [True, False])
def test_the_command_prepares(run, tmp_path, capsys, monkeypatch, rust):
    """With GPT-2's tokenizer as published, run by Rust or, where that is missing, as lmkit has it."""
    if not rust:
        monkeypatch.setattr(tokenizers, "fast", lambda tokenizer: (_ for _ in ()).throw(ImportError))
    run("--tokens-per-shard", "200", "--tokens", "300")
    assert capsys.readouterr().out == f"300 tokens in 2 shards: {tmp_path / 'out'}\n"
    gpt2 = tokenizers.load("gpt2")
    expected = [i for document in DOCUMENTS if document for i in [*gpt2.encode(document), 50256]]
    assert list(shards.open(tmp_path / "out", gpt2)) == expected[:300]


@pytest.mark.skipif(not SHAKESPEARE.is_file(), reason="shared/data is not beside the repository")
@pytest.mark.parametrize(("split", "tokens"), [("train", 301_966), ("validation", 36_059)])
def test_tiny_shakespeare_has_the_tokens_that_others_count(tmp_path, split, tokens):
    """nanoGPT's data/shakespeare/readme.md, with the same nine tenths for training."""
    gpt2 = tokenizers.fast(tokenizers.load("gpt2"))
    opened = shards.prepare(load(SHAKESPEARE, split), gpt2, tmp_path / "out", tokens_per_shard=10**5)
    assert len(opened) == tokens + 1 and opened[-1] == 50256


def test_the_command_says_what_is_wrong_in_a_sentence(run, tmp_path, monkeypatch):
    with pytest.raises(SystemExit, match=r"^lmkit.corpora.shards: .*has no split 'test'"):
        run("--split", "test")
    monkeypatch.setattr(command, "prepare", lambda *a, **k: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(SystemExit, match=r"^lmkit.corpora.shards: stopped; the same command goes on with .*out"):
        run()


def test_the_command_helps(capsys):
    with pytest.raises(SystemExit, match="0"):
        command.main(["--help"])
    assert "tinyshakespeare, tinystories" in " ".join(capsys.readouterr().out.split())
