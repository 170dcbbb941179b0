"""``tools/analysis_tools/collect_benchmark.py``."""

from __future__ import annotations

import gzip
import json

import pytest

BENCH = """
methods = {'ERM': 'erm/r8_digits_lt.py',
           'Short': dict(config='erm/r8_digits_lt.py', cfg_options={'train_dataloader.batch_size': 64})}
cfg_options = {'train_cfg.max_epochs': 1}
reference_seeds = [0]
"""


def test_report_and_logs_without_folders_of_this_machine(tool, tmp_path):
    (tmp_path / 'bench.py').write_text(BENCH)
    assert tool('benchmark.py', 'bench.py', '--only', 'ERM').returncode == 0
    (tmp_path / 'work_dirs/benchmarks/bench/step_times.json').write_text('{}')
    done = tool('analysis_tools/collect_benchmark.py', 'out', 'work_dirs/benchmarks/bench')
    assert done.returncode == 0 and done.stdout == '2 runs: out\n', done.stdout
    out = tmp_path / 'out'
    assert {path.name for path in out.iterdir()} == {
        'index.html', 'results.json', 'table.md', 'table.tex', 'step_times.json', 'logs'}
    logs = {run['role']: run['log'] for run in json.loads((out / 'results.json').read_text())['runs']
            if run['status'] == 'finished'}
    assert logs == dict(method='logs/erm_r8_digits_lt_seed0.log.gz',
                        reference='logs/erm_r8_digits_lt_balanced_seed0.log.gz')
    for role, log in logs.items():
        text = gzip.decompress((out / log).read_bytes()).decode()
        assert 'Epoch(val) [1]' in text and ('balanced_reference=True' in text) == (role == 'reference')
        assert str(tmp_path) not in text and log in (out / 'index.html').read_text()


@pytest.mark.slow
def test_two_methods_of_one_config_keep_their_logs(tool, tmp_path):
    (tmp_path / 'bench.py').write_text(BENCH)
    for chosen in (['--only', 'ERM'], []):  # the folder that held one of them is brought up to date
        assert tool('benchmark.py', 'bench.py', '--no-reference', *chosen).returncode == 0
        assert tool('analysis_tools/collect_benchmark.py', 'out', 'work_dirs/benchmarks/bench').returncode == 0
        (tmp_path / 'out/logs/notes.txt').touch()
    logs = sorted((tmp_path / 'out/logs').iterdir())
    assert [path.name[:4] for path in logs] == ['000_', '001_', 'note']  # what it did not write stays
    logs.pop()
    assert ['batch_size=64' in gzip.decompress(path.read_bytes()).decode() for path in logs] == [False, True]


@pytest.mark.slow
def test_the_log_of_a_run_in_stages_has_all_of_them(tool, tmp_path):
    (tmp_path / 'bench.py').write_text("methods = {'cRT': 'decouple/crt_r8_digits_lt.py'}\n"
                                       "cfg_options = {'train_cfg.max_epochs': 1}\n")
    assert tool('benchmark.py', 'bench.py', '--no-reference').returncode == 0
    assert tool('analysis_tools/collect_benchmark.py', 'out', 'work_dirs/benchmarks/bench').returncode == 0
    log, = (tmp_path / 'out/logs').iterdir()
    text = gzip.decompress(log.read_bytes()).decode()
    assert text.count('Epoch(val) [1]') == 2
    assert 'weights handed over from' in text.split('Epoch(val) [1]')[1] and str(tmp_path) not in text


def test_something_else_than_a_benchmark(tool, tmp_path):
    (tmp_path / 'run').mkdir()
    done = tool('analysis_tools/collect_benchmark.py', 'out', 'run')
    assert done.returncode == 2 and done.stdout.startswith('error: run has no index.html, results.json')
    assert not (tmp_path / 'out').exists()
