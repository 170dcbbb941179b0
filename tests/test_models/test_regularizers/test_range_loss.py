"""Tests of ltkit.models.regularizers.range_loss."""

from __future__ import annotations

import math

import pytest
import torch

from ltkit.models.regularizers import RangeLoss
from ltkit.registry import HEADS, LOSSES, REGULARIZERS
from ltkit.structures import DataSample
from ltkit.utils.errors import ConfigError, DataError

LABELS = torch.tensor([4, 0, 2, 0, 0, 7, 2, 0, 4, 2, 2, 4])  # of 3, 4, 4 and 1 samples


@pytest.fixture
def features():
    return torch.randn(12, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def range_loss(features, labels, alpha=0.5, beta=0.5, margin=0.1, k=2, squared=False):
    """The equation with plain loops."""
    def distance(a, b):
        total = sum((p - q)**2 for p, q in zip(a, b))
        return total if squared else total.sqrt()

    classes = sorted(set(labels.tolist()))
    members = {c: [x for x, y in zip(features, labels.tolist()) if y == c] for c in classes}
    intra, inter = 0, 0
    for own in members.values():
        pairs = [distance(own[i], own[j]) for i in range(len(own)) for j in range(i)]
        largest = sorted(pairs, reverse=True)[:k]
        if largest:
            intra = intra + len(largest) / sum(1 / value for value in largest)
    centres = [sum(own) / len(own) for own in members.values()]
    gaps = [distance(centres[i], centres[j]) for i in range(len(centres)) for j in range(i)]
    if gaps and min(gaps) < margin:
        inter = margin - min(gaps)
    return alpha * intra + beta * inter


@pytest.mark.parametrize('arguments', [
    {}, dict(margin=5.0), dict(alpha=0.0, margin=5.0), dict(beta=0.0), dict(k=1), dict(k=5, alpha=2.0), dict(k=99),
    dict(distance='squared', margin=20.0), dict(distance='squared', k=3),
], ids=str)
@pytest.mark.parametrize('dtype', [torch.float64, torch.float32])
def test_equation(arguments, dtype, features):
    tolerance = 1e-10 if dtype == torch.float64 else 1e-5
    named = {key: value for key, value in arguments.items() if key != 'distance'}
    own, reference = features.to(dtype, copy=True).requires_grad_(), features.requires_grad_()
    value = RangeLoss(**arguments)(own, LABELS)
    expected = range_loss(reference, LABELS, squared='distance' in arguments, **named)
    value.backward()
    expected.backward()
    assert value.dtype == dtype and value.item() == pytest.approx(expected.item(), rel=tolerance)
    assert reference.grad.abs().max() > 1e-3
    assert (own.grad - reference.grad).abs().max() <= tolerance * max(1, reference.grad.abs().max())


def test_gradient_by_finite_differences(features):
    for distance in ('euclidean', 'squared'):
        loss = RangeLoss(margin=20.0, distance=distance)
        torch.autograd.gradcheck(lambda x, loss=loss: loss(x, LABELS), features.requires_grad_())


def test_by_hand():
    """Distances 3, 4 and 5 in a triangle; centres 10 apart."""
    features = torch.tensor([[0.0, 0], [3, 0], [0, 4], [11, 4 / 3]])
    labels = torch.tensor([1, 1, 1, 0])
    intra, centres = 2 / (1 / 5 + 1 / 4), 10.0
    assert RangeLoss(margin=12.0)(features, labels).item() == pytest.approx(0.5 * intra + 0.5 * (12 - centres))
    assert RangeLoss(margin=centres - 1)(features, labels).item() == pytest.approx(0.5 * intra)


def test_classes_of_one_sample_have_no_range(features):
    own = features.requires_grad_()
    value = RangeLoss(beta=0.0)(own, torch.arange(12))
    value.backward()
    assert value.item() == 0 and own.grad.abs().max() == 0


def test_one_class_has_no_distance_of_centres(features):
    labels = torch.zeros(12, dtype=torch.int64)
    own = features.requires_grad_()
    value = RangeLoss(alpha=0.0, margin=100.0)(own, labels)
    value.backward()
    assert value.item() == 0 and own.grad.abs().max() == 0
    assert RangeLoss()(features[:1], labels[:1]).item() == 0


def test_a_single_sample_changes_the_other_classes_not(features):
    loss = RangeLoss(beta=0.0)
    alone = LABELS == 7
    assert loss(features, LABELS).item() == pytest.approx(loss(features[~alone], LABELS[~alone]).item(), rel=1e-12)


@pytest.mark.parametrize('distance', ['euclidean', 'squared'])
@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16, torch.float32])
def test_features_in_one_place(distance, dtype):
    """Of one class, of two, and next to others: the gradient is finite, and the value that of the rest."""
    loss = RangeLoss(margin=1.0, distance=distance)
    labels = torch.tensor([0, 0, 0, 1, 1, 2])
    for features in (torch.zeros(6, 3), torch.full((6, 3), 6e4), torch.eye(6, 3),
                     torch.tensor([[1.0, 0], [1, 0], [2, 0], [5, 5], [5, 5], [1, 0]])):
        own = features.to(dtype).requires_grad_()
        with torch.autocast('cpu', dtype=torch.bfloat16):
            value = loss(own, labels)
        value.backward()
        assert value.dtype == torch.float32 and value.isfinite() and own.grad.isfinite().all()
        assert own.grad.dtype == dtype and own.grad.float().abs().max() < 1e3
    assert loss(torch.zeros(6, 3), labels).item() == pytest.approx(0.5, abs=1e-5)  # the margin


def test_half_precision_far_from_the_origin():
    """Squares of these features are beyond float16; the distances are not."""
    features = torch.randn(8, 16, generator=torch.Generator().manual_seed(0)) + 1000
    labels = torch.arange(8) % 2
    expected = range_loss(features.half().double(), labels)
    assert RangeLoss()(features.half(), labels).item() == pytest.approx(expected.item(), rel=1e-5)


def test_order_and_names_of_classes_do_not_matter(features):
    loss, order = RangeLoss(margin=5.0), torch.randperm(12, generator=torch.Generator().manual_seed(1))
    value = loss(features, LABELS)
    assert loss(features[order], LABELS[order]).item() == pytest.approx(value.item(), rel=1e-12)
    assert loss(features, 9 - LABELS).item() == pytest.approx(value.item(), rel=1e-12)


def test_in_the_head():
    term = dict(type='RangeLoss', loss_weight=0.01, margin=5.0)
    head = HEADS.build(dict(type='LongTailClsHead', num_classes=3, in_channels=4, regularizers=[term]))
    feats = torch.randn(6, 4, requires_grad=True)
    labels = [0, 1, 2, 0, 1, 1]
    losses = head.loss((feats, ), [DataSample().set_gt_label(label) for label in labels])
    expected = 0.01 * range_loss(feats, torch.tensor(labels), margin=5.0)
    assert losses['loss_range_loss'].item() == pytest.approx(expected.item(), rel=1e-5)
    sum(losses.values()).backward()
    assert feats.grad.abs().sum() > 0


def test_as_a_loss_by_itself(features):
    expected = RangeLoss(loss_weight=2.0)(features, LABELS)
    for registry in (LOSSES, REGULARIZERS):
        assert torch.equal(registry.build(dict(type='RangeLoss', loss_weight=2.0))(features, LABELS), expected)
    with pytest.raises(ConfigError, match=r"head.loss is RangeLoss, .* head.regularizers=\[dict\(type='RangeLoss'\)\]"):
        HEADS.build(dict(type='LongTailClsHead', num_classes=3, in_channels=4, loss=dict(type='RangeLoss')))


def test_a_large_batch_has_no_loop_over_classes():
    features = torch.randn(200, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    labels = torch.arange(200) % 60
    expected = range_loss(features, labels)
    assert RangeLoss()(features, labels).item() == pytest.approx(expected.item(), rel=1e-10)


def test_wrong_input(features):
    loss = RangeLoss()
    with pytest.raises(DataError, match='RangeLoss has no form for soft labels'):
        loss(features=features, logits=features, target=torch.rand(12, 8))
    with pytest.raises(DataError, match=r'class indices \(12,\) of an integer dtype, but is torch.int64 of \(3,\)'):
        loss(features, torch.tensor([0, 1, 2]))
    with pytest.raises(DataError, match=r'but is torch\.float32'):
        loss(features, torch.rand(12))
    with pytest.raises(DataError, match=r'features of a float dtype and of shape \(N, d\), but got torch.float64 of'):
        loss(features[None], LABELS)


@pytest.mark.parametrize(('arguments', 'message'), [
    (dict(alpha=-1), 'alpha of RangeLoss must be a number 0 or more, but is -1'),
    (dict(beta='a'), "beta of RangeLoss must be a number 0 or more, but is 'a'"),
    (dict(margin=math.nan), 'margin of RangeLoss must be a number 0 or more, but is nan'),
    (dict(k=0), 'k of RangeLoss must be a whole number from 1 on, but is 0'),
    (dict(distance='euclid'), "distance of RangeLoss must be one of euclidean, squared, but is 'euclid'; did you"),
])
def test_wrong_arguments(arguments, message):
    with pytest.raises(ConfigError, match=message):
        RangeLoss(**arguments)


def test_what_it_says_of_itself():
    assert 'k=3' in repr(RangeLoss(k=3)) and 'loss_weight=0.1' in repr(RangeLoss(loss_weight=0.1))
