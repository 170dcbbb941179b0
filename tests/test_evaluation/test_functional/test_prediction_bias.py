"""Predicted prior, confusion between groups and other test priors, against loops."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ltkit.evaluation import functional as F

COUNTS = np.array([60, 200, 5, 150, 19])
GROUPS = dict(many=[1, 3], medium=[0], few=[2, 4])


def data(seed=0):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 5, 80), rng.integers(0, 4, 80)  # class 4 is never predicted


def test_predicted_prior_and_its_distances():
    labels, predicted = data()
    prior = F.predicted_prior(F.confusion_counts(labels, predicted, 5))
    share = [sum(1 for p in predicted if p == c) / 80 for c in range(5)]
    assert prior.tolist() == share and share[4] == 0
    assert F.l1_from_uniform(prior) == pytest.approx(sum(abs(q - 0.2) for q in share))
    assert F.kl_from_uniform(prior) == pytest.approx(sum(q * math.log(q / 0.2) for q in share if q))


def test_limits_of_the_distances():
    assert F.l1_from_uniform(np.full(4, 0.25)) == F.kl_from_uniform(np.full(4, 0.25)) == 0
    one = np.array([0.0, 1, 0, 0])
    assert F.l1_from_uniform(one) == 1.5 and F.kl_from_uniform(one) == pytest.approx(math.log(4))


def test_group_confusion_equals_a_loop():
    labels, predicted = data()
    group_of = {c: name for name, classes in GROUPS.items() for c in classes}
    got = F.group_confusion(labels, predicted, GROUPS, 5)
    for a, row in zip(GROUPS, got):
        inside = [p for y, p in zip(labels, predicted) if group_of[y] == a]
        for b, share in zip(GROUPS, row):
            assert share == sum(group_of[p] == b for p in inside) / len(inside)
    assert got.sum(1).tolist() == pytest.approx([1, 1, 1])


def test_a_group_without_a_test_sample_is_nan():
    got = F.group_confusion(np.array([1, 3]), np.array([2, 3]), GROUPS, 5)
    assert got[0].tolist() == [0.5, 0, 0.5] and np.isnan(got[1:]).all()


def test_accuracy_under_a_prior_is_that_of_a_test_set_of_that_prior():
    per_class = np.array([1.0, 0.5, 0.25, np.nan])
    hits = [1] * 8 + [1, 0] * 2 + [1, 0, 0, 0] * 3  # 8, 4 and 12 samples
    assert F.accuracy_under_prior(per_class, np.array([8, 4, 12, 7])) == pytest.approx(np.mean(hits))
    assert math.isnan(F.accuracy_under_prior(per_class, np.array([0, 0, 0, 1.0])))


def test_reversed_prior():
    total = COUNTS.sum()
    assert F.reversed_prior(COUNTS) == pytest.approx(np.array([60, 5, 200, 19, 150]) / total)
    assert F.reversed_prior(np.array([4, 4, 1])) == pytest.approx(np.array([2.5, 2.5, 4]) / 9)
    assert F.reversed_prior(np.full(3, 7)) == pytest.approx([1 / 3] * 3)


def test_long_tailed_prior_is_the_profile_of_the_protocol():
    profile = np.array([(1 / 10)**(i / 4) for i in range(5)])
    forward = F.long_tailed_prior(COUNTS, 10)
    assert forward[[1, 3, 0, 4, 2]] == pytest.approx(profile / profile.sum())
    backward = F.long_tailed_prior(COUNTS, 10, backward=True)
    assert backward[[2, 4, 0, 3, 1]] == pytest.approx(profile / profile.sum())
    assert F.long_tailed_prior(COUNTS, 1) == pytest.approx([0.2] * 5)
    assert F.long_tailed_prior(np.array([3]), 10).tolist() == [1.0]


@pytest.mark.parametrize('kind', [np.uint8, np.uint64, np.int32, list])
def test_priors_of_counts_of_any_kind(kind):
    counts = [5, 0, 3] if kind is list else np.array([5, 0, 3], dtype=kind)
    assert F.reversed_prior(counts) == pytest.approx(np.array([0, 5, 3]) / 8)
    assert F.long_tailed_prior(counts, 100) == pytest.approx(np.array([1, 0.01, 0.1]) / 1.11)
