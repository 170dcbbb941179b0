"""What runs left, as records."""

from __future__ import annotations

import os

from ltkit.apis.benchmark.collect import collect, reliability_bins
from ltkit.apis.benchmark.runs import Run
from ltkit.apis.benchmark.workplace import RunFolder, write_json

RUN = Run('ours', 'ltkit::ours/r8.py', {}, None, 3, 'method', 'aaaa', 'cccc')
RESULTS = dict(metrics={'accuracy/top1': 50.0}, seed=3, seconds=4.0, commit='abc', unknown=1)


def one(tmp_path):
    return collect([RUN], lambda run: tmp_path / 'runs' / run.folder, tmp_path)[0]


def finish(folder, top1=50.0):
    folder.mkdir(parents=True)
    write_json(folder / 'results.json', dict(RESULTS, metrics={'accuracy/top1': top1}))


def test_never_started(tmp_path):
    found = one(tmp_path)
    assert found['status'] == 'unverified' and 'metrics' not in found
    assert found['log'] == f'runs/{RUN.folder}/train.log', 'relative to the folder of the benchmark'


def test_finished(tmp_path):
    finish(tmp_path / 'runs' / RUN.folder)
    found = one(tmp_path)
    assert found['status'] == 'finished' and found['metrics'] == RESULTS['metrics'] and found['commit'] == 'abc'
    assert not found['other_code'] and 'unknown' not in found and found['code_hash'] == 'cccc'


def test_failed(tmp_path):
    folder = RunFolder(tmp_path / 'runs' / RUN.folder)
    folder.path.mkdir(parents=True)
    folder.note(status='failed', error='exit status 1', attempts=2)
    found = one(tmp_path)
    assert (found['status'], found['error'], found['attempts']) == ('failed', 'exit status 1', 2)


def test_a_run_that_fails_with_the_present_code_is_not_hidden_by_an_older_one(tmp_path):
    folder = RunFolder(tmp_path / 'runs' / RUN.folder)
    finish(folder.path.parent / 'aaaa-old1')
    folder.path.mkdir(parents=True)
    folder.note(status='interrupted')
    assert one(tmp_path)['status'] == 'finished'
    folder.note(status='failed', error='exit status 1')
    found = one(tmp_path)
    assert (found['status'], found['error'], found['other_code']) == ('failed', 'exit status 1', False)


def test_running_is_what_a_process_has_locked(tmp_path):
    folder = RunFolder(tmp_path / 'runs' / RUN.folder)
    descriptor = folder.lock()
    folder.note(status='running')
    assert one(tmp_path)['status'] == 'running'
    os.close(descriptor)
    assert one(tmp_path)['status'] == 'interrupted', 'its scheduler was killed before it could say so'


def test_a_state_that_says_finished_without_results_proves_nothing(tmp_path):
    folder = RunFolder(tmp_path / 'runs' / RUN.folder)
    folder.path.mkdir(parents=True)
    folder.note(status='finished')
    assert one(tmp_path)['status'] == 'unverified'


def test_the_newest_run_of_other_code_stands_in(tmp_path):
    parent = (tmp_path / 'runs' / RUN.folder).parent
    for code, top1, age in (('old1', 40.0, 100), ('old2', 45.0, 200)):
        finish(parent / f'aaaa-{code}', top1)
        os.utime(parent / f'aaaa-{code}' / 'results.json', (1e9 - age, 1e9 - age))
    finish(parent / 'bbbb-cccc', 99.0)
    found = one(tmp_path)
    assert found['other_code'] and found['code_hash'] == 'old1' and found['metrics'] == {'accuracy/top1': 40.0}


def test_reliability_bins():
    bins = dict(edges=[0, 1], counts=[3], confidence=[0.5], accuracy=[0.4])
    assert reliability_bins(dict(details=dict(accuracy={}, calibration=dict(bins=dict(all=bins))))) == bins
    assert reliability_bins({}) is None and reliability_bins(dict(details=dict(a=dict(bins={})))) is None
