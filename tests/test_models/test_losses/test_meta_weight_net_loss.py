"""Tests of ltkit.models.losses.meta_weight_net_loss."""

from __future__ import annotations

import math

import pytest
import torch

from ltkit.models.losses import LDAMLoss, MetaWeightNetLoss, RIDELoss
from ltkit.models.meta_learned import meta_learned_parameters
from ltkit.testing.distributed import run_distributed
from ltkit.utils.errors import ConfigError


def weight(net, value):
    """V of one loss, a plain number, in elementary steps."""
    total = net.output.bias.item()
    for w, b, v in zip(net.hidden.weight[:, 0].tolist(), net.hidden.bias.tolist(), net.output.weight[0].tolist()):
        total += v * max(w * value + b, 0)
    return 1 / (1 + math.exp(-total))


def cross_entropies(logits, labels):
    return [z.exp().sum().log() - z[y] for z, y in zip(logits, labels.tolist())]


@pytest.mark.parametrize('normalise', [True, False])
def test_equation(normalise, case, same):
    loss = MetaWeightNetLoss(normalise=normalise, hidden_channels=7)

    def expected(logits):
        losses = cross_entropies(logits.double(), case.labels)
        weights = [weight(loss.net, value.item()) for value in losses]  # constants for the gradient
        return sum(v * value for v, value in zip(weights, losses)) / (sum(weights) if normalise else len(losses))
    same(lambda z: loss(z, case.labels), expected, case.logits)
    same(lambda z: loss(z, case.labels), expected, case.logits.float(), 1e-5)


def test_equal_weights_are_the_mean(case, same):
    loss = MetaWeightNetLoss()
    torch.nn.init.zeros_(loss.net.output.weight)
    same(lambda z: loss(z, case.labels), lambda z: torch.nn.functional.cross_entropy(z, case.labels), case.logits)


def test_net():
    """The values of a net of two units, worked out by hand."""
    net = MetaWeightNetLoss(hidden_channels=2).net
    for parameter, values in zip(net.parameters(), ([[1.0], [-2.0]], [0.5, 1.0], [[2.0, 3.0]], [-1.0])):
        parameter.data = torch.tensor(values)
    # l = 1: relu(1.5) = 1.5 and relu(-1) = 0; l = 0: 0.5 and 1
    assert torch.allclose(net(torch.tensor([1.0, 0.0])), torch.tensor([2.0, 3.0]).sigmoid())
    assert [tuple(p.shape) for p in MetaWeightNetLoss().net.parameters()] == [(100, 1), (100, ), (1, 100), (1, )]


def test_the_weighted_loss_is_any_other(case, same):
    loss = MetaWeightNetLoss(loss=dict(type='LDAMLoss', class_counts=case.counts, drw=dict(begin=0)))
    base = LDAMLoss(class_counts=case.counts, drw=dict(begin=0))

    def expected(logits):
        losses = base(logits, case.labels, reduction_override='none')
        weights = loss.net(losses.detach())
        return (weights * losses).sum() / weights.sum()
    same(lambda z: loss(z, case.labels), expected, case.logits)
    loss = MetaWeightNetLoss(loss=dict(type='LDAMLoss'))
    assert not loss.scale_given
    loss.set_scale(7)
    assert loss.loss.scale == 7
    assert MetaWeightNetLoss(loss=dict(type='LDAMLoss', scale=3)).scale_given
    assert MetaWeightNetLoss(loss=RIDELoss(class_counts=case.counts)).score_dims == ('E', 'N', 'C')


def test_the_net_is_not_for_the_optimizer():
    loss = MetaWeightNetLoss()
    assert len(meta_learned_parameters(loss)) == 4
    assert not any(parameter.requires_grad for parameter in loss.parameters())


def test_gradient_of_the_net(case):
    """With parameters that ask for it, the weights pass a gradient to the net, the divisor included."""
    loss = MetaWeightNetLoss(hidden_channels=3).double()
    parameters = [parameter.requires_grad_() for parameter in loss.net.parameters()]

    def value(*parameters):
        return torch.func.functional_call(
            loss, {f'net.{name}': p for (name, _), p in zip(loss.net.named_parameters(), parameters)},
            (case.logits, case.labels))
    torch.autograd.gradcheck(value, parameters)


def test_all_weights_underflow(case):
    loss = MetaWeightNetLoss()
    torch.nn.init.constant_(loss.net.output.bias, -1e4)
    logits = case.logits.clone().requires_grad_()
    value = loss(logits, case.labels)
    value.backward()
    assert value.item() == 0 and torch.isfinite(logits.grad).all()


def _gradient_of_the_net(rank, world_size, logits, labels):
    torch.manual_seed(0)
    loss = MetaWeightNetLoss(hidden_channels=3).double()
    parameters = [parameter.requires_grad_() for parameter in loss.net.parameters()]
    value = loss(logits[rank::world_size], labels[rank::world_size])
    gradients = torch.autograd.grad(value, parameters)
    return torch.cat([gradient.flatten() for gradient in gradients]).tolist()


def test_gradient_of_the_net_over_two_processes(case):
    logits, labels = case.logits[:8], case.labels[:8]
    one = torch.tensor(_gradient_of_the_net(0, 1, logits, labels), dtype=torch.float64)
    halves = torch.tensor(run_distributed(_gradient_of_the_net, 2, logits, labels), dtype=torch.float64)
    assert torch.allclose(halves.mean(0), one, rtol=0, atol=1e-12)


@pytest.mark.parametrize('arguments, words', [
    (dict(hidden_channels=0), 'hidden_channels must be a whole number from 1 on, but is 0'),
    (dict(hidden_channels=1.5), 'hidden_channels'),
    (dict(loss=torch.nn.CrossEntropyLoss()), 'must be one of ltkit, but is CrossEntropyLoss'),
    (dict(loss=dict(type='InfluenceBalancedLoss')), 'InfluenceBalancedLoss needs the features'),
])
def test_wrong_arguments(arguments, words):
    with pytest.raises(ConfigError, match=words):
        MetaWeightNetLoss(**arguments)
