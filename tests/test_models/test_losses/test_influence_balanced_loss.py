"""Tests of ltkit.models.losses.influence_balanced_loss."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from ltkit.config.compatibility import prior_correction
from ltkit.models.losses import InfluenceBalancedLoss
from ltkit.utils.errors import ConfigError

DIM = 6


@pytest.fixture
def features():
    """Of both signs, float64."""
    return torch.randn(12, DIM, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def class_weights(counts, beta=None):
    raw = [1 / n if beta is None else (1 - beta) / (1 - beta**n) for n in counts]
    return [len(counts) * value / sum(raw) for value in raw]


def influence_balanced(logits, labels, features, weights, alpha=1000.0, epsilon=1e-3, gamma=0.0, detach=True):
    """The equation, sample by sample and class by class."""
    total = 0
    for z, y, x in zip(logits, labels.tolist(), features):
        exponentials = [value.exp() for value in z]
        prob = [value / sum(exponentials) for value in exponentials]
        norm = sum(abs(prob[c] - int(c == y)) for c in range(len(prob)))
        factor = alpha / (norm * sum(abs(value) for value in x) + epsilon)
        if detach:
            factor = factor.detach()
        loss = -weights[y] * prob[y].log()
        total = total + factor * (1 - (-loss).exp())**gamma * loss
    return total / len(logits)


@pytest.mark.parametrize('detach', [True, False])
@pytest.mark.parametrize('arguments', [
    {}, dict(alpha=10.0, epsilon=0.5), dict(gamma=1.0), dict(gamma=0.5),
], ids=str)
def test_equation(arguments, detach, case, same, features):
    weights = class_weights(case.counts)
    loss = InfluenceBalancedLoss(detach=detach, class_counts=case.counts, **arguments)
    scale = 1 / arguments.get('alpha', 1000)  # `same` compares gradients absolutely
    same(lambda z: scale * loss(z, case.labels, features=features),
         lambda z: scale * influence_balanced(z, case.labels, features, weights, detach=detach, **arguments),
         case.logits)
    same(lambda z: scale * loss(z, case.labels, features=features),
         lambda z: scale * influence_balanced(z, case.labels, features, weights, detach=detach, **arguments),
         case.logits.float(), 1e-5)


@pytest.mark.parametrize(('weighting', 'beta'), [('effective_number', 0.9999), ('effective_number', 0.9)])
def test_effective_number_weights(weighting, beta, case, features):
    loss = InfluenceBalancedLoss(weighting=weighting, beta=beta, class_counts=case.counts)
    expected = influence_balanced(case.logits, case.labels, features, class_weights(case.counts, beta))
    assert loss(case.logits, case.labels, features=features).item() == pytest.approx(expected.item(), rel=1e-10)


def test_without_weights_no_counts_are_needed(case, features):
    value = InfluenceBalancedLoss(weighting='none')(case.logits, case.labels, features=features)
    expected = influence_balanced(case.logits, case.labels, features, [1.0] * 7)
    assert value.item() == pytest.approx(expected.item(), rel=1e-10)


def test_gradient_of_the_features(case, features):
    """Detached, none; otherwise that of the factor."""
    for detach in (True, False):
        loss = InfluenceBalancedLoss(alpha=1.0, detach=detach, class_counts=case.counts)
        leaf = features.clone().requires_grad_()
        value = loss(case.logits.clone().requires_grad_(), case.labels, features=leaf)
        if detach:
            assert torch.autograd.grad(value, leaf, allow_unused=True)[0] is None
            continue
        grad, = torch.autograd.grad(value, leaf)
        expected, = torch.autograd.grad(
            influence_balanced(case.logits, case.labels, leaf, class_weights(case.counts), 1.0, detach=False), leaf)
        assert grad.abs().max() > 1e-4 and torch.allclose(grad, expected, atol=1e-12)
        torch.autograd.gradcheck(lambda z, x, loss=loss: loss(z, case.labels, features=x),
                                 (case.logits.clone().requires_grad_(), leaf))


def test_factor_is_the_influence_on_the_classifier(case, features):
    """With alpha = 1 the gradient of each sample by the weights of the classifier has the norm of its class weight."""
    loss = InfluenceBalancedLoss(alpha=1.0, epsilon=1e-9, class_counts=case.counts)
    classifier = torch.linspace(-0.5, 0.5, 7 * DIM, dtype=torch.float64).view(7, DIM).requires_grad_()
    weights = class_weights(case.counts)
    for x, y in zip(features, case.labels):
        value = loss(x[None] @ classifier.t(), y[None], features=x[None])
        grad, = torch.autograd.grad(value, classifier)
        assert grad.abs().sum().item() == pytest.approx(weights[y], rel=1e-6)


def test_norms_as_features(case, features):
    loss = InfluenceBalancedLoss(class_counts=case.counts)
    norms = features.abs().sum(dim=1, keepdim=True)
    assert loss(case.logits, case.labels, features=norms).item() == pytest.approx(
        loss(case.logits, case.labels, features=features).item(), rel=1e-12)


def test_cross_entropy_before_it_begins(case, same, features):
    loss = InfluenceBalancedLoss(begin=100, class_counts=case.counts)
    balanced = InfluenceBalancedLoss(class_counts=case.counts)(case.logits, case.labels, features=features)
    for epoch in (None, 0, 99, 100, 150, 99):
        if epoch is not None:
            loss.set_epoch(epoch, 200)
        if epoch in (100, 150):
            assert torch.equal(loss(case.logits, case.labels, features=features), balanced)
        else:
            same(lambda z: loss(z, case.labels, features=features), lambda z: F.cross_entropy(z, case.labels),
                 case.logits, 1e-12)


def test_deferred_weights(case, features):
    """They multiply the weights of the method, and are alone before it begins."""
    deferred = class_weights(case.counts, 0.9999)
    loss = InfluenceBalancedLoss(begin=2, drw=dict(begin=1), class_counts=case.counts)
    loss.set_epoch(1)
    weight = torch.tensor(deferred, dtype=torch.float64)
    assert loss(case.logits, case.labels, features=features).item() == pytest.approx(
        F.cross_entropy(case.logits, case.labels, weight=weight).item(), rel=1e-12)
    loss.set_epoch(2)
    both = [a * b for a, b in zip(deferred, class_weights(case.counts))]
    assert loss(case.logits, case.labels, features=features).item() == pytest.approx(
        influence_balanced(case.logits, case.labels, features, both).item(), rel=1e-10)


@pytest.mark.parametrize('detach', [True, False])
def test_soft_labels(detach, case, same, features):
    """Losses mix, and the influence is the norm of their gradient."""
    weights = class_weights(case.counts)
    loss = InfluenceBalancedLoss(alpha=1.0, detach=detach, class_counts=case.counts)

    def mixed(logits):
        total = 0
        for z, t, x in zip(logits, case.soft, features):
            prob = z.softmax(0)
            factor = 1 / (sum(abs(p - q) for p, q in zip(prob, t)) * x.abs().sum() + 1e-3)
            factor = factor.detach() if detach else factor
            total = total - factor * sum(q * w * p.log() for q, w, p in zip(t, weights, prob))
        return total / len(logits)

    same(lambda z: loss(z, case.soft, features=features), mixed, case.logits)
    one_hot = F.one_hot(case.labels, 7).double()
    same(lambda z: loss(z, one_hot, features=features), lambda z: loss(z, case.labels, features=features), case.logits,
         1e-12)


def test_sure_and_featureless_samples_are_finite(case):
    """Where the influence is 0, epsilon holds the factor."""
    for arguments in ({}, dict(detach=False), dict(gamma=1.0), dict(gamma=0.5, detach=False)):
        loss = InfluenceBalancedLoss(class_counts=case.counts, **arguments)
        for logits in (1e4 * F.one_hot(case.labels, 7), -1e4 * F.one_hot(case.labels, 7)):
            for features in (torch.zeros(12, 3), torch.ones(12, 3), torch.full((12, 3), 6e4).half()):
                leaf, own = logits.float().requires_grad_(), features.clone().requires_grad_()
                value = loss(leaf, case.labels, features=own)
                value.backward()
                assert value.isfinite() and leaf.grad.isfinite().all()
                assert own.grad is None or own.grad.isfinite().all()


def test_features_of_another_dtype(case, features):
    loss = InfluenceBalancedLoss(class_counts=case.counts)
    value = loss(case.logits.float(), case.labels, features=features)
    assert value.dtype == torch.float32
    half = loss(case.logits.float(), case.labels, features=features.half())
    assert half.item() == pytest.approx(value.item(), rel=1e-2)


def test_compiled_before_and_after_it_begins(case, features):
    torch._dynamo.reset()
    loss = InfluenceBalancedLoss(begin=1, gamma=1.0, class_counts=case.counts)
    compiled = torch.compile(loss, backend='eager', fullgraph=True)
    values = []
    for epoch in (0, 1):
        loss.set_epoch(epoch)
        values.append(compiled(case.logits, case.labels, features=features))
        assert torch.allclose(values[-1], loss(case.logits, case.labels, features=features))
    assert values[0] != values[1]
    torch._dynamo.reset()


def test_wrong_features(case, features):
    loss = InfluenceBalancedLoss(class_counts=case.counts)
    with pytest.raises(ConfigError, match='InfluenceBalancedLoss needs the features: LongTailClsHead') as error:
        loss(case.logits, case.labels)
    assert '\n' not in str(error.value)
    for wrong in (features[:5], features[:, 0], features.long()):
        with pytest.raises(ConfigError, match=r'features of a float dtype, of shape \(N, d\) for cls_score \(N, '):
            loss(case.logits, case.labels, features=wrong)


@pytest.mark.parametrize(('arguments', 'message'), [
    (dict(alpha=0), 'alpha must be above 0, but is 0'),
    (dict(alpha=-1), 'alpha must be a number 0 or more, but is -1'),
    (dict(epsilon=0), 'epsilon must be above 0, but is 0'),
    (dict(begin=-1), r'begin must be a 0-based epoch \(0 or more\), but is -1'),
    (dict(begin=1.5), r'begin must be a 0-based epoch \(0 or more\), but is 1.5'),
    (dict(weighting='inverze'), "weighting must be one of inverse, effective_number, none, but is 'inverze'; did"),
    (dict(beta=1), r'beta must be a number in \[0, 1\), but is 1'),
    (dict(gamma=-1), 'gamma must be a number 0 or more, but is -1'),
])
def test_wrong_arguments(arguments, message):
    with pytest.raises(ConfigError, match=message):
        InfluenceBalancedLoss(**arguments)


def test_what_it_says_of_itself():
    assert 'begin=100' in repr(InfluenceBalancedLoss(begin=100))
    assert prior_correction(InfluenceBalancedLoss, {}) == 1
    assert prior_correction(InfluenceBalancedLoss, dict(weighting='none')) == 0
