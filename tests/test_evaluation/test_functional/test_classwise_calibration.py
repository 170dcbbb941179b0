"""Classwise ECE against a loop over classes, bins and samples."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from ltkit.evaluation import functional as F
from ltkit.evaluation.functional import classwise_calibration


def data(samples=300, classes=6, seed=0):
    rng = np.random.default_rng(seed)
    logits = 2 * rng.normal(size=(samples, classes))
    scores = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    scores[0] = [1 / 15, 2 / 15, 12 / 15, 0, 0, 0]  # on the edges
    return scores, rng.integers(0, classes - 1, samples)  # the last class has no sample


def loop(scores, labels, bins):
    total = 0.0
    for c in range(scores.shape[1]):
        for b in range(bins):
            inside = [i for i, p in enumerate(scores[:, c])
                      if p <= (b + 1) / bins and (p > b / bins or b == 0)]
            total += abs(sum(labels[i] == c for i in inside) - sum(scores[i, c] for i in inside))
    return total / len(labels) / scores.shape[1]


@pytest.mark.parametrize('bins', [1, 2, 15])
@pytest.mark.parametrize('kind', ['float64', 'float32', 'float16'])
def test_it_equals_a_loop(bins, kind):
    scores, labels = data()
    given = torch.tensor(scores).to(getattr(torch, kind))
    want = loop(given.double().numpy(), labels, bins)
    assert F.classwise_calibration_error(given, labels, bins) == pytest.approx(want, abs=1e-11)


def test_arrays_are_taken_and_kept():
    scores, labels = data()
    before = scores.copy()
    assert F.classwise_calibration_error(scores, labels) == pytest.approx(loop(scores, labels, 15), abs=1e-11)
    assert np.array_equal(before, scores)


def test_parts_add_up_and_are_taken_out_exactly():
    scores, labels = data()
    whole, first, second = (F.ClasswiseSums(6) for _ in range(3))
    whole.update(scores, labels)
    first.update(scores[250:], labels[250:])
    second.update(scores[:250], labels[:250])
    assert (first + second).error() == whole.error()
    second.update(scores[7:9], labels[7:9])
    second.remove(scores[7:9], labels[7:9])
    assert (second + first).error() == whole.error()
    assert (second + first).num_samples == 300


def test_a_perfect_model_has_no_error():
    assert F.classwise_calibration_error(np.eye(4), np.arange(4)) == 0
    uniform = np.full((4, 4), 0.25)
    assert F.classwise_calibration_error(uniform, np.arange(4)) == pytest.approx(0, abs=1e-12)
    assert F.classwise_calibration_error(np.eye(4)[[1, 2, 3, 0]], np.arange(4)) == pytest.approx(0.5)


def test_no_sample_and_wrong_shapes():
    assert math.isnan(F.ClasswiseSums(3).error())
    with pytest.raises(ValueError, match=r'\(N, 3\), but are \(2, 4\)'):
        F.ClasswiseSums(3).update(np.zeros((2, 4)), np.zeros(2))
    with pytest.raises(ValueError, match='add up'):
        F.ClasswiseSums(3) + F.ClasswiseSums(4)


def test_the_same_scores_are_found_on_an_accelerator():
    scores = torch.tensor(data()[0]).float()
    for low in (1 / 15, 0.5, 2.0):
        host = classwise_calibration._at_least(scores, low)
        device = classwise_calibration._at_least_on_device(scores, low)
        assert all(np.array_equal(one, other) for one, other in zip(host, device))
