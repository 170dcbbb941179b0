"""Records grow without losing a row."""

from __future__ import annotations

import numpy as np
import pytest

from ltkit.evaluation.metrics import growing_records
from ltkit.evaluation.metrics.growing_records import GrowingRecords


@pytest.mark.parametrize('sizes', [[1, 1, 1], [3, 0, 40, 2], [100]])
def test_rows_are_those_that_were_given(monkeypatch, sizes):
    monkeypatch.setattr(growing_records, 'FIRST_ROWS', 2)
    records, given = GrowingRecords(), []
    for number, size in enumerate(sizes):
        given.append(dict(label=np.arange(size) + 10 * number, pair=np.full((size, 2), number / 2)))
        records.append(given[-1])
    for name, values in records.arrays().items():
        want = np.concatenate([batch[name] for batch in given])
        assert np.array_equal(values, want) and values.dtype == want.dtype
    assert len(records) == sum(sizes)


def test_wider_types_are_kept():
    records = GrowingRecords()
    for values in (np.array([1], np.int16), np.array([0.5], np.float64), np.array([2], np.int64)):
        records.append(dict(value=values, name=np.array(['x' * int(values[0] + 1)])))
    assert records.arrays()['value'].tolist() == [1, 0.5, 2]
    assert records.arrays()['name'].tolist() == ['xx', 'x', 'xxx']


def test_a_later_change_of_the_batch_does_not_matter():
    records, batch = GrowingRecords(), np.zeros(3)
    records.append(dict(value=batch))
    batch += 1
    assert records.arrays()['value'].tolist() == [0, 0, 0] and GrowingRecords().arrays() == {}
