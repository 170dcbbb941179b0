from __future__ import annotations

import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from ltkit.datasets.restricted_pickle import load_pickled_arrays
from ltkit.utils.errors import DataError


class Foreign:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize('protocol', [2, 4])
def test_arrays_are_read(tmp_path: Path, protocol: int) -> None:
    data = {b'data': np.arange(6, dtype=np.uint8).reshape(2, 3), 'labels': [1, 2], 'names': [b'x']}
    path = tmp_path / 'batch'
    path.write_bytes(pickle.dumps(data, protocol))
    read = load_pickled_arrays(path)
    assert np.array_equal(read['data'], data[b'data']) and read['labels'] == [1, 2]


def test_foreign_code_is_refused_and_not_run(tmp_path: Path) -> None:
    path, made = tmp_path / 'evil', tmp_path / 'made'
    path.write_bytes(pickle.dumps({'data': Foreign(made)}))
    with pytest.raises(DataError, match=r'evil is refused or damaged: it holds (posix|nt)\.mkdir') as caught:
        load_pickled_arrays(path)
    assert not made.exists() and '\n' not in str(caught.value)


@pytest.mark.parametrize(
    'content, message',
    [
        (b'', 'damaged'),
        (b'not a pickle', 'damaged'),
        (pickle.dumps([1]), 'holds a list'),
        (pickle.dumps({'a': np.zeros(100)})[:-30], 'damaged'),
    ],
)
def test_damaged(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / 'file'
    path.write_bytes(content)
    with pytest.raises(DataError, match=message):
        load_pickled_arrays(path)
    with pytest.raises(DataError, match='cannot read'):
        load_pickled_arrays(tmp_path / 'absent')
