"""All metrics that tell groups apart take the same thresholds."""

from __future__ import annotations

import pytest

from ltkit.distribution import ClassDistribution
from ltkit.evaluation import Calibration, GroupedMetric, LongTailAccuracy
from ltkit.utils.errors import DistributionError

COUNTS = [200, 60, 19, 5]


@pytest.mark.parametrize('kind', [Calibration, LongTailAccuracy])
def test_thresholds(kind):
    assert issubclass(kind, GroupedMetric)
    own = ClassDistribution(COUNTS, many_threshold=50, few_threshold=10)
    metric = kind()
    metric.set_class_distribution(own)
    assert metric.distribution_of(4) == own
    metric = kind(few_threshold=19, style='oltr')
    metric.set_class_distribution(own)
    assert metric.distribution_of(4).thresholds == 'many >= 50, few <= 19 training samples'


def test_no_counts_are_needed_without_groups():
    assert Calibration(groups=False).distribution_of(4) is None
    with pytest.raises(DistributionError, match='Calibration needs the class counts'):
        Calibration().distribution_of(4)
    with pytest.raises(DistributionError, match='counts of 4 classes, but the model scores 5'):
        Calibration(class_counts=COUNTS).distribution_of(5)
