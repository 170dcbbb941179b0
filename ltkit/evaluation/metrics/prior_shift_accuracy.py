"""Accuracy under other class priors of the test set, from one pass."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...distribution_aware import CountsLike
from ...registry import METRICS
from ...utils.errors import ConfigError
from ..functional import accuracy, prediction_bias
from .base import LongTailMetric, Records
from .grouped import checked_distribution


@METRICS.register_module()
class PriorShiftAccuracy(LongTailMetric):
    r"""Top-1 accuracy under uniform, train-like and reversed test priors, in percent.

    .. math:: A(\pi) = \sum_c \pi_c a_c

    of the accuracies :math:`a_c` of one test set, which need not be drawn again.
    The keys: ``uniform`` (the mean over the classes), ``forward``
    (:math:`\pi` of the training set) and ``backward`` (its ranks reversed); with
    ``imbalance_factors=(50,)`` also ``forward_50`` and ``backward_50``, the
    exponential test sets of LADE (arXiv 2012.00321) and SADE (arXiv 2107.09249).
    The model is taken as it is; its logits are not adjusted to the prior. Classes
    without a test sample are left out. Definitions are in
    :mod:`ltkit.evaluation.functional.prediction_bias`.

    Args:
        imbalance_factors (Sequence[float]): Largest over smallest share of the
            exponential test priors, each at least 1. Defaults to ().
        class_counts (optional): Counts of the training set, or the path of a
            file of them. Defaults to None: ``ClassDistributionHook`` gives them.
        prefix (str, optional): Prefix of the keys. Defaults to 'test_prior'.

    Raises:
        ConfigError: An imbalance factor is below 1.
        DistributionError: There are no class counts, or those of another number
            of classes (at evaluation).
    """

    default_prefix = 'test_prior'

    def __init__(self,
                 imbalance_factors: Sequence[float] = (),
                 class_counts: CountsLike | None = None,
                 prefix: str | None = None) -> None:
        super().__init__(class_counts=class_counts, prefix=prefix)
        self.imbalance_factors = tuple(imbalance_factors)
        wrong = [factor for factor in self.imbalance_factors if not 1 <= factor < np.inf]
        if wrong:
            raise ConfigError('PriorShiftAccuracy: imbalance_factors must be at least 1, but one is '
                              f'{wrong[0]:g}')

    def record(self, data_samples: Sequence[dict]) -> Records:
        """Label and prediction of each sample."""
        scores = self.stacked_scores(data_samples)
        labels = self.stacked_labels(data_samples, scores.size(1))
        return dict(label=labels.numpy(), prediction=accuracy.predictions(scores),
                    num_classes=np.full(len(labels), scores.size(1)))

    def compute(self, records: Records) -> dict[str, float]:
        """The accuracy under each prior."""
        num_classes = int(records['num_classes'].max())
        counts = checked_distribution(self, num_classes).counts
        per_class = accuracy.per_class_accuracy(
            accuracy.confusion_counts(records['label'], records['prediction'], num_classes))
        shares = {name: prediction_bias.accuracy_under_prior(per_class, prior)
                  for name, prior in self.priors(counts).items()}
        return {name: 100 * share for name, share in shares.items() if np.isfinite(share)}

    def priors(self, counts: np.ndarray) -> dict[str, np.ndarray]:
        """The test priors by key, each float64 of shape ``(C,)``, for training counts ``(C,)``."""
        priors = dict(uniform=np.full(len(counts), 1 / len(counts)), forward=counts / counts.sum(),
                      backward=prediction_bias.reversed_prior(counts))
        for factor in self.imbalance_factors:
            priors[f'forward_{factor:g}'] = prediction_bias.long_tailed_prior(counts, factor)
            priors[f'backward_{factor:g}'] = prediction_bias.long_tailed_prior(counts, factor, backward=True)
        return priors
