"""What the samplers ask of a data set: the class, or the classes, of each sample."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...distribution import labels_of
from ...utils.errors import DataError, DistributionError, LtkitError


def single_labels(name: str, dataset: Any) -> np.ndarray:
    """The one class of each sample, through any wrapper that ``labels_of`` knows.

    Args:
        name (str): The sampler, for messages.
        dataset (Sized): A data set of N samples.

    Returns:
        ndarray: Classes >= 0, int64, shape ``(N,)``.

    Raises:
        DistributionError: The data set does not tell its labels.
        DataError: They are negative or not N in number.
    """
    labels = labels_of(dataset)
    if labels.shape != (len(dataset),):
        raise DataError(
            f'{name}: {type(dataset).__name__} has {len(dataset)} samples, but its labels have '
            f'shape {labels.shape}; one label a sample is wanted')
    _check_range(name, dataset, np.arange(len(labels)), labels)
    return labels


def label_pairs(name: str, dataset: Any) -> tuple[np.ndarray, np.ndarray]:
    """Which sample is of which classes, each pair once.

    A data set of one label a sample is read as by :func:`single_labels`. One of
    several labels a sample has the method ``get_cat_ids(index)`` that mmengine's
    ``ClassBalancedDataset`` calls: it gives a list of classes, which may be empty
    or hold a class more than once. A wrapper of such a data set needs the method
    itself.

    Args:
        name (str): The sampler, for messages.
        dataset (Sized): A data set of N samples.

    Returns:
        tuple[ndarray, ndarray]: Samples in [0, N) and classes >= 0, both int64,
        shape ``(P,)``, in the order of the samples.

    Raises:
        DistributionError: The data set tells neither.
        DataError: A class is negative or no whole number, or labels are not N
            in number.
    """
    reason = None
    try:
        labels = labels_of(dataset)
    except (TypeError, ValueError) as error:  # no labels, or lists of several lengths
        if isinstance(error, LtkitError) and not isinstance(error, DistributionError):
            raise
        labels, reason = None, error
    if labels is not None and (labels.ndim == 1 or not hasattr(dataset, 'get_cat_ids')):
        return np.arange(len(labels)), single_labels(name, dataset)
    try:
        lists = [list(dataset.get_cat_ids(index)) for index in range(len(dataset))]
    except (AttributeError, NotImplementedError) as error:
        raise DistributionError(
            f'{name}: {type(dataset).__name__} tells neither one label a sample, by get_gt_labels(), nor '
            'several, by get_cat_ids(index); give it one of these methods') from (reason or error)
    samples = np.repeat(np.arange(len(lists)), [len(classes) for classes in lists])
    classes = np.array([label for classes in lists for label in classes] or np.zeros(0, dtype=np.int64))
    if not np.issubdtype(classes.dtype, np.integer):
        raise DataError(f'{name}: get_cat_ids() of {type(dataset).__name__} must give whole numbers, but gives '
                        f'{classes.dtype}')
    _check_range(name, dataset, samples, classes)
    size = int(classes.max(initial=0)) + 1
    pairs = np.unique(samples * size + classes)
    return pairs // size, pairs % size


def _check_range(name: str, dataset: Any, samples: np.ndarray, classes: np.ndarray) -> None:
    if classes.min(initial=0) < 0:
        worst = int(classes.argmin())
        raise DataError(
            f'{name}: sample {int(samples[worst])} of {type(dataset).__name__} has the label '
            f'{int(classes[worst])}; labels begin at 0')
