"""Imbalance profiles and the choice of a long-tailed subset."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

import numpy as np

from ..utils.errors import ConfigError, DataError

IMBALANCE_TYPES = ('exp', 'step')


def check_imbalance_type(imbalance_type: str | None) -> None:
    """Raise :class:`ConfigError` unless it is one of ``IMBALANCE_TYPES`` or None."""
    if imbalance_type is not None and imbalance_type not in IMBALANCE_TYPES:
        raise ConfigError(f"imbalance_type must be 'exp', 'step' or None, but is {imbalance_type!r}")


def imbalance_counts(num_max: int,
                     num_classes: int,
                     imbalance_factor: float,
                     imbalance_type: str | None = 'exp') -> np.ndarray:
    r"""Samples to keep of each class.

    Exponential (``'exp'``): :math:`n_c = \lfloor n_{max} f^{c / (C - 1)} \rfloor`,
    :math:`f = 1 / IF`. Step (``'step'``): :math:`n_{max}` for the first half of
    the classes, :math:`\lfloor n_{max} f \rfloor` for the rest. ``None``:
    :math:`n_{max}` for each. Cui et al. (CVPR 2019, arXiv 1901.05555) and Cao et
    al. (NeurIPS 2019, arXiv 1906.07413); numbers are truncated, not rounded.

    Args:
        num_max (int): :math:`n_{max}`, samples of the first class.
        num_classes (int): C.
        imbalance_factor (float): :math:`IF = n_{max} / n_{min}`, at least 1.
        imbalance_type (str, optional): ``'exp'``, ``'step'`` or None. Defaults
            to ``'exp'``.

    Returns:
        ndarray: int64, shape ``(C,)``; it never rises with the class.

    Raises:
        ConfigError: An unknown type, a factor below 1, or one that leaves a
            class without a sample.
    """
    check_imbalance_type(imbalance_type)
    if isinstance(imbalance_factor, bool) or not isinstance(imbalance_factor, (int, float)) or not (
            1 <= imbalance_factor < float('inf')):
        hint = ''
        if isinstance(imbalance_factor, (int, float)) and 0 < imbalance_factor < 1:
            hint = f'; it is n_max / n_min, so {1 / imbalance_factor:g} may be meant'
        raise ConfigError(
            f'imbalance_factor must be a number of at least 1, but is {imbalance_factor!r}{hint}')
    if num_max < 1 or num_classes < 1:
        raise ConfigError(f'an imbalance profile needs classes and samples, but num_max is {num_max} and '
                          f'num_classes is {num_classes}')
    fraction = 1.0 / imbalance_factor
    if imbalance_type == 'exp' and num_classes > 1:
        counts = [int(num_max * fraction**(label / (num_classes - 1.0))) for label in range(num_classes)]
    elif imbalance_type == 'step':
        half = num_classes // 2
        counts = [num_max] * half + [int(num_max * fraction)] * (num_classes - half)
    else:
        counts = [num_max] * num_classes
    if min(counts) < 1:
        raise ConfigError(
            f'imbalance_factor={imbalance_factor:g} leaves class {counts.index(0)} without a sample: the '
            f'largest class has {num_max}, so the factor must be below {num_max}')
    return np.asarray(counts, dtype=np.int64)


def balanced_counts(total: int, num_classes: int) -> np.ndarray:
    """Share ``total`` samples among the classes; the first ``total % C`` have one more.

    The balanced set of equal size on which the survey's upper reference accuracy
    is measured (Zhang et al., TPAMI 2023, arXiv 2110.04596).

    Returns:
        ndarray: int64, shape ``(C,)``.
    """
    return total // num_classes + (np.arange(num_classes) < total % num_classes).astype(np.int64)


def choose_long_tailed(labels: np.ndarray,
                       counts: Sequence[int] | np.ndarray,
                       seed: int = 0,
                       names: Sequence[str] | None = None,
                       held_out: int = 0) -> np.ndarray:
    """Choose ``counts[c]`` samples of each class c as the LDAM code does.

    One generator serves all classes: in ascending order the indices of each
    class are shuffled, and the head of each is taken. A class is shuffled whole
    whatever its count, so the choice for a larger imbalance factor is part of
    the choice for a smaller one. Cao et al., NeurIPS 2019, arXiv 1906.07413.

    Args:
        labels (ndarray): Class of each sample, int64, shape ``(N,)``.
        counts (Sequence[int]): Samples to keep of each class, shape ``(C,)``.
        seed (int): Seed of ``numpy.random.RandomState``. Defaults to 0.
        names (Sequence[str], optional): Class names, for messages.
        held_out (int): Samples of each class that must be left for
            :func:`choose_held_out`. Defaults to 0.

    Returns:
        ndarray: Indices class by class, int64, shape ``(sum(counts),)``.

    Raises:
        ConfigError: ``seed`` is none.
        DataError: A class has fewer samples than it should keep.
    """
    chosen = []
    for label, indices in enumerate(_shuffled(labels, len(counts), seed)):
        if len(indices) < counts[label] + held_out:
            more = f', and {held_out} are held out' if held_out else ''
            raise DataError(f'class {_named(label, names)} has {len(indices)} samples, but the imbalance profile '
                            f'needs {counts[label]}{more}')
        chosen.append(indices[:counts[label]])
    return np.concatenate(chosen).astype(np.int64)


def choose_held_out(labels: np.ndarray,
                    number: int,
                    num_classes: int,
                    seed: int = 0,
                    names: Sequence[str] | None = None) -> np.ndarray:
    """Choose ``number`` samples of each class that :func:`choose_long_tailed` leaves.

    Each class is shuffled as there, by the same seed, and its end is taken in
    place of its head. So the held-out part depends on no imbalance, a smaller one
    is part of a larger one, and a training list beside it is part of the list
    without one.

    Args:
        labels (ndarray): Class of each sample, int64, shape ``(N,)``.
        number (int): Samples of each class, at least 1.
        num_classes (int): C.
        seed (int): As of :func:`choose_long_tailed`. Defaults to 0.
        names (Sequence[str], optional): Class names, for messages.

    Returns:
        ndarray: Indices class by class, int64, shape ``(C * number,)``.

    Raises:
        ConfigError: ``seed`` is none.
        DataError: A class would have no sample left.
    """
    chosen = []
    for label, indices in enumerate(_shuffled(labels, num_classes, seed)):
        if len(indices) <= number:
            raise DataError(f'held_out={number} leaves no training sample of class {_named(label, names)}, which has '
                            f'{len(indices)}; held_out must be smaller')
        chosen.append(indices[len(indices) - number:])
    return np.concatenate(chosen).astype(np.int64)


def _shuffled(labels: np.ndarray, num_classes: int, seed: int) -> Iterator[np.ndarray]:
    """The indices of each class in turn, shuffled by one generator."""
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or not 0 <= seed < 2**32:
        raise ConfigError(f'seed must be a whole number from 0 to {2**32 - 1}, but is {seed!r}')
    rng = np.random.RandomState(seed)  # the generator of the published lists
    for label in range(num_classes):
        indices = np.flatnonzero(labels == label)
        rng.shuffle(indices)
        yield indices


def _named(label: int, names: Sequence[str] | None) -> str:
    return str(label) if names is None else f"{label} ('{names[label]}')"


def index_list_hash(indices: Sequence[int] | np.ndarray) -> str:
    """Name of an index list: sha256 of its int64 little-endian bytes, 16 hex digits.

    The list is that of :func:`choose_long_tailed`: class by class, in the order
    in which the samples were chosen.
    """
    return hashlib.sha256(np.ascontiguousarray(indices, dtype='<i8').tobytes()).hexdigest()[:16]
