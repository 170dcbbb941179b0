from __future__ import annotations

import math

import numpy as np
import pytest
from mmengine.dataset import BaseDataset, ClassBalancedDataset, ConcatDataset, RepeatDataset
from torch.utils.data import Subset

from ltkit.config import prior_correction
from ltkit.datasets.samplers import GlobalBatchSampler, RepeatFactorSampler, SquareRootSampler
from ltkit.registry import SAMPLERS
from ltkit.testing.distributed import run_distributed
from ltkit.utils.errors import CheckpointError, ConfigError, DataError, DistributionError

LISTS = [[0], [0, 1], [0, 0, 3], [], [0], [1, 0], [0], [4, 1], [0], [0, 3, 1], [0], [0]]


class SeveralLabels(BaseDataset):
    """Images with several labels, or none."""

    def load_data_list(self):
        return [dict(labels=labels) for labels in LISTS]

    def get_cat_ids(self, index):
        return self.get_data_info(index)['labels']


def of_the_paper(lists, threshold) -> list[float]:
    """The repeat factor of each image, in plain loops."""
    factors = []
    for labels in lists:
        factor = 1.0
        for label in labels:
            fraction = sum(label in other for other in lists) / len(lists)
            factor = max(factor, math.sqrt(threshold / fraction))
        factors.append(factor)
    return factors


def uses_of(sampler) -> np.ndarray:
    return np.bincount(sampler.epoch_indices(), minlength=sampler.dataset_size)


def stream_of_process(rank, world_size, dataset):
    """The micro-batches of epochs 0 and 3."""
    sampler = GlobalBatchSampler(RepeatFactorSampler(dataset, seed=5, threshold=0.3), 8)
    stream = []
    for epoch in (0, 3):
        sampler.set_epoch(epoch)
        stream.append([[(int(index), index.rng_seed) for index in batch] for batch in sampler])
    return stream


@pytest.mark.parametrize('threshold', [0, 0.001, 0.02, 0.1, 0.3, 1])
def test_factors_of_one_label(long_tail, threshold):
    sampler = SAMPLERS.build(dict(type='RepeatFactorSampler', dataset=long_tail, seed=0, threshold=threshold))
    expected = of_the_paper([[label] for label in long_tail.labels], threshold)
    np.testing.assert_allclose(sampler.repeat_factors, expected, rtol=1e-12)
    assert sampler.class_counts.tolist() == [24, 3, 1, 0, 60, 9]
    assert sampler.num_samples == round(sum(expected))


@pytest.mark.parametrize('threshold', [0.1, 0.5, 1])
def test_factors_of_several_labels(threshold):
    """f_c counts images, not annotations; an image takes the factor of its rarest class."""
    sampler = RepeatFactorSampler(SeveralLabels(), seed=0, threshold=threshold)
    np.testing.assert_allclose(sampler.repeat_factors, of_the_paper(LISTS, threshold), rtol=1e-12)
    assert sampler.class_counts.tolist() == [10, 4, 0, 2, 1]
    assert sampler.repeat_factors[3] == 1  # no class
    assert uses_of(sampler).min() >= 1


def test_no_image_has_a_class():
    class Empty(SeveralLabels):
        def get_cat_ids(self, index):
            return []

    sampler = RepeatFactorSampler(Empty(), seed=0, threshold=1)
    assert sorted(sampler.epoch_indices()) == list(range(len(LISTS)))


def test_names_of_the_classes_do_not_matter(labelled, long_tail):
    renamed = np.array([5, 3, 0, 1, 2, 4])
    before, after = (RepeatFactorSampler(dataset, seed=0, threshold=0.3)
                     for dataset in (long_tail, labelled(renamed[long_tail.labels])))
    assert (before.repeat_factors == after.repeat_factors).all()
    assert (before.epoch_indices() == after.epoch_indices()).all()


def test_repeats_are_the_floor_and_a_bernoulli_draw(long_tail):
    sampler = RepeatFactorSampler(long_tail, seed=0, threshold=0.3)
    factors, rng = sampler.repeat_factors, np.random.default_rng(0)
    drawn = np.stack([sampler.repeats(rng) for _ in range(4000)])
    extra = drawn - np.floor(factors)
    assert set(np.unique(extra)) == {0, 1}
    chance = factors - np.floor(factors)
    deviation = np.sqrt(chance * (1 - chance) / len(drawn))
    assert (np.abs(extra.mean(0) - chance) <= 4.5 * deviation + 1e-12).all()
    variance = (chance * (1 - chance)).sum()  # of independent draws
    assert abs(extra.sum(1).var() / variance - 1) < 4 * np.sqrt(2 / len(drawn))


def test_an_epoch_is_a_pass_cut_or_filled(long_tail):
    """Each image comes floor(r) times or once more, but for what makes the lengths equal."""
    sampler = RepeatFactorSampler(long_tail, seed=0, threshold=0.3)
    floor = np.floor(sampler.repeat_factors)
    lengths, uses = set(), []
    for epoch in range(300):
        sampler.set_epoch(epoch)
        order = sampler.epoch_indices()
        lengths.add(len(order))
        uses.append(np.bincount(order, minlength=97))
        outside = np.maximum(floor - uses[-1], 0) + np.maximum(uses[-1] - floor - 1, 0)
        assert outside.sum() < 20
    assert lengths == {sampler.num_samples}
    assert len({tuple(use) for use in uses}) > 250  # the fractions are drawn anew
    assert np.abs(np.mean(uses, 0) - sampler.repeat_factors).max() < 0.2


def test_over_many_passes_images_come_by_their_factors(long_tail, chi_square):
    sampler = RepeatFactorSampler(long_tail, seed=0, num_samples=40_000, threshold=0.3)
    assert chi_square(uses_of(sampler), sampler.repeat_factors / sampler.repeat_factors.sum()) < 4


def test_zero_repeats_nothing(long_tail):
    sampler = RepeatFactorSampler(long_tail, seed=0, threshold=0)
    assert sampler.num_samples == 97
    assert sorted(sampler.epoch_indices()) == list(range(97))
    assert sampler.epoch_indices().tolist() != list(range(97))


def test_one_gives_the_classes_of_square_root_sampling(long_tail):
    """r_c = f_c ** -1/2 for every class, so p_c ~ n_c ** 1/2."""
    sampler = RepeatFactorSampler(long_tail, seed=0, threshold=1)
    weights = np.bincount(long_tail.labels, weights=sampler.repeat_factors, minlength=6)
    expected = SquareRootSampler(long_tail, seed=0).class_probabilities()
    np.testing.assert_allclose(weights / weights.sum(), expected, rtol=1e-12)
    assert prior_correction(RepeatFactorSampler, {}) == prior_correction(SquareRootSampler, {}) == 0.5


@pytest.mark.parametrize('threshold', [0.15, 0.45, 0.95])
def test_ceil_is_the_class_balanced_data_set_of_mmengine(threshold):
    dataset = SeveralLabels()
    expected = ClassBalancedDataset(dataset, oversample_thr=threshold).repeat_indices
    sampler = RepeatFactorSampler(dataset, seed=0, threshold=threshold, rounding='ceil')
    for epoch in (0, 1):
        sampler.set_epoch(epoch)
        assert sorted(sampler.epoch_indices()) == expected
    assert sampler.num_samples == len(expected)


def test_ceil_of_a_whole_factor(labelled):
    """sqrt(0.9 / 0.1) is a little more or less than 3 in floating point."""
    for size in (10, 70, 130, 490):
        sampler = RepeatFactorSampler(labelled([1] * (size // 10) + [0] * (size - size // 10)), seed=0, threshold=0.9,
                                      rounding='ceil')
        assert sorted(set(sampler.repeat_factors)) == [1, 3]


def test_two_processes_share_the_batches_of_one(long_tail):
    alone = stream_of_process(0, 1, long_tail)
    shares = run_distributed(stream_of_process, 2, long_tail)
    for epoch, batches in enumerate(alone):
        for step, batch in enumerate(batches):
            for rank, share in enumerate(shares):
                assert share[epoch][step] == batch[rank::2]


def test_resume_in_an_epoch(long_tail):
    def make(seed, **arguments):
        return RepeatFactorSampler(long_tail, seed=seed, **{'threshold': 0.3, **arguments})

    sampler = make(4)
    sampler.set_epoch(2)
    expected = [(int(index), index.rng_seed) for index in sampler]
    iterator = iter(sampler)
    for _ in range(40):
        next(iterator)
    resumed = make(9)
    resumed.load_state_dict(sampler.state_dict())
    assert [(int(index), index.rng_seed) for index in resumed] == expected[40:]
    with pytest.raises(CheckpointError, match='num_samples'):
        make(9, threshold=0.1).load_state_dict(sampler.state_dict())


def test_through_wrappers(labelled):
    class OfMmengine(BaseDataset):
        def load_data_list(self):
            return [dict(gt_label=label) for label in self.get_gt_labels()]

        def get_gt_labels(self):
            return [0] * 8 + [1] * 2

    data, labels = OfMmengine(), np.array([0] * 8 + [1] * 2)
    for wrapped, expected in (
        (RepeatDataset(data, 2), np.tile(labels, 2)),
        (Subset(data, [9, 1, 8, 3, 0]), labels[[9, 1, 8, 3, 0]]),
        (ConcatDataset([data, OfMmengine()]), np.tile(labels, 2)),
    ):
        factors = RepeatFactorSampler(wrapped, seed=0, threshold=0.9).repeat_factors
        np.testing.assert_allclose(factors, of_the_paper([[label] for label in expected], 0.9), rtol=1e-12)


def test_bad_data(labelled):
    with pytest.raises(DataError, match='has no sample'):
        RepeatFactorSampler(labelled([]), seed=0)
    with pytest.raises(DistributionError, match='RepeatFactorSampler: range tells neither one label a sample'):
        RepeatFactorSampler(range(5), seed=0)


@pytest.mark.parametrize('threshold', [-0.1, 1.5, float('nan'), True, '0.1', None])
def test_bad_threshold(long_tail, threshold):
    with pytest.raises(ConfigError, match=f'threshold must be .* from 0 to 1, but is {threshold!r}'):
        RepeatFactorSampler(long_tail, seed=0, threshold=threshold)


def test_bad_rounding(long_tail):
    with pytest.raises(ConfigError, match="rounding must be 'random' or 'ceil', but is 'cell'; did you mean 'ceil'"):
        RepeatFactorSampler(long_tail, seed=0, rounding='cell')
