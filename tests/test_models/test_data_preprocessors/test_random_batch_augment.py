"""Tests of ltkit.models.data_preprocessors.random_batch_augment."""

from __future__ import annotations

import random
from collections import Counter

import pytest
import torch
from torch import nn

from ltkit.models.data_preprocessors.random_batch_augment import RandomBatchAugment
from ltkit.utils.errors import ConfigError


def mark(value):
    return lambda inputs, scores: (inputs + value, scores)


def draws(augment, n=2000):
    random.seed(0)
    zero = torch.zeros(1)
    return Counter(int(augment(zero, zero)[0]) for _ in range(n))


def test_one_is_drawn_a_batch_evenly_by_default():
    seen = draws(RandomBatchAugment([mark(1), mark(2)]))
    assert set(seen) == {1, 2} and abs(seen[1] - 1000) < 100


def test_the_missing_probability_is_that_of_none():
    seen = draws(RandomBatchAugment([mark(1), mark(2)], probs=[0.5, 0.3]))
    assert set(seen) == {0, 1, 2}
    assert abs(seen[1] - 1000) < 100 and abs(seen[2] - 600) < 100 and abs(seen[0] - 400) < 100


def test_a_single_augment_and_a_single_probability():
    assert set(draws(RandomBatchAugment(mark(3)), 50)) == {3}
    assert set(draws(RandomBatchAugment(mark(3), probs=0), 50)) == {0}


def test_modules_are_found_in_the_model():
    part = nn.Identity()
    assert part in RandomBatchAugment([part, mark(1)]).modules()


@pytest.mark.parametrize('augments,probs,message', [
    ([], None, 'empty'),
    ([mark(1)], [0.5, 0.5], '2 values for 1 augments'),
    ([mark(1)], [1.5], 'at most 1'),
    ([mark(1)], [-0.5], 'from 0 on'),
])
def test_errors(augments, probs, message):
    with pytest.raises(ConfigError, match=message):
        RandomBatchAugment(augments, probs)
