"""Each check of a sampler is failed by a sampler that breaks that promise."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch

from ltkit.datasets.samplers import LongTailSampler
from ltkit.distribution import labels_of
from ltkit.testing import ConformanceError, check_sampler, checks_of, sampler_checks
from ltkit.testing.conformance import Check, Part

WRONG: dict[str, type] = {}


def fails(name):
    def keep(cls):
        WRONG[name] = cls
        return cls
    return keep


class Good(LongTailSampler):
    """Each sample as likely as any other, with replacement."""

    def draw(self, rng):
        return rng.integers(0, self.dataset_size, self.num_samples)

    def set_max_epochs(self, number):
        self.max_epochs = number


@fails('indices_in_range')
class FromOne(Good):
    def draw(self, rng):
        return 1 + np.arange(self.num_samples)


@fails('length')
class WrongLength(Good):
    def __len__(self):
        return 5


@fails('same_seed_same_order')
class GlobalRandom(Good):
    def draw(self, rng):
        return np.random.permutation(self.dataset_size)  # noqa: NPY002


@fails('other_seed_other_order')
class FixedSeed(Good):
    def draw(self, rng):
        return super().draw(np.random.default_rng(self.epoch))


@fails('other_epoch_other_order')
class ForgetsTheEpoch(Good):
    def draw(self, rng):
        return super().draw(np.random.default_rng(self.seed))


@fails('epochs_have_no_memory')
class OneGenerator(Good):
    def draw(self, rng):
        self.rng = getattr(self, 'rng', rng)
        return super().draw(self.rng)


@fails('random_state_untouched')
class Reseeds(Good):
    def draw(self, rng):
        torch.manual_seed(self.seed)
        random.seed(self.seed)
        return super().draw(rng)


@fails('global_order')
class OtherOrder(Good):
    def epoch_indices(self):
        return super().epoch_indices()[::-1]

    def __iter__(self):
        return iter(super().epoch_indices().tolist())


@fails('every_class_is_seen')
class NoTail(Good):
    def draw(self, rng):
        labels = labels_of(self.dataset)
        return rng.choice(np.flatnonzero(labels == labels[0]), self.num_samples)


@fails('class_without_a_sample')
class EveryClass(Good):
    def draw(self, rng):
        labels = labels_of(self.dataset)
        classes = rng.integers(0, 5, self.num_samples)
        return np.array([rng.choice(np.flatnonzero(labels == c)) for c in classes])


@fails('one_class')
class NeedsTwoClasses(Good):
    def draw(self, rng):
        labels = labels_of(self.dataset)
        return rng.choice(np.flatnonzero(labels != labels[0]), self.num_samples)


@fails('empty_data_set')
class EmptyEpoch:
    def __init__(self, dataset, seed=None):
        self.dataset = dataset

    def __iter__(self):
        return iter(range(len(self.dataset)))


@fails('missing_labels')
class ReadsLabels(Good):
    def draw(self, rng):
        return np.argsort(self.dataset.labels)


@fails('wrapped_data_sets')
class NoWrappers(Good):
    def draw(self, rng):
        return super().draw(rng)[np.argsort(self.dataset.labels)]


@fails('number_of_samples')
class OwnNumber(Good):
    def __init__(self, dataset, num_samples=None, **kwargs):
        super().__init__(dataset, **kwargs)


@fails('wrong_arguments')
class Unchecked(Good):
    def __init__(self, dataset, seed=0, **kwargs):
        super().__init__(dataset, seed=abs(seed), **kwargs)


@fails('state_dict_round_trip')
class ForgetsTheSeed(Good):
    def load_state_dict(self, state):
        super().load_state_dict({**state, 'seed': self.seed})


@fails('config_round_trip')
class NeedsMore(Good):
    built = 0

    def __init__(self, dataset, seed=None, **kwargs):
        type(self).built += 1
        super().__init__(dataset, seed=None if seed is None else seed + self.built, **kwargs)


@fails('copies_are_equal')
class HoldsALambda(Good):
    def __init__(self, dataset, **kwargs):
        super().__init__(dataset, **kwargs)
        self.function = lambda x: x


@fails('in_a_data_loader')
class YieldsArrays(Good):
    def __iter__(self):
        return iter(np.array([[i, i] for i in super().__iter__()]))


@fails('max_epochs')
class DividesByTheRest(Good):
    def draw(self, rng):
        left = self.max_epochs - 1 - self.epoch if self.max_epochs == 10 else 1
        return super().draw(rng)[::1 // left]


@fails('setup_is_quick')
class Slow(Good):
    def draw(self, rng):
        if self.dataset_size > 1000:
            sum(range(30_000_000))  # stands for a loop over samples
        return super().draw(rng)


@fails('two_processes')
class EachItsOwn(Good):
    def draw(self, rng):
        return super().draw(np.random.default_rng([self.seed, self.epoch, self.rank]))


@fails('two_processes_uneven')
class AlwaysRounds(Good):
    def __init__(self, dataset, round_up=True, **kwargs):
        super().__init__(dataset, **kwargs)


def test_a_good_sampler_passes():
    assert set(check_sampler(dict(type=Good)).values()) == {'passed'}


def test_each_check_can_fail():
    assert set(WRONG) == set(checks_of('sampler'))


@pytest.mark.parametrize('name', WRONG)
def test_wrong_sampler_is_caught(name, monkeypatch):
    monkeypatch.setattr(sampler_checks, 'SETUP_SECONDS', 0.2)
    check = Check(name, checks_of('sampler')[name], Part('sampler', dict(type=WRONG[name])))
    with pytest.raises(ConformanceError):
        check()
