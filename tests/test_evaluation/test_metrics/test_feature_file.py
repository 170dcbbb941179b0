"""Tests of ltkit.evaluation.metrics.feature_file."""

from __future__ import annotations

import errno
import os

import numpy as np
import pytest

from ltkit.evaluation.metrics import feature_file
from ltkit.evaluation.metrics.feature_file import FeatureFile
from ltkit.utils.errors import DiskFullError


@pytest.mark.parametrize('dtype', [np.float32, np.float64])
def test_rows_come_back_as_often_as_wanted(tmp_path, monkeypatch, dtype):
    rows = np.random.default_rng(0).normal(size=(50, 6)).astype(dtype)
    file = FeatureFile(tmp_path)
    assert list(file.chunks()) == []
    file.append(rows[:20])
    monkeypatch.setattr(feature_file, 'CHUNK_BYTES', 7 * rows[0].nbytes)
    assert np.array_equal(np.concatenate(list(file.chunks())), rows[:20])
    file.append(rows[20:].T.copy().T)  # of another order in memory
    chunks = list(file.chunks())
    assert [len(chunk) for chunk in chunks] == [7] * 7 + [1] and chunks[0].dtype == dtype
    assert np.array_equal(np.concatenate(chunks), rows)
    assert (file.num_rows, file.num_channels) == (50, 6)
    file.close()


def test_it_has_no_name_in_the_folder(tmp_path):
    file = FeatureFile(tmp_path)
    file.append(np.ones((3, 2), np.float32))
    assert os.listdir(tmp_path) == []
    file.close()


def test_rows_of_another_length(tmp_path):
    file = FeatureFile(tmp_path)
    file.append(np.ones((3, 2), np.float32))
    with pytest.raises(ValueError, match=r'\(n, 2\), but are \(3, 4\)'):
        file.append(np.ones((3, 4), np.float32))
    file.close()


def test_a_full_disk(tmp_path):
    class Full:
        def write(self, content):
            raise OSError(errno.ENOSPC, 'No space left on device')

    file = FeatureFile(tmp_path)
    file.close()
    file._file = Full()
    with pytest.raises(DiskFullError, match=r'the disk is full: no space for .*features'):
        file.append(np.ones((3, 2), np.float32))
