# ruff: noqa: NPY002
from __future__ import annotations

import pickle
import random

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, Dataset

from ltkit.utils.rng import SampleDraws, SampleIndex, rng_state, sample_rng, sample_seeds, set_rng_state


def draw(count: int = 3) -> list[float]:
    """Numbers of all three generators, gaussians among them."""
    return [value for _ in range(count) for value in (
        random.random(), random.gauss(0, 1), np.random.rand(), *np.random.randn(2), torch.rand(()).item(),
        torch.randn(()).item())]


@pytest.fixture(autouse=True)
def _start():
    random.seed(1)
    np.random.seed(2)
    torch.manual_seed(3)


class Drawing(Dataset):
    """An item is its index and what its pipeline would draw."""

    def __len__(self) -> int:
        return 8

    def __getitem__(self, index: int) -> list[float]:
        with sample_rng(index):
            return [int(index), *draw()]


def test_sample_index_is_an_index():
    index = SampleIndex(5, rng_seed=2**64 - 1)
    assert index == 5
    assert isinstance(index, int)
    assert 'abcdefgh'[index] == 'f'
    assert hash(index) == hash(5)
    assert SampleIndex(5).rng_seed is None


@pytest.mark.parametrize('protocol', range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_sample_index_travels_to_workers(protocol):
    index = pickle.loads(pickle.dumps(SampleIndex(5, 77), protocol))
    assert (type(index), index, index.rng_seed) == (SampleIndex, 5, 77)


def test_sample_index_keeps_the_seed_through_wrappers():
    index = SampleIndex(15, 77)
    for result, value in ((index - 4, 11), (index + np.int64(4), 19), (index % 10, 5)):
        assert (type(result), result, result.rng_seed) == (SampleIndex, value, 77)


def test_sample_rng_depends_on_the_seed_alone():
    with sample_rng(SampleIndex(1, 77)):
        first = draw()
    draw()
    with sample_rng(SampleIndex(2, 77)):
        assert draw() == first
    with sample_rng(SampleIndex(1, 78)):
        assert not set(draw()) & set(first)  # not one generator draws the same


def test_every_bit_of_the_seed_counts():
    seen = set()
    for bit in range(64):
        with sample_rng(SampleIndex(0, 1 << bit)):
            seen.add((random.random(), np.random.rand(), torch.rand(()).item()))
    assert len(seen) == 64


def test_numpy_and_torch_draw_other_numbers():
    """Both are MT19937; seeded alike they would give the same 32-bit words."""
    def words():
        numpy_words = np.random.randint(0, 2**32, 8, dtype=np.uint32).tolist()
        return set(numpy_words) & set(torch.randint(0, 2**32, (8,)).tolist())

    np.random.seed(9), torch.manual_seed(9)
    assert words()
    for seed in (9, 9 << 32 | 9, 2**64 - 1):
        with sample_rng(SampleIndex(0, seed)):
            assert not words()


def test_sample_rng_restores():
    expected = draw()
    _start_again()
    with sample_rng(SampleIndex(0, 77)):
        draw(1)
        np.random.randn()  # leaves a second gaussian ready
    assert draw() == expected
    _start_again()
    with pytest.raises(ZeroDivisionError), sample_rng(SampleIndex(0, 77)):
        draw()
        raise ZeroDivisionError
    assert draw() == expected


def test_sample_rng_without_a_seed_does_nothing():
    expected = draw()
    _start_again()
    for index in (4, SampleIndex(4)):
        with sample_rng(index):
            pass
    with sample_rng(4):
        assert draw() == expected


def test_sample_rng_nests():
    with sample_rng(SampleIndex(0, 77)):
        expected = draw(2)
    with sample_rng(SampleIndex(0, 77)):
        first = draw(1)
        with sample_rng(SampleIndex(0, 5)):
            draw()
        assert first + draw(1) == expected


@pytest.mark.parametrize('workers', [1, 2])
def test_workers_draw_the_same(workers):
    indices = [SampleIndex(i, 100 + i) for i in (3, 1, 4, 0)]
    here = [Drawing()[index] for index in indices]
    there = list(DataLoader(Drawing(), sampler=indices, batch_size=None, num_workers=workers))
    assert there == here


@pytest.mark.filterwarnings('error')
def test_rng_state_through_a_file(tmp_path):
    np.random.randn()  # with a second gaussian ready
    random.gauss(0, 1)
    torch.save(dict(rng=rng_state()), tmp_path / 'state.pth')
    expected = draw()
    draw()
    set_rng_state(torch.load(tmp_path / 'state.pth', weights_only=True)['rng'])
    assert draw() == expected


def test_rng_state_is_a_copy():
    state = rng_state()
    expected = draw()
    set_rng_state(state)
    draw()
    set_rng_state(state)
    assert draw() == expected
    with pytest.raises(KeyError, match='numpy'):
        set_rng_state({key: value for key, value in state.items() if key != 'numpy'})


@pytest.mark.skipif(not torch.cuda.is_available(), reason='needs a GPU')
def test_rng_state_of_devices(tmp_path):
    torch.rand(1, device='cuda')
    torch.save(rng_state(), tmp_path / 'state.pth')
    expected = torch.rand(5, device='cuda')
    set_rng_state(torch.load(tmp_path / 'state.pth', weights_only=True))
    assert torch.equal(torch.rand(5, device='cuda'), expected)


def test_cuda_is_not_woken(monkeypatch):
    monkeypatch.setattr(torch.cuda, 'is_initialized', lambda: False)
    monkeypatch.setattr(torch.cuda, 'get_rng_state_all', lambda: pytest.fail('CUDA was initialised'))
    assert rng_state()['cuda'] == []


def test_states_of_absent_devices_are_left_aside(monkeypatch):
    taken = {}
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    monkeypatch.setattr(torch.cuda, 'device_count', lambda: 1)
    monkeypatch.setattr(torch.cuda, 'set_rng_state', lambda state, device: taken.update({device: state}))
    states = [torch.zeros(16, dtype=torch.uint8), torch.ones(16, dtype=torch.uint8)]
    set_rng_state(dict(rng_state(), cuda=states))
    assert list(taken) == [0]
    assert torch.equal(taken[0], states[0])


def test_sample_seeds():
    seeds = sample_seeds(3, 5, 10_000)
    assert seeds.dtype == np.uint64
    assert len(np.unique(seeds)) == 10_000
    assert (sample_seeds(3, 5, 10) == seeds[:10]).all()  # the length does not matter
    others = np.concatenate([sample_seeds(3, 6, 10_000), sample_seeds(4, 5, 10_000)])
    assert not np.isin(seeds, others).any()
    bits = (seeds[:, None] >> np.arange(64, dtype=np.uint64)) & np.uint64(1)
    assert np.abs(bits.mean(0) - 0.5).max() < 5 * 0.5 / 100  # five standard deviations
    # SplitMix64 with state 0 begins with this number (its reference implementation).
    assert _splitmix(0, 1) == 0xE220A8397B1DCDAF
    start = int(np.random.SeedSequence([3, 5, 1]).generate_state(1, np.uint64)[0])
    assert [_splitmix(start, step) for step in (1, 2, 10)] == seeds[[0, 1, 9]].tolist()


def _splitmix(state: int, step: int) -> int:
    mask = 2**64 - 1
    z = (state + step * 0x9E3779B97F4A7C15) & mask
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
    return z ^ (z >> 31)


def _start_again() -> None:
    random.seed(1)
    np.random.seed(2)
    torch.manual_seed(3)


def test_draws_of_a_sample_do_not_depend_on_the_batch():
    seeds = sample_seeds(3, 1, 64)
    together, alone = SampleDraws(seeds), SampleDraws(seeds[10:11])
    for _ in range(5):
        assert together.uniform()[10] == alone.uniform()[0]
    assert len(together) == 64


def test_draws_are_uniform_and_independent():
    draws = SampleDraws(sample_seeds(0, 0, 20000))
    first, second, whole = draws.uniform(), draws.uniform(), draws.integers(9)
    assert first.min() >= 0 and first.max() < 1
    assert abs(first.mean() - 0.5) < 0.01 and abs(first.var() - 1 / 12) < 0.002
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.03 and abs(np.corrcoef(first[1:], first[:-1])[0, 1]) < 0.03
    counts = np.bincount(whole, minlength=9)
    assert len(counts) == 9 and (((counts - 20000 / 9)**2) / (20000 / 9)).sum() < 30  # chi square, 8 degrees
