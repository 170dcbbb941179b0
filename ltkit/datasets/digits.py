"""The handwritten digits that scikit-learn carries, made long-tailed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..registry import DATASETS
from .columns import Columns
from .made_long_tailed import MadeLongTailedDataset

TEST_PER_CLASS = 70
TRAIN_PER_CLASS = 100
_SPLIT_SEED = 0
_SOURCE_DIGEST = '65e5b4619795efb4'


@DATASETS.register_module()
class DigitsLT(MadeLongTailedDataset):
    """Long-tailed handwritten digits: real images that need no download.

    The 1,797 images (8 x 8, 10 classes) of ``sklearn.datasets.load_digits``. A
    fixed split, independent of ``seed``, puts 70 images of each class in the
    test set (700) and 100 in the training pool, from which the profile takes
    ``100, 64, 41, 27, 17, 11, 7, 4, 3, 2`` at imbalance 50. Gray levels 0..16
    are scaled to 0..255; an image is uint8 of shape ``(8, 8, 1)``.

    As no class has over 100 images the groups have limits of their own: many
    > 40, few < 10, which is 3/3/4 classes at imbalance 50.

    Args:
        data_root (str): Not used; the data comes with scikit-learn.
        split (str): ``'train'``, ``'held_out'`` or ``'test'``. Defaults to
            ``'train'``.
        imbalance_factor (float): Defaults to 50.
        imbalance_type (str, optional): ``'exp'``, ``'step'`` or None. Defaults
            to ``'exp'``.
        seed (int): Which training images are chosen. Defaults to 0.
        pipeline (Sequence[dict | Callable]): Transforms. Defaults to ``()``.
        many_threshold (int): Defaults to 40.
        few_threshold (int): Defaults to 10.
        **kwargs: See :class:`~ltkit.datasets.made_long_tailed.MadeLongTailedDataset`.
    """

    METAINFO = dict(classes=tuple(str(digit) for digit in range(10)))
    image_shape = (8, 8, 1)

    def __init__(self,
                 data_root: str = '',
                 split: str = 'train',
                 imbalance_factor: float = 50,
                 imbalance_type: str | None = 'exp',
                 seed: int = 0,
                 pipeline: Sequence[dict | Callable] = (),
                 many_threshold: int = 40,
                 few_threshold: int = 10,
                 **kwargs: Any) -> None:
        super().__init__(
            data_root, split, imbalance_factor, imbalance_type, seed, pipeline,
            many_threshold=many_threshold, few_threshold=few_threshold, **kwargs)

    def load_pool(self) -> Columns:
        from sklearn.datasets import load_digits
        bunch = load_digits()
        levels, labels = bunch.images.astype(np.uint8), bunch.target.astype(np.int64)
        digest = hashlib.sha256(levels.tobytes() + labels.astype('<i8').tobytes()).hexdigest()[:16]
        self._mismatch = '' if digest == _SOURCE_DIGEST else 'scikit-learn has other digits than those known'
        order = np.random.RandomState(_SPLIT_SEED).permutation(len(labels))  # never to change
        rows = []
        for digit in range(10):
            mixed = order[labels[order] == digit]
            test, rest = mixed[:TEST_PER_CLASS], mixed[TEST_PER_CLASS:]
            rows.append(np.sort(test if self.split == 'test' else rest[:TRAIN_PER_CLASS]))
        chosen = np.concatenate(rows)
        images = np.round(levels[chosen] * (255 / 16)).astype(np.uint8)[..., None]
        return Columns(labels[chosen], images=images, rows=chosen, source='sklearn load_digits')

    def source_mismatch(self) -> str:
        return self._mismatch
