"""Tests of ltkit.models.losses.ldam_loss."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from ltkit.models.losses import LDAMLoss
from ltkit.models.losses.ldam_loss import ldam_margins, margin_losses
from ltkit.utils.errors import ConfigError


def ldam(logits, labels, counts, max_margin, scale, weights=None):
    """WM-w of the cross entropies with the margin on the target logit."""
    weights = [1.0] * len(counts) if weights is None else weights
    total, divisor = 0, 0
    for z, y in zip(logits, labels.tolist()):
        margin = max_margin * (min(counts) / counts[y])**0.25
        target = (z[y] - scale * margin).exp()
        others = sum(z[c].exp() for c in range(len(counts)) if c != y)
        total = total - weights[y] * (target / (target + others)).log()
        divisor += weights[y]
    return total / divisor


@pytest.mark.parametrize(('max_margin', 'scale'), [(0.5, 30), (0.3, 10), (0.5, 1)])
def test_equation(max_margin, scale, case, same):
    loss = LDAMLoss(max_margin, scale, class_counts=case.counts)
    same(lambda z: loss(z, case.labels), lambda z: ldam(z, case.labels, case.counts, max_margin, scale),
         case.logits)


def test_deferred_weights(case, same):
    loss = LDAMLoss(class_counts=case.counts, drw=dict(begin=160))
    weights = [(1 - 0.9999) / (1 - 0.9999**n) for n in case.counts]
    for epoch, used in ((159, None), (160, weights), (159, None)):
        loss.set_epoch(epoch, 200)
        same(lambda z: loss(z, case.labels), lambda z, w=used: ldam(z, case.labels, case.counts, 0.5, 30, w),
             case.logits)


def test_published_margins_of_cifar100():
    counts = torch.tensor([int(500 * 0.01**(c / 99)) for c in range(100)], dtype=torch.float64)
    margins = ldam_margins(counts, 0.5)
    assert margins[0].item() == pytest.approx(0.5 * (5 / 500)**0.25)
    assert margins[-1].item() == margins.max().item() == 0.5


def test_no_margin_gives_cross_entropy(case):
    loss = LDAMLoss(max_margin=0, class_counts=case.counts)
    for target in (case.labels, case.soft):
        expected = F.cross_entropy(case.logits, target)
        assert loss(case.logits, target).item() == pytest.approx(expected.item(), abs=1e-12)


def test_soft_labels_mix_the_losses_of_the_classes(case, same):
    weights = [(1 - 0.9999) / (1 - 0.9999**n) for n in case.counts]
    one_hot = F.one_hot(case.labels, 7).double()
    for drw, used in ((None, [1.0] * 7), (dict(begin=0), weights)):
        loss = LDAMLoss(class_counts=case.counts, drw=drw)

        def mixed(logits, used=used):
            total, divisor = 0, 0
            for z, t in zip(logits, case.soft):
                for c in range(7):
                    single = ldam(z[None], torch.tensor([c]), case.counts, 0.5, 30)
                    total, divisor = total + t[c] * used[c] * single, divisor + t[c] * used[c]
            return total / divisor

        same(lambda z, loss=loss: loss(z, case.soft), mixed, case.logits)
        same(lambda z, loss=loss: loss(z, one_hot), lambda z, loss=loss: loss(z, case.labels), case.logits,
             1e-12)


def test_margin_losses_where_one_class_is_certain():
    logits = torch.tensor([[60.0, 0.0, -3.0], [1e4, -1e4, 0.0]], requires_grad=True)
    losses = margin_losses(logits, torch.tensor([15.0, 5.0, 2.0]))
    losses.sum().backward()
    wide = logits.detach().double()
    for i in range(2):
        for c in range(3):
            moved = wide[i] - torch.tensor([15.0, 5.0, 2.0]) * F.one_hot(torch.tensor(c), 3)
            expected = -moved.log_softmax(0)[c].item()
            assert losses[i, c].item() == pytest.approx(expected, rel=1e-5, abs=1e-12)
    assert logits.grad.isfinite().all()


def test_margin_losses_of_equal_logits_and_of_one_class():
    losses = margin_losses(torch.zeros(2, 4), torch.zeros(4))
    assert torch.allclose(losses, torch.full((2, 4), 4.0).log())
    single = torch.ones(2, 1, requires_grad=True)
    losses = margin_losses(single, torch.ones(1))
    losses.sum().backward()
    assert losses.tolist() == [[0], [0]]
    assert single.grad.tolist() == [[0], [0]]


def test_scale_of_the_classifier_is_taken_unless_given():
    loss, given = LDAMLoss(), LDAMLoss(scale=20)
    assert (loss.scale, given.scale) == (30, 20)
    assert (loss.scale_given, given.scale_given) == (False, True)
    for each in (loss, given):
        each.set_scale(16)
    assert (loss.scale, given.scale) == (16, 20)
    assert 'scale=16' in repr(loss)


def test_wrong_arguments():
    with pytest.raises(ConfigError, match='max_margin must be 0 or more, but is -1'):
        LDAMLoss(max_margin=-1)
    with pytest.raises(ConfigError, match='scale of a margin loss must be above 0, but is 0'):
        LDAMLoss(scale=0)


def test_drw_of_a_loss_used_alone(case):
    loss = LDAMLoss(0.5, 30, dict(begin=160), class_counts=case.counts)
    assert not loss.drw_active
    loss.set_epoch(160)
    assert loss.drw_active
    loss.set_epoch(159, 200)
    assert not loss.drw_active
