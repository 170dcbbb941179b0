"""Tests of ltkit.models.targets."""

from __future__ import annotations

import pytest
import torch

from ltkit.models.targets import check_labels, gather_targets
from ltkit.structures import DataSample
from ltkit.utils.errors import DataError


def test_labels_and_soft_labels_of_a_batch():
    samples = [DataSample().set_gt_label(i) for i in (3, 1)]
    assert gather_targets(samples).tolist() == [3, 1]
    for sample, score in zip(samples, torch.eye(4)):
        sample.gt_score = score
    assert torch.equal(gather_targets(samples), torch.eye(4)[:2])


def test_a_sample_without_a_label_is_named():
    samples = [DataSample().set_gt_label(0), DataSample(metainfo=dict(img_path='b.jpg'))]
    with pytest.raises(DataError, match=r'b\.jpg has no gt_label'):
        gather_targets(samples)


@pytest.mark.parametrize('samples', [None, []])
def test_a_batch_without_samples(samples):
    with pytest.raises(DataError, match='but the batch has none'):
        gather_targets(samples)


@pytest.mark.parametrize('label', [-1, 4])
def test_label_out_of_range_is_named_with_its_image(label):
    samples = [DataSample(metainfo=dict(img_path=f'{i}.jpg')) for i in range(3)]
    with pytest.raises(DataError, match=rf'label {label} of 1\.jpg is out of range 0 \.\. 3'):
        check_labels(torch.tensor([0, label, 9]), 4, samples)


def test_labels_in_range_soft_labels_and_none_pass():
    check_labels(torch.tensor([0, 3]), 4)
    check_labels(torch.rand(2, 9), 4)
    check_labels(torch.tensor([], dtype=torch.long), 4)
