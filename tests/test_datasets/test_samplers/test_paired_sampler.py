from __future__ import annotations

import numpy as np
import pytest
from torch.utils.data import DataLoader

from ltkit.config import prior_correction
from ltkit.datasets.samplers import (
    GlobalBatchSampler,
    InstanceBalancedSampler,
    LongTailSampler,
    PairedSampler,
    ProgressivelyBalancedSampler,
)
from ltkit.registry import SAMPLERS
from ltkit.testing.distributed import run_distributed
from ltkit.utils.errors import CheckpointError, ConfigError

COUNTS = [24, 3, 1, 0, 60, 9]  # of the fixture long_tail


def batches_of(sampler) -> list[list[tuple[int, int]]]:
    return [[(int(index), index.rng_seed) for index in batch] for batch in sampler]


def pairs_of(batch: list) -> list[tuple]:
    assert len(batch) % 2 == 0
    return list(zip(batch[0::2], batch[1::2]))


def stream_of_process(rank, world_size, dataset, accumulation=1):
    """The micro-batches of epochs 0 and 3, and the plain iteration of the last."""
    sampler, stream = GlobalBatchSampler(PairedSampler(dataset, seed=5), 8, accumulation=accumulation), []
    for epoch in (0, 3):
        sampler.set_epoch(epoch)
        stream.append(batches_of(sampler))
    return stream, [(int(index), index.rng_seed) for index in sampler.sampler]


def test_pairs_are_uniform_and_reversed(long_tail, chi_square):
    """Each image once an epoch, beside each an image of the class probabilities n_max / n_c."""
    sampler = SAMPLERS.build(dict(type='PairedSampler', dataset=long_tail, seed=0))
    weights = np.array([max(COUNTS) / n if n else 0.0 for n in COUNTS])
    counts = np.zeros(6, dtype=np.int64)
    for epoch in range(200):
        sampler.set_epoch(epoch)
        order = sampler.epoch_indices()
        assert order.shape == (2 * 97,)
        assert sorted(order[0::2].tolist()) == list(range(97))
        counts += np.bincount(long_tail.labels[order[1::2]], minlength=6)
    assert -4 < chi_square(counts, weights / weights.sum()) < 4


def test_both_images_of_a_pair_are_independent(long_tail, chi_square):
    """The class of the reversed image does not depend on where the uniform one comes from, nor on its class."""
    sampler, table = PairedSampler(long_tail, seed=0), np.zeros((6, 6), dtype=np.int64)
    halves = np.zeros((2, 6), dtype=np.int64)
    for epoch in range(400):
        sampler.set_epoch(epoch)
        first, second = sampler.epoch_indices().reshape(-1, 2).T
        np.add.at(table, (long_tail.labels[first], long_tail.labels[second]), 1)
        np.add.at(halves, ((first >= 48).astype(int), long_tail.labels[second]), 1)
    for counted in (table, halves):
        expected = counted.sum(1)[:, None] * counted.sum(0)[None] / counted.sum() ** 2
        assert chi_square(counted.ravel(), expected.ravel()) < 5


def test_the_first_sampler_has_its_order_of_the_same_seed(long_tail):
    plain, paired = InstanceBalancedSampler(long_tail, seed=3), PairedSampler(long_tail, seed=3)
    for epoch in (0, 4):
        plain.set_epoch(epoch)
        paired.set_epoch(epoch)
        assert paired.epoch_indices()[0::2].tolist() == plain.epoch_indices().tolist()


def test_batch_size_counts_pairs(long_tail):
    sampler = GlobalBatchSampler(PairedSampler(long_tail, seed=0), 8)
    assert len(sampler) == 13 == -(-97 // 8)
    order = sampler.sampler.epoch_indices().tolist()
    batches = [[int(index) for index in batch] for batch in sampler]
    assert all(len(batch) == 16 for batch in batches)
    assert [index for batch in batches for index in batch] == order + order[:2 * (13 * 8 - 97)]
    assert sampler.global_batches().tolist() == batches
    assert len(GlobalBatchSampler(sampler.sampler, 8, drop_last=True)) == 12
    seeds = [seed for batch in batches_of(sampler) for _, seed in batch]
    assert len(set(seeds)) == len(seeds)  # the images of a pair are augmented independently
    arrays = [list(zip(*(part.tolist() for part in batch))) for batch in sampler.array_batches()]
    assert arrays == batches_of(sampler)


@pytest.mark.parametrize('accumulation', [1, 2])
def test_no_pair_is_parted(long_tail, accumulation):
    alone, order = stream_of_process(0, 1, long_tail)
    shares, orders = zip(*run_distributed(stream_of_process, 2, long_tail, accumulation))
    for epoch, batches in enumerate(alone):
        assert len(batches) == 13
        for step, batch in enumerate(batches):
            for rank, share in enumerate(shares):
                for turn in range(accumulation):
                    hand = turn * 2 + rank
                    micro = share[epoch][step * accumulation + turn]
                    assert pairs_of(micro) == pairs_of(batch)[hand::2 * accumulation]
    for rank, mine in enumerate(orders):  # without a batch sampler, too
        assert pairs_of(mine)[:48] == pairs_of(order)[rank::2][:48] and len(mine) == 2 * 49


def test_resume_in_an_epoch(long_tail):
    sampler = GlobalBatchSampler(PairedSampler(long_tail, seed=4), 8)
    sampler.set_epoch(2)
    expected = batches_of(sampler)
    iterator = iter(sampler)
    for _ in range(5):
        next(iterator)
    assert sampler.state_dict() == dict(seed=4, epoch=2, step=5, num_samples=97, batch_size=8)
    resumed = GlobalBatchSampler(PairedSampler(long_tail, seed=9), 8)
    resumed.load_state_dict(sampler.state_dict())
    assert batches_of(resumed) == expected[5:]


def test_resume_without_a_batch_sampler_begins_with_a_whole_pair(long_tail):
    sampler = PairedSampler(long_tail, seed=4)
    expected = [(int(index), index.rng_seed) for index in sampler]
    iterator = iter(sampler)
    for _ in range(41):  # the 21st pair is begun
        next(iterator)
    resumed = PairedSampler(long_tail, seed=9)
    resumed.load_state_dict(sampler.state_dict())
    assert [(int(index), index.rng_seed) for index in resumed] == expected[40:]
    with pytest.raises(CheckpointError, match='num_samples=97, but this run has 50'):
        PairedSampler(long_tail, num_samples=50).load_state_dict(sampler.state_dict())


@pytest.mark.parametrize('workers', [0, 2])
def test_in_a_loader(long_tail, workers):
    batches = GlobalBatchSampler(PairedSampler(long_tail, seed=0), 8)
    loaded = [batch.tolist() for batch in DataLoader(long_tail, batch_sampler=batches, num_workers=workers)]
    assert loaded == batches.global_batches().tolist()


def test_other_samplers(long_tail):
    sampler = PairedSampler(long_tail, seed=0, num_samples=40, first=dict(type='ClassBalancedSampler'),
                            second=dict(type='ProgressivelyBalancedSampler'))
    sampler.set_max_epochs(5)
    sampler.set_epoch(4)  # the last: class-balanced
    assert sampler.epoch_indices().shape == (80,)
    assert isinstance(sampler.second, ProgressivelyBalancedSampler)
    np.testing.assert_allclose(sampler.second.class_probabilities(), [.2, .2, .2, 0, .2, .2])
    PairedSampler(long_tail).set_max_epochs(5)  # which depends on no length


class TooFew(LongTailSampler):
    def draw(self, rng):
        return np.arange(3)


@pytest.mark.parametrize('arguments, message', [
    (dict(second='ReversedSampler'), r"second must be the config of a sampler, .* but is 'ReversedSampler'"),
    (dict(first=dict(replacement=True)), r"first must be the config of a sampler, .* but is \{'replacement': True\}"),
    (dict(first=dict(type='InstanceBalancedSampler', seed=3)), r'first\.seed is given once for both samplers'),
    (dict(second=dict(type='ReversedSampler', num_samples=9)), r'second\.num_samples is given once'),
    (dict(second=dict(type='DefaultSampler')), 'second must be a sampler of ltkit .* but is DefaultSampler'),
    (dict(second=dict(type='MetaSampler')), 'second must be a sampler of ltkit .* but is MetaSampler'),
    (dict(first=dict(type='PairedSampler')), 'first must be a sampler of ltkit .* but is PairedSampler'),
    (dict(num_samples=0), 'num_samples must be a whole number >= 1, but is 0'),
])
def test_bad_arguments(long_tail, arguments, message):
    with pytest.raises(ConfigError, match=message):
        PairedSampler(long_tail, **arguments)


def test_a_sampler_that_draws_another_number(long_tail):
    sampler = PairedSampler(long_tail, seed=0)
    sampler.second = TooFew(long_tail, seed=0)
    with pytest.raises(ConfigError, match=r'TooFew.draw\(\) returned shape \(3,\), but an epoch has num_samples=97'):
        sampler.epoch_indices()


def test_groups_of_another_shape_are_named(long_tail):
    class Pairs(LongTailSampler):
        group_size = 2

        def draw(self, rng):
            return np.arange(self.num_samples)

    with pytest.raises(ConfigError, match=r'shape \(97,\), but an epoch has num_samples=97 groups of 2'):
        Pairs(long_tail).epoch_indices()


def test_prior_is_corrected_by_the_mean_of_both():
    assert prior_correction(PairedSampler, {}) == 0.0  # by itself; the check of configs looks at both samplers
    assert PairedSampler.prior_correction == ('first', 'second')
