"""Tests of the mix-in that holds class counts."""

from __future__ import annotations

import copy
import io
import json

import numpy as np
import pytest
import torch
from mmengine.model import ExponentialMovingAverage
from torch import nn

from ltkit import ClassDistribution
from ltkit.distribution_aware import DistributionAware, as_distribution, distribution_aware_parts
from ltkit.utils.errors import DistributionError

COUNTS = [50, 7, 0]


class Part(DistributionAware, nn.Module):
    def __init__(self, class_counts=None) -> None:
        super().__init__()
        self.init_class_counts(class_counts)
        self.told: list[list[int]] = []

    def on_class_counts(self) -> None:
        self.told.append(self.class_counts.tolist())


class Measure(DistributionAware):
    def __init__(self, class_counts=None) -> None:
        self.init_class_counts(class_counts)


def test_unknown_counts_name_the_part_and_the_ways_to_give_them():
    for part in (Part(), Measure()):
        assert not part.has_class_counts and not part.class_counts_given
        for read in (lambda p=part: p.class_distribution, lambda p=part: p.counts_for(torch.zeros(2, 3))):
            with pytest.raises(DistributionError) as error:
                read()
            message = str(error.value)
            for word in (type(part).__name__, 'ClassDistributionHook', 'class_counts=[...]',
                         'set_class_distribution()'):
                assert word in message
            assert '\n' not in message


def test_every_form_of_counts(tmp_path):
    path = tmp_path / 'counts.json'
    path.write_text(json.dumps(COUNTS))
    for counts in (COUNTS, tuple(COUNTS), np.array(COUNTS), torch.tensor(COUNTS), ClassDistribution(COUNTS),
                   path, str(path)):
        assert as_distribution(counts).counts.tolist() == COUNTS
        part = Part(counts)
        assert part.class_counts.tolist() == COUNTS and part.class_counts.dtype == torch.int64
        assert part.class_counts_given
    with pytest.raises(DistributionError, match='negative'):
        Part([1, -1])


def test_the_distribution_keeps_its_thresholds_and_follows_the_counts():
    own = ClassDistribution(COUNTS, 'abc', 30, 5)
    part = Part()
    part.set_class_distribution(own)
    assert part.class_distribution is own
    part.class_counts = torch.tensor([1, 2, 3])
    assert part.class_distribution.counts.tolist() == [1, 2, 3]


def test_counts_for_scores():
    part = Part(COUNTS)
    for dtype, expected in ((torch.float16, torch.float32), (torch.bfloat16, torch.float32),
                            (torch.float32, torch.float32), (torch.float64, torch.float64)):
        counts = part.counts_for(torch.zeros(4, 3, dtype=dtype))
        assert counts.dtype == expected and counts.tolist() == [50, 7, 1]
    assert part.counts_for(torch.zeros(2, 4, 3)).shape == (3,)
    assert part.counts_for(torch.zeros(4, 8), num_classes=3).tolist() == [50, 7, 1]
    with pytest.raises(DistributionError, match='Part has counts of 3 classes, but the scores are of 5'):
        part.counts_for(torch.zeros(4, 5))


def test_log_prior_is_that_of_the_distribution():
    found = Part(COUNTS).log_prior_for(torch.zeros(1, 3, dtype=torch.float64))
    assert np.allclose(found.numpy(), ClassDistribution(COUNTS).log_prior, rtol=0, atol=1e-14)
    assert torch.isclose(found.exp().sum(), torch.tensor(1.0, dtype=torch.float64))


@pytest.mark.parametrize('dtype', [torch.float32, torch.float64])
def test_relative_log_prior_is_that_over_the_uniform_prior(dtype):
    found = Part(COUNTS).log_relative_prior_for(torch.zeros(1, 3, dtype=dtype))
    assert found.dtype == dtype
    assert np.allclose(found.numpy(), ClassDistribution(COUNTS).log_prior + np.log(3), rtol=0, atol=1e-6)
    for num_classes in (1, 7, 100):
        assert not Part([97] * num_classes).log_relative_prior_for(torch.zeros(1, num_classes, dtype=dtype)).any()


# ------------------------------------------------------------------ state dict
@pytest.mark.parametrize('prefix', ['', 'deep.inside.'])
def test_counts_travel_in_the_state_dict(prefix):
    def model(counts=None) -> nn.Module:
        part = Part(counts)
        if prefix:
            outer = nn.Module()
            outer.deep = nn.Module()
            outer.deep.inside = part
            return outer
        return part

    trained = model()
    next(iter(distribution_aware_parts(trained).values())).set_class_distribution(COUNTS)
    buffer = io.BytesIO()
    torch.save(trained.state_dict(), buffer)
    buffer.seek(0)
    state = torch.load(buffer, weights_only=True)
    assert state[f'{prefix}class_counts'].tolist() == COUNTS
    fresh = model()
    fresh.load_state_dict(state)
    part = next(iter(distribution_aware_parts(fresh).values()))
    assert part.class_counts.tolist() == COUNTS and part.told == [COUNTS]
    assert part.class_distribution.counts.tolist() == COUNTS
    part.load_state_dict({'class_counts': torch.tensor([3, 2, 1])})
    assert part.class_distribution.counts.tolist() == [3, 2, 1]  # nothing stale


def test_counts_of_the_config_win_over_those_of_a_checkpoint():
    part = Part([9, 8, 7])
    state = {'class_counts': torch.tensor(COUNTS)}
    part.load_state_dict(state)
    assert part.class_counts.tolist() == [9, 8, 7] and state['class_counts'].tolist() == COUNTS


def test_unknown_counts_of_a_checkpoint_change_nothing():
    part = Part()
    part.set_class_distribution(COUNTS)
    part.load_state_dict(Part().state_dict())
    assert part.class_counts.tolist() == COUNTS


def test_without_strict_a_state_dict_may_lack_them():
    part = Part(COUNTS)
    assert part.load_state_dict({}, strict=False).missing_keys == ['class_counts']
    assert part.class_counts.tolist() == COUNTS
    with pytest.raises(RuntimeError, match='size mismatch'):
        other = Part()
        other.set_class_distribution([1, 2])
        other.load_state_dict({'class_counts': torch.tensor(COUNTS)})


def test_copies_are_independent():
    part = Part(COUNTS)
    twin = copy.deepcopy(part)
    twin.set_class_distribution([1, 2, 3])
    assert part.class_counts.tolist() == COUNTS


def test_an_average_of_the_model_takes_them_too():
    part = Part(COUNTS)
    average = ExponentialMovingAverage(part)
    average.update_parameters(part)
    assert average.module.class_counts.tolist() == COUNTS


def test_parts_of_a_model():
    model = nn.ModuleDict(dict(loss=Part(), other=nn.Linear(1, 1), deep=nn.Sequential(Part())))
    assert sorted(distribution_aware_parts(model)) == ['deep.0', 'loss']
