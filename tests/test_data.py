"""Batches: what they hold, that they are the same on one machine and on many, and documents packed into rows."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lmkit.data import batch_at, batches, packed, windows
from lmkit.heads import LM
from lmkit.model import Config
from lmkit.objectives import next_token_loss


def test_a_batch_is_a_function_of_seed_and_step():
    ids = np.arange(1000, dtype=np.uint16)
    stream = batches(ids, 4, 8, seed=3)
    first = [next(stream) for _ in range(3)]
    assert all(torch.equal(batch_at(step, ids, 4, 8, seed=3), b) for step, b in enumerate(first))
    assert not torch.equal(first[0], first[1]) and not torch.equal(first[0], batch_at(0, ids, 4, 8, seed=4))
    assert first[0].dtype == torch.int64 and torch.equal(first[0] - first[0][:, :1], torch.arange(9).expand(4, 9))


def test_windows_begin_at_starts_and_reach_the_end():
    seen = {int(row[0]) for step in range(200) for row in batch_at(step, np.arange(20), 4, 5, starts=[0, 7, 14, 15])}
    assert seen == {0, 7, 14}  # 14 is the last start that leaves room for 6 tokens


def test_a_text_that_is_too_short():
    with pytest.raises(ValueError, match="window of 9 tokens does not fit into a text of 5"):
        batch_at(0, np.arange(5), 1, 8)
    with pytest.raises(ValueError, match="no start leaves room for a window of 4"):
        batch_at(0, np.arange(5), 1, 3, starts=[3, 4])


def test_windows_are_cut_from_anything_that_runs_along():
    cut = windows(np.arange(20) * 0.5, [0, 7, 15], 5)
    assert np.array_equal(cut, np.stack([np.arange(6), np.arange(7, 13)]) * 0.5)


@pytest.mark.parametrize("world_size", [2, 4])
def test_ranks_share_the_batch_that_one_process_has(world_size):
    ids = np.arange(1000)
    for starts in (None, np.arange(0, 1000, 7)):
        whole = batch_at(5, ids, 8, 6, starts, seed=3)
        shares = [batch_at(5, ids, 8, 6, starts, seed=3, rank=r, world_size=world_size) for r in range(world_size)]
        assert torch.equal(torch.cat(shares), whole)
    with pytest.raises(ValueError, match="a batch of 9 cannot be shared evenly by 2 ranks"):
        batch_at(0, ids, 9, 6, world_size=2)


def test_batches_go_on_from_any_step():
    ids = np.arange(100)
    stream = batches(ids, 2, 5, seed=1, start=7, rank=1, world_size=2)
    assert torch.equal(next(stream), batch_at(7, ids, 2, 5, seed=1, rank=1, world_size=2))
    assert torch.equal(next(stream), batch_at(8, ids, 2, 5, seed=1, rank=1, world_size=2))


def test_packing_by_hand():
    ids, numbers = packed([[1, 2], [3, 4, 5], [6], [7, 8, 9, 1, 2, 3, 4]], seq_len=4, end=0)
    assert ids.tolist() == [[7, 8, 9, 1, 2], [3, 4, 5, 0, 0], [1, 2, 0, 0, 0], [3, 4, 0, 6, 0]]
    assert numbers.tolist() == [[3] * 5, [1, 1, 1, 1, -1], [0, 0, 0, -1, -1], [3, 3, 3, 2, 2]]


@settings(max_examples=100, deadline=None, database=None)
@given(st.lists(st.lists(st.integers(1, 9), max_size=20), min_size=1, max_size=12), st.integers(1, 9))
def test_packing_loses_nothing_and_cuts_only_what_is_too_long(documents, seq_len):
    ids, numbers = packed(documents, seq_len, end=0)
    assert ids.shape == numbers.shape and ids.shape[1] == seq_len + 1
    for number, document in enumerate(documents):
        wanted, pieces = [*document, 0], []
        for row in np.flatnonzero((numbers == number).any(axis=1)):
            at = np.flatnonzero(numbers[row] == number)
            assert np.array_equal(at, np.arange(at[0], at[-1] + 1)), "a document stands in one piece in a row"
            pieces.append(ids[row, at].tolist())
        assert sorted(sum(pieces, [])) == sorted(wanted) and len(pieces) == -(-len(wanted) // (seq_len + 1))
    assert (ids[numbers < 0] == 0).all()
    assert len(ids) <= sum(len(d) // (seq_len + 1) + 1 for d in documents)


def test_packed_rows_come_as_batches_with_the_numbers_of_their_documents():
    ids, numbers = packed([[1, 2], [3, 4, 5], [6], [7, 8, 9, 1, 2, 3, 4]], seq_len=4, end=0)
    starts = np.arange(len(ids)) * 5
    rows = {(tuple(a), tuple(b)) for a, b in zip(ids.tolist(), numbers.tolist())}
    seen = set()
    for _, batch in zip(range(20), batches(ids.ravel(), 2, 4, starts, documents=numbers.ravel())):
        seen |= {(tuple(a), tuple(b)) for a, b in zip(batch["ids"].tolist(), batch["documents"].tolist())}
    assert seen == rows
    shares = [
        next(batches(ids.ravel(), 4, 4, starts, documents=numbers.ravel(), rank=rank, world_size=2)) for rank in (0, 1)
    ]
    whole = next(batches(ids.ravel(), 4, 4, starts, documents=numbers.ravel()))
    assert all(torch.equal(torch.cat([share[name] for share in shares]), whole[name]) for name in whole)


@pytest.mark.parametrize("positions", ["rope", "learned", "alibi"])
def test_the_loss_of_packed_documents_is_that_of_each_alone(positions):
    torch.manual_seed(0)
    model = LM(Config(10, d_model=16, n_layers=2, n_heads=2, max_seq_len=12, positions=positions)).eval()
    documents = [[1, 2], [3, 4, 5], [6], [7, 8, 9, 1, 2, 3, 4], [5, 5, 5, 1]]
    ids, numbers = (torch.from_numpy(rows) for rows in packed(documents, seq_len=11, end=0))
    assert len(ids) < len(documents)
    asked = [torch.tensor([[*document, 0]]) for document in documents]  # a document of n tokens asks n
    total = sum(next_token_loss(model, one).item() * (one.shape[1] - 1) for one in asked)
    loss = next_token_loss(model, {"ids": ids, "documents": numbers}).item()
    assert loss == pytest.approx(total / sum(one.shape[1] - 1 for one in asked), rel=1e-5)
    across = next_token_loss(model, {"ids": ids, "documents": torch.zeros_like(numbers)}).item()
    assert across != pytest.approx(loss, rel=1e-3), "and so it would not be if they saw one another"
