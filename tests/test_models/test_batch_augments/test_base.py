"""Tests of ltkit.models.batch_augments.base."""

from __future__ import annotations

import pytest
import torch

from ltkit.models.batch_augments import BatchAugment, CutMix, Mixup
from ltkit.models.batch_augments.base import blend
from ltkit.utils.errors import ConfigError, DataError

IMAGES, TARGET = torch.rand(6, 3, 8, 8), torch.eye(6)


class Negative(BatchAugment):

    def mix(self, inputs, target):
        return -inputs, target


def test_prob():
    torch.manual_seed(0)
    augment = Negative(prob=0.3)
    changed = sum(bool((augment(IMAGES, TARGET)[0] != IMAGES).any()) for _ in range(2000))
    assert abs(changed / 2000 - 0.3) < 0.05
    assert Negative(prob=0)(IMAGES, TARGET)[0] is IMAGES
    assert torch.equal(Negative()(IMAGES, TARGET)[0], -IMAGES)


@pytest.mark.parametrize('kind', [Mixup, CutMix])
def test_draws_come_from_torch_alone_and_resume(kind):
    augment = kind(prob=0.9)
    torch.manual_seed(3)
    augment(IMAGES, TARGET)
    state = torch.get_rng_state()
    first = [augment(IMAGES, TARGET) for _ in range(5)]
    torch.set_rng_state(state)
    second = [augment(IMAGES, TARGET) for _ in range(5)]
    for (images, target), (again, target_again) in zip(first, second):
        assert torch.equal(images, again)
        assert torch.equal(target, target_again)


@pytest.mark.parametrize('kind', [Mixup, CutMix])
def test_arguments_are_not_written_to(kind):
    torch.manual_seed(0)
    images, target = IMAGES.clone(), TARGET.clone()
    for _ in range(5):
        mixed, labels = kind()(images, target)
        assert mixed.shape == images.shape
        assert torch.allclose(labels.sum(1), torch.ones(6))
    assert torch.equal(images, IMAGES)
    assert torch.equal(target, TARGET)


@pytest.mark.parametrize('alpha', [0.2, 1.0, 8.0])
def test_lambda_is_of_the_beta_distribution(alpha):
    torch.manual_seed(0)
    draws = torch.tensor([Mixup(alpha).draw_lambda() for _ in range(3000)])
    assert ((draws >= 0) & (draws <= 1)).all()
    assert abs(draws.mean() - 0.5) < 0.03
    assert draws.var().item() == pytest.approx(1 / (4 * (2 * alpha + 1)), rel=0.1)


def test_blend():
    mixed = blend(torch.tensor([[1.0, 2], [5, 6]]), torch.tensor([1, 0]), 0.75)
    assert mixed.tolist() == [[2, 3], [4, 5]]


def test_wrong_arguments():
    with pytest.raises(ConfigError, match='alpha of CutMix must be above 0, but is 0'):
        CutMix(alpha=0)
    with pytest.raises(ConfigError, match=r'prob of Mixup must be in \[0, 1\], but is 1.5'):
        Mixup(prob=1.5)


@pytest.mark.parametrize(('images', 'target', 'message'), [
    (IMAGES.byte(), TARGET, r'Mixup takes float images of shape \(N, C, H, W\), but got torch.uint8'),
    (IMAGES[0], TARGET, r'but got torch.float32 \(3, 8, 8\)'),
    (IMAGES, torch.arange(6), r'soft float labels of shape \(6, number of classes\), but got torch.int64'),
    (IMAGES, TARGET[:5], r'but got torch.float32 \(5, 6\)'),
])
def test_wrong_input(images, target, message):
    with pytest.raises(DataError, match=message):
        Mixup()(images, target)


def test_repr():
    assert repr(CutMix(alpha=0.5, prob=0.25)) == 'CutMix(alpha=0.5, prob=0.25)'
