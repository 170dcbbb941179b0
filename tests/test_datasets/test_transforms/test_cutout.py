from __future__ import annotations

import numpy as np
import pytest
import torch

from ltkit.registry import TRANSFORMS
from ltkit.utils.errors import ConfigError


def cut(image: np.ndarray, **kwargs: object) -> np.ndarray:
    return TRANSFORMS.build(dict(type='Cutout', **kwargs))(dict(img=image))['img']


def test_one_clipped_square_anywhere() -> None:
    torch.manual_seed(0)
    image = np.full((32, 32, 3), 9, np.uint8)
    areas = []
    for _ in range(300):
        blank = (cut(image, size=16) == 0).all(-1)
        rows, columns = np.flatnonzero(blank.any(1)), np.flatnonzero(blank.any(0))
        assert blank.sum() == len(rows) * len(columns), 'a rectangle'
        assert (np.diff(rows) == 1).all() and (np.diff(columns) == 1).all()
        areas.append(int(blank.sum()))
        assert 8 <= len(rows) <= 16 and 8 <= len(columns) <= 16
    assert max(areas) == 256 and min(areas) < 120
    assert (image == 9).all(), 'the input is left alone'


def test_fill_prob_and_gray() -> None:
    image = np.zeros((4, 4, 3), np.uint8)
    assert cut(image, size=9, fill=[125.3, 123, 113.9])[0, 0].tolist() == [125, 123, 114]
    assert not cut(image, size=9, fill=7, prob=0.0).any()
    assert (cut(np.zeros((4, 4, 1), np.uint8), size=9, fill=7) == 7).all()


@pytest.mark.parametrize('kwargs', [dict(size=0), dict(size=1.5), dict(prob=2)])
def test_bad_arguments(kwargs: dict) -> None:
    with pytest.raises(ConfigError, match='Cutout'):
        TRANSFORMS.build(dict(type='Cutout', **kwargs))
