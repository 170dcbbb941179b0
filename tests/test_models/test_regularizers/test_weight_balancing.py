"""Tests of ltkit.models.regularizers.weight_balancing."""

from __future__ import annotations

import copy

import pytest
import torch

from ltkit.models.heads import LongTailClsHead, MultiExpertHead
from ltkit.models.regularizers import MaxNorm, WeightBalancing
from ltkit.structures import BatchedSamples
from ltkit.utils.errors import ConfigError


def make_head(**kwargs):
    torch.manual_seed(0)
    return LongTailClsHead(5, 4, regularizers=dict(type='WeightBalancing', **kwargs)).double()


def batch():
    generator = torch.Generator().manual_seed(1)
    return (torch.randn(8, 4, generator=generator, dtype=torch.float64), ), BatchedSamples(torch.arange(8) % 5)


@pytest.mark.parametrize('decay', [0.0, 0.1, 3.0])
@pytest.mark.parametrize('loss_weight', [1.0, 0.5])
def test_equation(decay, loss_weight):
    head = make_head(weight_decay=decay, loss_weight=loss_weight)
    value = head.loss(*batch())['loss_weight_balancing']
    numbers = [x for row in head.classifier.weight.tolist() for x in row] + head.classifier.bias.tolist()
    assert value.item() == pytest.approx(loss_weight * decay / 2 * sum(x * x for x in numbers), 1e-12, 1e-15)


def test_it_trains_as_the_weight_decay_of_the_optimizer():
    head = make_head(weight_decay=0.1, radius=1e9)
    plain = LongTailClsHead(5, 4).double()
    plain.classifier = copy.deepcopy(head.classifier)
    for each, decay in ((head, 0.0), (plain, 0.1)):
        optimizer = torch.optim.SGD(each.parameters(), lr=0.3, momentum=0.9, weight_decay=decay)
        for _ in range(5):
            optimizer.zero_grad()
            sum(each.loss(*batch()).values()).backward()
            optimizer.step()
    assert (head.classifier.weight - plain.classifier.weight).abs().max() < 1e-14
    assert (head.classifier.bias - plain.classifier.bias).abs().max() < 1e-14


def test_it_projects_as_max_norm():
    head, other = make_head(), LongTailClsHead(5, 4, regularizers=dict(type='MaxNorm')).double()
    other.classifier.load_state_dict(head.classifier.state_dict())
    for part in (head.regularizers['weight_balancing'], other.regularizers['max_norm']):
        assert isinstance(part, MaxNorm)
        part.begin_projection()
        part.project()
    assert torch.equal(head.classifier.weight, other.classifier.weight)


def test_the_decay_of_several_experts():
    head = MultiExpertHead(2, 3, 4, loss=dict(type='SoftmaxLoss'), regularizers=dict(type='WeightBalancing'))
    losses = head.loss((torch.randn(2, 4), ) * 2, BatchedSamples(torch.tensor([0, 2])))
    total = sum(p.square().sum() for classifier in head.classifiers for p in classifier.parameters())
    assert losses['loss_weight_balancing'].item() == pytest.approx(0.05 * total.item(), 1e-6)


def test_a_classifier_without_a_bias():
    head = LongTailClsHead(3, 4, dict(type='LinearClassifier', bias=False), regularizers=dict(type='WeightBalancing'))
    value = head.loss((torch.randn(2, 4), ), BatchedSamples(torch.tensor([0, 2])))['loss_weight_balancing']
    assert value.item() == pytest.approx(0.05 * head.classifier.weight.square().sum().item(), 1e-6)


def test_wrong_arguments():
    with pytest.raises(ConfigError, match='weight_decay of WeightBalancing must be a number 0 or more, but is -1'):
        WeightBalancing(weight_decay=-1)
    with pytest.raises(ConfigError, match='threshold of WeightBalancing must be'):
        WeightBalancing(threshold=2)
    with pytest.raises(ConfigError, match='WeightBalancing has no classifier; put it into the regularizers of a head'):
        WeightBalancing()(features=torch.zeros(1, 2), logits=torch.zeros(1, 2), target=torch.zeros(1).long())


def test_repr():
    assert repr(WeightBalancing()).startswith('WeightBalancing(weight_decay=0.1, threshold=0.1, ')
