"""Tools run in a fork behave as in a process of their own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from ltkit.testing.commands import run_command

SCRIPT = '''
import json, os, signal, sys
if __name__ == '__main__':
    what = sys.argv[1]
    if what == 'kill':
        os.kill(os.getpid(), signal.SIGKILL)
    if what == 'sleep':
        import time
        print('before', flush=True)
        time.sleep(60)
    if what == 'fail':
        raise ValueError('a bug')
    print(json.dumps([sys.argv[1:], os.getcwd(), os.environ.get('LTKIT_A'), 'LTKIT_B' in os.environ, __file__]))
    os.system('echo from a child')
    print('wrong', file=sys.stderr)
    sys.exit(None if what == 'fine' else what if what == 'text' else int(what))
'''


@pytest.fixture
def script(tmp_path):
    """A script that says what it got."""
    path = tmp_path / 'script.py'
    path.write_text(SCRIPT)
    return path


@pytest.mark.parametrize('what', ['fine', '0', '3', 'text', 'fail', 'kill'])
def test_as_in_a_process_of_its_own(script, tmp_path, monkeypatch, what):
    monkeypatch.setenv('LTKIT_B', '1')
    env = {key: value for key, value in os.environ.items() if key != 'LTKIT_B'} | {'LTKIT_A': 'a'}
    expected = subprocess.run([sys.executable, script, what, '1 2'], cwd=tmp_path, env=env, capture_output=True,
                              text=True)
    found = run_command(script, what, '1 2', cwd=tmp_path, env=env)
    assert found.returncode == expected.returncode
    assert sorted(found.stdout.splitlines()) == sorted(expected.stdout.splitlines())  # a pipe has no order here
    assert (found.stderr == expected.stderr) or (what == 'fail' and 'ValueError: a bug' in found.stderr)


def test_both_streams_in_one_and_a_time_limit(script, tmp_path):
    done = run_command(script, 'text', cwd=tmp_path, merged=True)
    assert done.stderr == '' and {'wrong', 'from a child', 'text'} <= set(done.stdout.splitlines())
    done = run_command(script, 'sleep', merged=True, meanwhile=lambda process: process.terminate())
    assert done.returncode == -signal.SIGTERM
    with pytest.raises(subprocess.TimeoutExpired) as late:
        run_command(script, 'sleep', timeout=1.5)
    assert late.value.output == 'before\n'
