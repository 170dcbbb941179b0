"""Tests of ltkit.models.losses.softmax_equalization_loss."""

from __future__ import annotations

from itertools import pairwise
from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F

from ltkit.engine.hooks import IterationSeedHook
from ltkit.models.losses import SoftmaxEqualizationLoss
from ltkit.testing import parametrize_with_checks, run_distributed
from ltkit.utils.errors import ConfigError

# Of the counts 500 .. 5 of the case, three of seven classes are rarer than 0.04.
LAMBDA = 0.04
NEW_MASK = 'each sample and class has a draw of its own, and its place in the batch decides which'
every_label = pytest.mark.parametrize('soft', [False, True])


def softmax_equalization(z, y, prior, numbers, gamma, lambda_):
    """The loss of one sample with uniform random numbers, one a class."""
    denominator = 0
    for c in range(len(z)):
        beta = 1 if numbers[c] < gamma else 0
        rare = 1 if prior[c] < lambda_ else 0
        weight = 1 - beta * rare * (0 if c == y else 1)
        denominator = denominator + weight * z[c].exp()
    return -(z[y].exp() / denominator).log()


def target_of(case, soft):
    return case.soft if soft else F.one_hot(case.labels, 7).double()


def seeded(loss, target, seed=1):
    def value(logits):
        torch.manual_seed(seed)
        return loss(logits, target)

    return value


@every_label
@pytest.mark.parametrize(('gamma', 'lambda_'), [(0.9, LAMBDA), (0.5, LAMBDA), (0.95, 1.0), (1.0, LAMBDA)])
def test_equation(soft, gamma, lambda_, case, same):
    torch.manual_seed(1)
    numbers = torch.rand(12, 7).tolist()
    prior = [n / sum(case.counts) for n in case.counts]
    target = target_of(case, soft)

    def reference(logits):
        return sum(t[c] * softmax_equalization(z.double(), c, prior, row, gamma, lambda_)
                   for z, t, row in zip(logits, target, numbers) for c in range(7)) / 12

    loss = SoftmaxEqualizationLoss(gamma, lambda_, class_counts=case.counts)
    value = seeded(loss, case.soft if soft else case.labels)
    same(value, reference, case.logits)
    same(value, reference, case.logits.float(), 1e-5)
    assert abs(value(case.logits) - F.cross_entropy(case.logits, target)) > 1e-3


def test_a_rare_class_is_spared_as_a_negative_alone(case):
    """With gamma = 1 its logit has a gradient from its own samples and from no other."""
    rare = torch.tensor(case.counts) < LAMBDA * sum(case.counts)
    assert rare.sum() == 3
    logits = case.logits.clone().requires_grad_()
    SoftmaxEqualizationLoss(1.0, LAMBDA, class_counts=case.counts)(logits, case.labels).backward()
    own = F.one_hot(case.labels, 7).bool()
    assert (logits.grad[:, rare][~own[:, rare]] == 0).all()
    assert (logits.grad[:, ~rare] > 0)[~own[:, ~rare]].all()


@pytest.mark.parametrize('gamma', [0.9, 0.3])
def test_how_often_a_negative_is_left_out(gamma):
    loss = SoftmaxEqualizationLoss(gamma, 0.2, class_counts=[95, 5])
    torch.manual_seed(0)
    kept = loss.kept(torch.zeros(20000, 2))
    assert kept[:, 0].all()
    assert kept[:, 1].double().mean().item() == pytest.approx(1 - gamma, abs=0.01)


@every_label
@pytest.mark.parametrize('kwargs', [dict(gamma=0), dict(lambda_=0), dict(lambda_=5 / 927),
                                    dict(class_counts=[9] * 7)], ids=str)
def test_nothing_to_leave_out_gives_cross_entropy(kwargs, soft, case, same):
    """A class as rare as lambda_ is not rarer."""
    assert sum(case.counts) == 927 and min(case.counts) == 5
    loss = SoftmaxEqualizationLoss(**{'lambda_': 0.1, 'class_counts': case.counts, **kwargs})
    target = case.soft if soft else case.labels
    same(lambda z: loss(z, target), lambda z: F.cross_entropy(z, target), case.logits, 1e-12)


@every_label
def test_evaluation_is_plain_cross_entropy(soft, case):
    target = case.soft if soft else case.labels
    loss = SoftmaxEqualizationLoss(0.9, LAMBDA, class_counts=case.counts).eval()
    state = torch.get_rng_state()
    assert torch.equal(loss(case.logits, target), F.cross_entropy(case.logits, target, reduction='none').mean())
    assert torch.equal(torch.get_rng_state(), state)


@every_label
def test_deferred_weights(soft, case):
    loss = SoftmaxEqualizationLoss(0.9, LAMBDA, class_counts=case.counts, drw=dict(begin=0, beta=0.99))
    weights = torch.tensor([(1 - 0.99) / (1 - 0.99**n) for n in case.counts], dtype=torch.float64)
    torch.manual_seed(1)
    plain = SoftmaxEqualizationLoss(0.9, LAMBDA, class_counts=case.counts)
    each = plain.class_losses(case.logits)
    weighted = target_of(case, soft) * weights
    expected = (weighted * each).sum() / weighted.sum()
    value = seeded(loss, case.soft if soft else case.labels)(case.logits)
    assert value.item() == pytest.approx(expected.item(), 1e-12)


def test_a_resumed_run_draws_the_same(case):
    """What is left out depends on the seed of the run and the iteration alone."""
    loss = SoftmaxEqualizationLoss(0.5, LAMBDA, class_counts=case.counts)

    def masks(first):
        runner = SimpleNamespace(seed=7, rank=0, _randomness_cfg={})
        for runner.iter in range(first, 6):
            IterationSeedHook().before_train_iter(runner, 0)
            yield loss.kept(case.logits)

    whole, resumed = list(masks(0)), list(masks(4))
    assert all(torch.equal(a, b) for a, b in zip(whole[4:], resumed))
    assert not any(torch.equal(a, b) for a, b in pairwise(whole))


def test_an_unfinished_batch_leaves_out_the_same_over_processes(case):
    """Eleven samples over three processes, dealt as the samplers deal them."""
    whole = _kept(0, 1, case.counts)
    for rank, part in enumerate(run_distributed(_kept, 3, case.counts)):
        assert (part == whole[rank::3]).all()


def _kept(rank, world_size, counts):
    torch.manual_seed(2)
    loss = SoftmaxEqualizationLoss(0.5, LAMBDA, class_counts=counts)
    return loss.kept(torch.zeros(len(range(rank, 11, world_size)), 7)).numpy()


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16, torch.float32])
def test_extreme_logits_of_narrow_dtypes(dtype):
    logits = torch.tensor([[-1e4, 1e4, 1e4], [1e4, -1e4, -1e4]]).to(dtype).requires_grad_()
    loss = SoftmaxEqualizationLoss(1.0, 0.2, class_counts=[90, 5, 5])
    with torch.autocast('cpu', dtype=torch.bfloat16):
        value = loss(logits, torch.tensor([0, 1]))
    value.backward()
    assert value.item() == pytest.approx(1e4, rel=1e-2)  # (0 + 2e4) / 2: both rare classes are left out
    assert logits.grad.isfinite().all()
    assert logits.grad[0].tolist() == [0, 0, 0]


def test_every_other_class_left_out(case):
    """A sample whose label alone is left has no loss, and no NaN in its gradient."""
    logits = case.logits.clone().requires_grad_()
    value = SoftmaxEqualizationLoss(1.0, 1.0, class_counts=case.counts)(logits, case.labels)
    value.backward()
    assert value.item() == 0 and (logits.grad == 0).all()


def test_a_data_set_without_a_rare_class_is_told(monkeypatch):
    lines = []
    monkeypatch.setattr('ltkit.models.losses.softmax_equalization_loss.print_log',
                        lambda line, *_: lines.append(line))
    loss = SoftmaxEqualizationLoss()
    loss.set_class_distribution([500, 20])
    loss.set_class_distribution([50000, 20])
    assert lines == ['SoftmaxEqualizationLoss: no class is rarer than lambda_=0.00043, so this is the plain cross '
                     'entropy; the rarest has 0.0385 of the training set']


@parametrize_with_checks('loss', dict(type='SoftmaxEqualizationLoss', lambda_=0.15),
                         skip=dict(permutation_of_samples=NEW_MASK, permutation_of_classes=NEW_MASK))
def test_conformance_with_rare_classes(check):
    check()


def test_wrong_arguments():
    with pytest.raises(ConfigError, match=r'gamma must be a number in \[0, 1\], but is 1.5'):
        SoftmaxEqualizationLoss(1.5)
    with pytest.raises(ConfigError, match=r'lambda_ must be a number in \[0, 1\], but is 50'):
        SoftmaxEqualizationLoss(lambda_=50)


def test_repr():
    assert 'gamma=0.9, lambda_=0.00043' in repr(SoftmaxEqualizationLoss())
