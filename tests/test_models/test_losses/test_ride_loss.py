"""Tests of ltkit.models.losses.ride_loss."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from ltkit.models.losses import LDAMLoss, RIDELoss
from ltkit.models.losses.ride_loss import ride_divergence, ride_temperatures
from ltkit.utils.errors import ConfigError


def softmax(values):
    exponentials = [value.exp() for value in values]
    return [value / sum(exponentials) for value in exponentials]


def ride(experts, labels, counts, lam, rho, late, base=1.0, scale=30, max_margin=0.5):
    """The loss of the paper with plain loops; ``late`` is after the switch."""
    num_experts, num_samples, num_classes = experts.shape
    weights = [(1 - 0.9999) / (1 - 0.9999**n) if late else 1.0 for n in counts]
    temperatures = [base] * num_classes
    if late:
        raw = [rho * num_classes * n / sum(counts) + 1 - rho for n in counts]
        temperatures = [base * value / max(raw) for value in raw]
    factor = (sum(temperatures) / num_classes)**2
    mean = [[sum(experts[e, i, c] for e in range(num_experts)) / num_experts for c in range(num_classes)]
            for i in range(num_samples)]
    total = 0
    for e in range(num_experts):
        individual, divisor, divergence = 0, 0, 0
        for i in range(num_samples):
            y = int(labels[i])
            z = list(mean[i] if lam == 0 else experts[e, i])
            z[y] = z[y] - scale * max_margin * (min(counts) / counts[y])**0.25
            individual = individual - weights[y] * softmax(z)[y].log()
            divisor += weights[y]
            wanted = softmax([mean[i][c].detach() / temperatures[c] for c in range(num_classes)])
            given = softmax([experts[e, i, c] / temperatures[c] for c in range(num_classes)])
            divergence = divergence + sum(p * (p / q).log() for p, q in zip(wanted, given))
        total = total + individual / divisor + lam * factor * divergence / num_samples
    return total


@pytest.mark.parametrize('late', [False, True])
@pytest.mark.parametrize(('lam', 'rho', 'base'), [(-0.2, 0.05, 1.0), (-0.45, 0.02, 1.0), (-0.2, 0.5, 2.0),
                                                  (0, 0.05, 1.0)])
def test_equation(lam, rho, base, late, case, same):
    loss = RIDELoss(diversity_weight=lam, reweight_factor=rho, base_temperature=base,
                    class_counts=case.counts, drw=dict(begin=160))
    loss.set_epoch(160 if late else 159, 200)
    same(lambda z: loss(z, case.labels), lambda z: ride(z, case.labels, case.counts, lam, rho, late, base),
         case.experts)


def test_temperatures():
    assert ride_temperatures(torch.tensor([90.0, 9, 1]), 0.0, 2.0).tolist() == [2, 2, 2]
    temperatures = ride_temperatures(torch.tensor([90.0, 9, 1]), 0.5)
    expected = [(0.5 * 3 * share + 0.5) / (0.5 * 3 * 0.9 + 0.5) for share in (0.9, 0.09, 0.01)]
    assert temperatures.tolist() == pytest.approx(expected)


def test_uniform_counts_have_one_temperature_and_weight(case):
    deferred = RIDELoss(class_counts=[9] * 7, drw=dict(begin=0))(case.experts, case.labels)
    plain = RIDELoss(class_counts=[9] * 7)(case.experts, case.labels)
    assert deferred.item() == pytest.approx(plain.item(), 1e-12)


def test_equal_experts_give_ldam_each(case):
    equal = case.logits.expand(4, -1, -1)
    ldam = LDAMLoss(class_counts=case.counts)(case.logits, case.labels)
    ride_loss = RIDELoss(class_counts=case.counts)
    assert ride_divergence(equal, torch.ones(7)).abs().max() < 1e-12
    assert ride_loss(equal, case.labels).item() == pytest.approx(4 * ldam.item(), 1e-12)


def test_without_margin_and_diversity_is_cross_entropy_of_the_mean(case):
    loss = RIDELoss(max_margin=0, diversity_weight=0, class_counts=case.counts)
    expected = 3 * F.cross_entropy(case.experts.mean(0), case.labels)
    assert loss(case.experts, case.labels).item() == pytest.approx(expected.item(), 1e-12)


def test_gradient_with_the_mean_held_fixed(case):
    loss = RIDELoss(max_margin=0, class_counts=case.counts)
    experts = case.experts.clone().requires_grad_()
    target = experts.mean(0).softmax(-1).detach()
    divergence = sum(F.kl_div(z.log_softmax(-1), target, reduction='batchmean') for z in experts)
    by_hand = sum(F.cross_entropy(z, case.labels) for z in experts) - 0.2 * divergence
    grad, = torch.autograd.grad(by_hand, experts)
    own = case.experts.clone().requires_grad_()
    loss(own, case.labels).backward()
    assert torch.allclose(own.grad, grad, atol=1e-12)


def test_order_of_experts_does_not_matter(case):
    loss = RIDELoss(class_counts=case.counts, drw=dict(begin=0))
    value = loss(case.experts, case.labels)
    assert loss(case.experts.flip(0), case.labels).item() == pytest.approx(value.item(), 1e-12)


def test_soft_labels(case):
    loss = RIDELoss(class_counts=case.counts, drw=dict(begin=0))
    one_hot = F.one_hot(case.labels, 7).double()
    assert loss(case.experts, one_hot).item() == pytest.approx(loss(case.experts, case.labels).item(), 1e-12)


def test_reductions(case):
    loss = RIDELoss(class_counts=case.counts)
    each = loss(case.experts, case.labels, reduction_override='none')
    assert each.shape == case.labels.shape
    assert each.mean().item() == pytest.approx(loss(case.experts, case.labels).item(), 1e-12)
    total = loss(case.experts, case.labels, reduction_override='sum')
    assert total.item() == pytest.approx(each.sum().item(), 1e-12)


def test_wrong_arguments(case):
    with pytest.raises(ConfigError, match=r'takes cls_score of shape \(E, N, C\), but got \(12, 7\)'):
        RIDELoss(class_counts=case.counts)(case.logits, case.labels)
    with pytest.raises(ConfigError, match=r'reweight_factor must be in \[0, 1\], but is 2'):
        RIDELoss(reweight_factor=2)
    with pytest.raises(ConfigError, match='base_temperature must be above 0, but is 0'):
        RIDELoss(base_temperature=0)
