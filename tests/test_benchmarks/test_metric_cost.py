"""The benchmark of the metrics runs and writes what it prints."""

from __future__ import annotations

import json
import subprocess
import sys


def test_metric_cost(repo_root, tmp_path):
    out = tmp_path / 'figures.json'
    command = [sys.executable, str(repo_root / 'benchmarks' / 'metric_cost.py'), '--out', str(out)]
    done = subprocess.run([*command, '--samples', '1000', '--classes', '300'], capture_output=True, text=True,
                          cwd=tmp_path, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    figures = json.loads(out.read_text())
    assert set(figures['metrics']) == {'LongTailAccuracy', 'Calibration', 'PriorShiftAccuracy',
                                       'RelativeAccuracy'}
    assert all(0 < metric['kept_mb'] < 0.1 for metric in figures['metrics'].values())
    assert f"{figures['all']['ratio']:.2f} x; peak memory grew" in done.stdout
