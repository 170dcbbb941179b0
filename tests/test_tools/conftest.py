"""Running the command-line tools as a user does."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ltkit.testing import run_command

TOOLS = Path(__file__).resolve().parents[2] / 'tools'


def run_tool(tool: str, *arguments: object, cwd: Path, timeout: int = 300,
             afresh: bool = False) -> subprocess.CompletedProcess:
    """Run ``tools/<tool>`` and give its status and all that it printed, as ``stdout``.

    ``afresh``: a tool in Python runs in a process that has to import everything, which takes seconds.
    """
    if tool.endswith('.py') and not afresh:
        return run_command(TOOLS / tool, *arguments, cwd=cwd, timeout=timeout, merged=True)
    command = [sys.executable] if tool.endswith('.py') else ['bash']
    env = dict(os.environ, OMP_NUM_THREADS='1', PYTHON=sys.executable)
    return subprocess.run([*command, str(TOOLS / tool), *map(str, arguments)], cwd=cwd, env=env, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=timeout)


@pytest.fixture
def tool(tmp_path):
    """``tool('train.py', 'config.py', ...)`` runs in an empty folder."""
    return lambda name, *arguments, **options: run_tool(name, *arguments, cwd=tmp_path, **options)


@pytest.fixture(scope='session')
def trained(tmp_path_factory):
    """The work folder of two epochs of ERM on the digits, and what was printed."""
    folder = tmp_path_factory.mktemp('trained')
    done = run_tool('train.py', TOOLS.parent / 'configs/erm/r8_digits_lt.py', '--work-dir', folder,
                    '--cfg-options', 'train_cfg.max_epochs=2', 'default_hooks.checkpoint.interval=1', cwd=folder,
                    afresh=True)
    assert done.returncode == 0, done.stdout
    return folder, done.stdout
