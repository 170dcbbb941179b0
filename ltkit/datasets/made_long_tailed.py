"""Balanced data sets that are made long-tailed."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..utils.errors import ConfigError
from .base import BaseLongTailDataset
from .columns import Columns
from .imbalance import (
    balanced_counts,
    check_imbalance_type,
    choose_held_out,
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

    With ``held_out=K``, K images of each class of the training data are kept
    apart: the split ``'held_out'`` is these, balanced, and the tail of
    ``'train'`` is made of the rest, so that its largest class has K images fewer.
    What is tuned (a temperature), or trained by other means than the loss (sample
    weights), can use them without a look at the test set. Which they are depends
    on ``seed`` alone, so give both splits the same ``held_out`` and ``seed``.

    Args:
        data_root (str): Folder of the data. Defaults to ``''``.
        split (str): ``'train'``, ``'held_out'`` or ``'test'``. Defaults to
            ``'train'``.
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
        held_out (int): K. Defaults to 0, and then there is no split
            ``'held_out'``; a test split is whole whatever it is.
        **kwargs: See :class:`~ltkit.datasets.base.BaseLongTailDataset`.

    Raises:
        ConfigError: ``held_out`` is no whole number from 0 on, or 0 in the split
            ``'held_out'``.
        DataError: A class of the pool has fewer images than it should give.
    """

    SPLITS = ('train', 'held_out', 'test')

    def __init__(self,
                 data_root: str | os.PathLike = '',
                 split: str = 'train',
                 imbalance_factor: float = 100,
                 imbalance_type: str | None = 'exp',
                 seed: int = 0,
                 pipeline: Sequence[dict | Callable] = (),
                 balanced_reference: bool = False,
                 held_out: int = 0,
                 **kwargs: Any) -> None:
        check_imbalance_type(imbalance_type)  # also where nothing is made long-tailed
        self.held_out = _checked_held_out(type(self).__name__, held_out, split)
        self.balanced_reference = balanced_reference
        self.imbalance_factor = imbalance_factor
        self.imbalance_type = imbalance_type
        self.seed = seed
        self.index_list: np.ndarray | None = None
        super().__init__(data_root=data_root, split=split, pipeline=pipeline, **kwargs)

    @property
    def pool_split(self) -> str:
        """The split of the source that the images are of: ``'train'`` for ``'held_out'``."""
        return 'train' if self.split == 'held_out' else self.split

    def load_pool(self) -> Columns:
        """Read all samples of ``self.pool_split``."""
        raise NotImplementedError(f'{type(self).__name__} must define load_pool()')

    def source_mismatch(self) -> str:
        """Why the source's rows are not the official ones; ``''`` when they are."""
        return 'there is no published list of this data set'

    def pool_size(self, class_counts: np.ndarray) -> int:
        """:math:`n_{max}` of the profile, given the pool's counts, shape ``(C,)``."""
        return int(class_counts.min())

    def load_columns(self) -> Columns:
        pool = self.load_pool()
        if not self.pool_split.startswith('train'):
            return pool
        classes = self._metainfo.get('classes', pool.classes)
        num_classes = len(classes) if classes is not None else int(pool.labels.max()) + 1
        self._check_labels(pool, classes)
        if self.held_out:  # in a training split as well: each class must have images left
            chosen = choose_held_out(pool.labels, self.held_out, num_classes, self.seed, classes)
        if self.split != 'held_out':
            chosen = self._long_tailed(pool.labels, num_classes, classes)
        self.index_list = chosen if pool.rows is None else pool.rows[chosen]
        return pool.take(chosen)

    def _long_tailed(self, labels: np.ndarray, num_classes: int, classes: Sequence[str] | None) -> np.ndarray:
        sizes = np.bincount(labels, minlength=num_classes) - self.held_out
        try:
            counts = imbalance_counts(self.pool_size(sizes), num_classes, self.imbalance_factor, self.imbalance_type)
        except ConfigError as error:
            if not self.held_out:
                raise
            raise ConfigError(f'{error} (held_out={self.held_out} has made each class smaller)') from error
        if self.balanced_reference:
            counts = balanced_counts(int(counts.sum()), num_classes)
        return choose_long_tailed(labels, counts, self.seed, classes, self.held_out)

    @property
    def index_list_hash(self) -> str | None:
        """See :func:`~ltkit.datasets.imbalance.index_list_hash`; None in a test split."""
        self.full_init()
        return None if self.index_list is None else index_list_hash(self.index_list)

    @property
    def not_canonical(self) -> str:
        """Why the list is not the one that papers use; ``''`` when it is."""
        if self.split == 'held_out':
            return 'a held-out part has none'
        if self.balanced_reference:
            return 'a balanced reference set has none'
        if self.held_out:
            return f'{self.held_out} images of each class are held out'
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
        if self.balanced_reference and self.split != 'held_out':
            line += f'; the balanced reference of imbalance factor {self.imbalance_factor:g}'
            if self.held_out:
                line += f', {self.held_out} images of each class held out'
        return f'{line}; index list {index_list_hash(self.index_list)}, {canonical}'


def _checked_held_out(name: str, held_out: Any, split: str) -> int:
    if isinstance(held_out, bool) or not isinstance(held_out, (int, np.integer)) or held_out < 0:
        raise ConfigError(f'{name}: held_out must be a whole number from 0 on, the images of each class that are kept '
                          f'apart, but is {held_out!r}')
    if split == 'held_out' and not held_out:
        raise ConfigError(f"{name}: split='held_out' has no images with held_out=0; give held_out=10, for example, "
                          'here and in the training data set')
    return int(held_out)
