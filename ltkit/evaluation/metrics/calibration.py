"""Calibration of the scores, overall and by group."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from mmengine import dist
from mmengine.logging import print_log
from torch import Tensor

from ...distribution_aware import CountsLike
from ...registry import METRICS
from ...utils.errors import ConfigError
from ..functional import calibration as functional
from ..functional.calibration import NUM_BINS, ReliabilityBins
from ..functional.classwise_calibration import ClasswiseSums
from .base import Records
from .grouped import GroupedMetric

ALL = 'all'
COLUMNS = ('confidence', 'correct', 'label_probability', 'brier')


@METRICS.register_module()
class Calibration(GroupedMetric):
    """ECE, MCE, adaptive and classwise ECE in percent, NLL in nats, Brier's score in [0, 2].

    The keys: ``ece``, ``mce``, ``adaptive_ece``, ``nll``, ``brier``, each also
    over the test samples of many-, medium- and few-shot classes (``ece_many``
    ..., absent when there is no such sample), and ``classwise_ece``. Definitions
    and sources are in :mod:`ltkit.evaluation.functional.calibration` and
    :mod:`ltkit.evaluation.functional.classwise_calibration`.

    After :meth:`evaluate`, ``bins`` has the bins of the reliability diagrams by
    ``'all'``, ``'many'``, ``'medium'``, ``'few'``, for
    :func:`ltkit.visualization.plot_reliability`; ``results.json`` has them too.

    Of a sample five numbers are kept, of a class ``3 * num_bins``, and the scores
    of the last batch, to take out what a distributed sampler repeated at its end.
    If a sample that was repeated earlier cannot be taken out, ``classwise_ece`` is
    absent and the log says so.

    Args:
        num_bins (int): Bins M, at least 1. Defaults to 15.
        groups (bool): See :class:`GroupedMetric`, as for the next four.
        many_threshold (int, optional): Likewise.
        few_threshold (int, optional): Likewise.
        style (str, optional): Likewise.
        class_counts (optional): Likewise.
        prefix (str, optional): Prefix of the keys. Defaults to 'calibration'.

    Raises:
        ConfigError: ``num_bins`` is below 1.
        DataError: The scores of a sample are no probabilities.
    """

    default_prefix = 'calibration'

    def __init__(self,
                 num_bins: int = NUM_BINS,
                 groups: bool = True,
                 many_threshold: int | None = None,
                 few_threshold: int | None = None,
                 style: str | None = None,
                 class_counts: CountsLike | None = None,
                 prefix: str | None = None) -> None:
        super().__init__(groups, many_threshold, few_threshold, style, class_counts, prefix)
        if num_bins < 1:
            raise ConfigError(f'Calibration: num_bins must be at least 1, but is {num_bins}')
        self.num_bins = num_bins
        self.bins: dict[str, ReliabilityBins] = {}
        self._sums: ClasswiseSums | None = None
        self._last: tuple[Tensor, Tensor] | None = None

    def record(self, data_samples: Sequence[dict]) -> Records:
        """Label, confidence, hit, probability of the label and Brier's score of each sample."""
        scores = self.stacked_probabilities(data_samples)
        labels = self.stacked_labels(data_samples, scores.size(1))
        if not self.results or self._sums is None:
            self._sums = ClasswiseSums(scores.size(1), self.num_bins)
        self._sums.update(scores, labels)
        self._last = scores, labels
        confidence, correct = functional.top_label(scores, labels)
        own = scores[range(len(labels)), labels.to(scores.device)].cpu().double().numpy()
        return dict(label=labels.numpy(), confidence=np.minimum(confidence, 1), correct=correct,
                    label_probability=np.minimum(own, 1), brier=functional.brier_scores(scores, labels),
                    num_classes=np.full(len(labels), scores.size(1)))

    def gather_sums(self, counted: np.ndarray) -> None:
        """Take repeated samples out of the sums of this process, and add up those of all."""
        removable = True
        if self._sums is not None and self._last is not None:
            scores, labels = self._last
            before = len(counted) - len(labels)
            repeated = ~counted[before:]
            self._sums.remove(scores[repeated], labels[repeated])
            removable = bool(counted[:before].all())
        parts = dist.all_gather_object((self._sums, removable))
        given = [part for part, _ in parts if part is not None]
        self._sums, self._last = None, None
        if all(fine for _, fine in parts):
            self._sums = sum(given[1:], given[0])
        else:
            print_log('Calibration: samples were repeated before the last batch, so there is no '
                      'classwise_ece', 'current', level=30)

    def compute(self, records: Records) -> dict[str, float]:
        """Compute the metrics and fill ``bins``."""
        num_classes = int(records['num_classes'].max())
        distribution = self.distribution_of(num_classes)
        everything = np.ones(len(records['label']), dtype=bool)
        rows = {ALL: everything}
        if distribution is not None:
            rows |= {name: np.isin(records['label'], classes)
                     for name, classes in distribution.groups.items()}
        metrics: dict[str, float] = {}
        self.bins = {}
        for name, chosen in rows.items():
            if chosen.any():
                columns = [records[key][chosen] for key in COLUMNS]
                values, self.bins[name] = self.calculate(*columns, num_bins=self.num_bins)
                end = '' if name == ALL else f'_{name}'
                metrics |= {f'{key}{end}': value for key, value in values.items()}
        if self._sums is not None:
            metrics['classwise_ece'] = 100 * self._sums.error()
            self._sums = None
        self.details = dict(bins={name: bins.to_dict() for name, bins in self.bins.items()})
        return metrics

    @staticmethod
    def calculate(confidence: np.ndarray, correct: np.ndarray, label_probability: np.ndarray,
                  brier: np.ndarray, num_bins: int = NUM_BINS) -> tuple[dict[str, float], ReliabilityBins]:
        """The metrics of some samples, and their bins.

        Args:
            confidence (ndarray): Of the predicted class, in [0, 1], ``(N,)``.
            correct (ndarray): Whether the prediction is right, bool, ``(N,)``.
            label_probability (ndarray): Of the true class, ``(N,)``.
            brier (ndarray): Of each sample, ``(N,)``.
            num_bins (int): Defaults to 15.
        """
        bins = functional.reliability_bins(confidence, correct, num_bins)
        adaptive = functional.adaptive_bins(confidence, correct, num_bins)
        return dict(ece=100 * functional.expected_calibration_error(bins),
                    mce=100 * functional.maximum_calibration_error(bins),
                    adaptive_ece=100 * functional.expected_calibration_error(adaptive),
                    nll=functional.negative_log_likelihood(label_probability),
                    brier=float(np.mean(brier))), bins
