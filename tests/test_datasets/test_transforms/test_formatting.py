from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch

from ltkit.datasets.transforms.formatting import image_to_tensor
from ltkit.registry import TRANSFORMS
from ltkit.utils.errors import DataError


def test_item() -> None:
    image = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    item = TRANSFORMS.build(dict(type='PackInputs'))(
        dict(img=image, gt_label=4, gt_score=[0.0] * 9, sample_idx=3, num_classes=9, img_path='x', other=1)
    )
    inputs, sample = item['inputs'], item['data_samples']
    assert inputs.dtype == torch.uint8 and inputs.is_contiguous()
    assert torch.equal(inputs, torch.from_numpy(image).permute(2, 0, 1))
    assert sample.gt_label.tolist() == [4] and sample.gt_score.shape == (9,)
    assert set(sample.metainfo_keys()) == {'sample_idx', 'num_classes', 'img_path'}


def test_without_label_and_other_keys() -> None:
    item = TRANSFORMS.build(dict(type='PackInputs', meta_keys=['other']))(
        dict(img=np.zeros((2, 2, 1), np.uint8), other=1)
    )
    assert item['inputs'].shape == (1, 2, 2) and 'gt_label' not in item['data_samples']
    assert item['data_samples'].other == 1


def test_image_to_tensor() -> None:
    image = np.zeros((2, 3, 1), np.uint8)
    image.setflags(write=False)
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        image_to_tensor(image).fill_(1)
    assert not image.any()
    assert image_to_tensor(np.zeros((2, 3))).shape == (1, 2, 3)
    tensor = torch.zeros(1, 2, 2)
    assert image_to_tensor(tensor) is tensor
    with pytest.raises(DataError, match='shape'):
        image_to_tensor(np.zeros(3))
    with pytest.raises(DataError, match='LoadImage'):
        TRANSFORMS.build(dict(type='PackInputs'))(dict(img_path='x'))
