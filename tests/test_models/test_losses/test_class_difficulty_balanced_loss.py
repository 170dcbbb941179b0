"""Tests of ltkit.models.losses.class_difficulty_balanced_loss."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F

from ltkit.models.losses import ClassDifficultyBalancedLoss
from ltkit.testing import parametrize_with_checks
from ltkit.utils.errors import ConfigError, DistributionError

DIFFICULTY = [0.25, 0.0, 1.0, 0.5, 0.125, 0.875, 0.75]  # exact in float32
TAUS = [0.5, 1.0, 1.5, 2.0, 5.0, 'dynamic']


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def weights_of(difficulty, tau, dynamic='imagenet'):
    """The weights of the paper, one class after another."""
    if tau == 'dynamic':
        spread = (1 - min(difficulty)) / (1 - max(difficulty) + 0.01)
        tau = sigmoid(spread) if dynamic == 'cifar' else 2 * sigmoid(spread - 1)
    powers = [d**tau for d in difficulty]
    return [len(powers) * power / sum(powers) for power in powers]


def reference(logits, labels, weights, average='batch'):
    total = divisor = 0
    for z, y in zip(logits, labels.tolist()):
        total = total - weights[y] * (z[y].exp() / z.exp().sum()).log()
        divisor += weights[y] if average == 'weights' else 1
    return total / divisor


def make(difficulty=DIFFICULTY, **kwargs):
    loss = ClassDifficultyBalancedLoss(**kwargs)
    loss.set_difficulty(difficulty)
    return loss


@pytest.mark.parametrize('average', ['batch', 'weights'])
@pytest.mark.parametrize('tau', TAUS)
def test_equation(tau, average, case, same):
    loss = make(tau=tau, average=average)
    weights = weights_of(DIFFICULTY, tau)
    same(lambda z: loss(z, case.labels), lambda z: reference(z, case.labels, weights, average), case.logits)


@pytest.mark.parametrize('dynamic', ['imagenet', 'cifar'])
@pytest.mark.parametrize('difficulty', [DIFFICULTY, [0.5, 0.25, 0.75, 0.5, 0.5, 0.5, 0.625], [0.5] * 7])
def test_dynamic_tau(dynamic, difficulty, case, same):
    loss = make(difficulty, dynamic=dynamic)
    weights = weights_of(difficulty, 'dynamic', dynamic)
    same(lambda z: loss(z, case.labels), lambda z: reference(z, case.labels, weights), case.logits)


def test_float32(case, same):
    loss = make(tau=1.5)
    weights = weights_of(DIFFICULTY, 1.5)
    same(lambda z: loss(z, case.labels), lambda z: reference(z.double(), case.labels, weights), case.logits.float(),
         1e-5)


def test_soft_labels_mix_the_losses_of_the_classes(case, same):
    loss = make(tau=1.5)
    weights = torch.tensor(weights_of(DIFFICULTY, 1.5), dtype=torch.float64)
    same(lambda z: loss(z, case.soft), lambda z: -(case.soft * weights * z.log_softmax(1)).sum() / len(z), case.logits)


@pytest.mark.parametrize('average', ['batch', 'weights'])
@pytest.mark.parametrize('tau', [0, *TAUS])
def test_equally_hard_classes_leave_the_cross_entropy(tau, average, case):
    plain = F.cross_entropy(case.logits, case.labels)
    for counts in (None, case.counts):
        loss = ClassDifficultyBalancedLoss(tau, average=average, class_counts=counts)
        assert loss(case.logits, case.labels) == plain
    for level in (1.0, 0.3, 0.0):  # 0: no class has an error
        assert make([level] * 7, tau=tau, average=average)(case.logits, case.labels) == plain


def test_tau_zero_is_the_cross_entropy(case):
    assert make(tau=0)(case.logits, case.labels) == F.cross_entropy(case.logits, case.labels)


@pytest.mark.parametrize('average', ['batch', 'weights'])
def test_a_class_without_an_error_is_left_out(average):
    logits = torch.randn(4, 7, requires_grad=True)
    loss = make(tau=1.0, average=average)(logits, torch.tensor([1, 1, 1, 2]))
    gradient, = torch.autograd.grad(loss, logits)
    assert not gradient[:3].any() and gradient[3].any()
    alone = make(tau=1.0, average=average)(logits, torch.tensor([1, 1, 1, 1]))
    gradient, = torch.autograd.grad(alone, logits)
    assert alone == 0 and not gradient.any()


def test_deferred_weights_multiply(case, same):
    counts = torch.tensor(case.counts, dtype=torch.float64)
    deferred = 0.1 / (1 - 0.9**counts)
    deferred *= 7 / deferred.sum()
    weights = [float(a * b) for a, b in zip(deferred, weights_of(DIFFICULTY, 1.0))]
    loss = make(tau=1.0, class_counts=case.counts, drw=dict(begin=0, beta=0.9))
    same(lambda z: loss(z, case.labels), lambda z: reference(z, case.labels, weights), case.logits)


def test_difficulty_is_one_at_first_and_travels_with_the_weights(case):
    loss = ClassDifficultyBalancedLoss(class_counts=case.counts)
    assert loss.difficulty.tolist() == [1.0] * 7
    buffer = loss.difficulty
    loss.set_difficulty(torch.tensor(DIFFICULTY))
    assert loss.difficulty is buffer and buffer.tolist() == DIFFICULTY
    for other in (ClassDifficultyBalancedLoss(), ClassDifficultyBalancedLoss(class_counts=case.counts)):
        other.load_state_dict(loss.state_dict())
        assert other.difficulty.tolist() == DIFFICULTY
        assert other(case.logits, case.labels) == loss(case.logits, case.labels)


def test_a_loss_that_nobody_tells_the_difficulty_says_so(case, monkeypatch):
    said = []
    monkeypatch.setattr('ltkit.models.losses.class_difficulty_balanced_loss.print_log',
                        lambda text, *args: said.append(text))
    told, loaded, untold = make(), ClassDifficultyBalancedLoss(), ClassDifficultyBalancedLoss()
    loaded.load_state_dict(told.state_dict())
    for epoch in range(3):
        for loss in (told, loaded, untold):
            loss.set_epoch(epoch, 3)
        assert len(said) == min(epoch, 1)
    assert 'ClassDifficultyHook' in said[0]


@pytest.mark.parametrize('arguments, words', [
    (dict(tau=-1), 'tau'), (dict(tau='auto'), "'auto'"), (dict(tau=None), 'tau'),
    (dict(dynamic='paper'), 'imagenet, cifar'), (dict(average='sum'), 'batch, weights'),
])
def test_wrong_arguments(arguments, words):
    with pytest.raises(ConfigError, match=words):
        ClassDifficultyBalancedLoss(**arguments)


@pytest.mark.parametrize('difficulty', [[0.5, 1.5], [-0.1, 1], [float('nan'), 1], [[0.5], [0.5]], [], [0.5] * 3])
def test_wrong_difficulties(difficulty):
    with pytest.raises(ConfigError, match='difficulty must be'):
        ClassDifficultyBalancedLoss(class_counts=[3, 2]).set_difficulty(difficulty)


def test_difficulties_of_other_classes(case):
    with pytest.raises(DistributionError, match='2 classes, but the scores are of 7'):
        make([0.5, 0.5])(case.logits, case.labels)


class RareIsHard(ClassDifficultyBalancedLoss):
    """Of unequal difficulties, which follow the class counts."""

    def on_class_counts(self):
        super().on_class_counts()
        if self.has_class_counts:
            self.set_difficulty(1 / self.class_counts.clamp(min=1))


SKIP = dict(missing_counts='the difficulties of this test come from the counts',
            config_round_trip='a class of this test, which is not registered')


@parametrize_with_checks('loss', lambda **kwargs: RareIsHard(tau=0.5, average='weights', **kwargs), skip=SKIP)
def test_conformance_with_unequal_difficulties(check):
    check()
