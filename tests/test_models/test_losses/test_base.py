"""Tests of ltkit.models.losses.base: what holds for every loss."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from ltkit.models.losses import (
    BalancedSoftmaxLoss,
    LDAMLoss,
    LongTailLoss,
    RIDELoss,
    SoftmaxLoss,
    WeightedSoftmaxLoss,
)
from ltkit.models.losses.base import losses_of_samples
from ltkit.utils.errors import ConfigError, DataError, DistributionError

LOSSES = [SoftmaxLoss, WeightedSoftmaxLoss, BalancedSoftmaxLoss, LDAMLoss, RIDELoss]
every_loss = pytest.mark.parametrize('kind', LOSSES)


def logits_for(kind, case):
    return case.experts if kind is RIDELoss else case.logits


def make(kind, case, **kwargs):
    """The loss after its switch to deferred weights."""
    return kind(**{'class_counts': case.counts, 'drw': dict(begin=0), **kwargs})


@every_loss
@pytest.mark.parametrize('soft', [False, True])
def test_order_of_classes_and_samples_does_not_matter(kind, soft, case):
    logits, target = logits_for(kind, case), case.soft if soft else case.labels
    value = make(kind, case)(logits, target).item()
    classes, samples = torch.randperm(7), torch.randperm(len(target))
    permuted = make(kind, case, class_counts=[case.counts[c] for c in classes])
    new_target = target[:, classes] if soft else classes.argsort()[target]
    assert permuted(logits[..., classes], new_target).item() == pytest.approx(value, 1e-12)
    assert make(kind, case)(logits[..., samples, :], target[samples]).item() == pytest.approx(value, 1e-12)


@every_loss
@pytest.mark.parametrize('soft', [False, True])
@pytest.mark.parametrize('dtype', [torch.float32, torch.float16, torch.bfloat16])
def test_extreme_logits_and_an_empty_class_are_finite(kind, soft, dtype, case):
    loss = make(kind, case, class_counts=[500, 0, 30, 4, 0, 1, 60])
    logits = (logits_for(kind, case).sign() * 1e4).to(dtype).requires_grad_()
    value = loss(logits, case.soft if soft else case.labels)
    value.backward()
    assert value.dtype == torch.float32
    assert value.isfinite()
    assert logits.grad.isfinite().all()


@every_loss
@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_half_precision_is_computed_in_float32(kind, dtype, case):
    logits = logits_for(kind, case).to(dtype)
    loss = make(kind, case)
    expected = loss(logits.float(), case.soft)
    with torch.autocast('cpu', dtype=dtype):
        assert torch.equal(loss(logits, case.soft), expected)
    assert loss(logits.double(), case.labels).dtype == torch.float64


def test_a_matrix_product_in_a_loss_stays_in_float32_under_autocast(case):
    class Mixing(LongTailLoss):

        def adjust_logits(self, cls_score, target):
            return cls_score @ matrix

    matrix, logits = torch.randn(7, 7), case.logits.float()
    expected = F.cross_entropy(logits @ matrix, case.labels)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        assert torch.allclose(Mixing()(logits, case.labels), expected, rtol=1e-6)


@every_loss
@pytest.mark.parametrize('soft', [False, True])
def test_compiles_without_a_graph_break(kind, soft, case):
    torch._dynamo.reset()
    loss, logits, target = make(kind, case), logits_for(kind, case), case.soft if soft else case.labels
    compiled = torch.compile(loss, backend='eager', fullgraph=True)
    for epoch in range(3):
        loss.set_drw(begin=1)
        loss.set_epoch(epoch, 3)
        assert compiled(logits, target).item() == pytest.approx(loss(logits, target).item(), 1e-12)


@every_loss
def test_counts_travel_in_the_checkpoint(kind, case):
    loss, other = make(kind, case), kind(drw=dict(begin=0))
    other.load_state_dict(loss.state_dict())
    assert other.class_counts.tolist() == case.counts
    logits = logits_for(kind, case)
    assert torch.equal(other(logits, case.labels), loss(logits, case.labels))


@every_loss
def test_missing_and_unfit_counts_are_told(kind, case):
    with pytest.raises(DistributionError, match=f'{kind.__name__} needs the class counts'):
        kind(drw=dict(begin=0))(logits_for(kind, case), case.labels)
    with pytest.raises(DistributionError, match='counts of 2 classes, but the scores are of 7'):
        make(kind, case, class_counts=[5, 1])(logits_for(kind, case), case.labels)


@every_loss
def test_reductions_and_factors(kind, case):
    loss, logits = make(kind, case, loss_weight=3.0), logits_for(kind, case)
    one = make(kind, case)
    mean, total = one(logits, case.labels), one(logits, case.labels, reduction_override='sum')
    each = one(logits, case.labels, reduction_override='none')
    assert each.shape == (12, )
    assert each.sum().item() == pytest.approx(total.item(), 1e-12)
    assert loss(logits, case.labels).item() == pytest.approx(3 * mean.item(), 1e-12)
    weight = torch.rand(12, dtype=torch.float64)
    weighted = one(logits, case.labels, weight=weight, reduction_override='none')
    assert torch.allclose(weighted, each * weight)
    by_factor = one(logits, case.labels, weight=weight, avg_factor=5.0)
    assert by_factor.item() == pytest.approx(weighted.sum().item() / 5, 1e-12)


def test_sample_weights_do_not_enter_the_divisor(case):
    weight = torch.rand(12, dtype=torch.float64)
    losses = F.cross_entropy(case.logits, case.labels, reduction='none')
    value = SoftmaxLoss()(case.logits, case.labels, weight=weight)
    assert value.item() == pytest.approx((losses * weight).mean().item(), 1e-12)
    class_weights = torch.arange(1, 8).double()
    classes = class_weights[case.labels]
    value = WeightedSoftmaxLoss(class_weights=class_weights.tolist())(case.logits, case.labels, weight=weight)
    assert value.item() == pytest.approx(((losses * weight * classes).sum() / classes.sum()).item(), 1e-12)


def test_deferred_weights_depend_on_the_epoch_alone(case):
    loss = SoftmaxLoss(class_counts=case.counts, drw=dict(begin=3, beta=0.99))
    assert [_active(loss, epoch) for epoch in (0, 2, 3, 4, 2)] == [False, False, True, True, False]
    assert not _active(SoftmaxLoss(), 10)
    loss.set_drw(begin=1)
    assert _active(loss, 1)
    assert loss.drw == dict(begin=1, beta=0.9999)


def _active(loss, epoch):
    loss.set_epoch(epoch, 20)
    return loss.drw_active


def test_a_method_overrides_one_thing(case):
    class Sharper(LongTailLoss):

        def adjust_logits(self, cls_score, target):
            return 2 * cls_score

    class HingeOfTwo(LongTailLoss):
        supports_soft_labels = False

        def class_weight(self, cls_score):
            return 1 / self.counts_for(cls_score)

        def sample_losses(self, cls_score, target, class_weight):
            return class_weight[target] * (2 - cls_score.gather(1, target[:, None])[:, 0]).relu()

    assert torch.allclose(Sharper()(case.logits, case.labels), F.cross_entropy(2 * case.logits, case.labels))
    hinge = HingeOfTwo(class_counts=case.counts)
    weights = torch.tensor(case.counts, dtype=torch.float64)[case.labels] ** -1
    losses = (2 - case.logits[range(12), case.labels]).relu()
    assert torch.allclose(hinge(case.logits, case.labels), (weights * losses).sum() / weights.sum())
    with pytest.raises(DataError, match='HingeOfTwo has no form for soft labels'):
        hinge(case.logits, case.soft)


@pytest.mark.parametrize(('kwargs', 'message'), [
    (dict(reduction='avg'), "reduction must be one of none, mean, sum, but is 'avg'"),
    (dict(drw=dict(start=3)), 'drw must be a dict with the key begin'),
    (dict(drw=160), 'drw must be a dict with the key begin'),
    (dict(drw=dict(begin=1, bata=0.9)), "drw has the unknown key 'bata'; it takes begin and beta"),
    (dict(drw=dict(begin=-1)), r'drw.begin must be a 0-based epoch \(0 or more\), but is -1'),
    (dict(drw=dict(begin=1, beta=1)), r'drw.beta must be in \[0, 1\), but is 1'),
])
def test_wrong_arguments(kwargs, message):
    with pytest.raises(ConfigError, match=message):
        SoftmaxLoss(**kwargs)


def test_avg_factor_with_sum(case):
    with pytest.raises(ConfigError, match="avg_factor cannot be used with reduction='sum'"):
        SoftmaxLoss(reduction='sum')(case.logits, case.labels, avg_factor=3)


def test_repr_tells_what_was_set(case):
    text = repr(BalancedSoftmaxLoss(class_counts=case.counts, drw=dict(begin=4), loss_weight=0.5))
    for part in ('drw=', "'begin': 4", 'num_classes=7', 'loss_weight=0.5', "reduction='mean'"):
        assert part in text


def test_losses_of_samples_from_those_of_classes(case):
    weight = torch.arange(7.0, dtype=torch.float64)
    assert torch.equal(losses_of_samples(case.logits, case.labels), case.logits[range(12), case.labels])
    expected = (case.soft * weight * case.logits).sum(1)
    assert torch.allclose(losses_of_samples(case.logits, case.soft, weight), expected, rtol=0, atol=1e-12)
