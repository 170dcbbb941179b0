r"""Calibration: whether a confidence of 80% is right in 80% of the cases.

Confidences are cut into M bins. With :math:`n_b` samples in bin b, of which a
share :math:`acc_b` is right, and :math:`conf_b` their mean confidence,

.. math::
    ECE = \sum_b \frac{n_b}{N} |acc_b - conf_b|, \qquad MCE = \max_b |acc_b - conf_b|

An empty bin adds nothing to the first and is left out of the second. ECE and MCE:
Naeini et al., AAAI 2015; of the top label in equally wide bins: Guo et al., ICML
2017, arXiv 1706.04599, equations (3) and (5). Adaptive bins hold equally many
samples: Nixon et al., CVPR workshops 2019, arXiv 1904.01685.

Everything takes numpy arrays or tensors, and gives shares, not percent. Sums of
confidences are kept as whole numbers of :data:`UNIT`, so that they do not depend
on the order of the samples, nor on how they are spread over processes.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from .accuracy import ArrayLike, predictions

NUM_BINS = 15  # as Guo et al. (2017) report
UNIT = 2.0**-40  # of the sums of confidences; 8 million samples fit into int64
CHUNK = 2**17  # scores that are worked on in float64 at a time, 1 MB
SMALLEST = float(np.finfo(np.float32).tiny)  # what a probability of 0 counts as in the NLL


class ReliabilityBins(NamedTuple):
    """What a reliability diagram shows."""

    edges: np.ndarray
    """Limits of the bins; a bin includes its upper one. Float64, shape ``(M + 1,)``."""
    counts: np.ndarray
    """Samples of each bin, int64, shape ``(M,)``."""
    confidence: np.ndarray
    """Mean confidence of each bin, NaN where it is empty, float64, shape ``(M,)``."""
    accuracy: np.ndarray
    """Share of each bin that is right, NaN where it is empty, float64, shape ``(M,)``."""

    def to_dict(self) -> dict[str, list]:
        """Plain lists for JSON, with None where a bin is empty."""
        return {name: [None if value != value else value for value in values.tolist()]
                for name, values in self._asdict().items()}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> ReliabilityBins:
        """The bins that :meth:`to_dict` gave."""
        return cls(*(np.array([np.nan if value is None else value for value in data[name]],
                              dtype=np.int64 if name == 'counts' else np.float64) for name in cls._fields))


class ReliabilitySums:
    """Bins of equal width that are filled batch by batch and add up over processes.

    The state is whole numbers, so ``a + b`` is exactly what one pass over both
    would have given, in any order.

    Args:
        num_bins (int): M, at least 1. Defaults to 15.

    Raises:
        ValueError: ``num_bins`` is below 1.
    """

    def __init__(self, num_bins: int = NUM_BINS) -> None:
        self.edges = bin_edges(num_bins)
        self.counts = np.zeros(num_bins, dtype=np.int64)
        self.hits = np.zeros(num_bins, dtype=np.int64)
        self.units = np.zeros(num_bins, dtype=np.int64)

    def update(self, confidence: ArrayLike, correct: ArrayLike) -> None:
        """Add samples; arguments as of :func:`reliability_bins`."""
        confidence, correct = _checked(confidence, correct)
        bins = bin_of(confidence, self.edges)
        np.add.at(self.counts, bins, 1)
        np.add.at(self.hits, bins, correct.astype(np.int64))
        np.add.at(self.units, bins, in_units(confidence))

    def __add__(self, other: ReliabilitySums) -> ReliabilitySums:
        if len(other.counts) != len(self.counts):
            raise ValueError(f'bins of {len(self.counts)} and of {len(other.counts)} do not add up')
        total = type(self)(len(self.counts))
        for name in ('counts', 'hits', 'units'):
            setattr(total, name, getattr(self, name) + getattr(other, name))
        return total

    def bins(self) -> ReliabilityBins:
        """The means of the bins."""
        return ReliabilityBins(self.edges, self.counts.copy(), _means(self.units * UNIT, self.counts),
                               _means(self.hits, self.counts))


def top_label(scores: ArrayLike, labels: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Confidence of the predicted class, and whether it is right.

    Args:
        scores (ndarray or Tensor): Probabilities, shape ``(N, C)``.
        labels (ndarray or Tensor): In [0, C), shape ``(N,)``.

    Returns:
        tuple: Confidences in [0, 1], float64 ``(N,)``, and bool ``(N,)``. Of equal
        scores the lower class index is predicted.
    """
    scores = torch.as_tensor(scores).detach()
    predicted = predictions(scores)
    best = scores[range(len(scores)), torch.as_tensor(predicted, device=scores.device)]
    return best.cpu().double().numpy(), predicted == _array(labels)


def reliability_bins(confidence: ArrayLike, correct: ArrayLike, num_bins: int = NUM_BINS) -> ReliabilityBins:
    """Bins of equal width, ((b - 1) / M, b / M]; a confidence of 0 is in the first.

    Args:
        confidence (ndarray or Tensor): In [0, 1], shape ``(N,)``.
        correct (ndarray or Tensor): Whether each prediction is right, ``(N,)``.
        num_bins (int): M, at least 1. Defaults to 15.

    Raises:
        ValueError: Other shapes, or a confidence outside [0, 1].
    """
    sums = ReliabilitySums(num_bins)
    sums.update(confidence, correct)
    return sums.bins()


def adaptive_bins(confidence: ArrayLike, correct: ArrayLike, num_bins: int = NUM_BINS) -> ReliabilityBins:
    """Bins of equally many samples (the first N mod M have one more), by ascending confidence.

    Samples of equal confidence share their accuracy, so that the order in which
    they come does not matter where a limit falls among them. With N < M some
    bins are empty. Arguments as of :func:`reliability_bins`.

    Source: Nixon et al., 2019, arXiv 1904.01685.
    """
    confidence, correct = _checked(confidence, correct)
    edges = bin_edges(num_bins)
    values, place, ties = np.unique(confidence, return_inverse=True, return_counts=True)
    size, extra = divmod(len(confidence), num_bins)
    counts = size + (np.arange(num_bins) < extra).astype(np.int64)
    limits = np.concatenate([[0], np.cumsum(counts)])
    mass = np.concatenate([[0], np.cumsum(ties)])
    hits = np.concatenate([[0], np.cumsum(np.bincount(place[correct], minlength=len(values)))])
    units = np.concatenate([[0], np.cumsum(in_units(values) * ties)])
    if len(values):
        edges = np.concatenate([[0], values[np.searchsorted(mass[1:], np.maximum(limits[1:], 1))]])
    return ReliabilityBins(edges, counts, _means(np.diff(np.interp(limits, mass, units)) * UNIT, counts),
                           _means(np.diff(np.interp(limits, mass, hits)), counts))


def expected_calibration_error(bins: ReliabilityBins) -> float:
    """ECE in [0, 1] of the bins of :func:`reliability_bins`, adaptive ECE of :func:`adaptive_bins`."""
    total = bins.counts.sum()
    gaps = np.abs(bins.accuracy - bins.confidence)
    return float(np.nansum(bins.counts * gaps) / total) if total else np.nan


def maximum_calibration_error(bins: ReliabilityBins) -> float:
    """MCE in [0, 1]: the largest gap of a bin that has a sample."""
    gaps = np.abs(bins.accuracy - bins.confidence)[bins.counts > 0]
    return float(gaps.max()) if gaps.size else np.nan


def negative_log_likelihood(probability: ArrayLike) -> float:
    r"""Mean of :math:`-\ln p_y`, in nats.

    Args:
        probability (ndarray or Tensor): :math:`p_y` of the true class of each
            sample, in [0, 1], shape ``(N,)``. What is below float32's smallest
            normal number (1.2e-38) counts as that, so that the mean is finite.
    """
    probability = as_float64(probability)
    return float(-np.log(np.maximum(probability, SMALLEST)).mean()) if probability.size else np.nan


def brier_scores(scores: ArrayLike, labels: ArrayLike) -> np.ndarray:
    r"""Brier's score of each sample, :math:`\sum_c (p_c - [c = y])^2`, in [0, 2].

    The original form over all classes: Brier, Monthly Weather Review 1950.

    Args:
        scores (ndarray or Tensor): Probabilities, shape ``(N, C)``.
        labels (ndarray or Tensor): In [0, C), shape ``(N,)``.

    Returns:
        ndarray: Float64, shape ``(N,)``.
    """
    scores = with_float64(scores)
    own = scores.gather(1, torch.as_tensor(labels).long().to(scores.device).unsqueeze(1)).squeeze(1)
    # squares are rounded to 2^-50, the ulp of 4, so that no order of adding them changes a sum
    squares = [part.double().square().add_(4).sub_(4).sum(1) for part in in_chunks(scores)]
    return (torch.cat(squares) - 2 * own.double() + 1).cpu().numpy()


def with_float64(scores: ArrayLike) -> Tensor:
    """A tensor without a gradient, on a device that knows float64."""
    scores = torch.as_tensor(scores).detach()
    return scores.cpu() if scores.device.type == 'mps' else scores


def in_chunks(scores: Tensor) -> tuple[Tensor, ...]:
    """Some rows at a time, so that what is made of them stays in the processor's cache."""
    return scores.split(max(1, CHUNK // scores.size(1)))


def bin_edges(num_bins: int) -> np.ndarray:
    """0, 1 / M, ..., 1; float64, shape ``(M + 1,)``."""
    if num_bins < 1:
        raise ValueError(f'num_bins must be at least 1, but is {num_bins}')
    return np.arange(num_bins + 1) / num_bins


def bin_of(confidence: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Index of the bin of each confidence, int64; a bin includes its upper edge."""
    return np.maximum(np.searchsorted(edges, confidence, side='left') - 1, 0)


def in_units(confidence: np.ndarray) -> np.ndarray:
    """Confidences as whole numbers of :data:`UNIT`, int64."""
    return np.rint(confidence / UNIT).astype(np.int64)


def as_float64(values: ArrayLike) -> np.ndarray:
    """A float64 array on the CPU."""
    return _array(values).astype(np.float64)


def _array(values: ArrayLike) -> np.ndarray:
    return values.detach().cpu().numpy() if isinstance(values, Tensor) else np.asarray(values)


def _checked(confidence: ArrayLike, correct: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    confidence, correct = as_float64(confidence), _array(correct).astype(bool)
    if confidence.ndim != 1 or correct.shape != confidence.shape:
        raise ValueError(f'confidence and correct must both be of shape (N,), but are {confidence.shape} '
                         f'and {correct.shape}')
    wrong = confidence[~((confidence >= 0) & (confidence <= 1))]
    if wrong.size:
        raise ValueError(f'a confidence must be in [0, 1], but one is {wrong[0]:g}; take the softmax of '
                         'logits')
    return confidence, correct


def _means(sums: np.ndarray, counts: np.ndarray) -> np.ndarray:
    return np.divide(sums, counts, out=np.full(len(counts), np.nan), where=counts > 0)
