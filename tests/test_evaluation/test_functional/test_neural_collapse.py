"""Tests of ltkit.evaluation.functional.neural_collapse."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
import torch.distributed as dist

from ltkit.evaluation.functional import (
    class_means,
    collapse_of_batches,
    equiangularity,
    equinorm,
    nearest_mean,
    neural_collapse,
    self_duality,
    simplex_angle,
    smallest_angles,
)
from ltkit.testing import run_distributed

CLASSES, CHANNELS = 7, 5


@pytest.fixture(params=[(5, 7), (12, 7)], ids=['more classes than channels', 'more channels than classes'])
def sample(request):
    """Features, labels (class 3 has no sample), predictions and a classifier."""
    channels, classes = request.param
    rng = np.random.default_rng(0)
    labels = rng.choice([0, 0, 0, 0, 1, 1, 2, 4, 5, 6], 60)
    features = rng.normal(size=(classes, channels))[labels] * 2 + rng.normal(size=(60, channels)) + 3
    return features, labels, rng.integers(0, classes, 60), rng.normal(size=(classes, channels))


def reference(features, labels, predictions, weight):
    """Every definition with loops over classes and samples."""
    classes = sorted(set(labels.tolist()))
    number = len(classes)
    means = {k: np.mean([h for h, y in zip(features, labels) if y == k], axis=0) for k in classes}
    middle = sum(means.values()) / number
    centred = {k: means[k] - middle for k in classes}
    within = sum(np.outer(h - means[y], h - means[y]) for h, y in zip(features, labels.tolist())) / len(features)
    between = sum(np.outer(c, c) for c in centred.values()) / number
    found = dict(nc1=np.trace(within @ np.linalg.pinv(between, hermitian=True)) / number)
    for name, rows in (('means', list(centred.values())), ('weights', list(weight))):
        lengths = [np.sqrt(np.sum(row**2)) for row in rows]
        average = sum(lengths) / len(lengths)
        found[f'nc2_norm_{name}'] = np.sqrt(sum((length - average)**2 for length in lengths)
                                            / (len(rows) - 1)) / average
        found[f'nc2_angle_{name}'] = sum(
            abs(a @ b / lengths[i] / lengths[j] + 1 / (len(rows) - 1))
            for i, a in enumerate(rows) for j, b in enumerate(rows) if i != j) / (len(rows) * (len(rows) - 1))
    angles = [min(np.degrees(np.arccos(centred[j] @ centred[k] / np.linalg.norm(centred[j])
                                       / np.linalg.norm(centred[k]))) for k in classes if k != j) for j in classes]
    found |= dict(min_angle=min(angles), mean_min_angle=sum(angles) / number)
    own, rows = np.stack([weight[k] for k in classes]), np.stack(list(centred.values()))
    found['nc3'] = np.sum((own / np.sqrt(np.sum(own**2)) - rows / np.sqrt(np.sum(rows**2)))**2)
    nearest = [min(classes, key=lambda k: np.sum((h - means[k])**2)) for h in features]
    return found | dict(nc4=sum(a != b for a, b in zip(nearest, predictions.tolist())) / len(features))


def expect_equal(found, want, tolerance=1e-10):
    assert found.keys() == want.keys()
    for key, value in want.items():
        assert found[key] == pytest.approx(value, rel=tolerance, abs=1e-12), key


def test_equations(sample):
    want = reference(*sample)
    expect_equal(neural_collapse(*sample), want)
    expect_equal(neural_collapse(*map(torch.as_tensor, sample)), want)
    assert 0 < want['nc4'] < 1 and want['nc1'] > 0.01
    codes = neural_collapse(*sample, divide_by_classes=False)
    expect_equal(codes, want | dict(nc1=6 * want['nc1']))


def test_what_is_not_given_is_absent(sample):
    features, labels, predictions, _ = sample
    want = neural_collapse(*sample)
    bare = neural_collapse(features, labels)
    assert set(want) - set(bare) == {'nc2_norm_weights', 'nc2_angle_weights', 'nc3', 'nc4'}
    expect_equal(bare, {key: want[key] for key in bare})
    assert neural_collapse(features, labels, predictions)['nc4'] == want['nc4']


@pytest.mark.parametrize('batch', [1, 7, 60])
def test_batches_give_what_the_whole_gives(sample, batch):
    features, labels, predictions, weight = map(torch.as_tensor, sample)
    found = collapse_of_batches(
        lambda: zip(features.split(batch), labels.split(batch), predictions.split(batch)), *weight.shape, weight)
    expect_equal(found, neural_collapse(*sample), 1e-12)


def test_renumbering_turning_and_moving_change_nothing(sample):
    features, labels, predictions, weight = sample
    order = np.random.default_rng(1).permutation(len(weight))
    turned, _ = np.linalg.qr(np.random.default_rng(2).normal(size=(features.shape[1], ) * 2))
    found = neural_collapse(3 * features @ turned + 5, order.argsort()[labels], order.argsort()[predictions],
                            (0.1 * weight @ turned)[order])
    expect_equal(found, neural_collapse(*sample), 1e-9)


def test_far_from_the_origin(sample):
    """The rounding errors are those of the input alone."""
    features, labels, predictions, weight = sample
    far = features + 1e6
    expect_equal(neural_collapse(far, labels, predictions, weight), neural_collapse(*sample), 1e-7)
    float32 = (features + 100).astype(np.float32)
    expect_equal(neural_collapse(float32, labels, predictions, weight),
                 neural_collapse(float32.astype(np.float64), labels, predictions, weight), 1e-12)


@pytest.mark.parametrize('number', [2, 4, 10])
def test_a_collapsed_network_has_zeros(number):
    """Features on a simplex, a classifier along it: NC1 to NC4 are 0, the angles those of the simplex."""
    simplex = np.eye(number) - 1 / number
    labels = np.arange(5 * number) % number
    found = neural_collapse(simplex[labels] + 2, labels, labels, 7 * simplex)
    for key in ('nc1', 'nc2_norm_means', 'nc2_norm_weights', 'nc2_angle_means', 'nc2_angle_weights', 'nc3', 'nc4'):
        assert found[key] == pytest.approx(0, abs=1e-12), key
    assert found['min_angle'] == pytest.approx(simplex_angle(number), abs=1e-5)
    assert found['mean_min_angle'] == pytest.approx(simplex_angle(number), abs=1e-5)


def test_nothing_to_measure():
    weight = np.eye(3, 4)
    assert neural_collapse(np.ones((4, 4)), np.zeros(4, int), np.zeros(4, int), weight) == {}
    equal = neural_collapse(np.ones((4, 4)), np.arange(4) % 2, np.zeros(4, int), weight)
    assert set(equal) == {'nc2_norm_weights', 'nc2_angle_weights', 'nc4'}
    none = neural_collapse(np.eye(4), np.arange(4) % 2, np.zeros(4, int), np.zeros((2, 4)))
    assert set(none) == {'nc1', 'nc2_norm_means', 'nc2_angle_means', 'min_angle', 'mean_min_angle', 'nc4'}
    assert all(math.isfinite(value) for value in {**equal, **none}.values())


def _share(rank, world_size, sample):
    features, labels, predictions, weight = map(torch.as_tensor, sample)
    share = [slice(0, 13), slice(13, 60), slice(0, 0)][rank]
    batches = [(features[share], labels[share], predictions[share])] if share.stop else []

    def reduce(tensor):
        total = tensor.clone()
        dist.all_reduce(total)
        return total
    return collapse_of_batches(lambda: batches, *weight.shape, weight, reduce)


def test_processes_add_up(sample):
    """Each process has batches of its own, one of them none."""
    for found in run_distributed(_share, 3, sample):
        expect_equal(found, neural_collapse(*sample), 1e-12)


def test_by_hand():
    vectors = torch.tensor([[3.0, 0], [0, 1], [-2, 0]]).double()
    assert equinorm(vectors) == pytest.approx(1 / 2)
    assert equiangularity(vectors) == pytest.approx((0.5 + 0.5 + 0.5) / 3)
    assert smallest_angles(vectors).tolist() == pytest.approx([90, 90, 90])
    assert self_duality(vectors, 5 * vectors) == pytest.approx(0)
    assert self_duality(vectors, -vectors) == pytest.approx(4)
    assert nearest_mean(torch.tensor([[1.0, 1], [9, 9], [-1, 0]]).double(), vectors).tolist() == [1, 0, 2]
    assert simplex_angle(2) == pytest.approx(180) and simplex_angle(3) == pytest.approx(120)
    counts, means = class_means(lambda: [(vectors, torch.tensor([2, 0, 2]), None)], 3, 2)
    assert counts.tolist() == [1, 0, 2] and means.tolist() == [[0, 1], [0, 0], [0.5, 0]]
