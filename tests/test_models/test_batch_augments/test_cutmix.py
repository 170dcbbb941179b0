"""Tests of ltkit.models.batch_augments.cutmix."""

from __future__ import annotations

import torch

from ltkit.models.batch_augments.cutmix import draw_box
from ltkit.registry import BATCH_AUGMENTS


def test_labels_are_the_share_of_pixels():
    torch.manual_seed(0)
    augment = BATCH_AUGMENTS.build(dict(type='CutMix', alpha=1.0))
    target = torch.eye(6)
    images = target[:, :, None, None].expand(-1, -1, 7, 12).contiguous()
    shares = set()
    for _ in range(30):
        mixed, labels = augment(images, target)
        assert ((mixed == 0) | (mixed == 1)).all()
        assert torch.allclose(labels, mixed.mean(dim=(2, 3)), atol=1e-6)
        shares.add(round(labels.diagonal().min().item() * 84))
    assert len(shares) > 10


def test_pasted_pixels_are_one_box_in_place():
    torch.manual_seed(2)
    augment = BATCH_AUGMENTS.build(dict(type='CutMix', alpha=1.0))
    images = torch.arange(2.0)[:, None, None, None] * 1000 + torch.arange(64.0).view(1, 1, 8, 8)
    pasted = 0
    for _ in range(20):
        mixed, _ = augment(images, torch.eye(2))
        assert torch.equal(mixed % 1000, images % 1000)  # each pixel stays where it was
        changed = mixed[0, 0] >= 1000
        rows, columns = changed.any(1), changed.any(0)
        assert torch.equal(changed, rows[:, None] & columns)
        for line in (rows, columns):
            assert line.int().diff().abs().sum() <= 2  # without a gap
        pasted += bool(changed.any())
    assert pasted > 3


def test_box():
    torch.manual_seed(0)
    for lam in (0.0, 0.3, 0.99, 1.0):
        for _ in range(50):
            top, bottom, left, right = draw_box(10, 30, lam)
            assert 0 <= top <= bottom <= 10
            assert 0 <= left <= right <= 30
            assert (bottom - top) * (right - left) <= (1 - lam) * 300 + 1e-9


def test_box_reaches_its_size_and_every_place():
    torch.manual_seed(0)
    boxes = [draw_box(10, 30, 0.75) for _ in range(500)]
    assert max(bottom - top for top, bottom, _, _ in boxes) == 4  # 10 * sqrt(0.25) = 5, halved to 2 a side
    assert max(right - left for _, _, left, right in boxes) == 14
    assert {top for top, *_ in boxes} == set(range(8))
    assert max(right for *_, right in boxes) == 30
