from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch

from ltkit.structures import DataSample
from ltkit.utils.errors import DataError


def test_setters_return_self_and_make_tensors() -> None:
    sample = DataSample(metainfo=dict(sample_idx=7, img_path='a.jpg', num_classes=3))
    assert sample.set_gt_label(2).set_pred_label(np.array([1])).set_gt_score([0, 0, 1]) is sample
    sample.set_pred_score(torch.tensor([0.2, 0.3, 0.5]))
    assert sample.gt_label.tolist() == [2] and sample.gt_label.dtype == torch.int64
    assert sample.pred_label.shape == (1,) and sample.gt_score.dtype == torch.float32
    assert (sample.sample_idx, sample.img_path, sample.num_classes) == (7, 'a.jpg', 3)
    again = pickle.loads(pickle.dumps(sample))
    assert torch.equal(again.pred_score, sample.pred_score) and again.sample_idx == 7


@pytest.mark.parametrize(
    'label', [1, np.int64(1), [1], (1,), np.array(1), torch.tensor(1), torch.tensor([1])]
)
def test_label_forms(label: object) -> None:
    assert DataSample().set_gt_label(label).gt_label.tolist() == [1]


@pytest.mark.parametrize('label', [1.5, [[1]], np.array([True])])
def test_wrong_labels(label: object) -> None:
    with pytest.raises(DataError, match='whole number'):
        DataSample().set_gt_label(label)


def test_wrong_scores() -> None:
    with pytest.raises(DataError, match=r'score of 2 classes .* 3 classes'):
        DataSample(metainfo=dict(num_classes=3)).set_pred_score([0.5, 0.5])
    with pytest.raises(DataError, match=r'\(C,\)'):
        DataSample().set_gt_score([[0.5, 0.5]])
