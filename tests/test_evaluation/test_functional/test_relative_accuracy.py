"""UA and RA against the survey's own table."""

from __future__ import annotations

import pytest

from ltkit.evaluation.functional import relative_accuracy, upper_reference_accuracy

# accuracy, UA, RA of table 4 of arXiv 2110.04596: 90 epochs, then 200
TABLE = [(45.5, 57.3, 79.4), (47.9, 57.3, 83.6), (51.1, 57.3, 89.2), (51.5, 57.8, 89.1), (53.1, 59.6, 89.1),
         (55.5, 60.2, 92.2), (57.3, 61.9, 92.6), (46.8, 57.8, 81.0), (51.2, 57.8, 88.6), (58.8, 63.2, 93.0),
         (44.7, 57.8, 77.3), (53.2, 58.1, 91.6)]


@pytest.mark.parametrize(('accuracy', 'upper', 'relative'), TABLE)
def test_table_of_the_survey(accuracy, upper, relative):
    assert round(relative_accuracy(accuracy, upper), 1) == relative


def test_the_upper_reference_is_the_better_of_both():
    assert upper_reference_accuracy(57.3, 60.2) == upper_reference_accuracy(60.2, 57.3) == 60.2


def test_wrong_numbers_are_named():
    with pytest.raises(ValueError, match=r'method_accuracy must be in percent, above 0 .* but is 0'):
        upper_reference_accuracy(57.3, 0)
    with pytest.raises(ValueError, match='upper_reference'):
        relative_accuracy(50, 101)
    with pytest.raises(ValueError, match='accuracy must be in percent, 0 to 100, but is nan'):
        relative_accuracy(float('nan'), 50)
