"""Accuracies of long-tailed recognition as functions of arrays.

All take numpy arrays or tensors and give float64 numbers in [0, 1]. A class
without a test sample has no accuracy: it is NaN in a per-class array and is left
out of every mean.

The accuracy of a group of classes (many-, medium-, few-shot) is the mean over
its *classes*, as the field computes it (OLTR, Liu et al., CVPR 2019, arXiv
1904.05160; Decoupling, Kang et al., ICLR 2020, arXiv 1910.09217). On a balanced
test set it equals the mean over the group's samples.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

ArrayLike = np.ndarray | Tensor


class ConfusionCounts(NamedTuple):
    """What the accuracies need of the confusion matrix, each int64 of shape ``(C,)``.

    The whole matrix of iNaturalist's 8,142 classes would take 530 MB; these
    three vectors add up over batches and processes.
    """

    support: np.ndarray
    """Test samples of the class: the row sums."""
    predicted: np.ndarray
    """Samples predicted to be of the class: the column sums."""
    correct: np.ndarray
    """Samples of the class predicted to be of it: the diagonal."""


def label_ranks(scores: ArrayLike, labels: ArrayLike) -> np.ndarray:
    """How many classes are ranked before the label; 0 is a top-1 hit.

    Of equal scores the lower class index comes first, so that a constant score
    predicts class 0, always.

    Args:
        scores (ndarray or Tensor): Shape ``(N, C)``, larger is better.
        labels (ndarray or Tensor): In [0, C), shape ``(N,)``.

    Returns:
        ndarray: Ranks in [0, C), int64, shape ``(N,)``.

    Raises:
        ValueError: The shapes do not fit, a label is out of range, or the score of one is NaN.
    """
    scores, labels = torch.as_tensor(scores), torch.as_tensor(labels).long()
    if scores.dim() != 2 or labels.shape != scores.shape[:1]:
        raise ValueError(f'scores must be of shape (N, C) and labels (N,), but are {tuple(scores.shape)} '
                         f'and {tuple(labels.shape)}')
    num_classes = scores.size(1)
    if labels.numel() and not 0 <= int(labels.min()) <= int(labels.max()) < num_classes:
        wrong = int(labels[(labels < 0) | (labels >= num_classes)][0])
        raise ValueError(f'label {wrong} is out of range; with {num_classes} scores labels are 0 to '
                         f'{num_classes - 1}')
    scores, labels = on_host(scores), labels.to(scores.device).unsqueeze(1)
    own = scores.gather(1, labels)
    refuse_nan(own)  # no score is larger than NaN: it would rank first
    if scores.device.type != 'cpu':
        return _ranks_on_device(scores, own, labels).cpu().numpy()
    array, value, column = scores.numpy(), own.numpy(), labels.numpy()  # numpy compares several times faster
    ranks = np.count_nonzero(array > value, axis=1)
    tied = np.flatnonzero(np.count_nonzero(array == value, axis=1) > 1)
    lower_index = np.arange(num_classes) < column[tied]
    ranks[tied] += np.count_nonzero((array[tied] == value[tied]) & lower_index, axis=1)
    return ranks.astype(np.int64)


def predictions(scores: ArrayLike) -> np.ndarray:
    """The class of the largest score, the first of equal ones; int64, shape ``(N,)``.

    Raises:
        ValueError: A score is NaN.
    """
    scores = on_host(torch.as_tensor(scores))
    best = torch.from_numpy(scores.numpy().argmax(1)) if scores.device.type == 'cpu' else scores.argmax(1)
    refuse_nan(scores.gather(1, best.unsqueeze(1)))  # NaN is taken for the largest
    return best.cpu().numpy()


def on_host(scores: Tensor) -> Tensor:
    """Scores without a gradient; those on the CPU in a precision that numpy is quick with."""
    scores = scores.detach()
    narrow = scores.device.type == 'cpu' and scores.dtype in (torch.float16, torch.bfloat16)
    return scores.float() if narrow else scores


def refuse_nan(picked: Tensor) -> None:
    """Raise a ValueError where one of the scores of N samples, ``(N, 1)``, is NaN."""
    rows = picked.isnan().any(1)
    if rows.any():
        raise ValueError(f'the scores of sample {int(rows.nonzero()[0])} are NaN')


def confusion_counts(labels: ArrayLike, predicted: ArrayLike, num_classes: int) -> ConfusionCounts:
    """Count samples, predictions and hits of each class.

    Args:
        labels (ndarray or Tensor): In [0, C), shape ``(N,)``.
        predicted (ndarray or Tensor): Predicted classes in [0, C), shape ``(N,)``.
        num_classes (int): C.

    Raises:
        ValueError: A label or a prediction is out of range.
    """
    labels, predicted = _integers(labels), _integers(predicted)
    for name, classes in (('label', labels), ('prediction', predicted)):
        wrong = classes[(classes < 0) | (classes >= num_classes)]
        if wrong.size:
            raise ValueError(f'{name} {wrong[0]} is out of range; with {num_classes} classes it is 0 to '
                             f'{num_classes - 1}')
    return ConfusionCounts(np.bincount(labels, minlength=num_classes),
                           np.bincount(predicted, minlength=num_classes),
                           np.bincount(labels[labels == predicted], minlength=num_classes))


def top_k_accuracy(ranks: ArrayLike, k: int = 1) -> float:
    """Share of the samples whose label is among the k best-ranked classes.

    Args:
        ranks (ndarray or Tensor): Of :func:`label_ranks`, shape ``(N,)``.
        k (int): At least 1. Defaults to 1.
    """
    ranks = _integers(ranks)
    return float(np.mean(ranks < k)) if ranks.size else float('nan')


def per_class_accuracy(counts: ConfusionCounts) -> np.ndarray:
    """Accuracy (recall) of each class, NaN without a test sample; shape ``(C,)``."""
    return _ratio(counts.correct, counts.support)


def group_accuracy(per_class: ArrayLike, groups: Mapping[str, Any]) -> dict[str, float]:
    """Mean accuracy over the classes of each group.

    Args:
        per_class (ndarray or Tensor): Accuracies, NaN where there is none, ``(C,)``.
        groups (Mapping): Name to class indices, as ``ClassDistribution.groups``.

    Returns:
        dict: A group without classes, or whose classes have no test sample, is
        absent.
    """
    per_class = _floats(per_class)
    members = {name: per_class[np.asarray(classes, dtype=np.int64)] for name, classes in groups.items()}
    return {name: float(np.nanmean(values)) for name, values in members.items() if np.isfinite(values).any()}


def mean_class_accuracy(per_class: ArrayLike) -> float:
    """Mean over the classes (balanced accuracy)."""
    return float(np.mean(_present(per_class)))


def worst_class_accuracy(per_class: ArrayLike) -> float:
    """Accuracy of the worst class."""
    return float(np.min(_present(per_class)))


def g_mean(per_class: ArrayLike) -> float:
    r"""Geometric mean over the classes, :math:`(\prod_c a_c)^{1/C}`; 0 when one is 0.

    Source: Kubat and Matwin, ICML 1997.
    """
    values = _present(per_class)
    return 0.0 if np.any(values == 0) else float(np.exp(np.mean(np.log(values))))


def harmonic_mean(per_class: ArrayLike) -> float:
    r"""Harmonic mean over the classes, :math:`C / \sum_c a_c^{-1}`; 0 when one is 0."""
    values = _present(per_class)
    return 0.0 if np.any(values == 0) else float(1 / np.mean(1 / values))


def macro_f1(counts: ConfusionCounts) -> float:
    r"""Mean over the classes with a test sample of :math:`F_1 = 2 TP / (2 TP + FP + FN)`."""
    f1 = _ratio(2 * counts.correct, counts.support + counts.predicted)
    return float(np.mean(f1[counts.support > 0])) if np.any(counts.support) else float('nan')


def _ranks_on_device(scores: Tensor, own: Tensor, labels: Tensor) -> Tensor:
    lower_index = torch.arange(scores.size(1), device=scores.device) < labels
    return ((scores > own) | ((scores == own) & lower_index)).sum(1)


def _integers(values: ArrayLike) -> np.ndarray:
    values = values.detach().cpu().numpy() if isinstance(values, Tensor) else np.asarray(values)
    return values.astype(np.int64).reshape(-1)


def _floats(values: ArrayLike) -> np.ndarray:
    values = values.detach().cpu().numpy() if isinstance(values, Tensor) else np.asarray(values)
    return values.astype(np.float64)


def _present(per_class: ArrayLike) -> np.ndarray:
    values = _floats(per_class)
    values = values[np.isfinite(values)]
    if values.size == 0:
        raise ValueError('no class has a test sample, so there is no accuracy to average')
    return values


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.divide(part, whole, out=np.full(len(part), np.nan), where=whole > 0)
