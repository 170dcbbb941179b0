"""The folder of a run."""

from __future__ import annotations

import os
import subprocess
import sys

import torch

from ltkit.apis.benchmark.workplace import RunFolder, read_json, write_json


def test_results_count_when_they_are_whole(tmp_path):
    folder = RunFolder(tmp_path / 'run')
    assert not folder.finished and folder.state() == {} and not folder.has_checkpoint
    folder.path.mkdir()
    for text in ('{"metr', '[]', '{"metrics": {}}'):
        (folder.path / 'results.json').write_text(text)
        assert not folder.finished
    write_json(folder.path / 'results.json', dict(metrics={'accuracy/top1': 3.0}))
    assert folder.finished and folder.results()['metrics'] == {'accuracy/top1': 3.0}
    assert sorted(path.name for path in folder.path.iterdir()) == ['results.json']


def test_a_damaged_checkpoint_is_none(tmp_path):
    folder = RunFolder(tmp_path)
    (tmp_path / 'epoch_1.pth').write_bytes(b'half')
    assert not folder.has_checkpoint
    torch.save({'state_dict': {}, 'meta': {}}, tmp_path / 'epoch_2.pth')
    assert folder.has_checkpoint


def test_the_lock_is_that_of_whoever_holds_the_file(tmp_path):
    folder = RunFolder(tmp_path / 'run')
    descriptor = folder.lock()
    assert RunFolder(folder.path).lock() is None
    child = subprocess.Popen([sys.executable, '-c', 'input()'], stdin=subprocess.PIPE, pass_fds=(descriptor, ))
    folder.begin(descriptor, child.pid)
    os.close(descriptor)
    assert folder.lock() is None, 'the child has it still'
    assert folder.busy and not RunFolder(tmp_path).busy
    assert folder.owner() == child.pid and folder.state()['attempts'] == 1
    child.kill()
    child.communicate()
    descriptor = folder.lock()
    assert descriptor is not None
    os.close(descriptor)
    assert not folder.busy


def test_last_line(tmp_path):
    folder = RunFolder(tmp_path)
    assert folder.last_line() == 'it left no log'
    folder.log.write_text('\n\n')
    assert folder.last_line() == 'its log is empty'
    folder.log.write_text('x' * 100000 + '\nValueError:  wrong\n\n')
    assert folder.last_line() == 'ValueError: wrong'


def test_read_json(tmp_path):
    assert read_json(tmp_path / 'none.json') is None
