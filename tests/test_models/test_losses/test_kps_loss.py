"""Tests of ltkit.models.losses.kps_loss."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F

from ltkit.models.losses import KPSLoss
from ltkit.models.losses.kps_loss import kps_factors, reversed_by_rank
from ltkit.testing import parametrize_with_checks
from ltkit.utils.errors import ConfigError

both_phases = pytest.mark.parametrize('begin', [None, 0])
every_label = pytest.mark.parametrize('soft', [False, True])


def kps(logits, target, counts, begin=None, scale=15, logit_scale=15, max_margin=0.2, max_scale=50, k=50,
        weights=None):
    """The equation for soft labels and counts of which no two are equal."""
    q = [math.log(k * n / min(counts)) for n in counts]
    factors = [value / min(q) for value in q]
    rising = [sorted(factors)[sorted(factors, reverse=True).index(f)] for f in factors]
    margins = [max_margin * value / max(factors) for value in rising]
    sample_scales = [scale if begin is None else min(max(scale * value, scale), max_scale) for value in rising]
    weights = [1] * len(counts) if weights is None else weights
    total, divisor = 0, 0
    for z, t in zip(logits.double(), target):
        own = sum(t[c] * sample_scales[c] for c in range(len(counts)))
        for y in range(len(counts)):
            if t[y] > 0:
                exps = [(own * (factors[c] * z[c] / logit_scale - (margins[c] if c == y else 0))).exp()
                        for c in range(len(counts))]
                total = total - t[y] * weights[y] * (exps[y] / sum(exps)).log()
                divisor += t[y] * weights[y]
    return total / divisor


def labels_of(case, soft):
    """What the loss is given, and the same as soft labels."""
    return (case.soft, case.soft) if soft else (case.labels, F.one_hot(case.labels, 7).double())


@every_label
@both_phases
@pytest.mark.parametrize('settings', [dict(), dict(scale=30, logit_scale=16, max_margin=0.5, max_scale=40, k=10),
                                      dict(logit_scale=1, max_margin=0)], ids=str)
def test_equation(settings, begin, soft, case, same):
    arguments = dict(settings)
    loss = KPSLoss(begin=begin, class_counts=case.counts, smallest_count=arguments.pop('k', 50),
                   scale=arguments.pop('scale', 15), max_margin=arguments.pop('max_margin', 0.2),
                   max_scale=arguments.pop('max_scale', 50))
    logit_scale = arguments.pop('logit_scale', 15)
    loss.set_scale(logit_scale)
    given, target = labels_of(case, soft)

    def expected(logits):
        return kps(logits, target, case.counts, begin, **settings)

    logits = logit_scale * torch.tanh(case.logits)
    same(lambda z: loss(z, given), expected, logits)
    same(lambda z: loss(z, given), expected, logits.float(), 1e-5)


@every_label
@both_phases
def test_deferred_weights(begin, soft, case, same):
    loss = KPSLoss(begin=begin, class_counts=case.counts, drw=dict(begin=0, beta=0.99))
    weights = [(1 - 0.99) / (1 - 0.99**n) for n in case.counts]
    given, target = labels_of(case, soft)
    same(lambda z: loss(z, given), lambda z: kps(z, target, case.counts, begin, weights=weights), case.logits)


@pytest.mark.parametrize('adjusted', [False, True])
def test_reversal_of_the_list_for_classes_of_falling_size(adjusted, case, same):
    """The authors' code pairs the class c with C - 1 - c."""
    counts = sorted(case.counts, reverse=True)
    q = torch.tensor([50 * n / min(counts) for n in counts], dtype=torch.float64).log()
    factors = q / q.min()

    def listwise(logits):
        margins = factors.flip(0) * 0.2 / factors.max()
        output = factors * logits / 15 - F.one_hot(case.labels, 7) * margins
        scales = (15 * factors.flip(0)).clamp(15, 50)[case.labels][:, None] if adjusted else 15
        return F.cross_entropy(scales * output, case.labels)

    loss = KPSLoss(begin=0 if adjusted else None, class_counts=counts)
    same(lambda z: loss(z, case.labels), listwise, case.logits, 1e-12)


@both_phases
@pytest.mark.parametrize('margin', [0, 0.2])
def test_equal_counts_give_one_margin(margin, begin, case, same):
    loss = KPSLoss(margin, begin=begin, class_counts=[9] * 7)
    for target in (case.labels, F.one_hot(case.labels, 7).double()):
        same(lambda z, t=target: loss(z, t),
             lambda z: F.cross_entropy(z - 15 * margin * F.one_hot(case.labels, 7), case.labels), case.logits, 1e-12)


@both_phases
@every_label
def test_equal_counts_without_margin_give_cross_entropy(begin, soft, case, same):
    loss = KPSLoss(0, begin=begin, class_counts=[9] * 7)
    target = case.soft if soft else case.labels
    same(lambda z: loss(z, target), lambda z: F.cross_entropy(z, target), case.logits, 1e-12)


def test_factors():
    factors = kps_factors(torch.tensor([1000, 10, 100]), 10)
    assert factors.tolist() == pytest.approx([3, 1, 2])
    counts = torch.tensor([int(5000 * 0.01**(c / 9)) for c in range(10)])
    assert kps_factors(counts)[0].item() == pytest.approx(math.log(5000) / math.log(50))


def test_reversed_by_rank():
    assert reversed_by_rank(torch.tensor([5.0, 1.0, 3.0, 2.0])).tolist() == [1, 5, 2, 3]
    # Ascending 1 2 2 4 7; reversed 7 4 2 2 1: the two of the same size share 4 and 2.
    assert reversed_by_rank(torch.tensor([2.0, 7.0, 2.0, 1.0, 4.0])).tolist() == [3, 1, 3, 7, 2]
    assert reversed_by_rank(torch.full((3, ), 1.5)).tolist() == [1.5] * 3
    assert reversed_by_rank(torch.tensor([4.0])).tolist() == [4]


@both_phases
@every_label
def test_renumbered_classes_some_of_equal_size(begin, soft, case):
    counts = [500, 5, 30, 5, 30, 5, 80]
    order = torch.tensor([3, 0, 6, 4, 1, 5, 2])
    value = KPSLoss(begin=begin, class_counts=counts)(case.logits, labels_of(case, soft)[0])
    target = case.soft[:, order] if soft else order.argsort()[case.labels]
    other = KPSLoss(begin=begin, class_counts=[counts[c] for c in order])(case.logits[:, order], target)
    assert other.item() == pytest.approx(value.item(), abs=1e-12)


def test_scales_of_samples_by_epoch(case):
    loss, never, always = (KPSLoss(begin=begin, class_counts=case.counts) for begin in (120, None, 0))
    first, second = (each(case.logits, case.labels).item() for each in (never, always))
    assert abs(first - second) > 1e-3
    assert loss(case.logits, case.labels).item() == first
    for epoch, want in ((119, first), (120, second), (199, second), (0, first)):
        loss.set_epoch(epoch, 200)
        assert loss(case.logits, case.labels).item() == want


def test_scales_of_samples_are_between_the_limits():
    """From the scale for the largest class, by 1 + log(IF) / log(50) for the smallest, to the largest allowed."""
    for scale, largest in ((15, 15 * (1 + math.log(100) / math.log(50))), (30, 50)):
        counts = [500, 5]
        loss = KPSLoss(0, scale=scale, begin=0, class_counts=counts)
        plain = KPSLoss(0, scale=scale, begin=None, class_counts=counts)
        logits, labels = torch.eye(2), torch.tensor([0, 1])
        ratio = loss.scaled(logits, labels)[0].diagonal() / plain.scaled(logits, labels)[0].diagonal()
        assert (scale * ratio).tolist() == pytest.approx([scale, largest], rel=1e-5)


def test_an_empty_class_counts_as_one_sample(case):
    empty, one = ([500, n, 30, 4, 9, 1, 60] for n in (0, 1))
    values = [KPSLoss(begin=0, class_counts=counts)(case.logits, case.labels) for counts in (empty, one)]
    assert values[0].isfinite() and torch.equal(*values)


def test_wrong_arguments():
    for name in ('max_margin', 'max_scale', 'smallest_count'):
        with pytest.raises(ConfigError, match=f'{name} must be a number 0 or more, but is -1'):
            KPSLoss(**{name: -1})
    for begin in (-1, 1.5, True):
        with pytest.raises(ConfigError, match=rf'begin must be a 0-based epoch \(0 or more\), or None, but is {begin}'):
            KPSLoss(begin=begin)
    with pytest.raises(ConfigError, match='smallest_count must be above 1, but is 1'):
        KPSLoss(smallest_count=1)
    with pytest.raises(ConfigError, match=r'max_scale must not be below the scale \(64\), but is 50'):
        KPSLoss(scale=64)
    with pytest.raises(ConfigError, match=r'max_scale must not be below the scale \(64\), but is 50'):
        KPSLoss().set_scale(64)


def test_repr():
    assert 'max_margin=0.2, begin=120, max_scale=50, smallest_count=50, scale=15' in repr(KPSLoss())


@parametrize_with_checks('loss', dict(type='KPSLoss', begin=0), skip=dict(two_processes='see test_registered'))
def test_scales_of_samples(check):
    check()
