"""Balanced data sets that are made long-tailed."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .base import BaseLongTailDataset
from .columns import Columns
from .imbalance import (
    balanced_counts,
    check_imbalance_type,
    choose_long_tailed,
    imbalance_counts,
    index_list_hash,
)

CANONICAL_SEED = 0


class MadeLongTailedDataset(BaseLongTailDataset):
    """A balanced data set whose training split is made long-tailed.

    The subset is that of the LDAM protocol (:mod:`ltkit.datasets.imbalance`):
    a profile gives the number of images of each class, a seed which they are.
    Other splits stay whole. A subclass writes :meth:`load_pool`, and where the
    rows of its source are known, :meth:`source_mismatch`.

    Args:
        data_root (str): Folder of the data. Defaults to ``''``.
        split (str): ``'train'`` or ``'test'``. Defaults to ``'train'``.
        imbalance_factor (float): :math:`n_{max} / n_{min}`; 1 keeps the classes
            balanced. Defaults to 100.
        imbalance_type (str, optional): ``'exp'``, ``'step'``, or None for a
            balanced set. Defaults to ``'exp'``.
        seed (int): Which images are chosen. Published lists have 0, the default.
        pipeline (Sequence[dict | Callable]): Transforms. Defaults to ``()``.
        balanced_reference (bool): Draw as many training images as the profile
            has in all, but equally many of each class (the first classes one
            more where they do not divide): the set on which the references of
            :class:`~ltkit.evaluation.RelativeAccuracy` are trained. Defaults to
            False.
        **kwargs: See :class:`~ltkit.datasets.base.BaseLongTailDataset`.

    Raises:
        DataError: A class of the pool has fewer images than it should give.
    """

    SPLITS = ('train', 'test')

    def __init__(self,
                 data_root: str | os.PathLike = '',
                 split: str = 'train',
                 imbalance_factor: float = 100,
                 imbalance_type: str | None = 'exp',
                 seed: int = 0,
                 pipeline: Sequence[dict | Callable] = (),
                 balanced_reference: bool = False,
                 **kwargs: Any) -> None:
        check_imbalance_type(imbalance_type)  # also where nothing is made long-tailed
        self.balanced_reference = balanced_reference
        self.imbalance_factor = imbalance_factor
        self.imbalance_type = imbalance_type
        self.seed = seed
        self.index_list: np.ndarray | None = None
        super().__init__(data_root=data_root, split=split, pipeline=pipeline, **kwargs)

    def load_pool(self) -> Columns:
        """Read all samples of ``self.split``."""
        raise NotImplementedError(f'{type(self).__name__} must define load_pool()')

    def source_mismatch(self) -> str:
        """Why the source's rows are not the official ones; ``''`` when they are."""
        return 'there is no published list of this data set'

    def pool_size(self, class_counts: np.ndarray) -> int:
        """:math:`n_{max}` of the profile, given the pool's counts, shape ``(C,)``."""
        return int(class_counts.min())

    def load_columns(self) -> Columns:
        pool = self.load_pool()
        if not self.is_train_split:
            return pool
        classes = self._metainfo.get('classes', pool.classes)
        num_classes = len(classes) if classes is not None else int(pool.labels.max()) + 1
        self._check_labels(pool, classes)
        sizes = np.bincount(pool.labels, minlength=num_classes)
        counts = imbalance_counts(
            self.pool_size(sizes), num_classes, self.imbalance_factor, self.imbalance_type)
        if self.balanced_reference:
            counts = balanced_counts(int(counts.sum()), num_classes)
        chosen = choose_long_tailed(pool.labels, counts, self.seed, classes)
        self.index_list = chosen if pool.rows is None else pool.rows[chosen]
        return pool.take(chosen)

    @property
    def index_list_hash(self) -> str | None:
        """See :func:`~ltkit.datasets.imbalance.index_list_hash`; None in a test split."""
        self.full_init()
        return None if self.index_list is None else index_list_hash(self.index_list)

    @property
    def not_canonical(self) -> str:
        """Why the list is not the one that papers use; ``''`` when it is."""
        if self.balanced_reference:
            return 'a balanced reference set has none'
        if self.seed != CANONICAL_SEED:
            return f'seed {self.seed}, the published lists have seed {CANONICAL_SEED}'
        return self.source_mismatch()

    @property
    def is_canonical(self) -> bool:
        """Whether the training list is the one that papers use for this imbalance factor."""
        return not self.not_canonical

    def describe(self) -> str:
        line = super().describe()
        if self.index_list is None:
            return line
        reason = self.not_canonical
        canonical = f'not the canonical list ({reason})' if reason else 'the canonical list'
        if self.balanced_reference:
            line += f'; the balanced reference of imbalance factor {self.imbalance_factor:g}'
        return f'{line}; index list {index_list_hash(self.index_list)}, {canonical}'
