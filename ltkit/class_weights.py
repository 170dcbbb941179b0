r"""Class weights from class counts: one table for losses, margins, temperatures and samplers.

Each function takes counts :math:`n_c` of shape ``(C,)`` as a list, an array or a
tensor, an empty class counted as one sample, and gives float64 weights of the
same kind (an array for a list). A weight is fixed up to a factor, and papers
differ in it, so that ``normalise`` is an argument:

=============== ========================================================================
``'classes'``   :math:`\sum_c w_c = C`, of Cui et al. (arXiv 1901.05555)
``'samples'``   :math:`\sum_c n_c w_c = \sum_c n_c`: 1 on average over the training set
``'max'``       :math:`\max_c w_c = 1`
``'sum'``       :math:`\sum_c w_c = 1`, probabilities
``None``        as the equation of the rule gives them
=============== ========================================================================

Of classes of equal size each weight is exactly 1 by the first three, to the last
bit, so that a loss with these weights is the plain one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .utils.errors import DistributionError, did_you_mean

NORMALISATIONS = ('classes', 'samples', 'max', 'sum', None)
PAPER = 'paper'


def effective_number_weights(counts: Any, beta: float = 0.9999, normalise: str | None = 'classes') -> Any:
    r"""Class weights by the effective number of samples.

    .. math:: w_c \propto \frac{1 - \beta}{1 - \beta^{n_c}}

    :math:`\beta = 0` gives uniform weights, :math:`\beta \to 1` inverse frequency.
    Source: Cui et al., CVPR 2019, arXiv 1901.05555, equation (2).

    Args:
        counts (Sequence, ndarray or Tensor): :math:`n_c`, shape ``(C,)``.
        beta (float): In [0, 1). Defaults to 0.9999.
        normalise (str, optional): See :mod:`ltkit.class_weights`. Defaults to
            ``'classes'``, as the paper does.

    Returns:
        ndarray or Tensor: Weights, float64, shape ``(C,)``.

    Raises:
        DistributionError: ``beta`` is out of range, or ``normalise`` unknown.
    """
    if not 0 <= beta < 1:
        raise DistributionError(f'beta must be in [0, 1), but is {beta}; near 1 is inverse frequency')
    counts = _floored(counts)
    smallest = counts.min()
    # 1 - beta^n_c without a difference of near numbers, and one number for classes of one size.
    complement = (1 - beta**smallest) + beta**smallest * (1 - beta**(counts - smallest))
    return _normalised((1 - beta) / complement, counts, normalise)


def inverse_frequency_weights(counts: Any, power: float = 1.0, normalise: str | None = 'classes') -> Any:
    r"""Class weights by a power of the class size.

    .. math:: w_c \propto n_c^{-p}

    :math:`p = 1/2` is the square-root inverse frequency, :math:`p = \rho` the
    generalised re-weighting of DisAlign (arXiv 2103.16370); a negative p favours
    large classes.

    Args:
        counts (Sequence, ndarray or Tensor): :math:`n_c`, shape ``(C,)``.
        power (float): p. Defaults to 1.0.
        normalise (str, optional): See :mod:`ltkit.class_weights`. Defaults to
            ``'classes'``.

    Returns:
        ndarray or Tensor: Weights, float64, shape ``(C,)``.

    Raises:
        DistributionError: ``normalise`` is unknown.
    """
    counts = _floored(counts)
    largest = counts.max()
    # A vector's powers of one number may differ in the last bit (SIMD and its rest), but those of 1 are 1.
    return _normalised(largest**-power * (largest / counts)**power, counts, normalise)


def log_ratio_weights(counts: Any, normalise: str | None = None) -> Any:
    r"""Class weights :math:`w_c = 1 - \ln(n_c / n_{max})`, 1 for the largest class.

    The weights of OLTR's ``WeightedSoftmax`` that the survey (arXiv 2110.04596)
    compares; they are not normalised there.

    Args:
        counts (Sequence, ndarray or Tensor): :math:`n_c`, shape ``(C,)``.
        normalise (str, optional): See :mod:`ltkit.class_weights`. Defaults to None.

    Returns:
        ndarray or Tensor: Weights, float64, shape ``(C,)``.

    Raises:
        DistributionError: ``normalise`` is unknown.
    """
    counts = _floored(counts)
    ratio = counts / counts.max()
    log_ratio = np.log(ratio) if isinstance(ratio, np.ndarray) else ratio.log()
    return _normalised(1 - log_ratio, counts, normalise)


RULES: dict[str, Callable[..., Any]] = dict(
    log_ratio=lambda counts, beta, **kwargs: log_ratio_weights(counts, **kwargs),
    inverse=lambda counts, beta, **kwargs: inverse_frequency_weights(counts, **kwargs),
    sqrt_inverse=lambda counts, beta, **kwargs: inverse_frequency_weights(counts, 0.5, **kwargs),
    effective_number=effective_number_weights)
"""Name of a rule to a function of counts, ``beta`` and perhaps ``normalise``."""


def class_weights(counts: Any, by: str = 'effective_number', beta: float = 0.9999,
                  normalise: str | None = PAPER) -> Any:
    r"""Class weights by the name of their rule.

    ==================== =================================================
    ``log_ratio``        :math:`1 - \ln(n_c / n_{max})`
    ``inverse``          :math:`\propto 1 / n_c`
    ``sqrt_inverse``     :math:`\propto 1 / \sqrt{n_c}`
    ``effective_number`` :math:`\propto (1 - \beta) / (1 - \beta^{n_c})`
    ==================== =================================================

    Args:
        counts (Sequence, ndarray or Tensor): :math:`n_c`, shape ``(C,)``.
        by (str): The rule. Defaults to ``'effective_number'``.
        beta (float): Of the effective number, in [0, 1). Defaults to 0.9999.
        normalise (str, optional): See :mod:`ltkit.class_weights`. Defaults to
            ``'paper'``: what the source of the rule does, which is None for
            ``log_ratio`` and ``'classes'`` for the others.

    Returns:
        ndarray or Tensor: Weights, float64, shape ``(C,)``.

    Raises:
        DistributionError: An argument is unknown or out of range.
    """
    if by not in RULES:
        raise DistributionError(f"class weights are by one of {', '.join(RULES)}, but by is {by!r}"
                                f'{did_you_mean(str(by), RULES)}')
    return RULES[by](counts, beta, **({} if normalise == PAPER else dict(normalise=normalise)))


def _floored(counts: Any) -> Any:
    if isinstance(counts, (list, tuple)):
        counts = np.asarray(counts)
    if isinstance(counts, np.ndarray):
        return np.maximum(counts, 1).astype(np.float64)
    return counts.clamp(min=1).double()


def _normalised(weights: Any, counts: Any, normalise: str | None) -> Any:
    if normalise is None:
        return weights
    weights = weights / weights.max()  # first of all: then equal classes have exactly 1
    if normalise == 'max':
        return weights
    if normalise == 'classes':
        return weights * (len(weights) / weights.sum())
    if normalise == 'samples':
        return weights * (counts.sum() / (counts * weights).sum())
    if normalise == 'sum':
        return weights / weights.sum()
    raise DistributionError(f"normalise must be one of {', '.join(map(repr, NORMALISATIONS))}, but is {normalise!r}")
