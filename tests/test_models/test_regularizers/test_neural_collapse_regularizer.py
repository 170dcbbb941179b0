"""Tests of ltkit.models.regularizers.neural_collapse_regularizer."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from ltkit.models.regularizers import NeuralCollapseRegularizer
from ltkit.registry import REGULARIZERS
from ltkit.testing import run_distributed
from ltkit.utils.dist import world_size
from ltkit.utils.errors import ConfigError, DataError

CLASSES, CHANNELS = 6, 8
LABELS = torch.tensor([0, 0, 0, 0, 0, 1, 1, 1, 3, 3, 4, 5])  # class 2 is absent
SIZES = dict(num_classes=CLASSES, in_channels=CHANNELS)


@pytest.fixture
def features():
    return torch.randn(12, CHANNELS, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def build(dtype=torch.float64, **arguments):
    torch.manual_seed(1)
    return NeuralCollapseRegularizer(**SIZES, **arguments).to(dtype)


def call(regularizer, features, labels=LABELS):
    return regularizer(features=features, logits=torch.zeros(len(features), CLASSES), target=labels)


def reference(features, centres, labels, within=0.01, between=0.1, average='class', separation='mean', centring=0.0):
    """The equations with plain loops."""
    labels, count = labels.tolist(), len(centres)
    first = 0
    for k in range(count):
        own = [i for i, label in enumerate(labels) if label == k]
        if own:
            total = sum(((features[i] - centres[k])**2).sum() for i in own)
            first = first + total / dict(class_=len(own) * count, squared=len(own)**2 * count,
                                         batch=len(labels))[average.replace('class', 'class_')]
    middle = sum(centres) / count
    units = [(centre - middle) / ((centre - middle)**2).sum().sqrt() for centre in centres]
    cosines = {(j, k): (units[j] * units[k]).sum() for j in range(count) for k in range(count) if j != k}
    if separation == 'simplex':
        second = sum((cosine + 1 / (count - 1))**2 for cosine in cosines.values()).sqrt()
    else:
        angles = [min(torch.arccos(cosines[j, k].clamp(-0.99999, 0.99999)) for k in range(count) if k != j)
                  for j in range(count)]
        second = -min(angles) if separation == 'smallest' else -sum(angles) / count
    return within * first + between * second + centring * (middle**2).sum()


@pytest.mark.parametrize('arguments', [
    {}, dict(within=0.1, between=1.0), dict(between=0.0), dict(average='squared'), dict(average='batch'),
    dict(separation='smallest', between=3.0), dict(separation='simplex'), dict(centring=0.3),
], ids=str)
@pytest.mark.parametrize('dtype', [torch.float64, torch.float32])
def test_equation(arguments, dtype, features):
    tolerance = 1e-10 if dtype == torch.float64 else 1e-5
    regularizer = build(dtype, **arguments)
    own, plain = features.to(dtype, copy=True).requires_grad_(), features.requires_grad_()
    centres = regularizer.centres.detach().double().requires_grad_()
    value, expected = call(regularizer, own), reference(plain, centres, LABELS, **arguments)
    value.backward()
    expected.backward()
    assert value.dtype == dtype and value.item() == pytest.approx(expected.item(), rel=tolerance)
    for got, want in ((own.grad, plain.grad), (regularizer.centres.grad, centres.grad)):
        assert want.abs().max() > 1e-4
        assert (got - want).abs().max() <= tolerance * max(1, want.abs().max())


def test_by_hand():
    """Two classes with centres at -1 and 1: the angle is 180 degrees, but for the clamp."""
    regularizer = NeuralCollapseRegularizer(within=0.5, between=2.0, num_classes=2, in_channels=1).double()
    with torch.no_grad():
        regularizer.centres.copy_(torch.tensor([[-1.0], [1.0]]))
    value = regularizer(torch.tensor([[0.0], [2.0], [1.0]]).double(), torch.zeros(3, 2), torch.tensor([0, 0, 1]))
    assert value.item() == pytest.approx(0.5 * ((1 + 9) / 2 + 0) / 2 - 2 * math.acos(-0.99999), rel=1e-10)


def test_all_classes_of_the_batch_pull_alike(features):
    """However often a class is in the batch, the sum of its gradients on features at one distance is the same."""
    regularizer = build(between=0.0)
    own = (regularizer.centres.detach()[LABELS] + 1).requires_grad_()
    call(regularizer, own).backward()
    pull = torch.zeros(CLASSES, CHANNELS, dtype=torch.float64).index_add(0, LABELS, own.grad)
    assert torch.allclose(pull[[0, 1, 3, 4, 5]], torch.full((5, CHANNELS), 0.01 * 2 / CLASSES, dtype=torch.float64))
    assert pull[2].abs().max() == 0


def test_collapsed_features_have_the_least_value():
    """On the centres of a simplex nothing pulls."""
    regularizer = NeuralCollapseRegularizer(num_classes=4, in_channels=4, between=1.0)
    with torch.no_grad():
        regularizer.centres.copy_(torch.eye(4))
    labels = torch.tensor([0, 1, 2, 3, 3])
    features = torch.eye(4)[labels].requires_grad_()
    value = regularizer(features, torch.zeros(5, 4), labels)
    value.backward()
    assert value.item() == pytest.approx(-math.acos(-1 / 3), rel=1e-6) and features.grad.abs().max() == 0


def test_the_second_term_moves_the_centres_apart():
    regularizer = build(between=1.0)
    optimizer = torch.optim.SGD(regularizer.parameters(), lr=0.5)
    before = regularizer.between_class(regularizer.centres).item()
    for _ in range(200):
        optimizer.zero_grad()
        regularizer.between_class(regularizer.centres).backward()
        optimizer.step()
    after = regularizer.between_class(regularizer.centres).item()
    assert after < before - 0.2 and after == pytest.approx(-math.acos(-1 / (CLASSES - 1)), abs=0.1)


# ------------------------------------------------------------------ soft labels
def test_one_hot_labels_are_labels(features):
    for average in ('class', 'squared', 'batch'):
        regularizer = build(average=average)
        own, soft = features.clone().requires_grad_(), features.clone().requires_grad_()
        call(regularizer, own).backward()
        call(regularizer, soft, F.one_hot(LABELS, CLASSES)).backward()
        assert torch.allclose(own.grad, soft.grad, rtol=1e-10, atol=1e-14)


def test_soft_labels(features):
    """The weighted form with plain loops; a class of less than one image pulls with its share alone."""
    regularizer = build(between=0.0)
    other = LABELS.roll(4)
    soft = 0.75 * F.one_hot(LABELS, CLASSES).double() + 0.25 * F.one_hot(other, CLASSES).double()
    soft[:, 2] = 0.01
    expected = 0
    for k in range(CLASSES):
        mass = max(1, soft[:, k].sum().item())
        for i in range(12):
            expected += soft[i, k] / mass * (features[i] - regularizer.centres[k]).square().sum() / CLASSES
    assert soft[:, 2].sum() < 1
    assert call(regularizer, features, soft).item() == pytest.approx(0.01 * expected.item(), rel=1e-10)


# ------------------------------------------------------------ time and optimizer
def test_it_begins_at_its_epoch(features):
    regularizer = build(begin=3)
    for epoch in (0, 2):
        regularizer.set_epoch(epoch, 10)
        value = call(regularizer, features)
        value.backward()  # every parameter has a gradient, which DDP needs
        assert value.item() == 0 and regularizer.centres.grad.abs().max() == 0
    regularizer.set_epoch(3, 10)
    assert call(regularizer, features).item() == call(build(), features).item() != 0
    assert call(build(begin=3), features).item() == 0
    regularizer.set_epoch(0, 10)
    assert call(regularizer, features).item() == 0


@pytest.mark.parametrize('loss_weight', [1.0, 4.0])
def test_the_step_of_the_centres(loss_weight, features):
    """With the rate that it asks for: alpha times the gradient of L1 + between / within L2."""
    regularizer = build(within=0.02, between=0.3, centre_lr=0.5, loss_weight=loss_weight)
    options = dict(regularizer.optimizer_options['centres'])
    assert options == dict(lr=0.5 / 0.02 / loss_weight, momentum=0.0, weight_decay=0.0)
    before = regularizer.centres.detach().clone().requires_grad_()
    reference(features, before, LABELS, within=1.0, between=0.3 / 0.02).backward()
    call(regularizer, features).backward()
    torch.optim.SGD(regularizer.parameters(), **options).step()
    assert torch.allclose(regularizer.centres, before - 0.5 * before.grad, rtol=1e-10, atol=1e-12)


# ------------------------------------------------------------------- processes
class Model(nn.Module):
    """Features with a loss, and the regulariser as the head calls it."""

    def __init__(self, **arguments):
        super().__init__()
        self.backbone = nn.Linear(5, CHANNELS).double()
        self.regularizer = build(**arguments)

    def forward(self, inputs, labels):
        features = self.backbone(inputs)
        return world_size() * features.square().sum() / 96 + call(self.regularizer, features, labels)


def _gradients(rank, processes, arguments, soft):
    """Value and gradients of a share of the batch, as a training step has them."""
    torch.manual_seed(2)
    model = Model(**arguments)
    inputs = torch.randn(12, 5, dtype=torch.float64)
    labels = F.one_hot(LABELS, CLASSES) * 0.7 + 0.3 / CLASSES if soft else LABELS
    if processes == 1:
        value = model(inputs, labels)
    else:
        share = slice(0, 7) if rank == 0 else slice(7, 12)  # both have some of class 1, each lacks others
        wrapped = DistributedDataParallel(model)
        value = wrapped(inputs[share], labels[share])
    value.backward()
    return value.item(), [parameter.grad for parameter in model.parameters()]


@pytest.mark.parametrize(('arguments', 'soft'), [
    ({}, False), ({}, True), (dict(average='squared', centring=0.2), False), (dict(average='batch'), False),
    (dict(begin=1), False)], ids=str)
def test_two_processes_have_the_gradient_of_the_whole_batch(arguments, soft):
    value, gradients = _gradients(0, 1, arguments, soft)
    found = run_distributed(_gradients, 2, arguments, soft)
    assert sum(each for each, _ in found) / 2 == pytest.approx(value, rel=1e-12)  # as the log has it
    for _, own in found:
        for got, want in zip(own, gradients):
            assert torch.allclose(got, want, rtol=1e-10, atol=1e-15)


# --------------------------------------------------------------------- mistakes
@pytest.mark.parametrize(('arguments', 'message'), [
    (dict(within=0), 'within of NeuralCollapseRegularizer must be above 0, but is 0'),
    (dict(within='a'), "within of NeuralCollapseRegularizer must be a number 0 or more, but is 'a'"),
    (dict(between=-1), 'between of NeuralCollapseRegularizer must be a number 0 or more, but is -1'),
    (dict(begin=0.5), 'begin of NeuralCollapseRegularizer must be a 0-based epoch'),
    (dict(average='clas'), "average of .* one of class, squared, batch, but is 'clas'; did you mean 'class'"),
    (dict(separation='max'), 'separation of .* one of mean, smallest, simplex'),
    (dict(centring=-2), 'centring of .* 0 or more, but is -2'),
    (dict(centre_lr=None), 'centre_lr of .* 0 or more, but is None'),
], ids=str)
def test_bad_arguments(arguments, message):
    with pytest.raises(ConfigError, match=message):
        build(**arguments)


@pytest.mark.parametrize('sizes', [{}, dict(num_classes=1, in_channels=4), dict(num_classes=3, in_channels=True)])
def test_sizes_are_needed(sizes):
    with pytest.raises(ConfigError, match=r'(num_classes|in_channels) of NeuralCollapseRegularizer must be a whole '
                                          r'number from [12] on, .* that of the head'):
        REGULARIZERS.build(dict(type='NeuralCollapseRegularizer', **sizes))


def test_bad_input(features):
    with pytest.raises(DataError, match=r'in_channels=8, but gets features of shape \(12, 7\)'):
        call(build(), features[:, 1:])
    with pytest.raises(DataError, match=r'soft labels .* of shape \(12, 6\), but are \(12, 5\)'):
        call(build(), features, torch.zeros(12, 5))
