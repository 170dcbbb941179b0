"""Tests of ltkit.models.losses.gaussian_clouded_logit_loss."""

from __future__ import annotations

import math
from itertools import pairwise
from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F

from ltkit.engine.hooks import IterationSeedHook
from ltkit.models.losses import GaussianCloudedLogitLoss
from ltkit.models.losses.gaussian_clouded_logit_loss import cloud_sizes
from ltkit.testing import parametrize_with_checks
from ltkit.utils.errors import ConfigError

every_label = pytest.mark.parametrize('soft', [False, True])
SETTINGS = [  # noise_mul, margin, scale, gamma
    (0.5, 0, 30, 0),  # stage 1
    (0.5, 0.1, 20, 1),  # stage 2
    (1, 0.5, 30, 0),
    (0, 0.1, 1, 0.5),
    (0.3, 0, 10, 2),
]


class StoredNoise(GaussianCloudedLogitLoss):
    """A loss with noise that is given."""

    noise: torch.Tensor

    def draw_noise(self, cls_score):
        return self.noise.to(cls_score)


def clouded(cosine, y, noise, counts, noise_mul, margin, scale, gamma):
    """The loss of one sample with the label y."""
    delta = [math.log(max(counts)) - math.log(n) for n in counts]
    exps = []
    for c in range(len(counts)):
        moved = cosine[c] - noise_mul * abs(float(noise[c])) * delta[c] / max(delta)
        exps.append((scale * (moved - (margin if c == y else 0))).exp())
    p = exps[y] / sum(exps)
    return -(1 - p.detach())**gamma * p.log()


def reference(logits, target, noise, case, settings, logit_scale=None, weights=None):
    """The weighted mean over samples and classes."""
    weights = [1] * 7 if weights is None else weights
    cosines = logits.double() / (logit_scale or settings[2])
    total, divisor = 0, 0
    for cosine, t, row in zip(cosines, target, noise):
        for c in range(7):
            if t[c] > 0:
                total = total + t[c] * weights[c] * clouded(cosine, c, row, case.counts, *settings)
                divisor += t[c] * weights[c]
    return total / divisor


def labels_of(case, soft):
    """What the loss is given, and the same as soft labels."""
    return (case.soft, case.soft) if soft else (case.labels, F.one_hot(case.labels, 7).double())


def stored(case, *settings, **kwargs):
    loss = StoredNoise(settings[0], settings[1], settings[2], settings[3], class_counts=case.counts, **kwargs)
    generator = torch.Generator().manual_seed(1)
    loss.noise = (torch.randn(12, 7, generator=generator, dtype=torch.float64) / 3).clamp(-1, 1)
    return loss


@every_label
@pytest.mark.parametrize('settings', SETTINGS)
def test_equation(settings, soft, case, same):
    loss = stored(case, *settings)
    given, target = labels_of(case, soft)

    def expected(logits):
        return reference(logits, target, loss.noise, case, settings)

    same(lambda z: loss(z, given), expected, case.logits)
    same(lambda z: loss(z, given), expected, case.logits.float(), 1e-5)


@every_label
@pytest.mark.parametrize('logit_scale', [1, 30])
def test_a_scale_of_its_own_multiplies_the_cosine(logit_scale, soft, case, same):
    settings = (0.5, 0.1, 20, 1)
    loss = stored(case, *settings)
    loss.set_scale(logit_scale)
    given, target = labels_of(case, soft)
    same(lambda z: loss(z, given), lambda z: reference(z, target, loss.noise, case, settings, logit_scale),
         logit_scale * torch.tanh(case.logits))


@every_label
@pytest.mark.parametrize('settings', SETTINGS[:2])
def test_deferred_weights(settings, soft, case, same):
    loss = stored(case, *settings, drw=dict(begin=0, beta=0.99))
    weights = [(1 - 0.99) / (1 - 0.99**n) for n in case.counts]
    given, target = labels_of(case, soft)
    same(lambda z: loss(z, given), lambda z: reference(z, target, loss.noise, case, settings, weights=weights),
         case.logits)


@every_label
@pytest.mark.parametrize('kwargs', [dict(noise_mul=0), dict(noise_std=0), dict(class_counts=[9] * 7)], ids=str)
def test_no_cloud_gives_cross_entropy(kwargs, soft, case, same):
    loss = GaussianCloudedLogitLoss(**{'class_counts': case.counts, **kwargs})
    target = case.soft if soft else case.labels
    same(lambda z: loss(z, target), lambda z: F.cross_entropy(z, target), case.logits, 1e-12)


@every_label
def test_evaluation_is_without_noise(soft, case):
    target = case.soft if soft else case.labels
    loss = GaussianCloudedLogitLoss(class_counts=case.counts).eval()
    state = torch.get_rng_state()
    assert torch.equal(loss(case.logits, target), F.cross_entropy(case.logits, target, reduction='none').mean())
    assert torch.equal(torch.get_rng_state(), state)


def test_cloud_sizes():
    counts = torch.tensor([100.0, 10.0, 1.0, 31.6227766])
    assert cloud_sizes(counts).tolist() == pytest.approx([0, 0.5, 1, 0.25])
    assert cloud_sizes(torch.full((3, ), 7.0)).tolist() == [0, 0, 0]


def test_clouds_of_the_smallest_class_are_largest(case):
    """No logit rises, those of the largest class stay, and the mean fall is that of the docstring."""
    counts = torch.tensor(case.counts)
    loss = GaussianCloudedLogitLoss(class_counts=case.counts)
    torch.manual_seed(0)
    fall = -loss.clouded(torch.zeros(20000, 7))
    assert (fall >= 0).all() and (fall[:, counts.argmax()] == 0).all()
    assert fall[:, counts.argmin()].max() <= 15
    assert fall.mean(0).argsort().tolist() == counts.argsort(descending=True).tolist()
    assert fall[:, counts.argmin()].mean().item() == pytest.approx(0.27 * 15, abs=0.1)


@pytest.mark.parametrize('std', [1 / 3, 0.1])
def test_noise(std):
    """A third is the standard deviation, not the variance; the cut is at three of it."""
    loss = GaussianCloudedLogitLoss(noise_std=std)
    torch.manual_seed(0)
    noise = loss.draw_noise(torch.zeros(20000, 5, dtype=torch.float64))
    assert noise.dtype == torch.float64
    assert noise.mean().item() == pytest.approx(0, abs=0.01)
    assert noise.std().item() == pytest.approx(std, abs=0.01)
    assert noise.abs().max() <= 1
    assert ((noise.abs() == 1).double().mean().item() > 0.001) == (std > 0.3)


def test_a_resumed_run_draws_the_same(case):
    """The noise is new in each step and depends on the seed of the run and the iteration alone."""
    loss = GaussianCloudedLogitLoss(class_counts=case.counts)

    def values(first):
        runner = SimpleNamespace(seed=7, rank=0, _randomness_cfg={})
        for runner.iter in range(first, 6):
            IterationSeedHook().before_train_iter(runner, 0)
            yield loss(case.logits, case.labels)

    whole, resumed = list(values(0)), list(values(4))
    assert whole[4:] == resumed
    assert not any(torch.equal(a, b) for a, b in pairwise(whole))


@every_label
@pytest.mark.parametrize('settings', SETTINGS[:2])
def test_renumbered_classes(settings, soft, case):
    """Nothing changes when the noise is renumbered along."""
    loss, other = stored(case, *settings), stored(case, *settings)
    order = torch.tensor([3, 0, 6, 4, 1, 5, 2])
    other.set_class_distribution([case.counts[c] for c in order])
    other.noise = other.noise[:, order]
    target = case.soft[:, order] if soft else order.argsort()[case.labels]
    value = other(case.logits[:, order], target)
    assert value.item() == pytest.approx(loss(case.logits, labels_of(case, soft)[0]).item(), abs=1e-12)


def test_an_empty_class_counts_as_one_sample(case):
    values = []
    for few in (0, 1):
        loss = stored(case, 0.5, 0.1, 20, 1)
        loss.class_counts = torch.tensor([500, few, 30, 4, 9, 1, 60])
        values.append(loss(case.logits, case.labels))
    assert values[0].isfinite() and torch.equal(*values)


def test_wrong_arguments():
    for name in ('noise_mul', 'margin', 'gamma', 'noise_std'):
        with pytest.raises(ConfigError, match=f'{name} must be a number 0 or more, but is -0.1'):
            GaussianCloudedLogitLoss(**{name: -0.1})


def test_repr():
    assert 'noise_mul=0.5, margin=0.1, gamma=1, noise_std=0.333, scale=20' in repr(
        GaussianCloudedLogitLoss(margin=0.1, scale=20, gamma=1))


@parametrize_with_checks('loss', dict(type='GaussianCloudedLogitLoss', margin=0.1, scale=20, gamma=1),
                         skip=dict(uniform_counts='margin and modulator stay',
                                   gradient_is_right='no gradient is taken of the modulator',
                                   two_processes='see test_registered'))
def test_second_stage(check):
    check()
