"""One-line errors."""

from __future__ import annotations

import errno
import os
import socket
import subprocess
import sys

import pytest
from torch.utils.data import DataLoader, Dataset

from ltkit.utils import ConfigError, DataError, Interrupted, RegistryError
from ltkit.utils.friendly import friendly_main, one_line


def run(error: BaseException | None, capsys):
    @friendly_main
    def main(value):
        if error is not None:
            raise error
        return value

    if error is None:
        return main(3)
    with pytest.raises(SystemExit) as caught:
        main(3)
    return caught.value.code, capsys.readouterr().err


def test_result_is_passed_on(capsys):
    assert run(None, capsys) == 3


@pytest.mark.parametrize('error', [ConfigError('a.py:3: wrong'), RegistryError('a.py:3: wrong')])
def test_one_line_and_status(error, capsys, monkeypatch):
    monkeypatch.delenv('LTKIT_DEBUG', raising=False)
    assert run(error, capsys) == (2, 'error: a.py:3: wrong\n')


def test_missing_file_and_interrupt(capsys):
    code, text = run(FileNotFoundError(2, 'No such file or directory', 'x.jpg'), capsys)
    assert code == 2 and text.count('\n') == 1 and 'x.jpg' in text
    assert run(KeyboardInterrupt(), capsys)[0] == 130


def test_debug_prints_the_traceback(capsys, monkeypatch):
    monkeypatch.setenv('LTKIT_DEBUG', '1')
    code, text = run(ConfigError('wrong'), capsys)
    assert code == 2 and 'Traceback (most recent call last)' in text and text.endswith('error: wrong\n')


def test_other_errors_keep_their_traceback():
    @friendly_main
    def main():
        raise ValueError('a bug')

    with pytest.raises(ValueError, match='a bug'):
        main()


class Broken(Dataset):
    def __init__(self, error):
        self.error = error

    def __len__(self):
        return 2

    def __getitem__(self, index):
        raise self.error


@pytest.mark.parametrize(
    'error, line',
    [
        (DataError('list.txt:7: a.jpg: it cannot be decoded'), 'list.txt:7: a.jpg: it cannot be decoded'),
        (RegistryError("'X' is not registered"), "'X' is not registered"),
        (FileNotFoundError('b.jpg is not there'), 'b.jpg is not there'),
    ],
)
def test_error_of_a_worker_is_unwrapped(error, line, capsys, monkeypatch):
    monkeypatch.delenv('LTKIT_DEBUG', raising=False)

    @friendly_main
    def main():
        list(DataLoader(Broken(error), num_workers=1))

    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 2
    assert capsys.readouterr().err == f'error: {line}\n'


def test_message_over_several_lines_and_none():
    assert one_line(DataError('a\n  b')) == 'a b'
    assert one_line(DataError()) == 'DataError'


def test_stopped_by_a_signal_and_full_disk(capsys, monkeypatch):
    monkeypatch.delenv('LTKIT_DEBUG', raising=False)
    assert run(Interrupted('SIGTERM: saved in a.pth'), capsys) == (75, 'stopped: SIGTERM: saved in a.pth\n')
    code, text = run(OSError(errno.ENOSPC, 'No space left on device', '/tmp/x.json'), capsys)
    assert code == 2 and text.startswith('error: the disk is full: no space for /tmp/x.json where ')
    with pytest.raises(PermissionError):
        friendly_main(lambda: (_ for _ in ()).throw(PermissionError(errno.EACCES, 'x')))()


ALONE_IN_A_GROUP = '''
import atexit, threading, time, torch, torch.distributed
from ltkit.utils import ConfigError, Interrupted
from ltkit.utils.friendly import friendly_main

@friendly_main
def main():
    torch.distributed.init_process_group('gloo')
    torch.distributed.all_reduce(torch.ones(1))
    threading.Thread(target=lambda: (time.sleep(0.5), print('thread'))).start()
    {statement}

atexit.register(lambda: print('a group is left:', torch.distributed.is_initialized()))
main()
'''


@pytest.mark.parametrize('statement, status, out, error', [
    ('return', 0, 'thread\na group is left: False\n', ''),
    ("raise Interrupted('SIGTERM')", 75, 'thread\na group is left: False\n', 'stopped: SIGTERM'),
    ("raise ConfigError('wrong')", 2, '', 'error: wrong'),
    ("raise ValueError('a bug')", 1, '', 'ValueError: a bug')])
def test_process_group_is_left_with_the_status(statement, status, out, error):
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        port = str(free.getsockname()[1])
    group = dict(RANK='0', WORLD_SIZE='1', MASTER_ADDR='127.0.0.1', MASTER_PORT=port)
    done = subprocess.run([sys.executable, '-c', ALONE_IN_A_GROUP.format(statement=statement)], capture_output=True,
                          text=True, env={**os.environ, **group}, timeout=120)
    assert (done.returncode, done.stdout) == (status, out)
    assert error in done.stderr and done.stderr.count('Traceback') == (status == 1)
