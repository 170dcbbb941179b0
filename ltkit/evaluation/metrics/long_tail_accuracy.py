"""The accuracies of long-tailed recognition."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from mmengine import dist
from mmengine.logging import print_log

from ...distribution_aware import CountsLike, as_distribution
from ...registry import METRICS
from ...utils.checkpoint import whole_file
from ...utils.errors import ConfigError
from ..functional import accuracy as functional
from ..functional import prediction_bias
from .base import Records
from .grouped import GroupedMetric


@METRICS.register_module()
class LongTailAccuracy(GroupedMetric):
    """Top-k, many/medium/few-shot, mean-class, worst-class accuracy, macro-F1 and more, in percent.

    The keys: ``top1``, ``top5`` (absent unless C > 5), ``many``, ``medium``,
    ``few`` (absent when the group has no class or no test sample),
    ``mean_class``, ``macro_f1``, ``g_mean``, ``harmonic_mean``, ``worst_class``;
    of the predictions ``few_to_many`` and ``many_to_few`` (share of the samples of
    few-shot classes that are predicted to be of a many-shot class, and the
    reverse), and their distance from predicting all classes equally often,
    ``predicted_prior_l1`` in [0, 2) and ``predicted_prior_kl`` in nats, which are
    no percent. Definitions are in :mod:`ltkit.evaluation.functional.accuracy` and
    :mod:`ltkit.evaluation.functional.prediction_bias`; the groups are those of
    the training set's :class:`~ltkit.distribution.ClassDistribution`, and their
    thresholds are logged.

    After :meth:`evaluate`, ``report`` holds more (see :meth:`calculate`),
    ``per_class`` the accuracy of each class, ``(C,)``, ``predicted_prior`` the
    share of the samples predicted to be of each, ``(C,)``, and
    ``group_confusion`` the share of the samples of each group predicted to be of
    each, ``(3, 3)``.

    Args:
        topk (Sequence[int]): Each at least 1. Defaults to (1, 5).
        groups (bool): Whether to give ``many``, ``medium``, ``few``, which needs
            the class counts of the training set. Defaults to True.
        many_threshold (int, optional): Limit of the many-shot group. Defaults
            to the training set's own (100 unless it says otherwise).
        few_threshold (int, optional): Limit of the few-shot group. Defaults to
            the training set's own (20 unless it says otherwise).
        style (str, optional): ``'decoupling'`` (> many, < few) or ``'oltr'``
            (>= many, <= few). Defaults to the training set's own.
        class_counts (optional): Counts of the training set, or the path of a
            file of them. Defaults to None: ``ClassDistributionHook`` gives them.
        out_file (str, optional): A JSON file to write ``report`` to. Defaults
            to None.
        prefix (str, optional): Prefix of the keys. Defaults to 'accuracy'.

    Raises:
        ConfigError: A ``topk`` is below 1.
        DistributionError: ``groups`` without class counts, or with counts of
            another number of classes (at evaluation).
    """

    default_prefix = 'accuracy'

    def __init__(self,
                 topk: Sequence[int] = (1, 5),
                 groups: bool = True,
                 many_threshold: int | None = None,
                 few_threshold: int | None = None,
                 style: str | None = None,
                 class_counts: CountsLike | None = None,
                 out_file: str | None = None,
                 prefix: str | None = None) -> None:
        super().__init__(groups, many_threshold, few_threshold, style, class_counts, prefix)
        self.topk = (topk,) if isinstance(topk, int) else tuple(topk)
        if not self.topk or min(self.topk) < 1:
            raise ConfigError(f'LongTailAccuracy: topk must be numbers of at least 1, but is {topk}')
        self.out_file = out_file
        self.report: dict[str, Any] | None = None
        self._logged: set[str] = set()

    @property
    def per_class(self) -> np.ndarray | None:
        """Accuracy of each class in percent, NaN without a test sample; None before :meth:`evaluate`."""
        return None if self.report is None else np.array(self.report['per_class'], dtype=np.float64)

    @property
    def predicted_prior(self) -> np.ndarray | None:
        """Share of the samples predicted to be of each class, in percent; None before :meth:`evaluate`."""
        return None if self.report is None else np.array(self.report['predicted_prior'])

    @property
    def group_confusion(self) -> np.ndarray | None:
        """Share of the samples of a group (row) predicted to be of a group, ``(3, 3)``, in percent.

        Many, medium, few; a row is NaN without a test sample. None without groups
        and before :meth:`evaluate`.
        """
        found = (self.report or {}).get('group_confusion')
        return None if found is None else np.array(found, dtype=np.float64)

    def record(self, data_samples: Sequence[dict]) -> Records:
        """Label, prediction and rank of the label of each sample."""
        scores = self.stacked_scores(data_samples)
        labels = self.stacked_labels(data_samples, scores.size(1))
        return dict(label=labels.numpy(), prediction=functional.predictions(scores),
                    rank=functional.label_ranks(scores, labels),
                    num_classes=np.full(len(labels), scores.size(1)))

    def compute(self, records: Records) -> dict[str, float]:
        """Compute the metrics, fill ``report`` and write ``out_file``."""
        num_classes = int(records['num_classes'].max())
        self.report = self.calculate(records['label'], records['prediction'], records['rank'], num_classes,
                                     self.topk, self.distribution_of(num_classes))
        self.details = {key: self.report[key] for key in ('predicted_prior', 'group_confusion')
                        if key in self.report}
        self._log_once(self.report)
        if self.out_file and dist.is_main_process():
            write_json(self.out_file, self.report)
        return dict(self.report['metrics'])

    @staticmethod
    def calculate(labels: Any,
                  predicted: Any,
                  ranks: Any = None,
                  num_classes: int | None = None,
                  topk: Sequence[int] = (1, 5),
                  distribution: CountsLike | None = None) -> dict[str, Any]:
        """The report of a test set, without a runner.

        Args:
            labels (ndarray or Tensor): True classes, shape ``(N,)``.
            predicted (ndarray or Tensor): Predicted classes ``(N,)``, or scores
                ``(N, C)``.
            ranks (ndarray or Tensor, optional): Ranks of the labels ``(N,)``,
                for top-k of predicted classes. Defaults to None: only top-1.
            num_classes (int, optional): C. Defaults to that of the scores, of
                the distribution, or the largest class + 1.
            topk (Sequence[int]): As of the class. Defaults to (1, 5).
            distribution (optional): Counts of the training set, for the groups.

        Returns:
            dict: ``metrics`` (percent), ``num_samples``, ``per_class`` (percent,
            None for a class without a test sample), ``predicted_prior``
            (percent), ``test_counts``, ``missing_classes`` (without a test
            sample), and with a distribution ``train_counts``, ``thresholds``,
            ``group_sizes`` and ``group_confusion`` (percent; None for a group
            without a test sample).
        """
        labels, predicted = np.asarray(labels), np.asarray(predicted)
        if predicted.ndim == 2:
            ranks, num_classes = functional.label_ranks(predicted, labels), predicted.shape[1]
            predicted = functional.predictions(predicted)
        distribution = None if distribution is None else as_distribution(distribution)
        if num_classes is None:
            largest = int(max(labels.max(), predicted.max()))
            num_classes = largest + 1 if distribution is None else distribution.num_classes
        counts = functional.confusion_counts(labels, predicted, num_classes)
        per_class = functional.per_class_accuracy(counts)
        if ranks is None:
            ranks, topk = labels != predicted, (1,)
        shares = {f'top{k}': functional.top_k_accuracy(ranks, k) for k in topk if k == 1 or k < num_classes}
        report: dict[str, Any] = dict(num_samples=len(labels))
        confusion: dict[str, float] = {}
        if distribution is not None:
            between = prediction_bias.group_confusion(labels, predicted, distribution.groups, num_classes)
            confusion = dict(few_to_many=between[2, 0], many_to_few=between[0, 2])
            shares |= functional.group_accuracy(per_class, distribution.groups)
            report |= dict(
                train_counts=distribution.counts.tolist(),
                thresholds=distribution.thresholds,
                group_sizes={name: len(members) for name, members in distribution.groups.items()},
                group_confusion=[_percent(row) for row in between])
        shares |= dict(
            mean_class=functional.mean_class_accuracy(per_class),
            macro_f1=functional.macro_f1(counts),
            g_mean=functional.g_mean(per_class),
            harmonic_mean=functional.harmonic_mean(per_class),
            worst_class=functional.worst_class_accuracy(per_class))
        shares |= {key: float(value) for key, value in confusion.items() if np.isfinite(value)}
        prior = prediction_bias.predicted_prior(counts)
        report |= dict(
            metrics={key: 100 * value for key, value in shares.items()} | dict(
                predicted_prior_l1=prediction_bias.l1_from_uniform(prior),
                predicted_prior_kl=prediction_bias.kl_from_uniform(prior)),
            per_class=_percent(per_class),
            predicted_prior=_percent(prior),
            test_counts=counts.support.tolist(),
            missing_classes=np.flatnonzero(counts.support == 0).tolist())
        return report

    def _log_once(self, report: dict[str, Any]) -> None:
        lines = []
        if 'thresholds' in report:
            sizes = '/'.join(str(size) for size in report['group_sizes'].values())
            lines.append(f"many/medium/few: {sizes} classes ({report['thresholds']})")
        if report['missing_classes']:
            missing = report['missing_classes']
            named = ', '.join(map(str, missing[:10])) + (' ...' if len(missing) > 10 else '')
            lines.append(f'no test sample of {len(missing)} of {len(report["per_class"])} classes, which '
                         f'the means leave out: {named}')
        for line in lines:
            if line not in self._logged:
                self._logged.add(line)
                print_log(f'LongTailAccuracy: {line}', 'current')


def _percent(shares: np.ndarray) -> list[float | None]:
    return [None if np.isnan(share) else 100 * float(share) for share in shares]


def write_json(path: str | os.PathLike, data: Any) -> None:
    """Write JSON so that the file is there whole or not at all."""
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    with whole_file(path) as part, open(part, 'w', encoding='utf-8') as file:
        json.dump(data, file, indent=1)
        file.write('\n')
