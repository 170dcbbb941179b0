"""tools/misc/print_config.py, run as a user does."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

CONFIG = """\
lr = 0.1
default_scope = 'ltkit'
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=lr))
"""


@pytest.fixture
def run(repo_root, tmp_path):
    def _run(*args):
        env = {k: v for k, v in os.environ.items() if k not in ('PYTHONPATH', 'LTKIT_DEBUG')}
        script = repo_root / 'tools' / 'misc' / 'print_config.py'
        return subprocess.run(
            [sys.executable, str(script), *args],
            cwd=tmp_path,
            env=env,
            capture_output=True,
            text=True,
            check=False,
        )

    (tmp_path / 'x.py').write_text(CONFIG)
    return _run


def test_prints_the_resolved_config_from_any_folder(run):
    done = run('x.py', '--cfg-options', 'optim_wrapper.optimizer.momentum=0.9')
    assert done.returncode == 0, done.stderr
    assert 'optimizer=dict(lr=0.1, momentum=0.9, type=' in done.stdout
    scope: dict = {}
    exec(done.stdout, scope)
    assert scope['optim_wrapper']['optimizer'] == dict(type='SGD', lr=0.1, momentum=0.9)
    assert 'lr' not in scope


def test_slip_is_one_line_and_status_2(run):
    done = run('x.py', '--cfg-options', 'optim_wrapper.optimizer.momentm=0.9')
    assert done.returncode == 2 and done.stdout == ''
    assert done.stderr.count('\n') == 1
    assert (
        "error: --cfg-options optim_wrapper.optimizer.momentm: SGD has no argument 'momentm'" in done.stderr
    )
