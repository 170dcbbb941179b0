"""Tests of ltkit.models.losses.checks."""

from __future__ import annotations

import pytest
import torch

from ltkit.models.losses import SoftmaxLoss
from ltkit.utils.errors import ConfigError, DataError

SCORES = torch.zeros(4, 3)


@pytest.mark.parametrize(('target', 'message'), [
    (torch.tensor([0, 1, 2, 3]), r'label 3 is out of range: with 3 classes labels are 0 to 2 \(1 such'),
    (torch.tensor([0, -1, 2, -100]), r'label -1 is out of range: with 3 classes labels are 0 to 2 \(2 such'),
    (torch.zeros(5).long(), r'target has shape \(5,\), but must be, for cls_score \(4, 3\)'),
    (torch.zeros(4, 2), r'class indices \(4,\) or soft labels \(4, 3\)'),
    (torch.zeros(4, 1).long(), r'target has shape \(4, 1\)'),
    (torch.zeros(4), r'shape \(4,\) must be class indices of an integer dtype, but is torch.float32'),
])
def test_wrong_target(target, message):
    with pytest.raises(DataError, match=message):
        SoftmaxLoss()(SCORES, target)


@pytest.mark.parametrize(('scores', 'message'), [
    (torch.zeros(4), r'takes cls_score of shape \(N, C\), but got \(4,\); give one row'),
    (torch.zeros(2, 4, 3), 'the scores of several experts need a multi-expert loss'),
    (torch.zeros(4, 3).long(), 'cls_score must be of a float dtype, but is torch.int64'),
])
def test_wrong_scores(scores, message):
    with pytest.raises(ConfigError, match=message):
        SoftmaxLoss()(scores, torch.zeros(4).long())


def test_wrong_sample_weight():
    with pytest.raises(DataError, match=r'weight has shape \(3,\), but must hold one factor'):
        SoftmaxLoss()(SCORES, torch.zeros(4).long(), weight=torch.ones(3))


@pytest.mark.parametrize('dtype', [torch.uint8, torch.int32, torch.int64])
def test_any_integer_labels(dtype):
    value = SoftmaxLoss()(SCORES, torch.tensor([0, 1, 2, 2], dtype=dtype))
    assert value.item() == pytest.approx(torch.tensor(3.0).log().item())


def test_one_hot_labels_of_an_integer_dtype():
    one_hot = torch.eye(3).long()[[0, 1, 2, 2]]
    assert SoftmaxLoss()(SCORES, one_hot).item() == pytest.approx(torch.tensor(3.0).log().item())
