"""What made a figure."""

from __future__ import annotations

import shutil
import subprocess
import sys

import torch

from ltkit.utils import provenance as module
from ltkit.utils.provenance import provenance
from ltkit.version import __version__


def test_command_versions_and_device(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, 'argv', ['tools/train.py', f'{tmp_path}/my config.py', '--seed', '1'])
    found = provenance()
    assert found['command'] == "python tools/train.py 'my config.py' --seed 1"
    assert (found['ltkit'], found['torch']) == (__version__, torch.__version__)
    assert found['device'].endswith('1 thread') or torch.cuda.is_available()
    assert found['python'].count('.') == 2


def test_commit_is_that_of_the_source_alone(monkeypatch, tmp_path):
    def git(*args: str) -> str:
        done = subprocess.run(['git', '-c', 'user.name=a', '-c', 'user.email=a@b', '-C', tmp_path, *args], check=True,
                              capture_output=True, text=True)
        return done.stdout.strip()

    copy = tmp_path / 'provenance.py'
    shutil.copy(module.__file__, copy)
    monkeypatch.setattr(module, '__file__', str(copy))
    assert provenance()['commit'] is None  # no repository
    git('init', '-q')
    git('commit', '-q', '--allow-empty', '-m', 'of something else')
    assert provenance()['commit'] is None  # the file is not of the repository
    git('add', '.')
    git('commit', '-q', '-m', 'its own')
    assert provenance()['commit'] == git('rev-parse', 'HEAD')
    copy.write_text(copy.read_text() + '\n')
    assert provenance()['commit'] == git('rev-parse', 'HEAD') + '-dirty'
