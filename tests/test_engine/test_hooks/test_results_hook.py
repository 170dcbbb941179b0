"""Tests of the result of a run as data."""

from __future__ import annotations

import json
import subprocess

import pytest

from ltkit.apis import test as run_test
from ltkit.engine.hooks import results_hook
from ltkit.version import __version__

SHORT = 'train_cfg = dict(max_epochs=2, val_interval=1)\n'


def test_results_say_how_they_were_made(small_run):
    small_run.runner(SHORT, randomness__seed=3).train()
    results = json.loads((small_run.folder / 'run' / 'results.json').read_text())
    assert results['split'] == 'val' and results['epoch'] == 2
    assert set(results['metrics']) >= {f'accuracy/{key}' for key in ('top1', 'many', 'medium', 'few')}
    assert len(results['per_class_accuracy']) == 10
    assert sum(results['details']['accuracy']['predicted_prior']) == pytest.approx(100)
    mean = sum(results['per_class_accuracy']) / 10
    assert results['metrics']['accuracy/mean_class'] == pytest.approx(mean)
    assert results['class_counts'][0] == 100 and 'few < 10' in results['thresholds']
    assert results['config'].endswith('small.py') and results['seed'] == 3 and results['processes'] == 1
    assert results['ltkit'] == __version__ and results['selected_on'] == 'last epoch'
    assert results['seconds'] > 0 and results['resumed'] is False


def test_a_test_names_its_checkpoint_and_claims_no_selection(small_run):
    small_run.runner(SHORT).train()
    checkpoint = str(small_run.folder / 'run' / 'epoch_2.pth')
    run_test(small_run.load(SHORT, 'test'), checkpoint)
    results = json.loads((small_run.folder / 'test' / 'test_results.json').read_text())
    assert results['split'] == 'test' and results['epoch'] == 2 and results['checkpoint'] == checkpoint
    assert 'selected_on' not in results and 'seconds' not in results
    trained = json.loads((small_run.folder / 'run' / 'results.json').read_text())
    assert trained['metrics'] == results['metrics']


def test_commit_is_that_of_ltkit_alone(tmp_path, monkeypatch):
    def git(*args: str) -> None:
        subprocess.run(['git', '-C', str(tmp_path), '-c', 'user.name=a', '-c', 'user.email=a@b', *args],
                       check=True, capture_output=True)

    file = tmp_path / 'results_hook.py'
    file.write_text('1')
    monkeypatch.setattr(results_hook, '__file__', str(file))
    assert results_hook._commit() is None  # no repository
    git('init')
    git('commit', '--allow-empty', '-m', 'something else')
    assert results_hook._commit() is None  # installed below a repository of something else
    git('add', '.')
    git('commit', '-m', 'ltkit')
    commit = results_hook._commit()
    assert len(commit) == 40
    file.write_text('2')
    assert results_hook._commit() == f'{commit}-dirty'
