"""Tests of ltkit.models.regularizers.max_norm."""

from __future__ import annotations

import copy
import math

import pytest
import torch

from ltkit.models.heads import LongTailClsHead, MultiExpertHead
from ltkit.models.regularizers import MaxNorm
from ltkit.structures import BatchedSamples
from ltkit.utils.errors import ConfigError


def lengths_of(rows):
    return [math.sqrt(sum(x * x for x in row)) for row in rows]


def projected(rows, radius, form='max_norm'):
    """The rows after one projection, by plain numbers."""
    scaled = []
    for row, length in zip(rows, lengths_of(rows)):
        factor = radius / length if form == 'l2' or length > radius else 1.0
        scaled.append([factor * x for x in row])
    return torch.tensor(scaled, dtype=torch.float64)


def make_head(classes=5, seed=0, **kwargs):
    """A head in float64 whose class vectors have lengths from about 0.2 to 4."""
    torch.manual_seed(seed)
    head = LongTailClsHead(classes, 4, regularizers=dict(type='MaxNorm', **kwargs)).double()
    with torch.no_grad():
        head.classifier.weight.mul_(torch.linspace(0.5, 8, classes, dtype=torch.float64)[:, None])
    return head


def part_of(head):
    return head.regularizers['max_norm']


@pytest.mark.parametrize('threshold', [0.0, 0.1, 0.5, 1.0])
def test_the_radius_is_measured_on_the_weights_that_training_begins_with(threshold):
    head = make_head(threshold=threshold)
    rows, bias = head.classifier.weight.tolist(), head.classifier.bias.clone()
    part_of(head).begin_projection()
    lengths = lengths_of(rows)
    radius = min(lengths) + threshold * (max(lengths) - min(lengths))
    assert part_of(head).bounds.item() == pytest.approx(radius, 1e-12)
    part_of(head).project()
    assert (head.classifier.weight - projected(rows, radius)).abs().max() < 1e-10
    assert torch.equal(head.classifier.bias, bias)
    with torch.no_grad():
        head.classifier.weight.mul_(torch.tensor([[3.0], [0.1], [1.0], [2.0], [0.5]]))
    rows = head.classifier.weight.tolist()
    part_of(head).project()  # the radius stays
    assert (head.classifier.weight - projected(rows, radius)).abs().max() < 1e-10


@pytest.mark.parametrize(('form', 'radius', 'want'), [
    ('max_norm', 0.7, 0.7), ('l2', None, 1.0), ('l2', 2.5, 2.5)])
def test_given_radius(form, radius, want):
    head = make_head(form=form, radius=radius)
    rows = head.classifier.weight.tolist()
    part_of(head).begin_projection()
    part_of(head).project()
    assert (head.classifier.weight - projected(rows, want, form)).abs().max() < 1e-7 * want  # the bound was float32


def test_float32():
    head = make_head(radius=0.7).float()
    rows = head.classifier.weight.tolist()
    part_of(head).project()
    assert (head.classifier.weight - projected(rows, 0.7)).abs().max() < 1e-6


def test_a_projection_changes_only_what_is_too_long_and_is_idempotent():
    head = make_head(radius=1.0)
    before = head.classifier.weight.detach().clone()
    part_of(head).project()
    once = head.classifier.weight.detach().clone()
    short = before.norm(dim=1) <= 1
    assert short.any() and not short.all()
    assert torch.equal(once[short], before[short])
    part_of(head).project()
    assert (head.classifier.weight - once).abs().max() < 1e-15


@pytest.mark.parametrize('form', ['max_norm', 'l2'])
def test_a_class_vector_of_zeros_stays(form):
    head = make_head(radius=1.0, form=form)
    with torch.no_grad():
        head.classifier.weight[2] = 0
    part_of(head).project()
    assert head.classifier.weight.isfinite().all() and not head.classifier.weight[2].any()


def test_nothing_is_bounded_before_the_radius_is_measured():
    head = make_head()
    before = head.classifier.weight.detach().clone()
    part_of(head).project()
    assert torch.equal(head.classifier.weight, before)


def test_permuted_classes():
    head, order = make_head(), torch.tensor([3, 0, 4, 1, 2])
    permuted = copy.deepcopy(head)
    with torch.no_grad():
        permuted.classifier.weight.copy_(head.classifier.weight[order])
    for each in (head, permuted):
        part_of(each).begin_projection()
        part_of(each).project()
    assert torch.equal(permuted.classifier.weight, head.classifier.weight[order])


def test_the_radius_is_in_the_state_of_the_model():
    head, other = make_head(), make_head(seed=1)
    part_of(head).begin_projection()
    state = head.state_dict()
    assert 'regularizers.max_norm.bounds' in state
    assert [key for key in state if key.endswith('weight')] == ['classifier.weight']  # and is there once
    other.load_state_dict(state)
    assert torch.equal(part_of(other).bounds, part_of(head).bounds)


def test_a_copy_of_a_model_projects_its_own_weights():
    head = make_head(radius=0.1)
    before, twin = head.classifier.weight.detach().clone(), copy.deepcopy(head)
    part_of(twin).project()
    assert torch.equal(head.classifier.weight, before)
    assert not torch.equal(twin.classifier.weight, before)


def test_it_is_no_term_of_the_loss():
    head = LongTailClsHead(3, 4, regularizers=dict(type='MaxNorm'))
    assert list(head.loss((torch.randn(2, 4), ), BatchedSamples(torch.tensor([0, 2])))) == ['loss']
    head = MultiExpertHead(2, 3, 4, loss=dict(type='SoftmaxLoss'), regularizers=dict(type='MaxNorm'))
    assert list(head.loss((torch.randn(2, 4), ) * 2, BatchedSamples(torch.tensor([0, 2])))) == ['loss']


def test_each_expert_has_a_radius_of_its_own():
    torch.manual_seed(0)
    head = MultiExpertHead(2, 5, 4, loss=dict(type='SoftmaxLoss'), regularizers=dict(type='MaxNorm'))
    rows = [classifier.weight.tolist() for classifier in head.classifiers]
    part_of(head).begin_projection()
    part_of(head).project()
    for classifier, given in zip(head.classifiers, rows):
        lengths = lengths_of(given)
        radius = min(lengths) + 0.1 * (max(lengths) - min(lengths))
        assert (classifier.weight - projected(given, radius)).abs().max() < 1e-6


def test_a_classifier_without_class_vectors():
    with pytest.raises(ConfigError, match=r'MaxNorm constrains class vectors, a parameter weight of shape \(C, d\), '
                                          'which ETFClassifier does not have'):
        LongTailClsHead(3, 4, dict(type='ETFClassifier'), regularizers=dict(type='MaxNorm'))


def test_without_a_head():
    with pytest.raises(ConfigError, match='MaxNorm has no classifier; put it into the regularizers of a head'):
        MaxNorm().project()


@pytest.mark.parametrize(('arguments', 'message'), [
    (dict(threshold=1.5), r'threshold of MaxNorm must be a number in \[0, 1\], but is 1.5'),
    (dict(radius=0), 'radius of MaxNorm must be above 0, but is 0'),
    (dict(radius=-1), 'radius of MaxNorm must be a number 0 or more, but is -1'),
    (dict(form='l1'), "form of MaxNorm must be one of max_norm, l2, but is 'l1'"),
    (dict(every='iteration'), "every of MaxNorm must be one of step, epoch, but is 'iteration'"),
])
def test_wrong_arguments(arguments, message):
    with pytest.raises(ConfigError, match=message):
        MaxNorm(**arguments)


def test_repr():
    assert repr(MaxNorm()) == "MaxNorm(threshold=0.1, form='max_norm', every='step')"
    assert 'radius=1' in repr(MaxNorm(form='l2'))
