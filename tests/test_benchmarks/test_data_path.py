"""Tests that the benchmarks of the data path and of training run and write what they print."""

from __future__ import annotations

import json
import subprocess
import sys


def run(repo_root, tmp_path, script, *args) -> tuple[str, dict]:
    out = tmp_path / 'figures.json'
    done = subprocess.run([sys.executable, str(repo_root / 'benchmarks' / script), '--out', str(out), '--threads', '1',
                           *args], capture_output=True, text=True, cwd=tmp_path, timeout=120)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout, json.loads(out.read_text())


def test_data_path(repo_root, tmp_path):
    printed, figures = run(repo_root, tmp_path, 'data_path.py', '--batches', '5')
    assert figures['per_sample_over_batched'] > 5  # about 30 on a quiet machine
    assert f"ratio per_sample / batched: {figures['per_sample_over_batched']:.1f}" in printed


def test_end_to_end(repo_root, tmp_path):
    printed, figures = run(repo_root, tmp_path, 'end_to_end.py', '--steps', '3', '--batch-size', '4')
    assert figures['data_path'] == 'in memory' and 0 < figures['ratio'] < 2
    assert f"ratio runner / limit: {figures['ratio']:.4f}" in printed
    assert set(figures['images_a_second']) == {'limit', 'runner'}
