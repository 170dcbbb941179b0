"""The base of metrics that tell many-, medium- and few-shot classes apart."""

from __future__ import annotations

from ...distribution import ClassDistribution
from ...distribution_aware import CountsLike
from ...utils.errors import DistributionError
from .base import LongTailMetric


class GroupedMetric(LongTailMetric):
    """A metric over the groups of the training set's :class:`~ltkit.distribution.ClassDistribution`.

    Args:
        groups (bool): Whether to tell the groups apart, which needs the class
            counts of the training set. Defaults to True.
        many_threshold (int, optional): Limit of the many-shot group. Defaults
            to the training set's own (100 unless it says otherwise).
        few_threshold (int, optional): Limit of the few-shot group. Defaults to
            the training set's own (20 unless it says otherwise).
        style (str, optional): ``'decoupling'`` (> many, < few) or ``'oltr'``
            (>= many, <= few). Defaults to the training set's own.
        class_counts (optional): See :class:`LongTailMetric`.
        prefix (str, optional): Prefix of the keys. Defaults to the class's own.
    """

    def __init__(self,
                 groups: bool = True,
                 many_threshold: int | None = None,
                 few_threshold: int | None = None,
                 style: str | None = None,
                 class_counts: CountsLike | None = None,
                 prefix: str | None = None) -> None:
        super().__init__(class_counts=class_counts, prefix=prefix)
        self.groups = groups
        self.thresholds = dict(many_threshold=many_threshold, few_threshold=few_threshold, style=style)

    @property
    def class_distribution(self) -> ClassDistribution:
        """The distribution of the training set, under the thresholds of this metric."""
        own = super().class_distribution
        changed = {key: value for key, value in self.thresholds.items() if value is not None}
        return ClassDistribution(**{**own.to_dict(), **changed}) if changed else own

    def distribution_of(self, num_classes: int) -> ClassDistribution | None:
        """The distribution where groups are wanted, else None.

        Raises:
            DistributionError: The counts are not known, or of another number of
                classes than the scores.
        """
        return checked_distribution(self, num_classes) if self.groups else None


def checked_distribution(metric: LongTailMetric, num_classes: int) -> ClassDistribution:
    """The distribution that a metric has, which must be of as many classes as the scores."""
    distribution = metric.class_distribution
    if distribution.num_classes != num_classes:
        raise DistributionError(
            f'{type(metric).__name__} has counts of {distribution.num_classes} classes, but the model scores '
            f'{num_classes}; num_classes of the head and the data set differ')
    return distribution
