"""Tests of ltkit.models.losses.label_aware_smoothing_loss."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F

from ltkit.models.losses import LabelAwareSmoothingLoss
from ltkit.utils.errors import ConfigError

# epsilon of a class of relative size u, as the paper writes it
RULES = {
    'concave': lambda head, tail, u, p: tail + (head - tail) * math.sin(math.pi * u / 2),
    'linear': lambda head, tail, u, p: tail + (head - tail) * u,
    'convex': lambda head, tail, u, p: head + (head - tail) * math.sin(1.5 * math.pi + math.pi * u / 2),
    'exp': lambda head, tail, u, p: tail + (head - tail) * u**p,
}
POWER = dict(exp=dict(power=1.8))


def smoothing_of(counts, head, tail, shape='concave'):
    sizes = [(n - min(counts)) / (max(counts) - min(counts)) for n in counts]
    return [RULES[shape](head, tail, u, 1.8) for u in sizes]


def smoothed_losses(logits, labels, epsilons, over_all=True):
    """Cross entropy of each sample with 1 - epsilon for its class and the rest shared."""
    losses = []
    for z, y in zip(logits, labels.tolist()):
        log_p = [value - sum(other.exp() for other in z).log() for value in z]
        epsilon, classes = epsilons[y], len(z)
        if over_all:
            target = [epsilon / classes + (1 - epsilon) * (c == y) for c in range(classes)]
        else:
            target = [1 - epsilon if c == y else epsilon / (classes - 1) for c in range(classes)]
        losses.append(-sum(t * value for t, value in zip(target, log_p)))
    return torch.stack(losses)


@pytest.mark.parametrize('smoothed', ['others', 'all'])
@pytest.mark.parametrize('shape', RULES)
def test_equation(shape, smoothed, case, same):
    loss = LabelAwareSmoothingLoss(0.4, 0.1, shape, smoothed=smoothed, class_counts=case.counts, **POWER.get(shape, {}))
    epsilons = smoothing_of(case.counts, 0.4, 0.1, shape)

    def expected(logits):
        return smoothed_losses(logits.double(), case.labels, epsilons, smoothed == 'all').mean()
    same(lambda z: loss(z, case.labels), expected, case.logits)
    same(lambda z: loss(z, case.labels), expected, case.logits.float(), 1e-5)


def test_the_official_form_and_the_smoothing_of_imagenet_lt_are_the_default(case, same):
    loss = LabelAwareSmoothingLoss(class_counts=case.counts)
    epsilons = smoothing_of(case.counts, 0.3, 0.0)
    same(lambda z: loss(z, case.labels), lambda z: smoothed_losses(z, case.labels, epsilons).mean(), case.logits)


def test_the_mass_on_the_target():
    """At logits of e for the target and 1 for two others, by hand: 1 - 0.3 with the others' 0.15 each."""
    logits = torch.tensor([[1.0, 0.0, 0.0]], dtype=torch.float64)
    log_p = [1 - math.log(math.e + 2), -math.log(math.e + 2)]
    for smoothed, kept, each in (('others', 0.7, 0.15), ('all', 0.8, 0.1)):
        loss = LabelAwareSmoothingLoss(0.3, smoothed=smoothed, class_counts=[9, 3, 1])
        expected = -(kept * log_p[0] + 2 * each * log_p[1])
        assert loss(logits, torch.tensor([0])).item() == pytest.approx(expected, abs=1e-14)


@pytest.mark.parametrize('shape', RULES)
def test_the_ends_of_each_shape(shape):
    loss = LabelAwareSmoothingLoss(0.4, 0.1, shape, class_counts=[5, 100, 30], **POWER.get(shape, {}))
    tail, head, between = loss.smoothing(torch.zeros(1, 3, dtype=torch.float64)).tolist()
    assert (tail, head) == (pytest.approx(0.1, abs=1e-15), pytest.approx(0.4, abs=1e-15))
    line = 0.1 + 0.3 * 25 / 95
    assert between > line if shape == 'concave' else between <= line + 1e-15


def test_no_smoothing_is_the_cross_entropy(case):
    for smoothed in ('others', 'all'):
        loss = LabelAwareSmoothingLoss(0, 0, smoothed=smoothed, class_counts=case.counts)
        for target in (case.labels, case.soft):
            expected = F.cross_entropy(case.logits, target)
            assert loss(case.logits, target).item() == pytest.approx(expected.item(), abs=1e-14)


def test_one_epsilon_for_all_over_all_classes_is_label_smoothing(case):
    loss = LabelAwareSmoothingLoss(0.2, 0.2, smoothed='all', class_counts=case.counts)
    expected = F.cross_entropy(case.logits, case.labels, label_smoothing=0.2)
    assert loss(case.logits, case.labels).item() == pytest.approx(expected.item(), abs=1e-14)


def test_the_paper_s_form_is_the_official_one_with_a_larger_epsilon(case):
    paper = LabelAwareSmoothingLoss(0.4, 0.1, smoothed='others', class_counts=case.counts)
    official = LabelAwareSmoothingLoss(0.4 * 7 / 6, 0.1 * 7 / 6, class_counts=case.counts)
    assert paper(case.logits, case.labels).item() == pytest.approx(official(case.logits, case.labels).item(), abs=1e-13)


def test_classes_of_equal_size_are_all_the_smallest(case, same):
    loss = LabelAwareSmoothingLoss(0.4, 0.1, class_counts=[50] * 7)
    same(lambda z: loss(z, case.labels), lambda z: smoothed_losses(z, case.labels, [0.1] * 7).mean(), case.logits)


@pytest.mark.parametrize('smoothed', ['others', 'all'])
def test_soft_labels_and_deferred_weights_mix_the_losses_of_the_classes(smoothed, case, same):
    weights = torch.tensor([(1 - 0.99) / (1 - 0.99**n) for n in case.counts], dtype=torch.float64)
    epsilons = smoothing_of(case.counts, 0.3, 0.0)
    loss = LabelAwareSmoothingLoss(smoothed=smoothed, class_counts=case.counts, drw=dict(begin=0, beta=0.99))

    def mixed(logits):
        by_class = [smoothed_losses(logits, torch.full((len(logits), ), c), epsilons, smoothed == 'all')
                    for c in range(7)]
        return (case.soft * weights * torch.stack(by_class, 1)).sum() / (case.soft * weights).sum()
    same(lambda z: loss(z, case.soft), mixed, case.logits)
    one_hot = F.one_hot(case.labels, 7)
    same(lambda z: loss(z, one_hot), lambda z: loss(z, case.labels), case.logits, 1e-12)


def test_an_empty_class_counts_as_one_sample(case):
    empty, one = ([500, 0, 30, 4, 9, 1, 60], [500, 1, 30, 4, 9, 1, 60])
    values = [LabelAwareSmoothingLoss(class_counts=counts)(case.logits, case.labels).item() for counts in (empty, one)]
    assert values[0] == values[1]


@pytest.mark.parametrize(('arguments', 'message'), [
    (dict(smooth_head=1), r'smooth_head must be a number in \[0, 1\), but is 1'),
    (dict(smooth_tail=-0.1), r'smooth_tail must be a number in \[0, 1\), but is -0.1'),
    (dict(smooth_head=0.1, smooth_tail=0.4), r'smooth_tail must not be above smooth_head \(0.1\), but is 0.4'),
    (dict(shape='conkave'), "shape must be one of concave, linear, convex, exp, but is 'conkave'; did you mean 'conc"),
    (dict(shape='exp'), "power must be a number above 0 for shape='exp', but is None"),
    (dict(shape='exp', power=0), 'power must be a number above 0'),
    (dict(shape='exp', power='2'), "power must be a number 0 or more, but is '2'"),
    (dict(power=2), "power is that of shape='exp' alone, but is 2 with shape='concave'"),
    (dict(smoothed='other'), "smoothed must be one of others, all, but is 'other'"),
])
def test_wrong_arguments(arguments, message):
    with pytest.raises(ConfigError, match=message):
        LabelAwareSmoothingLoss(**arguments)


def test_repr():
    text = repr(LabelAwareSmoothingLoss(shape='exp', power=2))
    assert "smooth_head=0.3, smooth_tail=0, shape='exp', power=2, smoothed='all', " in text
