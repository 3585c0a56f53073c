"""The three caches keep one promise: all that they hold comes back, in order, the most recent positions last."""

import pytest
import torch

from lmkit.cache import KVCache, PreallocatedCache, RollingCache

K = torch.randn(2, 3, 12, 4, generator=torch.Generator().manual_seed(0))
V = torch.randn(2, 3, 12, 5, generator=torch.Generator().manual_seed(1))  # a width of its own, as latent attention has
CHUNKS = [(12,), (5, 1, 1, 4, 1), (1,) * 12]


def fill(cache, chunks):
    done = 0
    for n in chunks:
        before = cache.held
        k, v = cache.append(K[:, :, done : done + n], V[:, :, done : done + n])
        done += n
        yield done, before + n, k, v


@pytest.mark.parametrize("chunks", CHUNKS)
@pytest.mark.parametrize("new", [KVCache, lambda: PreallocatedCache(12), lambda: PreallocatedCache(20)])
def test_everything_comes_back(new, chunks):
    cache = new()
    assert len(cache) == cache.held == cache.nbytes == 0 and cache
    for done, S, k, v in fill(cache, chunks):
        assert torch.equal(k, K[:, :, :done]) and torch.equal(v, V[:, :, :done])
        assert len(cache) == cache.held == S == done
    assert cache.nbytes == 2 * 3 * getattr(cache, "max_len", 12) * 9 * 4


@pytest.mark.parametrize("chunks", CHUNKS)
@pytest.mark.parametrize("window", [1, 2, 4, 50])
def test_a_rolling_cache_holds_what_the_next_position_can_see(window, chunks):
    cache = RollingCache(window)
    for done, S, k, v in fill(cache, chunks):
        assert torch.equal(k, K[:, :, done - S : done]) and torch.equal(v, V[:, :, done - S : done])
        assert len(cache) == done and cache.held == min(done, window - 1)
        assert cache.nbytes == 2 * 3 * cache.held * 9 * 4
        assert cache.k.untyped_storage().nbytes() == 2 * 3 * cache.held * 4 * 4  # and nothing more is kept alive
        assert cache.v.untyped_storage().nbytes() == 2 * 3 * cache.held * 5 * 4


def test_a_preallocated_cache_moves_nothing():
    cache = PreallocatedCache(12)
    places = {k.data_ptr() for _, _, k, _ in fill(cache, (5, 1, 1, 4, 1))}
    assert len(places) == 1
    cache.select(torch.tensor([1, 0]))  # into a new room, of which k and v stay views: nothing is held twice
    assert (cache.k.data_ptr(), cache.v.data_ptr()) == tuple(room.data_ptr() for room in cache.room)


@pytest.mark.parametrize("new", [KVCache, lambda: PreallocatedCache(12), lambda: RollingCache(4)])
def test_rows_are_selected_and_go_their_own_ways(new):
    cache, rows = new(), torch.tensor([1, 1, 0])
    cache.append(K[:, :, :5], V[:, :, :5])
    cache.cross = (K, V)
    cache.select(rows)
    assert torch.equal(cache.cross[0], K[rows]) and torch.equal(cache.cross[1], V[rows])
    S = cache.held + 1
    k, v = cache.append(K[:, :, 5:6][[0, 1, 1]], V[:, :, 5:6][[0, 1, 1]])
    assert torch.equal(k[:, :, :-1], K[rows][:, :, 6 - S : 5]) and torch.equal(v[:, :, :-1], V[rows][:, :, 6 - S : 5])
    assert torch.equal(k[:, :, -1], K[[0, 1, 1], :, 5]) and len(cache) == 6


@pytest.mark.parametrize("new", [KVCache, lambda: PreallocatedCache(12), lambda: RollingCache(4)])
def test_another_batch_is_refused_and_nothing_lost(new):
    cache = new()
    cache.append(K[:, :, :3], V[:, :, :3])
    with pytest.raises(ValueError, match=r"holds a batch of 2, not 1; use a new \w+Cache"):
        cache.append(K[:1, :, 3:4], V[:1, :, 3:4])
    assert len(cache) == 3


def test_no_more_than_the_room_there_is():
    cache = PreallocatedCache(6)
    cache.append(K[:, :, :5], V[:, :, :5])
    with pytest.raises(ValueError, match=r"7 positions do not fit into a PreallocatedCache\(6\)"):
        cache.append(K[:, :, 5:7], V[:, :, 5:7])
    assert len(cache) == 5 and torch.equal(cache.k, K[:, :, :5])
