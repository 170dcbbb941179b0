"""``tools/analysis_tools/collect_results.py``."""

from __future__ import annotations

import gzip
import json


def test_keeps_what_made_a_figure(tool, tmp_path, trained):
    folder, _ = trained
    done = tool('analysis_tools/collect_results.py', tmp_path / 'out', folder)
    assert done.returncode == 0, done.stdout
    kept = tmp_path / 'out' / 'erm_r8_digits_lt' / 'seed0'
    results = json.loads((kept / 'results.json').read_text())
    assert results['seed'] == 0 and results['command'].startswith('python ')
    with gzip.open(kept / 'train.log.gz', 'rt') as file:
        log = file.read()
    assert 'Epoch(val) [2]' in log and "type='DigitsLT'" in log and str(folder) not in log
    table = (tmp_path / 'out' / 'results.md').read_text()
    assert '| erm/r8_digits_lt |' in table and 'many > 40, few < 10' in table and results['command'] in table


def test_a_run_that_did_not_finish(tool, tmp_path):
    (tmp_path / 'run').mkdir()
    done = tool('analysis_tools/collect_results.py', 'out', 'run')
    assert done.returncode == 2 and done.stdout == 'error: run has no results.json; the run did not finish\n'
