r"""Where predictions go: the predicted-class prior, confusion between groups, other test priors.

All take numpy arrays and give float64 shares in [0, 1], not percent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .accuracy import ConfusionCounts


def predicted_prior(counts: ConfusionCounts) -> np.ndarray:
    r"""Share of the test samples predicted to be of each class, :math:`q_c`, shape ``(C,)``."""
    total = counts.predicted.sum()
    return counts.predicted / total if total else np.full(len(counts.predicted), np.nan)


def l1_from_uniform(prior: np.ndarray) -> float:
    r""":math:`\sum_c |q_c - 1/C|`, in [0, 2); 0 when every class is predicted equally often."""
    return float(np.abs(prior - 1 / len(prior)).sum())


def kl_from_uniform(prior: np.ndarray) -> float:
    r""":math:`KL(q \| u) = \sum_c q_c \ln(C q_c)` in nats, in [0, ln C]; a class never predicted adds 0."""
    present = prior[prior > 0]
    return float(max((present * np.log(len(prior) * present)).sum(), 0.0))


def group_confusion(labels: np.ndarray, predicted: np.ndarray, groups: Mapping[str, Any],
                    num_classes: int) -> np.ndarray:
    """Share of the samples of group a that are predicted to be of a class of group b.

    Args:
        labels (ndarray): In [0, C), shape ``(N,)``.
        predicted (ndarray): Predicted classes in [0, C), shape ``(N,)``.
        groups (Mapping): Name to class indices, as ``ClassDistribution.groups``;
            they partition the classes.
        num_classes (int): C.

    Returns:
        ndarray: Shape ``(G, G)``, in the order of ``groups``; rows add up to 1,
        and are NaN for a group without a test sample. The diagonal is no
        accuracy: another class of the same group counts as well.
    """
    group_of = np.empty(num_classes, dtype=np.int64)
    for number, classes in enumerate(groups.values()):
        group_of[np.asarray(classes, dtype=np.int64)] = number
    size = len(groups)
    pairs = np.bincount(group_of[labels] * size + group_of[predicted], minlength=size * size)
    pairs = pairs.reshape(size, size)
    rows = pairs.sum(1, keepdims=True)
    return np.divide(pairs, rows, out=np.full((size, size), np.nan), where=rows > 0)


def accuracy_under_prior(per_class: np.ndarray, prior: np.ndarray) -> float:
    r"""Sample accuracy on a test set of another class prior, :math:`\sum_c \pi_c a_c`.

    Exact in expectation over test sets drawn from these samples class by class:
    a class's accuracy does not depend on how often the class comes.

    Args:
        per_class (ndarray): :math:`a_c`, NaN for a class without a test sample,
            shape ``(C,)``. Such a class is left out and the prior normalised.
        prior (ndarray): :math:`\pi_c \ge 0`, need not add up to 1, ``(C,)``.

    Returns:
        float: NaN when the prior has no class with a test sample.
    """
    known = np.isfinite(per_class)
    mass = prior[known].sum()
    return float((prior[known] * per_class[known]).sum() / mass) if mass > 0 else np.nan


def long_tailed_prior(counts: np.ndarray, imbalance_factor: float, backward: bool = False) -> np.ndarray:
    r"""An exponential test prior over the classes ordered by their training counts.

    .. math:: \pi_c \propto R^{-r_c / (C - 1)}

    where :math:`r_c` is 0 for the class of most training samples; with
    ``backward`` for the one of least. The test-agnostic protocol of LADE (Hong et
    al., CVPR 2021, arXiv 2012.00321) and SADE (Zhang et al., NeurIPS 2022, arXiv
    2107.09249), without its rounding to whole images. Classes of equal counts
    share their mass.

    Args:
        counts (ndarray): Training counts, shape ``(C,)``.
        imbalance_factor (float): R, at least 1.
        backward (bool): Whether rare classes come most. Defaults to False.

    Returns:
        ndarray: Adds up to 1, shape ``(C,)``.
    """
    size = len(counts)
    profile = imbalance_factor**-(np.arange(size) / max(size - 1, 1))
    return by_rank(counts, profile[::-1] if backward else profile)


def reversed_prior(counts: np.ndarray) -> np.ndarray:
    """The training prior with its ranks reversed: the class of most samples gets the share of that of least.

    As SADE's inverse prior (arXiv 2107.09249); classes of equal counts share
    their mass. Adds up to 1, shape ``(C,)``.
    """
    return by_rank(counts, np.sort(counts))


def by_rank(counts: np.ndarray, values: Sequence[float] | np.ndarray) -> np.ndarray:
    """Give ``values`` to the classes from most to fewest training samples; normalised, ``(C,)``."""
    counts, values = np.asarray(counts, dtype=np.float64), np.asarray(values, dtype=np.float64)  # -counts of no sign
    order = np.argsort(-counts, kind='stable')
    _, tie = np.unique(-counts[order], return_inverse=True)
    shared = (np.bincount(tie, values) / np.bincount(tie))[tie]
    result = np.empty(len(counts))
    result[order] = shared / values.sum()
    return result
