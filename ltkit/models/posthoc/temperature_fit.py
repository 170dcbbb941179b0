"""The temperature that fits logits to labels best."""

from __future__ import annotations

import math

from torch import Tensor

from ltkit.utils.errors import DataError

MIN_TEMPERATURE, MAX_TEMPERATURE = 1e-3, 1e3
CHUNK = 2**20  # logits that are worked on in float64 at a time, 8 MB
TOLERANCE = 1e-12  # relative, of the temperature
MAX_STEPS = 200


def fit_temperature(logits: Tensor, labels: Tensor) -> tuple[float, str]:
    r"""Minimise the negative log-likelihood over the temperature.

    .. math:: L(\beta) = \frac{1}{N} \sum_i \Big( \log \sum_c e^{\beta z_{ic}} - \beta z_{i y_i} \Big),
              \quad \beta = 1 / T

    is convex in :math:`\beta`: its slope is the mean of :math:`E_p[z_i] - z_{i y_i}`,
    its curvature that of :math:`Var_p[z_i]`. The zero of the slope is found by
    Newton's steps within a bracket, by bisection in :math:`\log T` where they do
    not shrink; in float64. With finite logits it ends for any input.

    Args:
        logits (Tensor): :math:`z`, finite, shape ``(N, C)``.
        labels (Tensor): In [0, C), whole numbers, shape ``(N,)``.

    Returns:
        tuple: T in [0.001, 1000], and what is wrong with it: ``''`` when it is the
        minimum, else a clause for a warning.

    Raises:
        DataError: Other shapes, no sample, a label out of range, or a logit that
            is not finite.
    """
    labels = _checked(logits, labels)
    lowest, highest = 1 / MAX_TEMPERATURE, 1 / MIN_TEMPERATURE
    at_lowest, at_highest = (_slope_and_curvature(logits, labels, beta)[0] for beta in (lowest, highest))
    if at_lowest == at_highest == 0:
        return 1.0, 'every temperature gives the same likelihood, so 1 is taken'
    if at_lowest >= 0:
        return MAX_TEMPERATURE, ('the true class has no larger logits than the others on the average, so the '
                                 'likelihood rises with the temperature; the largest allowed is taken')
    if at_highest <= 0:
        return MIN_TEMPERATURE, ('the true class has the largest logit of each sample, so the likelihood rises as the '
                                 'temperature falls; the smallest allowed is taken, and held-out samples that are '
                                 'not all predicted rightly are needed')
    beta, last_step = 1.0, math.inf
    for _ in range(MAX_STEPS):
        slope, curvature = _slope_and_curvature(logits, labels, beta)
        if slope == 0:
            break
        lowest, highest = (beta, highest) if slope < 0 else (lowest, beta)
        step = -slope / curvature if curvature > 0 else math.inf
        if not lowest < beta + step < highest or abs(step) > last_step / 2:
            step = math.sqrt(lowest * highest) - beta
        beta, last_step = beta + step, abs(step)
        if last_step <= TOLERANCE * beta or highest - lowest <= TOLERANCE * lowest:
            break
    return 1 / beta, ''


def _slope_and_curvature(logits: Tensor, labels: Tensor, beta: float) -> tuple[float, float]:
    """Of the mean negative log-likelihood, at an inverse temperature."""
    slope = curvature = 0.0
    rows = max(1, CHUNK // logits.size(1))
    for scores, own in zip(logits.split(rows), labels.split(rows)):
        scores = scores.double()
        scores = scores - scores.gather(1, own[:, None])
        weights = (beta * scores).softmax(1)
        mean = (weights * scores).sum(1)
        slope += float(mean.sum())
        curvature += float((weights * (scores - mean[:, None]).square()).sum())
    return slope / len(logits), curvature / len(logits)


def _checked(logits: Tensor, labels: Tensor) -> Tensor:
    if logits.dim() != 2 or labels.shape != logits.shape[:1] or not logits.is_floating_point():
        raise DataError(f'a temperature is fitted to logits (N, C) and labels (N,), but got {tuple(logits.shape)} of '
                        f'{logits.dtype} and {tuple(labels.shape)}')
    if not logits.numel():
        raise DataError(f'a temperature needs samples to be fitted to, but the logits have shape {tuple(logits.shape)}')
    labels = labels.to(logits.device).long()
    wrong = labels[(labels < 0) | (labels >= logits.size(1))]
    if wrong.numel():
        raise DataError(f'label {int(wrong[0])} is out of range: the logits are of {logits.size(1)} classes')
    if not logits.isfinite().all():
        place = int((~logits.isfinite().all(1)).nonzero()[0])
        raise DataError(f'the logits of sample {place} are not finite, so no temperature fits them')
    return labels
