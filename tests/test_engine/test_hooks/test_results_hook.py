"""Tests of the result of a run as data."""

from __future__ import annotations

import json

import pytest

from ltkit.apis import test as run_test
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
    assert results['resumed'] is False


def test_epochs_of_a_loop_by_iterations(small_run, monkeypatch):
    monkeypatch.setattr('mmengine.runner.loops.time.sleep', lambda seconds: None)
    small_run.runner("train_cfg = dict(_delete_=True, type='IterBasedTrainLoop', max_iters=20, val_interval=20)\n"
                     'param_scheduler = None').train()
    assert json.loads((small_run.folder / 'run' / 'results.json').read_text())['epoch'] == 2  # 9 steps each


def test_a_test_names_its_checkpoint_and_claims_no_selection(small_run):
    small_run.runner(SHORT).train()
    checkpoint = str(small_run.folder / 'run' / 'epoch_2.pth')
    run_test(small_run.load(SHORT, 'test'), checkpoint)
    results = json.loads((small_run.folder / 'test' / 'test_results.json').read_text())
    assert results['split'] == 'test' and results['epoch'] == 2 and results['checkpoint'] == checkpoint
    assert 'selected_on' not in results and 'seconds' not in results
    trained = json.loads((small_run.folder / 'run' / 'results.json').read_text())
    assert trained['metrics'] == results['metrics']


HELD_OUT = """
train_cfg = dict(max_epochs=2, val_interval=1)
train_dataloader = dict(dataset=dict(held_out=10))
val_dataloader = dict(batch_size=100, dataset=dict(split='held_out', held_out=10))
"""


def test_results_are_of_the_test_set_where_validation_has_another(small_run):
    small_run.runner(HELD_OUT).train()
    folder = small_run.folder / 'run'
    results = json.loads((folder / 'results.json').read_text())
    assert results['split'] == 'test' and results['validation']['split'] == 'val'
    assert results['epoch'] == 2 and 'checkpoint' not in results and not (folder / 'test_results.json').exists()
    run_test(small_run.load(HELD_OUT, 'test'), str(folder / 'epoch_2.pth'))
    tested = json.loads((small_run.folder / 'test' / 'test_results.json').read_text())
    assert results['metrics'] == tested['metrics'] != results['validation']['metrics']
    assert results['per_class_accuracy'] == tested['per_class_accuracy'] and results['details'] == tested['details']


def test_a_test_set_that_is_not_there_leaves_the_results_of_validation(small_run, tmp_path):
    text = SHORT + """
test_dataloader = dict(dataset=dict(_delete_=True, type='ImageListDataset', data_root='nowhere', ann_file='none.txt',
                                    pipeline=[dict(type='LoadImage'), dict(type='PackInputs')]), in_memory=False)
"""
    small_run.runner(text).train()
    results = json.loads((small_run.folder / 'run' / 'results.json').read_text())
    assert results['split'] == 'val' and results['metrics'] and 'validation' not in results
    assert 'the test set cannot be read' in next((small_run.folder / 'run').glob('*/*.log')).read_text()
