r"""How far the features of a network have collapsed: NC1 to NC4.

Of the class means :math:`\mu_k` of the features, their mean :math:`\mu_G`, the centred
means :math:`c_k = \mu_k - \mu_G`, and the rows :math:`w_k` of the classifier:

* NC1, :math:`\frac1K \mathrm{tr}(\Sigma_W \Sigma_B^\dagger)`, the variation within the
  classes, :math:`\Sigma_W = \frac1N \sum_i (h_i - \mu_{y_i})(h_i - \mu_{y_i})^\top`,
  over that between them, :math:`\Sigma_B = \frac1K \sum_k c_k c_k^\top`;
* NC2, how near the :math:`c_k`, or the :math:`w_k`, are to a simplex: their lengths are
  equal (standard deviation over mean), and so are their angles (mean of
  :math:`|\cos(c_j, c_k) + \frac1{K - 1}|`);
* NC3, :math:`\lVert W / \lVert W \rVert - M / \lVert M \rVert \rVert^2` with the rows
  :math:`c_k` of M, the difference between classifier and means, Frobenius norms;
* NC4, the share of samples whose prediction is not the class of the nearest
  :math:`\mu_k`.

All are 0 on a collapsed network. The angles between the :math:`c_k` are then
:math:`\arccos \frac{-1}{K - 1}`, the largest smallest angle that there can be.

Source: Papyan, Han and Donoho, *Prevalence of Neural Collapse during the Terminal
Phase of Deep Learning Training*, PNAS 2020, arXiv 2008.08186; on long-tailed data Liu
et al., AISTATS 2023, arXiv 2302.12453. The latter's code leaves out the factor
:math:`\frac1K` of NC1. Classes without a sample are left out; K is the number of the
others. NC2 of the classifier has all of its rows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

import torch
from torch import Tensor

from .accuracy import ArrayLike

Batches = Callable[[], Iterable[tuple[Tensor, Tensor, Tensor]]]
Reduce = Callable[[Tensor], Tensor]


def neural_collapse(features: ArrayLike, labels: ArrayLike, predictions: ArrayLike | None = None,
                    weight: ArrayLike | None = None, num_classes: int | None = None,
                    divide_by_classes: bool = True) -> dict[str, float]:
    """NC1 to NC4 of features that are all at hand; see the module.

    Args:
        features (ndarray or Tensor): h, shape ``(N, d)``.
        labels (ndarray or Tensor): Whole numbers, shape ``(N,)``.
        predictions (ndarray or Tensor, optional): The network's, shape ``(N,)``, for
            ``nc4``.
        weight (ndarray or Tensor, optional): Rows of the classifier, ``(C, d)``.
        num_classes (int, optional): C. Defaults to the number of rows of ``weight``,
            or the largest label + 1.
        divide_by_classes (bool): Whether ``nc1`` has the factor 1 / K. Defaults to
            True.

    Returns:
        dict: As of :func:`collapse_of_batches`.
    """
    features, labels = torch.as_tensor(features), torch.as_tensor(labels)
    if num_classes is None:
        num_classes = len(weight) if weight is not None else int(labels.max()) + 1
    given = labels if predictions is None else torch.as_tensor(predictions)
    found = collapse_of_batches(lambda: [(features, labels, given)], num_classes, features.size(1), weight,
                                divide_by_classes=divide_by_classes)
    return {key: value for key, value in found.items() if key != 'nc4' or predictions is not None}


def collapse_of_batches(batches: Batches, num_classes: int, num_channels: int, weight: ArrayLike | None = None,
                        reduce: Reduce | None = None, divide_by_classes: bool = True) -> dict[str, float]:
    """NC1 to NC4 of features that come in batches, twice: for their class means, and for the rest.

    Exact, in float64; what is kept has the size of the class means. Computed on the
    device of the features.

    Args:
        batches (Callable): Gives an iterable of features ``(n, d)``, labels ``(n,)`` and
            predictions ``(n,)``, each time the same.
        num_classes (int): C.
        num_channels (int): d.
        weight (ndarray or Tensor, optional): Rows of the classifier, ``(C, d)``.
        reduce (Callable, optional): The sum of a float64 tensor over the processes,
            each of which has batches of its own. Defaults to one process.
        divide_by_classes (bool): Whether ``nc1`` has the factor 1 / K. Defaults to
            True.

    Returns:
        dict: ``nc1``, ``nc2_norm_means``, ``nc2_norm_weights``, ``nc2_angle_means``,
        ``nc2_angle_weights``, ``min_angle`` (of two class means, in degrees),
        ``mean_min_angle`` (the mean over the classes of the smallest angle to another),
        ``nc3`` and ``nc4``. A key is absent where there is nothing to measure: those of
        the classifier without ``weight``, all but ``nc4`` where the class means are in
        one place, and all of them with samples of less than two classes.
    """
    reduce = reduce or (lambda tensor: tensor)
    counts, means = class_means(batches, num_classes, num_channels, reduce)
    seen = counts > 0
    if seen.sum() < 2:
        return {}
    known = seen.nonzero().flatten()
    middle = means[known].mean(dim=0)
    centred = means[known] - middle
    whitening = between_class_whitening(centred)
    sums = means.new_zeros(2)
    for features, labels, predictions in batches():
        features, labels = features.to(means) - middle, labels.to(known)
        offset = features - (means[labels] - middle)
        sums[0] += (offset @ whitening).square().sum()
        sums[1] += (known[nearest_mean(features, centred)] != predictions.to(known)).sum()
    within, mismatches = (reduce(sums) / counts.sum()).tolist()
    found = {}
    if whitening.size(1):
        found['nc1'] = within / (len(known) if divide_by_classes else 1)
        found |= _shape_of(centred, 'means')
        angles = smallest_angles(centred)
        found |= dict(min_angle=float(angles.min()), mean_min_angle=float(angles.mean()))
    if weight is not None:
        weight = torch.as_tensor(weight).detach().to(means)
        found |= _shape_of(weight, 'weights')
        if whitening.size(1) and weight.any():
            found['nc3'] = self_duality(weight[known], centred)
    return found | dict(nc4=mismatches)


def class_means(batches: Batches, num_classes: int, num_channels: int,
                reduce: Reduce | None = None) -> tuple[Tensor, Tensor]:
    """The number of samples of each class ``(C,)`` and their mean feature ``(C, d)``, float64.

    Arguments as of :func:`collapse_of_batches`. The mean of a class without a sample is
    0.
    """
    sums: Tensor | None = None
    for features, labels, _ in batches():
        if sums is None:  # the last column counts
            sums = torch.zeros(num_classes, num_channels + 1, dtype=torch.float64, device=features.device)
        one = torch.ones(len(features), 1, dtype=torch.float64, device=features.device)
        sums.index_add_(0, labels.to(features.device), torch.cat([features.double(), one], dim=1))
    if sums is None:
        sums = torch.zeros(num_classes, num_channels + 1, dtype=torch.float64)
    sums = reduce(sums) if reduce is not None else sums
    counts = sums[:, -1]
    return counts, sums[:, :-1] / counts.clamp(min=1)[:, None]


def between_class_whitening(centred: Tensor) -> Tensor:
    r"""P with :math:`P P^\top = \Sigma_B^\dagger`.

    :math:`\mathrm{tr}(\Sigma_W \Sigma_B^\dagger)` is the mean of :math:`\lVert P^\top (h - \mu_y) \rVert^2`.

    Args:
        centred (Tensor): The centred class means, shape ``(K, d)``, float64.

    Returns:
        Tensor: Shape ``(d, r)`` with the rank r of :math:`\Sigma_B`, of which eigenvalues
        up to rounding errors are taken as 0.
    """
    _, singular, directions = torch.linalg.svd(centred, full_matrices=False)
    eigenvalues = singular.square() / len(centred)
    large = eigenvalues > max(centred.shape) * torch.finfo(centred.dtype).eps * eigenvalues.max()
    return directions[large].T / eigenvalues[large].sqrt()


def nearest_mean(features: Tensor, means: Tensor) -> Tensor:
    """The row of ``means``, ``(K, d)``, that is nearest to each of ``features``, ``(N, d)``; int64, ``(N,)``."""
    return (means.square().sum(dim=1) - 2 * features @ means.T).argmin(dim=1)


def equinorm(vectors: Tensor) -> float:
    """Standard deviation (unbiased) over mean of the lengths of rows ``(K, d)``; 0 where all are equally long."""
    lengths = vectors.norm(dim=1)
    return float(lengths.std() / lengths.mean())


def equiangularity(vectors: Tensor) -> float:
    """Mean of ``|cos + 1 / (K - 1)|`` over all pairs of rows ``(K, d)``; 0 in a simplex."""
    number = len(vectors)
    deviation = (_cosines(vectors) + 1 / (number - 1)).abs()
    return float(deviation.fill_diagonal_(0).sum() / (number * (number - 1)))


def smallest_angles(vectors: Tensor) -> Tensor:
    """The angle of each row of ``(K, d)`` to its nearest in direction, in degrees, shape ``(K,)``."""
    return _cosines(vectors).fill_diagonal_(-math.inf).amax(dim=1).clamp(-1, 1).arccos().rad2deg()


def self_duality(weight: Tensor, centred: Tensor) -> float:
    """Squared distance of classifier and centred means, both ``(K, d)`` and scaled to norm 1; in [0, 4]."""
    return float((weight / weight.norm() - centred / centred.norm()).square().sum())


def simplex_angle(num_classes: int) -> float:
    """The angle between any two of K directions that are as far apart as can be, in degrees."""
    return math.degrees(math.acos(-1 / (num_classes - 1)))


def _shape_of(vectors: Tensor, name: str) -> dict[str, float]:
    """NC2 of rows; nothing where all are 0."""
    if not vectors.any():
        return {}
    return {f'nc2_norm_{name}': equinorm(vectors), f'nc2_angle_{name}': equiangularity(vectors)}


def _cosines(vectors: Tensor) -> Tensor:
    units = torch.nn.functional.normalize(vectors, dim=1, eps=torch.finfo(vectors.dtype).tiny)
    return units @ units.T
