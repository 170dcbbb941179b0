"""Tests of ltkit.models.batch_augments.mixup."""

from __future__ import annotations

import torch

from ltkit.registry import BATCH_AUGMENTS, MODELS


def test_images_and_labels_are_blended_alike():
    torch.manual_seed(0)
    augment = BATCH_AUGMENTS.build(dict(type='Mixup', alpha=1.0))
    target = torch.eye(6)
    images = target[:, :, None, None].expand(-1, -1, 4, 5)  # channel c is 1 where the label is c
    seen = set()
    for _ in range(10):
        mixed, labels = augment(images, target)
        assert torch.allclose(mixed, labels[:, :, None, None].expand_as(mixed))
        own = labels.diagonal()
        lam = own.min().item()
        assert torch.all(torch.isclose(own, torch.tensor(lam)) | torch.isclose(own, torch.tensor(1.0)))
        assert torch.allclose(labels.sum(0), torch.ones(6))  # partners are a permutation
        seen.add(round(lam, 6))
    assert len(seen) == 10


def test_one_lambda_for_two_labels():
    torch.manual_seed(1)
    augment = MODELS.build(dict(type='Mixup'))
    _, labels = augment(torch.rand(32, 1, 2, 2), torch.eye(32))
    values = labels[(labels > 0) & (labels < 1)].unique()
    assert len(values) == 2
    assert torch.isclose(values.sum(), torch.tensor(1.0))


def test_soft_labels_and_one_sample():
    target = torch.tensor([[0.25, 0.75]])
    images = torch.rand(1, 3, 2, 2)
    mixed, labels = MODELS.build(dict(type='Mixup'))(images, target)
    assert torch.allclose(mixed, images)
    assert torch.allclose(labels, target)
