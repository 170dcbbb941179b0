"""Tests of ltkit.models.losses.lade_loss."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F

from ltkit.models.losses import BalancedSoftmaxLoss, LADELoss
from ltkit.testing.distributed import run_distributed
from ltkit.utils.errors import ConfigError


def balanced_softmax(z, y, counts):
    return -(counts[y] * z[y].exp() / sum(n * value.exp() for n, value in zip(counts, z))).log()


def lade_regularizer(logits, labels, counts, remine_lambda, importance):
    """LADER: the regularised Donsker-Varadhan bounds of the classes, weighted by the prior."""
    prior, classes, samples = [n / sum(counts) for n in counts], len(counts), len(logits)
    total = 0
    for c in range(classes):
        of_class = [z[c] for z, y in zip(logits, labels.tolist()) if y == c]
        first = sum(of_class) / len(of_class) if of_class else 0
        weighted = 0
        for z, y in zip(logits, labels.tolist()):
            weighted = weighted + z[c].exp() / classes / prior[y if importance == 'sample' else c]
        second = (weighted / samples).log()
        total = total - prior[c] * (first - second - remine_lambda * second**2)
    return total


def lade(logits, labels, counts, remine_lambda, alpha, importance):
    losses = [balanced_softmax(z, y, counts) for z, y in zip(logits, labels.tolist())]
    return sum(losses) / len(losses) + alpha * lade_regularizer(logits, labels, counts, remine_lambda, importance)


@pytest.mark.parametrize('importance', ['sample', 'class'])
@pytest.mark.parametrize(('remine_lambda', 'alpha'), [(0.1, 0.1), (0.01, 1), (0.5, 0.05), (0, 2)])
def test_equation(remine_lambda, alpha, importance, case, same):
    loss = LADELoss(remine_lambda, alpha, importance, class_counts=case.counts)
    assert len(case.labels.unique()) < 7, 'a class that is not in the batch is part of the test'

    def expected(logits):
        return lade(logits.double(), case.labels, case.counts, remine_lambda, alpha, importance)
    same(lambda z: loss(z, case.labels), expected, case.logits)
    same(lambda z: loss(z, case.labels), expected, case.logits.float(), 1e-5)


def test_the_form_of_the_official_code_is_the_default(case, same):
    loss = LADELoss(class_counts=case.counts)
    same(lambda z: loss(z, case.labels), lambda z: lade(z, case.labels, case.counts, 0.1, 0.1, 'class'), case.logits)


def test_the_log_sum_is_over_the_batch():
    """Two samples, two classes of 3 and 1 images, logits so that all can be done by hand."""
    logits = torch.tensor([[1.0, 0.0], [0.0, 2.0]], dtype=torch.float64)
    first = [1.0, 2.0]
    by_class = [math.log((math.e / 1.5 + 1 / 1.5) / 2), math.log((1 / 0.5 + math.e**2 / 0.5) / 2)]
    by_sample = [math.log((math.e / 1.5 + 1 / 0.5) / 2), math.log((1 / 1.5 + math.e**2 / 0.5) / 2)]
    for importance, second in (('class', by_class), ('sample', by_sample)):
        expected = -sum(p * (a - b - 0.1 * b**2) for p, a, b in zip((0.75, 0.25), first, second))
        loss = LADELoss(importance=importance, class_counts=[3, 1])
        assert loss.regularizer(logits, torch.tensor([0, 1])).item() == pytest.approx(expected, abs=1e-14)


def test_without_alpha_it_is_balanced_softmax(case):
    loss, other = LADELoss(alpha=0, class_counts=case.counts), BalancedSoftmaxLoss(class_counts=case.counts)
    for target in (case.labels, case.soft):
        assert loss(case.logits, target).item() == other(case.logits, target).item()


@pytest.mark.parametrize('importance', ['sample', 'class'])
def test_the_optimum_of_classes_that_do_not_overlap(importance):
    """A batch of the training set's prior, log C for its own class: -log C is the least, for both weights."""
    counts, labels = [8, 4, 2, 2], torch.tensor([0, 0, 0, 0, 1, 1, 2, 3])
    loss = LADELoss(importance=importance, class_counts=counts)
    logits = torch.full((8, 4), -60.0, dtype=torch.float64)
    logits[range(8), labels] = math.log(4)
    logits.requires_grad_()
    value = loss.regularizer(logits, labels)
    value.backward()
    assert value.item() == pytest.approx(-math.log(4), abs=1e-14)
    assert logits.grad.abs().max() < 1e-14


@pytest.mark.parametrize('importance', ['sample', 'class'])
def test_soft_labels(importance, case, same):
    """Each sample counts for a class as much as it has of it."""
    loss = LADELoss(0.5, 1, importance, class_counts=case.counts)
    prior = [n / sum(case.counts) for n in case.counts]
    by_sample = torch.stack([sum(t[c] / prior[c] for c in range(7)) / 7 for t in case.soft])

    def expected(logits):
        total = BalancedSoftmaxLoss(class_counts=case.counts)(logits, case.soft)
        for c in range(7):
            first = (case.soft[:, c] * logits[:, c]).sum() / case.soft[:, c].sum()
            weights = by_sample if importance == 'sample' else 1 / 7 / prior[c]
            second = (weights * logits[:, c].exp()).mean().log()
            total = total - prior[c] * (first - second - 0.5 * second**2)
        return total
    same(lambda z: loss(z, case.soft), expected, case.logits)
    one_hot = F.one_hot(case.labels, 7)
    same(lambda z: loss(z, one_hot), lambda z: loss(z, case.labels), case.logits, 1e-12)


def test_deferred_weights_are_not_for_the_regularizer(case):
    drw = dict(begin=0, beta=0.99)
    loss = LADELoss(class_counts=case.counts, drw=drw)
    expected = BalancedSoftmaxLoss(class_counts=case.counts, drw=drw)(case.logits, case.labels)
    expected = expected + 0.1 * loss.regularizer(case.logits, case.labels)
    assert loss(case.logits, case.labels).item() == pytest.approx(expected.item(), abs=1e-14)


@pytest.mark.parametrize('importance', ['sample', 'class'])
def test_processes_with_different_classes_are_one(importance, case):
    """Samples sorted by class, four, five and three of them: a class may be with one process alone."""
    order = case.labels.argsort()
    arguments = dict(remine_lambda=0.5, alpha=2, importance=importance, class_counts=case.counts)
    logits = case.logits[order].requires_grad_()
    value = LADELoss(**arguments).regularizer(logits, case.labels[order])
    value.backward()
    results = run_distributed(_part_of, 3, arguments, case.logits[order], case.labels[order])
    assert sum(part for part, _ in results) / 3 == pytest.approx(value.item(), abs=1e-12)
    gradient = torch.cat([torch.as_tensor(part) for _, part in results]) / 3
    assert torch.allclose(gradient, logits.grad, atol=1e-12, rtol=0)


def _part_of(rank, world_size, arguments, logits, labels):
    mine = (slice(0, 4), slice(4, 9), slice(9, 12))[rank]
    logits = logits[mine].clone().requires_grad_()
    value = LADELoss(**arguments).regularizer(logits, labels[mine], over_processes=True)
    value.backward()
    return value.item(), logits.grad.numpy()


def _in_evaluation(rank, world_size, arguments, logits, labels):
    return LADELoss(**arguments).eval()(logits, labels).item() if rank == 0 else None


def test_in_evaluation_a_process_is_alone(case):
    arguments = dict(class_counts=case.counts)
    value = run_distributed(_in_evaluation, 2, arguments, case.logits, case.labels)[0]
    assert value == LADELoss(**arguments)(case.logits, case.labels).item()


def test_an_empty_class_counts_as_one_sample(case):
    empty, one = ([500, 0, 30, 4, 9, 1, 60], [500, 1, 30, 4, 9, 1, 60])
    value = LADELoss(class_counts=empty)(case.logits, case.labels)
    assert value.item() == pytest.approx(lade(case.logits, case.labels, one, 0.1, 0.1, 'class').item(), abs=1e-12)


@pytest.mark.parametrize(('arguments', 'message'), [
    (dict(remine_lambda=-1), 'remine_lambda must be a number 0 or more, but is -1'),
    (dict(alpha='0.1'), "alpha must be a number 0 or more, but is '0.1'"),
    (dict(importance='clas'), "importance must be one of sample, class, but is 'clas'; did you mean 'class'"),
])
def test_wrong_arguments(arguments, message):
    with pytest.raises(ConfigError, match=message):
        LADELoss(**arguments)


def test_repr():
    assert "remine_lambda=0.1, alpha=0.1, importance='class', " in repr(LADELoss())
