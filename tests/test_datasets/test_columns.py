from __future__ import annotations

import numpy as np
import pytest

from ltkit.datasets.columns import Columns, TextColumn


@pytest.mark.parametrize('strings', [['a.jpg', 'ü/b c.jpg', ''], ['x'], []])
def test_text_column(strings: list[str]) -> None:
    column = TextColumn.from_strings(strings)
    assert [column[idx] for idx in range(len(column))] == strings
    order = np.arange(len(strings))[::-1]
    taken = column.take(order)
    assert [taken[idx] for idx in range(len(taken))] == strings[::-1]


def test_take_and_where() -> None:
    columns = Columns(
        np.array([0, 1, 2]),
        paths=TextColumn.from_strings(['a', 'b', 'c']),
        rows=np.array([5, 6, 8]),
        source='list.txt',
    )
    part = columns.take([2, 0])
    assert len(part) == 2 and part.labels.tolist() == [2, 0] and part.paths[0] == 'c'
    assert part.where(0) == 'list.txt:8'
    assert len(columns.take(slice(-1, None))) == 1
    images = Columns(
        np.array([0]), images=np.zeros((1, 2, 2, 3), np.uint8), rows=np.array([4]), source='train'
    )
    assert images.where(0) == 'train row 4'
    assert Columns(np.array([0])).where(0) == 'sample 0'
