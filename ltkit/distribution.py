"""The class distribution of a training set: what everything long-tailed shares.

Nobody types class counts. A data set knows its :class:`ClassDistribution`,
``ClassDistributionHook`` hands it to every part of the model that derives from
:class:`~ltkit.distribution_aware.DistributionAware`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .class_weights import class_weights, effective_number_weights, inverse_frequency_weights, log_ratio_weights
from .utils.errors import DistributionError

__all__ = ['ClassDistribution', 'effective_number_weights', 'inverse_frequency_weights', 'labels_of',
           'log_ratio_weights']

GROUPS = ('many', 'medium', 'few')
STYLES = ('decoupling', 'oltr')
_FORMS = 'expected JSON, a table with a "count" column, or one count a line'


class ClassDistribution:
    r"""Counts :math:`n_c` of the training samples of each class.

    The groups of the field (Kang et al., *Decoupling*, ICLR 2020, arXiv
    1910.09217): many-shot classes have more than ``many_threshold`` training
    samples, few-shot classes fewer than ``few_threshold``, medium-shot the
    rest. ``style='oltr'`` is the older rule of Liu et al. (CVPR 2019, arXiv
    1904.05160): many at least, few at most, which counts the limits in.

    Args:
        counts (Sequence[int]): :math:`n_c`, shape ``(C,)``, none negative. A
            class may be empty (0); see ``floored_counts``.
        names (Sequence[str], optional): Class names, length ``C``.
        many_threshold (int): Limit of the many-shot group. Defaults to 100.
        few_threshold (int): Limit of the few-shot group. Defaults to 20.
        style (str): ``'decoupling'`` or ``'oltr'``. Defaults to the former.

    Raises:
        DistributionError: Counts that are empty, negative or not whole numbers,
            names of another length, thresholds in the wrong order.
    """

    def __init__(self,
                 counts: Sequence[int] | np.ndarray,
                 names: Sequence[str] | None = None,
                 many_threshold: int = 100,
                 few_threshold: int = 20,
                 style: str = 'decoupling') -> None:
        self.counts = _checked_counts(counts)
        self.counts.setflags(write=False)
        self.names = None if names is None else tuple(str(name) for name in names)
        if self.names is not None and len(self.names) != self.num_classes:
            raise DistributionError(
                f'{len(self.names)} class names for {self.num_classes} class counts; give one name a class')
        if style not in STYLES:
            raise DistributionError(f"style must be one of {', '.join(STYLES)}, but is '{style}'")
        if few_threshold > many_threshold:
            raise DistributionError(
                f'few_threshold ({few_threshold}) is above many_threshold ({many_threshold})')
        self.many_threshold = many_threshold
        self.few_threshold = few_threshold
        self.style = style

    # ------------------------------------------------------------ statistics
    @property
    def num_classes(self) -> int:
        """C."""
        return len(self.counts)

    @property
    def total(self) -> int:
        """The number of training samples, the sum of all counts."""
        return int(self.counts.sum())

    @property
    def floored_counts(self) -> np.ndarray:
        """Counts with an empty class counted as one sample, shape ``(C,)``.

        Every logarithm and reciprocal is taken of these, so that a class
        without a sample gives a finite prior, weight or margin.
        """
        return np.maximum(self.counts, 1)

    @property
    def prior(self) -> np.ndarray:
        r"""Class prior :math:`\pi_c = n_c / \sum_k n_k`, float64, shape ``(C,)``."""
        return self.counts / self.total

    @property
    def log_prior(self) -> np.ndarray:
        r"""Natural logarithm of the prior of ``floored_counts``, shape ``(C,)``."""
        return np.log(self.floored_counts / self.floored_counts.sum())

    @property
    def imbalance_factor(self) -> float:
        r"""IF, :math:`n_{max} / n_{min}` (infinite when a class is empty)."""
        smallest = int(self.counts.min())
        return float('inf') if smallest == 0 else float(self.counts.max() / smallest)

    @property
    def empty_classes(self) -> np.ndarray:
        """Indices of the classes without a training sample."""
        return np.flatnonzero(self.counts == 0)

    @property
    def groups(self) -> dict[str, np.ndarray]:
        """Class indices of ``many``, ``medium`` and ``few``; they partition the classes."""
        if self.style == 'oltr':
            many = self.counts >= self.many_threshold
            few = (self.counts <= self.few_threshold) & ~many
        else:
            many = self.counts > self.many_threshold
            few = (self.counts < self.few_threshold) & ~many
        return dict(many=np.flatnonzero(many), medium=np.flatnonzero(~many & ~few), few=np.flatnonzero(few))

    @property
    def thresholds(self) -> str:
        """The rule of the groups in words, for the caption of a table."""
        more, less = ('>=', '<=') if self.style == 'oltr' else ('>', '<')
        return f'many {more} {self.many_threshold}, few {less} {self.few_threshold} training samples'

    # -------------------------------------------------------------- weights
    def class_weights(self, by: str = 'effective_number', **kwargs: Any) -> np.ndarray:
        """Class weights; see :func:`ltkit.class_weights.class_weights`; float64, shape ``(C,)``."""
        return class_weights(self.counts, by, **kwargs)

    def effective_number_weights(self, beta: float = 0.9999) -> np.ndarray:
        """See :func:`ltkit.class_weights.effective_number_weights`; float64, shape ``(C,)``, sum ``C``."""
        return effective_number_weights(self.counts, beta)

    def inverse_frequency_weights(self, power: float = 1.0) -> np.ndarray:
        """See :func:`ltkit.class_weights.inverse_frequency_weights`; float64, shape ``(C,)``, sum ``C``."""
        return inverse_frequency_weights(self.counts, power)

    # --------------------------------------------------------- constructors
    @classmethod
    def from_labels(cls,
                    labels: Sequence[int] | np.ndarray,
                    num_classes: int | None = None,
                    **kwargs: Any) -> ClassDistribution:
        """Count labels.

        Args:
            labels (Sequence[int]): 0-based class of each sample, shape ``(N,)``.
            num_classes (int, optional): C. Defaults to the largest label + 1.
            **kwargs: Further arguments of the constructor.

        Raises:
            DistributionError: A label is negative or not below ``num_classes``.
        """
        labels = np.asarray(labels)
        if labels.ndim != 1:
            raise DistributionError('labels must be one class a sample, shape (N,), but have shape '
                                    f'{labels.shape}')
        if labels.size and not np.issubdtype(labels.dtype, np.integer):
            raise DistributionError(f'labels must be whole numbers, but are {labels.dtype}')
        labels = labels.astype(np.int64)
        if labels.size == 0 and num_classes is None:
            raise DistributionError('no labels to count; give num_classes for an empty data set')
        size = int(labels.max()) + 1 if num_classes is None else num_classes
        wrong = np.flatnonzero((labels < 0) | (labels >= size))
        if wrong.size:
            raise DistributionError(
                f'label {labels[wrong[0]]} of sample {wrong[0]} is out of range; with {size} classes '
                f'labels are 0 to {size - 1} ({wrong.size} such labels)')
        return cls(np.bincount(labels, minlength=size), **kwargs)

    @classmethod
    def from_dataset(cls, dataset: Any, **kwargs: Any) -> ClassDistribution:
        """The distribution of a data set, through any wrapper of mmengine or torch.

        A data set of ltkit states its own thresholds, which hold through the
        wrappers as well. Any other needs ``get_gt_labels()``.

        Args:
            dataset: A data set, or one wrapped by ``ConcatDataset``,
                ``RepeatDataset``, ``ClassBalancedDataset`` or ``Subset``.
            **kwargs: Arguments of the constructor that override.
        """
        own = None if _is_slice(dataset) else getattr(dataset, 'class_distribution', None)
        if isinstance(own, cls):
            return own if not kwargs else cls(**{**own._arguments(), **kwargs})
        inner = _first_inner(dataset)
        metainfo = getattr(dataset, 'metainfo', None) or {}
        base = getattr(inner, 'class_distribution', None)
        given: dict[str, Any] = base._arguments() if isinstance(base, cls) else {}
        given.pop('counts', None)
        names = given.get('names') or metainfo.get('classes')
        num_classes = base.num_classes if isinstance(base, cls) else (len(names) if names else None)
        given.update(names=names, **kwargs)
        return cls.from_labels(labels_of(dataset), num_classes, **given)

    @classmethod
    def from_file(cls, path: str | os.PathLike, **kwargs: Any) -> ClassDistribution:
        """Read counts from a file.

        Three forms: JSON, either a list of counts or what :meth:`to_dict` gives;
        a table with a header that has a ``count`` column (tab or comma
        separated; a ``name`` column gives the names); or plain text, one count
        a line.
        """
        try:
            with open(path, encoding='utf-8') as file:
                text = file.read()
        except OSError as error:
            raise DistributionError(f'cannot read class counts from {path}: {error.strerror}') from error
        except UnicodeDecodeError as error:
            raise DistributionError(f'{path} has no class counts: it is no text; {_FORMS}') from error
        try:
            return cls(**{**_parse_counts(text), **kwargs})
        except (ValueError, LookupError, TypeError) as error:
            raise DistributionError(f'{path} has no class counts: {error}; {_FORMS}') from error

    def to_dict(self) -> dict[str, Any]:
        """Plain data from which ``ClassDistribution(**d)`` makes an equal object."""
        data = self._arguments()
        data['counts'] = self.counts.tolist()
        data['names'] = None if self.names is None else list(self.names)
        return data

    def _arguments(self) -> dict[str, Any]:
        return dict(counts=self.counts, names=self.names, many_threshold=self.many_threshold,
                    few_threshold=self.few_threshold, style=self.style)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ClassDistribution) and self.to_dict() == other.to_dict()

    def __hash__(self) -> int:
        return hash((self.counts.tobytes(), self.names, self.many_threshold, self.few_threshold, self.style))

    def __repr__(self) -> str:
        sizes = '/'.join(str(len(self.groups[group])) for group in GROUPS)
        return (f'ClassDistribution({self.num_classes} classes, {self.total:,} samples, '
                f'{self.counts.max():,}..{self.counts.min():,}, imbalance factor {self.imbalance_factor:g}, '
                f'many/medium/few {sizes} ({self.thresholds}))')


def labels_of(dataset: Any) -> np.ndarray:
    """The label of each item of a data set in its order, int64, shape ``(N,)``.

    Looks through the wrappers ``ConcatDataset``, ``RepeatDataset``,
    ``ClassBalancedDataset`` and ``Subset``.

    Raises:
        DistributionError: The data set does not tell its labels.
    """
    if callable(getattr(dataset, 'full_init', None)):
        dataset.full_init()
    if _is_slice(dataset):
        return labels_of(dataset._dataset)[:len(dataset)]
    if hasattr(dataset, 'get_gt_labels'):
        return np.asarray(dataset.get_gt_labels(), dtype=np.int64)
    if hasattr(dataset, 'datasets'):  # ConcatDataset
        return np.concatenate([labels_of(part) for part in dataset.datasets])
    inner = _first_inner(dataset)
    if inner is None:
        raise DistributionError(
            f'{type(dataset).__name__} does not tell its labels; give it a method get_gt_labels() that '
            'returns one label a sample')
    labels = labels_of(inner)
    if hasattr(dataset, 'repeat_indices'):  # ClassBalancedDataset
        return labels[np.asarray(dataset.repeat_indices)]
    if hasattr(dataset, 'indices'):  # torch.utils.data.Subset
        return labels[np.asarray(dataset.indices)]
    return np.resize(labels, len(dataset))  # RepeatDataset


def _is_slice(dataset: Any) -> bool:
    """Whether it is mmengine's slice (num_batch_per_epoch), which passes for the data set it cuts."""
    return '_dataset' in getattr(dataset, '__dict__', {}) and '_length' in dataset.__dict__


def _first_inner(dataset: Any) -> Any:
    attributes = getattr(dataset, '__dict__', {})
    parts = attributes.get('datasets')
    if parts:
        return parts[0]
    return attributes.get('dataset', attributes.get('_dataset'))


def _checked_counts(counts: Sequence[int] | np.ndarray) -> np.ndarray:
    try:
        array = np.array(counts)
    except ValueError as error:  # rows of several lengths
        raise DistributionError('class counts must be a list of numbers, one a class, but are '
                                f'{counts}') from error
    if array.ndim != 1 or array.size == 0:
        raise DistributionError('class counts must be a list of numbers, one a class, but have shape '
                                f'{array.shape}')
    numbers = np.issubdtype(array.dtype, np.number)
    if not numbers or not np.all(np.isfinite(array) & (array == np.floor(array))):
        raise DistributionError(f'class counts must be whole numbers, but are {array.dtype}: '
                                f'{array[:5].tolist()} ...')
    if array.min() < 0:
        raise DistributionError(f'class {int(array.argmin())} has a negative count ({array.min()})')
    if array.max() == 0:
        raise DistributionError('all class counts are 0; there is no training sample')
    return array.astype(np.int64)


def _parse_counts(text: str) -> dict[str, Any]:
    text = text.strip()
    if text[:1] in ('[', '{'):
        data = json.loads(text)
        if isinstance(data, Mapping):
            return dict(data)
        return dict(counts=data)
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith('#')]
    if not lines:
        raise ValueError('the file is empty')
    separator = '\t' if '\t' in lines[0] else ','
    header = [cell.strip() for cell in lines[0].split(separator)]
    if 'count' not in header:
        return dict(counts=[int(line) for line in lines])
    rows = [[cell.strip() for cell in line.split(separator)] for line in lines[1:]]
    counts = [int(row[header.index('count')]) for row in rows]
    names = [row[header.index('name')] for row in rows] if 'name' in header else None
    return dict(counts=counts, names=names)
