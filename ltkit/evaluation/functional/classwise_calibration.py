r"""Classwise ECE: the calibration of every class's probability, not of the predicted class's alone.

.. math:: \frac{1}{C} \sum_c \sum_b \frac{n_{bc}}{N} |acc_{bc} - conf_{bc}|

over M bins of equal width, where bin b of class c holds the samples whose
probability of c falls into b, :math:`conf_{bc}` is the mean of that probability
and :math:`acc_{bc}` the share of them that are of c. Nixon et al., CVPR workshops
2019, arXiv 1904.01685 (static calibration error); Kull et al., NeurIPS 2019,
arXiv 1910.12656 (classwise-ECE).
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from .accuracy import ArrayLike, on_host
from .calibration import NUM_BINS, UNIT, bin_edges, bin_of, in_chunks, in_units, with_float64


class ClasswiseSums:
    """The bins of all classes, filled batch by batch; they add up over processes.

    N x C scores are not kept: three whole numbers a class and bin are (3 MB for
    8,142 classes and 15 bins). A sample has less than M probabilities above
    1 / M, which are sorted into bins; the first bin is what remains of the sum of
    each class. The state is whole numbers, so samples can be taken out again,
    and ``a + b`` is exactly what one pass over both would have given.

    Args:
        num_classes (int): C.
        num_bins (int): M, at least 1. Defaults to 15.

    Raises:
        ValueError: ``num_bins`` is below 1.
    """

    def __init__(self, num_classes: int, num_bins: int = NUM_BINS) -> None:
        self.edges = bin_edges(num_bins)
        self.num_samples = 0
        self.class_units = np.zeros(num_classes, dtype=np.int64)
        self.class_hits = np.zeros(num_classes, dtype=np.int64)
        # of the bins but the first; its column stays 0
        self.counts, self.hits, self.units = np.zeros((3, num_classes, num_bins), dtype=np.int64)

    def update(self, scores: ArrayLike, labels: ArrayLike) -> None:
        """Add samples.

        Args:
            scores (ndarray or Tensor): Probabilities, shape ``(N, C)``.
            labels (ndarray or Tensor): In [0, C), shape ``(N,)``.

        Raises:
            ValueError: The scores are of another number of classes.
        """
        self._add(scores, labels, 1)

    def remove(self, scores: ArrayLike, labels: ArrayLike) -> None:
        """Take samples out that were added before; arguments as of :meth:`update`."""
        self._add(scores, labels, -1)

    def _add(self, scores: ArrayLike, labels: ArrayLike, sign: int) -> None:
        scores, labels = with_float64(scores), torch.as_tensor(labels).long().cpu()
        if scores.dim() != 2 or scores.size(1) != len(self.class_units):
            raise ValueError(f'scores must be of shape (N, {len(self.class_units)}), but are '
                             f'{tuple(scores.shape)}')
        labels = labels.numpy()
        self.num_samples += sign * len(labels)
        self.class_units += sign * sum(_column_units(part) for part in in_chunks(scores))
        np.add.at(self.class_hits, labels, sign)
        rows, columns, values = _at_least(on_host(scores), self._low(scores))
        where = (columns, bin_of(values, self.edges))
        np.add.at(self.counts, where, sign)
        np.add.at(self.hits, where, sign * (labels[rows] == columns))
        np.add.at(self.units, where, sign * in_units(values))
        self.counts[:, 0] = self.hits[:, 0] = self.units[:, 0] = 0

    def _low(self, scores: Tensor) -> float:
        """No more than the first edge in any precision; what is below it is in the first bin."""
        return float(self.edges[1]) * (1 - 2 * torch.finfo(scores.dtype).eps)

    def __add__(self, other: ClasswiseSums) -> ClasswiseSums:
        if self.counts.shape != other.counts.shape:
            raise ValueError(f'bins of {self.counts.shape} and of {other.counts.shape} do not add up')
        total = type(self)(*self.counts.shape)
        for name in ('num_samples', 'class_units', 'class_hits', 'counts', 'hits', 'units'):
            setattr(total, name, getattr(self, name) + getattr(other, name))
        return total

    def error(self) -> float:
        """Classwise ECE in [0, 1]; NaN without a sample."""
        if not self.num_samples:
            return np.nan
        gaps = np.abs(self.hits - self.units * UNIT)  # n_bc |acc_bc - conf_bc|
        hits, units = self.class_hits - self.hits.sum(1), self.class_units - self.units.sum(1)
        gaps[:, 0] = np.abs(hits - units * UNIT)
        return float(gaps.sum() / self.num_samples / len(gaps))


def classwise_calibration_error(scores: ArrayLike, labels: ArrayLike, num_bins: int = NUM_BINS) -> float:
    """Classwise ECE in [0, 1] of arrays; see the module.

    Args:
        scores (ndarray or Tensor): Probabilities, shape ``(N, C)``.
        labels (ndarray or Tensor): In [0, C), shape ``(N,)``.
        num_bins (int): M, at least 1. Defaults to 15.
    """
    sums = ClasswiseSums(np.shape(scores)[1], num_bins)
    sums.update(scores, labels)
    return sums.error()


def _column_units(scores: Tensor) -> np.ndarray:
    """Sums of columns as whole numbers of 2^-40.

    Adding 2^12, whose ulp that is, rounds a float64 probability as ``in_units``
    does; sums of less than 2^13 of them are exact.
    """
    sums = scores.double().add(2.0**12).sub_(2.0**12).sum(0)
    return np.rint(sums.cpu().numpy() / UNIT).astype(np.int64)


def _at_least(scores: Tensor, low: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows, columns and float64 values of the scores of at least ``low``."""
    if scores.device.type == 'cpu':
        array = scores.numpy()
        rows, columns = np.divmod(np.flatnonzero(array >= array.dtype.type(low)), array.shape[1])
        return rows, columns, array[rows, columns].astype(np.float64)
    return _at_least_on_device(scores, low)


def _at_least_on_device(scores: Tensor, low: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    at = (scores >= low).nonzero(as_tuple=True)
    rows, columns, values = (*at, scores[at])
    return rows.cpu().numpy(), columns.cpu().numpy(), values.cpu().double().numpy()
