"""The benchmarks of decoding, of losses, of second stages, of start-up and of memory run and write what they print."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest


@pytest.mark.parametrize('script, args, key, low, high', [
    ('decoding.py', ['--images', '3', '--repeats', '2'], ('2000x1500 draft_size=224', 'decode_ratio'), 1.5, 100),
    ('stage2_step.py', ['--batch-size', '8', '--turns', '1', '--networks', '32'],
     ('networks', 'ResNet-32, 32 x 32', 'frozen', 'ratio'), 1, 20),
    ('loss_cost.py', ['--batch-size', '2', '--turns', '1'], ('batch_size',), 1, 3),
    pytest.param('import_time.py', ['--repeats', '1'], ('import all of ltkit', 'ratio_to_torch'), 0.5, 20,
                 marks=pytest.mark.slow),
    pytest.param('peak_memory.py', ['--batch', '8', '--steps', '2'], ('ratio',), 0.5, 1.5, marks=pytest.mark.slow),
])
def test_runs_and_writes(repo_root, tmp_path, script, args, key, low, high):
    out = tmp_path / 'figures.json'
    command = [sys.executable, str(repo_root / 'benchmarks' / script), '--out', str(out), *args]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=200)
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(out.read_text())
    for part in key:
        found = found[part]
    assert low < found < high
    assert ' x' in done.stdout
