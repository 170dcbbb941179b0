"""A benchmark that is killed again and again ends as one that was left alone."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[3]
KILLS = 20
BENCH = """
methods = {'ERM': 'erm/r8_digits_lt.py', 'Balanced Softmax': 'balanced_softmax/r8_digits_lt.py'}
seeds = [0, 1]
cfg_options = {'train_cfg.max_epochs': 250, 'default_hooks.checkpoint.interval': 5,
               'val_evaluator': [dict(type='LongTailAccuracy'), dict(type='Calibration')]}
"""


def _start(folder: Path, work_dir: str) -> subprocess.Popen:
    env = {**os.environ, 'PYTHONPATH': str(REPO), 'CUDA_VISIBLE_DEVICES': '', 'OMP_NUM_THREADS': '1'}
    command = [sys.executable, REPO / 'tools/benchmark.py', folder / 'bench.py', '--jobs', '2', '--work-dir', work_dir]
    with open(folder / 'printed', 'a', encoding='utf-8') as out:
        return subprocess.Popen(command, cwd=folder, env=env, stdout=out, stderr=out, start_new_session=True)


def _found(folder: Path) -> dict:
    """All that a run gives but its times, its folders and how often it was begun."""
    kept = ('config_hash', 'code_hash', 'status', 'metrics', 'per_class_accuracy', 'reliability', 'class_distribution')
    report = json.loads((folder / 'results.json').read_text())
    return {(run['method'], run['role'], run['seed']): {key: run[key] for key in kept} for run in report['runs']}


@pytest.mark.slow
def test_twenty_kills_at_random_moments(tmp_path):
    """Of the command alone, or of it and the training at once; half of them with SIGKILL, half with SIGTERM."""
    (tmp_path / 'bench.py').write_text(BENCH)
    began = time.monotonic()
    assert _start(tmp_path, 'straight').wait(900) == 0
    whole = time.monotonic() - began
    seed = random.randrange(10**6)
    print('seed of the moments:', seed)
    moments = random.Random(seed)
    for kill in range(KILLS):
        process = _start(tmp_path, 'killed')
        with pytest.raises(subprocess.TimeoutExpired):  # it is not through before the last kill
            process.wait(moments.uniform(0, whole / 8))
        number = (signal.SIGKILL, signal.SIGTERM)[kill % 2]
        (os.killpg if moments.random() < 0.5 else os.kill)(process.pid, number)
        process.wait(60)
    printed = (tmp_path / 'printed').stat().st_size
    assert _start(tmp_path, 'killed').wait(900) == 0, (tmp_path / 'printed').read_text()[printed:]
    straight, killed = _found(tmp_path / 'straight'), _found(tmp_path / 'killed')
    assert len(straight) == 8 and {run['status'] for run in straight.values()} == {'finished'}
    assert killed == straight
    resumed = sum(run['resumed'] for run in json.loads((tmp_path / 'killed/results.json').read_text())['runs'])
    assert resumed > 0  # some kills met a run with a checkpoint
