"""Tests of ltkit.models.losses.dot_regression_loss."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from ltkit.models.heads import LongTailClsHead
from ltkit.models.losses import DotRegressionLoss
from ltkit.testing import parametrize_with_checks, run_distributed
from ltkit.utils.errors import ConfigError


def squared_lengths(lengths, counts, batch):
    """By plain numbers: ``counts`` of the training set, ``batch`` the parts of each class in the batch."""
    if lengths == 'equal':
        return [1.0] * len(counts)
    if lengths == 'dataset':
        return [sum(counts) / len(counts) / n for n in counts]
    present = [b for b in batch if b > 0]
    return [sum(present) / len(present) / b if b > 0 else 1.0 for b in batch]


def dot_regression(cosines, soft, counts, lengths):
    """A loop over samples and classes; ``soft`` are labels (N, C)."""
    squares = squared_lengths(lengths, counts, soft.sum(dim=0).tolist())
    total = 0
    for u, t in zip(cosines, soft):
        for c in range(len(u)):
            total = total + t[c] * squares[c] * (u[c] - 1)**2 / 2
    return total / len(cosines)


every_length = pytest.mark.parametrize('lengths', ['equal', 'batch', 'dataset'])


@every_length
@pytest.mark.parametrize('scale', [1.0, 30.0])
def test_equation(lengths, scale, case, same):
    loss = DotRegressionLoss(lengths, scale, class_counts=case.counts)
    for target in (case.labels, case.soft):
        soft = F.one_hot(target, 7).double() if target.dim() == 1 else target
        same(lambda z, t=target: loss(z, t), lambda z, t=soft: dot_regression(z / scale, t, case.counts, lengths),
             case.logits)
        same(lambda z, t=target: loss(z, t),
             lambda z, t=soft: dot_regression(z.double() / scale, t, case.counts, lengths), case.logits.float(), 1e-5)


def test_of_features_it_is_the_regression_of_the_paper():
    """With class vectors W of squared length E_W and unit features, as the code writes it."""
    torch.manual_seed(0)
    frame = F.normalize(torch.randn(4, 6, dtype=torch.float64), dim=1)
    features = F.normalize(torch.randn(8, 6, dtype=torch.float64), dim=1)
    labels = torch.tensor([0, 0, 0, 1, 1, 2, 2, 2])  # class 3 is not there
    counts = torch.tensor([3.0, 2.0, 3.0], dtype=torch.float64)
    vectors = torch.cat([(8 / 3 / counts).sqrt()[:, None] * frame[:3], frame[3:]])
    target = vectors[labels]
    expected = (((features * target).sum(1) - target.norm(dim=1))**2).mean() / 2
    assert DotRegressionLoss('batch')(features @ frame.T, labels).item() == pytest.approx(expected.item(), 1e-12)


def test_only_the_cosine_of_the_own_class_has_a_gradient(case):
    logits = case.logits.clone().requires_grad_()
    DotRegressionLoss()(logits, case.labels).backward()
    own = F.one_hot(case.labels, 7).bool()
    assert not logits.grad[~own].any()
    assert torch.allclose(logits.grad[own], (case.logits[own] - 1) / 12)


def test_mixing_a_batch_with_itself_keeps_the_lengths(case):
    """The official code takes them from the labels before mixup, whose sums are the same."""
    loss, order = DotRegressionLoss('batch'), torch.randperm(12, generator=torch.Generator().manual_seed(3))
    hard = F.one_hot(case.labels, 7).double()
    mixed = 0.3 * hard + 0.7 * hard[order]
    assert torch.allclose(loss.squared_lengths(case.logits, mixed), loss.squared_lengths(case.logits, case.labels))


def test_equal_classes_have_the_length_1(case):
    labels = torch.arange(14) % 7
    logits = torch.cat([case.logits, case.logits[:2]])
    plain = DotRegressionLoss()(logits, labels)
    assert torch.equal(DotRegressionLoss('batch')(logits, labels), plain)
    assert torch.equal(DotRegressionLoss('dataset', class_counts=[30] * 7)(logits, labels), plain)


def half(rank, world_size, lengths):
    generator = torch.Generator().manual_seed(1)
    logits, labels = torch.randn(10, 4, generator=generator, dtype=torch.float64), torch.arange(10) % 7 % 4
    if world_size == 1:
        return DotRegressionLoss(lengths)(logits, labels).item()
    return DotRegressionLoss(lengths)(logits[rank::2], labels[rank::2]).item()


def test_lengths_of_a_batch_are_of_all_processes():
    parts = run_distributed(half, 2, 'batch')
    assert sum(parts) / 2 == pytest.approx(half(0, 1, 'batch'), 1e-12)


def test_the_head_hands_over_the_scale():
    head = LongTailClsHead(5, 8, dict(type='ETFClassifier', scale=16.0), dict(type='DotRegressionLoss'))
    assert head.loss_module.scale == 16
    head = LongTailClsHead(5, 8, dict(type='ETFClassifier', scale=16.0), dict(type='DotRegressionLoss', scale=2.0))
    assert head.loss_module.scale == 2


def test_features_that_lie_on_their_class_vectors_have_no_loss():
    head = LongTailClsHead(5, 8, dict(type='ETFClassifier', batch_norm=False), dict(type='DotRegressionLoss'))
    logits = head.classifier(3 * head.classifier.etf)
    assert head.loss_module(logits, torch.arange(5)).item() < 1e-12


@parametrize_with_checks('loss', dict(type='DotRegressionLoss', lengths='batch'),
                         dict(type='DotRegressionLoss', lengths='dataset'),
                         skip=dict(uniform_counts='a regression is no cross entropy'))
def test_conformance_with_lengths(check):
    check()


def test_wrong_arguments():
    with pytest.raises(ConfigError, match="lengths must be one of equal, batch, dataset, but is 'bach'"):
        DotRegressionLoss('bach')
    with pytest.raises(ConfigError, match='scale of a margin loss must be above 0, but is 0'):
        DotRegressionLoss(scale=0)


def test_repr():
    assert "lengths='batch', scale=1" in repr(DotRegressionLoss('batch'))
