"""Files are written whole; a full disk is told in one line."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
import torch

from ltkit.utils.errors import DiskFullError
from ltkit.utils.files import full_disk_error, is_full, tensor_bytes, whole_file


def test_error_leaves_the_old_file_and_no_other(tmp_path):
    path = tmp_path / 'a.txt'
    path.write_text('old')
    with pytest.raises(ValueError), whole_file(path) as part:
        Path(part).write_text('half')
        raise ValueError
    assert path.read_text() == 'old' and list(tmp_path.iterdir()) == [path]


def test_bytes_then_name_then_folder_reach_the_disk(tmp_path, monkeypatch):
    """The order that survives a loss of power."""
    events = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, 'fsync', lambda handle: events.append(os.readlink(f'/proc/self/fd/{handle}')) or
                        fsync(handle))
    monkeypatch.setattr(os, 'replace', lambda a, b: events.append('rename') or replace(a, b))
    with whole_file(tmp_path / 'a.txt') as part:
        Path(part).write_text('new')
    assert events == [part, 'rename', str(tmp_path)]


@pytest.mark.parametrize('number, word', [(errno.ENOSPC, 'the disk is full'), (errno.EDQUOT, 'quota'),
                                          (errno.EFBIG, 'ulimit -f')])
def test_full_disk_names_file_need_and_room(tmp_path, number, word):
    path = tmp_path / 'a.pth'
    path.write_text('old')
    with pytest.raises(DiskFullError) as caught, whole_file(path, needed=12_345_678) as part:
        Path(part).write_text('half')
        raise OSError(number, 'x')
    message = str(caught.value)
    assert word in message and str(path) in message and 'needs 12.3 MB' in message and '\n' not in message
    assert ('MB are free' in message) == (number != errno.EFBIG)
    assert path.read_text() == 'old' and list(tmp_path.iterdir()) == [path]


def test_other_errors_pass(tmp_path):
    with pytest.raises(PermissionError), whole_file(tmp_path / 'a'):
        raise PermissionError(errno.EACCES, 'x')
    assert not is_full(PermissionError(errno.EACCES, 'x'))


def test_a_full_disk_without_a_name():
    assert str(full_disk_error(OSError(errno.ENOSPC, 'x'))) == \
        'the disk is full: no space for a file; nothing of it was written'


def test_tensor_bytes():
    assert tensor_bytes(dict(a=torch.zeros(3), b=[torch.zeros(2, dtype=torch.float64), 4], c='x')) == 28
