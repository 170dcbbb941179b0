"""Tests of ltkit.models.regularizers.discriminative_centroid_loss."""

from __future__ import annotations

import copy

import pytest
import torch
import torch.nn.functional as F

from ltkit.models.regularizers import DiscriminativeCentroidLoss
from ltkit.registry import HEADS
from ltkit.structures import BatchedSamples
from ltkit.testing.distributed import run_distributed
from ltkit.utils.errors import ConfigError

CLASSES, CHANNELS = 4, 3


def build(classifier='OLTRClassifier', kind='LongTailClsHead', **kwargs):
    torch.manual_seed(0)
    return HEADS.build(dict(type=kind, num_classes=CLASSES, in_channels=CHANNELS, classifier=dict(type=classifier),
                            regularizers=dict(type='DiscriminativeCentroidLoss', **kwargs))).double()


def reference(features, centroids, labels, attract=0.01, repel=0.0001, margin=10.0):
    near = spread = 0.0
    for h, label in zip(features, labels.tolist()):
        for k, c in enumerate(centroids):
            squared = sum((a - b)**2 for a, b in zip(h, c))
            if k == label:
                near = near + squared / (2 * len(features))
            else:
                spread = spread + squared / (len(features) * len(centroids))
    return attract * near + repel * max(margin - spread, 0 * spread)


def batch(size=1.0):
    torch.manual_seed(1)
    return size * torch.randn(6, CHANNELS, dtype=torch.float64), torch.tensor([0, 0, 1, 2, 2, 0])


@pytest.mark.parametrize('size', [1.0, 10.0])
@pytest.mark.parametrize('kwargs', [{}, dict(attract=0.5, repel=2.0, margin=7.0)])
def test_equation_and_gradient(size, kwargs):
    features, labels = batch(size)
    head = build(**kwargs)
    centroids = head.classifier.centroids
    found = head.regularizers['discriminative_centroid_loss'](
        features=features.requires_grad_(), logits=torch.zeros(6, CLASSES), target=labels)
    gradients = torch.autograd.grad(found, (features, centroids))
    expected = reference(features, centroids, labels, **kwargs)
    assert torch.allclose(found, expected, rtol=0, atol=1e-10)
    for one, other in zip(gradients, torch.autograd.grad(expected, (features, centroids))):
        assert torch.allclose(one, other, rtol=0, atol=1e-10)


@pytest.mark.parametrize('average_step', [False, True])
def test_hard_labels_are_soft_ones(average_step):
    features, labels = batch()
    head = build(average_step=average_step)
    part = head.regularizers['discriminative_centroid_loss']
    results = []
    for target in (labels, F.one_hot(labels, CLASSES).double()):
        value = part(features=features, logits=features, target=target)
        results.append((value, *torch.autograd.grad(value, head.classifier.centroids)))
    assert torch.allclose(results[0][0], results[1][0]) and torch.allclose(results[0][1], results[1][1])


def test_the_averaged_step_divides_the_pull_by_one_more_than_the_samples():
    """As the official backward does, which takes no heed of the weight of the loss."""
    features, labels = batch()
    features.requires_grad_()
    part, gradients, pulls = {}, {}, {}
    for average_step in (False, True):
        head = build(average_step=average_step, repel=0.0)
        part[average_step] = head.regularizers['discriminative_centroid_loss'](
            features=features, logits=features, target=labels)
        gradients[average_step], pulls[average_step] = torch.autograd.grad(
            part[average_step], (head.classifier.centroids, features))
    assert torch.equal(part[False], part[True])
    divisors = 1 + torch.tensor([3.0, 1, 2, 0])[:, None]
    assert torch.allclose(gradients[True], gradients[False] / divisors / 0.01)
    assert torch.equal(pulls[True], pulls[False])


def test_the_head_hands_over_the_centroids_and_they_learn_by_it_alone():
    head = build()
    assert head.classifier.centroids.requires_grad
    assert not any('regularizers' in name for name, _ in head.named_parameters())
    features, labels = batch()
    losses = head.loss((features, ), BatchedSamples(labels))
    losses['loss'].backward()
    assert head.classifier.centroids.grad is None
    head.loss((features, ), BatchedSamples(labels))['loss_discriminative_centroid_loss'].backward()
    assert head.classifier.centroids.grad.any()
    other = copy.deepcopy(head)
    with torch.no_grad():
        other.classifier.centroids.add_(1)
    values = [one.regularizers['discriminative_centroid_loss'](features=features, logits=features, target=labels)
              for one in (head, other)]
    assert values[0] != values[1]


def _value_and_gradient(rank, world_size):
    features, labels = batch()
    head = build(repel=1.0)
    value = head.regularizers['discriminative_centroid_loss'](
        features=features[rank::world_size], logits=features, target=labels[rank::world_size])
    value.backward()
    return value.detach(), head.classifier.centroids.grad


def test_two_processes_are_one():
    value, gradient = _value_and_gradient(0, 1)
    results = run_distributed(_value_and_gradient)
    assert torch.allclose(sum(result[0] for result in results) / 2, value)
    assert torch.allclose(sum(result[1] for result in results) / 2, gradient)


def test_given_centroids_beside_another_classifier():
    given = torch.randn(CLASSES, CHANNELS, dtype=torch.float64)
    features, labels = batch()
    head = build('LinearClassifier', centroids=given.tolist())
    found = head.regularizers['discriminative_centroid_loss'](features=features, logits=features, target=labels)
    assert torch.allclose(found, reference(features, given, labels), rtol=0, atol=1e-7)


@pytest.mark.parametrize('kwargs, message', [
    (dict(classifier='CosineClassifier'), 'LongTailClsHead has a CosineClassifier; give centroids='),
    (dict(kind='MultiExpertHead', num_experts=2), 'MultiExpertHead has several classifiers'),
    (dict(margin=-1), 'margin of DiscriminativeCentroidLoss must be a number 0 or more, but is -1'),
    (dict(attract='a'), "attract of DiscriminativeCentroidLoss must be a number 0 or more, but is 'a'"),
])
def test_wrong_arguments(kwargs, message):
    if 'num_experts' in kwargs:
        with pytest.raises(ConfigError, match=message):
            HEADS.build(dict(type='MultiExpertHead', num_experts=2, num_classes=4, in_channels=3,
                             regularizers=dict(type='DiscriminativeCentroidLoss')))
        return
    with pytest.raises(ConfigError, match=message):
        build(**kwargs)


def test_alone():
    with pytest.raises(ConfigError, match='DiscriminativeCentroidLoss has no centroids'):
        DiscriminativeCentroidLoss()(torch.zeros(2, 3), torch.zeros(2, 4), torch.tensor([0, 1]))
