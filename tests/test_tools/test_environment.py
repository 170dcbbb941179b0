"""``tools/misc/environment.sh``, which quickstart.sh and run_tests.sh source."""

from __future__ import annotations

import os
import subprocess

import pytest


@pytest.mark.parametrize('script, arguments, extra', [
    ('quickstart.sh', ['--seeds', '1'], ''), ('quickstart.sh', [], ''), ('run_tests.sh', ['-m', 'slow'], '[dev]')])
def test_arguments_of_a_script_are_no_extra(tmp_path, repo_root, script, arguments, extra):
    """The scripts run with a stand-in for Python that writes down what it was called with."""
    tools = tmp_path / 'tools'
    (tools / 'misc').mkdir(parents=True)
    for name in (script, 'misc/environment.sh'):
        (tools / name).write_text((repo_root / 'tools' / name).read_text())
    for name in ('setup.py', 'requirements/runtime.txt'):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text('')
    binaries = tmp_path / '.venv' / 'bin'
    binaries.mkdir(parents=True)
    calls = tmp_path / 'calls.txt'
    for name in ('python', 'ruff'):
        (binaries / name).write_text(f'#!/usr/bin/env bash\necho "{name} $*" >> {calls}\n')
        (binaries / name).chmod(0o755)
    env = {key: value for key, value in os.environ.items() if key != 'LTKIT_VENV'}
    done = subprocess.run(['bash', str(tools / script), *arguments], env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    install, *_, last = calls.read_text().splitlines()
    assert install.endswith(f'--editable {tmp_path}{extra}')
    assert last.endswith(' '.join(arguments))
    again = subprocess.run(['bash', str(tools / script), *arguments], env=env, capture_output=True, text=True)
    assert again.returncode == 0 and calls.read_text().count('--editable') == 1, 'installed twice'
