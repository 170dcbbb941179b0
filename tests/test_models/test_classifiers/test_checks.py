"""Tests of ltkit.models.classifiers.checks."""

from __future__ import annotations

import pytest

from ltkit.models.classifiers import CosineClassifier, LinearClassifier
from ltkit.utils.errors import ConfigError


@pytest.mark.parametrize('kind', [LinearClassifier, CosineClassifier])
@pytest.mark.parametrize(('sizes', 'message'), [
    ((0, 4), 'num_classes of a classifier must be a whole number above 0, but is 0'),
    ((3, 4.0), 'in_channels of a classifier must be a whole number above 0, but is 4.0'),
    (('3', 4), "num_classes of a classifier must be a whole number above 0, but is '3'"),
])
def test_sizes(kind, sizes, message):
    with pytest.raises(ConfigError, match=message):
        kind(*sizes)
