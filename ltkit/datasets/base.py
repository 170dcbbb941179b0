"""The base class of the single-label data sets."""

from __future__ import annotations

import copy
import inspect
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from mmengine.dataset import BaseDataset, force_full_init
from mmengine.dist import is_main_process
from mmengine.logging import print_log

from ..distribution import ClassDistribution
from ..registry import TRANSFORMS
from ..utils.errors import ConfigError, DataError, did_you_mean
from ..utils.rng import sample_rng
from .columns import Columns


class BaseLongTailDataset(BaseDataset):
    """A single-label image data set that knows its class distribution.

    It is an mmengine data set, so ``ConcatDataset``, ``RepeatDataset`` and
    ``ClassBalancedDataset`` accept it, but holds its samples as arrays
    (:class:`~ltkit.datasets.columns.Columns`) in place of a list of
    dictionaries. A subclass writes one method, :meth:`load_columns`, and states
    its ``SPLITS``; arguments that it takes as ``**kwargs`` are those below.

    An item is what the pipeline makes of ``dict(img=..., gt_label=int,
    sample_idx=int, num_classes=int)`` (``img_path`` and ``ann_line`` in place
    of ``img`` where images are files). The pipeline runs under the random state
    of the sample (:func:`ltkit.utils.rng.sample_rng`), so its randomness depends
    neither on the number of workers nor on that of processes.

    Args:
        data_root (str): Folder of the data; ``~`` is expanded. Defaults to ``''``.
        split (str): One of ``SPLITS``. Defaults to ``'train'``.
        pipeline (Sequence[dict | Callable]): Transforms. Defaults to ``()``.
        metainfo (Mapping, optional): Overrides metainfo, for example
            ``dict(classes=[...])``.
        indices (int | Sequence[int], optional): Keep the first (or, if negative,
            last) so many samples, or those of these positions; for a trial run.
        test_mode (bool, optional): Defaults to ``split`` not being for training.
        many_threshold (int): See :class:`~ltkit.distribution.ClassDistribution`.
            Defaults to 100.
        few_threshold (int): Likewise. Defaults to 20.
        allow_empty_classes (bool): Accept classes without a sample in a training
            split. Defaults to False.
        lazy_init (bool): Read nothing until it is needed. Defaults to False.

    Raises:
        ConfigError: An unknown ``split``.
        DataError: Data that is missing or damaged, a label out of range, or a
            class without a training sample.
    """

    SPLITS: tuple[str, ...] = ('train', 'val', 'test')
    FIXED_ARGUMENTS: tuple[str, ...] = ()  # arguments of the parent class that a subclass does not take

    def __init__(self,
                 data_root: str | os.PathLike = '',
                 split: str = 'train',
                 pipeline: Sequence[dict | Callable] = (),
                 *,
                 metainfo: Mapping[str, Any] | None = None,
                 indices: int | Sequence[int] | None = None,
                 test_mode: bool | None = None,
                 many_threshold: int = 100,
                 few_threshold: int = 20,
                 allow_empty_classes: bool = False,
                 lazy_init: bool = False) -> None:
        if split not in self.SPLITS:
            raise ConfigError(f"{type(self).__name__} has no split '{split}'; it has "
                              f"{', '.join(self.SPLITS)}{did_you_mean(split, self.SPLITS)}")
        self.split = split
        self.many_threshold = many_threshold
        self.few_threshold = few_threshold
        self.allow_empty_classes = allow_empty_classes
        self.columns: Columns | None = None
        self._class_distribution: ClassDistribution | None = None
        super().__init__(
            metainfo=metainfo,
            data_root=os.path.expanduser(os.fspath(data_root)),
            data_prefix={},
            indices=indices,
            serialize_data=False,
            test_mode=not self.is_train_split if test_mode is None else test_mode,
            lazy_init=True)
        self.pipeline.transforms += [self._transform(place, entry) for place, entry in enumerate(pipeline)]
        if not lazy_init:
            self.full_init()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.__signature__ = _merged_signature(cls)

    def _transform(self, place: int, entry: Any) -> Callable:
        if isinstance(entry, Mapping):
            return TRANSFORMS.build(dict(entry))
        if not callable(entry):
            raise ConfigError(f'{type(self).__name__}: pipeline[{place}] must be dict(type=...) or a '
                              f'callable, but is {entry!r}')
        return entry

    # ------------------------------------------------------- for a subclass
    def load_columns(self) -> Columns:
        """Read the samples of ``self.split``; the one method of a subclass."""
        raise NotImplementedError(f'{type(self).__name__} must define load_columns()')

    @property
    def is_train_split(self) -> bool:
        """Whether this split is trained on."""
        return self.split.startswith('train')

    def describe(self) -> str:
        """One line for the log once the data is read."""
        return f'{type(self).__name__} {self.split}: {self.class_distribution}'

    # ------------------------------------------------------ mmengine's parts
    def full_init(self) -> None:
        """Read and check the data."""
        if self._fully_initialized:
            return
        columns = self.load_columns()
        columns.labels = np.asarray(columns.labels, dtype=np.int64)
        if len(columns) == 0:
            where = columns.source or self.data_root
            raise DataError(f'{type(self).__name__} {self.split}: no samples in {where}')
        if columns.classes is not None:
            self._metainfo.setdefault('classes', tuple(columns.classes))
        if 'classes' not in self._metainfo:
            self._metainfo['classes'] = tuple(str(label) for label in range(int(columns.labels.max()) + 1))
        self._check_labels(columns, self._metainfo['classes'])
        if self._indices is not None:
            columns = columns.take(_positions(self._indices, len(columns)))
        self.columns = columns
        self._fully_initialized = True
        log_once(self.describe())

    def _check_labels(self, columns: Columns, classes: Sequence[str] | None) -> None:
        if classes is None:
            classes = [str(label) for label in range(int(columns.labels.max(initial=-1)) + 1)]
        wrong = np.flatnonzero((columns.labels < 0) | (columns.labels >= len(classes)))
        if wrong.size:
            first = int(wrong[0])
            raise DataError(
                f'{columns.where(first)}: label {columns.labels[first]} is out of range; '
                f'{type(self).__name__} has {len(classes)} classes, 0 to {len(classes) - 1} '
                f'({wrong.size} such labels)')
        if self.is_train_split and not self.allow_empty_classes:
            empty = np.flatnonzero(np.bincount(columns.labels, minlength=len(classes)) == 0)
            if empty.size:
                raise DataError(
                    f"{type(self).__name__} {self.split}: class {empty[0]} ('{classes[empty[0]]}') has no "
                    f'sample in {columns.source or self.data_root} ({empty.size} of {len(classes)} '
                    'classes are empty); allow_empty_classes=True accepts that')

    @force_full_init
    def get_data_info(self, idx: int) -> dict[str, Any]:
        """What is known of sample ``idx`` before the pipeline."""
        size = len(self.columns)
        if not -size <= idx < size:
            raise IndexError(f'sample {int(idx)} of {size}')
        idx = int(idx) % size
        columns = self.columns
        info: dict[str, Any] = dict(
            gt_label=int(columns.labels[idx]), sample_idx=idx, num_classes=len(self._metainfo['classes']))
        if columns.images is not None:
            info['img'] = columns.images[idx].copy()
        else:
            info['img_path'] = os.path.join(columns.prefix, columns.paths[idx])
            if columns.rows is not None:
                info['ann_line'] = columns.where(idx)
        return info

    def __getitem__(self, idx: int) -> Any:
        """Sample ``idx`` through the pipeline."""
        with sample_rng(idx):
            item = self.prepare_data(idx)
        if item is None:
            raise DataError(f'{self.columns.where(int(idx))}: the pipeline of {type(self).__name__} gave '
                            'None; samples are never replaced by others')
        return item

    @force_full_init
    def __len__(self) -> int:
        return len(self.columns)

    @force_full_init
    def get_gt_labels(self) -> np.ndarray:
        """The class of each sample, int64, shape ``(N,)``."""
        return self.columns.labels

    def get_cat_ids(self, idx: int) -> list[int]:
        """The class of sample ``idx`` in a list (for ``ClassBalancedDataset``)."""
        return [int(self.get_gt_labels()[idx])]

    @property
    def num_classes(self) -> int:
        """C."""
        if 'classes' not in self._metainfo:
            self.full_init()
        return len(self._metainfo['classes'])

    @property
    def class_distribution(self) -> ClassDistribution:
        """Counts of this split's samples, with the thresholds of this data set."""
        if self._class_distribution is None:
            labels = self.get_gt_labels()
            self._class_distribution = ClassDistribution.from_labels(
                labels, self.num_classes, names=self._metainfo['classes'],
                many_threshold=self.many_threshold, few_threshold=self.few_threshold)
        return self._class_distribution

    @force_full_init
    def get_subset_(self, indices: int | Sequence[int]) -> None:
        """Keep the first (last, if negative) so many samples, or those listed."""
        self.columns = self.columns.take(_positions(indices, len(self)))
        self._class_distribution = None

    @force_full_init
    def get_subset(self, indices: int | Sequence[int]) -> BaseLongTailDataset:
        """A data set of some samples, see :meth:`get_subset_`; arrays are shared where they can be."""
        other = copy.copy(self)
        other._metainfo = copy.deepcopy(self._metainfo)
        other.get_subset_(indices)
        return other


def log_once(message: str) -> None:
    """Log a line on the first process, once in the life of the process."""
    if message not in _LOGGED and is_main_process():
        _LOGGED.add(message)
        print_log(message, logger='current')


_LOGGED: set[str] = set()


def _positions(indices: int | Sequence[int] | np.ndarray, size: int) -> np.ndarray | slice:
    if isinstance(indices, (int, np.integer)):
        return slice(0, int(indices)) if indices >= 0 else slice(int(indices), None)
    positions = np.asarray(indices, dtype=np.int64)
    wrong = positions[(positions < -size) | (positions >= size)]
    if wrong.size:
        raise DataError(f'index {wrong[0]} is out of range for a data set of {size} samples')
    return positions


def _merged_signature(cls: type) -> inspect.Signature:
    """The constructor's signature with the arguments that ``**kwargs`` passes on."""
    own = list(inspect.signature(cls.__init__).parameters.values())[1:]
    if not any(p.kind is p.VAR_KEYWORD for p in own):
        return inspect.Signature(own)
    own = [p for p in own if p.kind is not p.VAR_KEYWORD]
    names = {p.name for p in own} | set(cls.FIXED_ARGUMENTS)
    passed = inspect.signature(cls.__mro__[1]).parameters.values()
    passed = [p for p in passed if p.name not in names and p.kind is not p.VAR_KEYWORD]
    own += [p.replace(kind=p.KEYWORD_ONLY) for p in passed]
    return inspect.Signature(own)
