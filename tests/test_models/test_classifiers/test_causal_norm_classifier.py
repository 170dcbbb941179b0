"""Tests of ltkit.models.classifiers.causal_norm_classifier."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from ltkit.engine.hooks import SyncStatisticsHook
from ltkit.models.classifiers import CausalNormClassifier
from ltkit.registry import CLASSIFIERS
from ltkit.testing.distributed import run_distributed
from ltkit.utils.errors import ConfigError


def length(v):
    return math.sqrt(sum(a * a for a in v))


def dot(v, w):
    return sum(a * b for a, b in zip(v, w))


def reference(x, weights, moving, tau, heads, gamma, alpha):
    """Logits of one feature: the equation of the paper, head by head."""
    size = len(x) // heads
    logits = []
    for w in weights:
        total = 0.0
        for k in range(heads):
            xk, wk, mk = (v[k * size:(k + 1) * size] for v in (x, w, moving))
            direct = dot(wk, xk) / ((length(wk) + gamma) * length(xk))
            if length(mk) > 0:
                cosine = dot(xk, mk) / (length(xk) * length(mk))
                direct -= alpha * cosine * dot(wk, mk) / ((length(wk) + gamma) * length(mk))
            total += tau / heads * direct
        logits.append(total)
    return logits


def trained(heads=2, channels=12, **kwargs):
    """A classifier after two batches, in float64, with its features."""
    torch.manual_seed(0)
    classifier = CLASSIFIERS.build(dict(
        type='CausalNormClassifier', num_classes=5, in_channels=channels, num_heads=heads, **kwargs)).double()
    with torch.no_grad():
        classifier.weight.mul_(torch.tensor([0.1, 1, 2, 5, 30])[:, None])
    for _ in range(2):
        classifier(torch.rand(6, channels, dtype=torch.float64))
    return classifier, torch.randn(7, channels, dtype=torch.float64)


@pytest.mark.parametrize('heads', [1, 2, 3, 4, 12])
@pytest.mark.parametrize('training', [True, False])
def test_equation(heads, training):
    classifier, features = trained(heads, tau=9.0, gamma=0.2, alpha=1.7)
    moving = classifier.moving_feature.tolist()
    found = classifier.train(training)(features)
    expected = [reference(x, classifier.weight.tolist(), moving, 9.0, heads, 0.2, 0.0 if training else 1.7)
                for x in features.tolist()]
    assert torch.allclose(found, torch.tensor(expected, dtype=torch.float64), rtol=0, atol=1e-10)
    single = classifier.float().train(training)(features.float())
    assert torch.allclose(single, torch.tensor(expected), rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize('lr_factor', [None, 50])
def test_from_training_to_the_total_direct_effect(lr_factor):
    """Batches at several learning rates, and then a test; of the classifier the weight alone is read."""
    torch.manual_seed(4)
    classifier = CausalNormClassifier(4, 6, tau=16.0, alpha=1.5, momentum=0.9, lr_factor=lr_factor).double()
    weights, moving = classifier.weight.tolist(), [0.0] * 6
    for rate in (0.2, 0.02, 0.01, 0.0):
        batch = (torch.randn(7, 6, dtype=torch.float64) + 1).tolist()
        classifier.begin_batch(rate, 0, 1)
        found = classifier.train()(torch.tensor(batch, dtype=torch.float64))
        expected = [reference(x, weights, [0.0] * 6, 16.0, 2, 1 / 32, 0.0) for x in batch]
        assert (found - torch.tensor(expected, dtype=torch.float64)).abs().max() < 1e-10
        momentum = 0.9 if lr_factor is None else 1 - 0.1 * min(50 * rate, 1)
        moving = [momentum * m + sum(x[k] for x in batch) / 7 for k, m in enumerate(moving)]
    images = torch.randn(5, 6, dtype=torch.float64)
    expected = [reference(x, weights, moving, 16.0, 2, 1 / 32, 1.5) for x in images.tolist()]
    found = classifier.eval()(images)
    assert (found - torch.tensor(expected, dtype=torch.float64)).abs().max() < 1e-10
    assert (found - classifier.train().logits(images, 0.0)).abs().max() > 0.1  # the effect is something


@pytest.mark.parametrize('training', [True, False])
def test_gradient(training):
    classifier, features = trained()
    classifier.train(training)

    def logits(x, w):
        return torch.func.functional_call(classifier, dict(weight=w), (x, ))

    assert torch.autograd.gradcheck(logits, (features.requires_grad_(), classifier.weight))


def test_moving_feature_is_of_training_only():
    classifier = CausalNormClassifier(3, 4, momentum=0.6).double()
    batches = [torch.rand(5, 4, dtype=torch.float64, requires_grad=True) for _ in range(4)]
    expected = np.zeros(4)
    for batch in batches:
        classifier.train()(batch).sum().backward()
        classifier.eval()(100 * batch)
        expected = 0.6 * expected + batch.detach().numpy().mean(0)
    assert np.allclose(classifier.moving_feature, expected, rtol=0, atol=1e-12)
    assert not classifier.moving_feature.requires_grad
    other = CausalNormClassifier(3, 4)
    other.load_state_dict(classifier.state_dict())
    assert torch.equal(other.moving_feature, classifier.moving_feature.float())
    classifier.reset_parameters()
    assert not classifier.moving_feature.any()


def test_nothing_to_take_out():
    """At alpha 0, before any training, and of a head whose part of the features was zeros, it is the training path."""
    classifier, features = trained(alpha=0.0)
    assert torch.equal(classifier.eval()(features), classifier.train()(features))
    classifier = CausalNormClassifier(5, 12, alpha=3.0)
    assert torch.equal(classifier.eval()(features), classifier.train()(features))
    classifier, features = trained()
    classifier.moving_feature[:6] = 0
    only = classifier.eval()(torch.cat([features[:, :6], torch.zeros_like(features[:, 6:])], 1))
    assert torch.equal(only, classifier.logits(torch.cat([features[:, :6], torch.zeros_like(features[:, 6:])], 1), 0.0))


def test_the_length_of_the_moving_feature_plays_no_part():
    classifier, features = trained()
    before = classifier.eval()(features)
    classifier.moving_feature.mul_(1000)
    assert torch.allclose(classifier(features), before, rtol=0, atol=1e-10)


def test_tau_is_the_scale_and_bounds_the_logits():
    classifier, features = trained(tau=20.0)
    assert classifier.scale == 20.0
    with torch.no_grad():
        classifier.weight.copy_(1e9 * features[:5])
    assert classifier.train()(features[:5]).diagonal().tolist() == pytest.approx([20.0] * 5)


def test_momentum_follows_the_learning_rate():
    """1 - 0.1 min(50 lr, 1)."""
    for rate, momentum in ((0.2, 0.9), (0.02, 0.9), (0.01, 0.95), (0.0, 1.0)):
        classifier = CausalNormClassifier(3, 2, lr_factor=50).double()
        classifier.moving_feature.fill_(1)
        classifier.begin_batch(rate, 0, 1)
        classifier(torch.tensor([[3.0, 5.0], [1.0, 1.0]], dtype=torch.float64))
        assert classifier.moving_feature.tolist() == pytest.approx([momentum + 2, momentum + 3], abs=1e-12)


def test_micro_batches_of_a_step_are_one_batch():
    whole, parts = (CausalNormClassifier(3, 4).double() for _ in range(2))
    batches = torch.rand(3, 8, 4, dtype=torch.float64)
    for batch in batches:
        whole.begin_batch(0.1, 0, 1)
        whole(batch)
        for position, part in enumerate(batch.chunk(4)):
            parts.begin_batch(0.1, position, 4)
            parts(part)
    assert torch.allclose(whole.moving_feature, parts.moving_feature, rtol=0, atol=1e-12)


def _part_of_a_run(rank, world_size):
    classifier = CausalNormClassifier(3, 4).double()
    for batch in torch.rand(5, 8, 4, generator=torch.Generator().manual_seed(3), dtype=torch.float64):
        classifier(batch[rank::world_size])
    runner = type('Runner', (), dict(model=classifier))
    SyncStatisticsHook.average(runner)
    return classifier.moving_feature


def test_two_processes_have_the_moving_feature_of_one():
    expected = _part_of_a_run(0, 1)
    for found in run_distributed(_part_of_a_run):
        assert torch.allclose(found, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize('training', [True, False])
def test_compiles_without_a_graph_break_and_not_anew(training):
    torch._dynamo.reset()
    classifier, features = trained()
    expected = classifier.train(training)(features)
    before = classifier.moving_feature.clone()
    compiled = torch.compile(classifier, backend='eager', fullgraph=True)
    with torch._dynamo.config.patch(error_on_recompile=True):
        assert torch.equal(compiled(features), expected)
        classifier.begin_batch(0.1, 0, 2)
        compiled(features)
    if training:
        expected = 0.9 * (0.9 * before + features.mean(0)) + features.mean(0) / 2
        assert torch.allclose(classifier.moving_feature, expected)


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_half_precision(dtype):
    classifier = CausalNormClassifier(4, 512)
    features = (1e4 * torch.randn(3, 512)).to(dtype).requires_grad_()
    with torch.autocast('cpu', dtype=torch.bfloat16):
        logits = classifier(features)
    logits.sum().backward()
    assert logits.dtype == classifier.moving_feature.dtype == torch.float32
    assert torch.allclose(logits, classifier(features.float()))
    assert torch.isfinite(features.grad).all() and torch.isfinite(classifier.moving_feature).all()


@pytest.mark.parametrize('kwargs, message', [
    (dict(num_heads=3), 'num_heads of CausalNormClassifier is 3, into which the 64 channels cannot be divided; use for '
                        'example 1 or 2 or 4 or 8 or 16'),
    (dict(num_heads=0), 'num_heads of CausalNormClassifier must be a whole number from 1 on, but is 0'),
    (dict(tau=0), 'tau of CausalNormClassifier must be above 0, but is 0'),
    (dict(gamma=-1), 'gamma of CausalNormClassifier must be a number 0 or more, but is -1'),
    (dict(alpha='3'), "alpha of CausalNormClassifier must be a number 0 or more, but is '3'"),
    (dict(momentum=1), r'momentum of CausalNormClassifier must be a number in \[0, 1\), but is 1'),
    (dict(lr_factor=-50), 'lr_factor of CausalNormClassifier must be a number 0 or more, but is -50'),
])
def test_wrong_arguments(kwargs, message):
    with pytest.raises(ConfigError, match=message):
        CausalNormClassifier(10, 64, **kwargs)
