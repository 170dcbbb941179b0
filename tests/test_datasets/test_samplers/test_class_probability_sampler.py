from __future__ import annotations

import numpy as np
import pytest
from mmengine.dataset import BaseDataset, ClassBalancedDataset, ConcatDataset, RepeatDataset
from torch.utils.data import Subset

from ltkit.datasets.samplers import (
    ClassAwareSampler,
    ClassBalancedSampler,
    ClassProbabilitySampler,
    ProgressivelyBalancedSampler,
    SquareRootSampler,
)
from ltkit.testing.distributed import run_distributed
from ltkit.utils.errors import ConfigError, DataError, DistributionError

BY_CLASS = [ClassAwareSampler, ClassBalancedSampler, SquareRootSampler, ProgressivelyBalancedSampler]


class Given(ClassProbabilitySampler):
    """A sampler of someone else: the probabilities are given."""

    probabilities = (0.5, 0.25, 0.25, 0, 0, 0)

    def class_probabilities(self):
        return self.probabilities


class OfMmengine(BaseDataset):
    """A data set of mmengine that tells its labels."""

    def __init__(self, labels):
        self.labels = labels
        super().__init__()

    def load_data_list(self):
        return [dict(gt_label=int(label)) for label in self.labels]

    def get_gt_labels(self):
        return self.labels

    def get_cat_ids(self, index):
        return [int(self.labels[index])]


def make(kind, dataset, **arguments):
    if kind is ProgressivelyBalancedSampler:
        arguments.setdefault('max_epochs', 10)
    return kind(dataset, seed=arguments.pop('seed', 0), **arguments)


def order_of_process(rank, world_size, dataset):
    order = []
    for kind in BY_CLASS:
        sampler = make(kind, dataset)
        sampler.set_epoch(4)
        order.append(sampler.epoch_indices().tolist())
    return order


def test_frequencies_are_the_probabilities(long_tail, chi_square):
    order = Given(long_tail, seed=0, num_samples=50_000).epoch_indices()
    assert chi_square(np.bincount(long_tail.labels[order], minlength=6), Given.probabilities) < 4


@pytest.mark.parametrize('kind', BY_CLASS)
def test_images_of_a_class_are_used_evenly(kind, long_tail):
    order = make(kind, long_tail, num_samples=997).epoch_indices()
    uses = np.bincount(order, minlength=97)
    for label in (0, 1, 2, 4, 5):
        mine = uses[long_tail.labels == label]
        assert mine.max() - mine.min() <= 1


@pytest.mark.parametrize('kind', BY_CLASS)
def test_images_of_a_class_are_as_likely(kind, long_tail, chi_square):
    sampler = make(kind, long_tail)
    orders = []
    for epoch in range(300):
        sampler.set_epoch(epoch % 10)
        sampler.seed = epoch
        orders.append(sampler.epoch_indices())
    uses = np.bincount(np.concatenate(orders), minlength=97)
    for label in (0, 1, 4, 5):
        mine = uses[long_tail.labels == label]
        assert chi_square(mine, np.full(len(mine), 1 / len(mine))) < 4


@pytest.mark.parametrize('kind', [ClassBalancedSampler, SquareRootSampler, ProgressivelyBalancedSampler])
def test_replacement(kind, long_tail, chi_square):
    """Drawn independently: uses of images scatter as draws with replacement do."""
    sampler = make(kind, long_tail, replacement=True, num_samples=60_000)
    uses = np.bincount(sampler.epoch_indices(), minlength=97)[long_tail.labels == 4]
    assert uses.max() - uses.min() > 10
    assert -4 < chi_square(uses, np.full(60, 1 / 60)) < 4


@pytest.mark.parametrize('kind', BY_CLASS)
def test_epoch_and_seed_change_the_order(kind, long_tail):
    sampler, orders = make(kind, long_tail), set()
    for sampler.seed in (0, 1):
        for epoch in (0, 1, 2):
            sampler.set_epoch(epoch)
            orders.add(tuple(sampler.epoch_indices()))
    assert len(orders) == 6


def test_one_order_for_all_processes(long_tail):
    here = order_of_process(0, 1, long_tail)
    assert run_distributed(order_of_process, 2, long_tail) == [here, here]


@pytest.mark.parametrize('kind', BY_CLASS)
def test_through_wrappers(kind):
    labels = np.array([0] * 8 + [1] * 2)
    data, other = OfMmengine(labels), OfMmengine(labels[::-1])
    balanced = ClassBalancedDataset(data, oversample_thr=0.8)
    for wrapped, expected in (
        (RepeatDataset(data, 2), np.tile(labels, 2)),
        (Subset(data, [9, 1, 8, 3]), labels[[9, 1, 8, 3]]),
        (balanced, labels[balanced.repeat_indices]),
        (Subset(RepeatDataset(data, 2), [19, 5, 0]), [1, 0, 0]),
        (ConcatDataset([data, other]), np.concatenate([labels, labels[::-1]])),
    ):
        sampler = make(kind, wrapped)
        assert sampler.num_samples == len(expected)
        assert sampler.class_counts.tolist() == np.bincount(expected).tolist()
        order = make(kind, wrapped, num_samples=20 * len(expected)).epoch_indices()
        assert set(order) == set(range(len(expected)))


@pytest.mark.parametrize('kind', BY_CLASS)
def test_one_class_and_one_sample(kind, labelled):
    assert make(kind, labelled([0]), num_samples=3).epoch_indices().tolist() == [0, 0, 0]
    assert sorted(make(kind, labelled([2, 2])).epoch_indices()) == [0, 1]


@pytest.mark.parametrize('kind', BY_CLASS)
def test_bad_data(kind, labelled):
    with pytest.raises(DistributionError, match='range does not tell its labels'):
        make(kind, range(5))
    with pytest.raises(DataError, match='has no sample'):
        make(kind, labelled([]))
    with pytest.raises(DataError, match='sample 2 of Labelled has the label -1'):
        make(kind, labelled([0, 1, -1]))
    with pytest.raises(DataError, match=r'5 samples, but its labels have shape \(5, 3\)'):
        make(kind, labelled(np.zeros((5, 3), dtype=np.int64)))
    with pytest.raises(ConfigError, match='num_samples'):
        make(kind, labelled([0, 1]), num_samples=-1)


@pytest.mark.parametrize('probabilities', [
    (0.5, 0.5), (0.2, 0.2, 0.2, 0.2, 0.1, 0.1), (1, 1, 1, 0, -1, 1), (float('nan'), 1, 1, 0, 1, 1), (0,) * 6])
def test_bad_probabilities(long_tail, probabilities):
    sampler = Given(long_tail, seed=0)
    sampler.probabilities = probabilities
    with pytest.raises(ConfigError, match=r'Given.class_probabilities\(\)'):
        sampler.epoch_indices()


def test_probabilities_must_be_given(long_tail):
    with pytest.raises(NotImplementedError, match='class_probabilities'):
        ClassProbabilitySampler(long_tail, seed=0).epoch_indices()


def test_power_family(long_tail):
    sampler = Given(long_tail, seed=0)
    counts = np.array([24, 3, 1, 0, 60, 9])
    assert sampler.class_counts.tolist() == counts.tolist()
    np.testing.assert_allclose(sampler.power_probabilities(1), counts / 97, rtol=1e-14)
    np.testing.assert_allclose(sampler.power_probabilities(0), (counts > 0) / 5, rtol=1e-14)
    reversed_ = [1 / 24, 1 / 3, 1, 0, 1 / 60, 1 / 9]
    expected = np.array(reversed_) / sum(reversed_)
    np.testing.assert_allclose(sampler.power_probabilities(-1), expected, rtol=1e-14)
