"""What is shown while a benchmark runs."""

from __future__ import annotations

import pytest

from ltkit.apis.benchmark.progress import BenchmarkProgress, duration
from ltkit.apis.benchmark.runs import Run
from ltkit.apis.benchmark.scheduler import Outcome


def run(config: str, seed: int) -> Run:
    return Run(config, config, {}, None, seed, 'method', 'hash', 'code')


def test_duration():
    assert [duration(value) for value in (3.4, 59.6, 307, 12000)] == ['3 s', '1:00 min', '5:07 min', '3:20 h']


def test_time_left_is_estimated_by_config():
    runs = [run('fast', 0), run('fast', 1), run('slow', 0), run('slow', 1)]
    progress = BenchmarkProgress(runs, jobs=1)
    assert progress.seconds_left({}) is None
    progress.event('end', runs[0], Outcome(runs[0], 'finished', 10.0))
    assert progress.seconds_left({}) == pytest.approx(30), 'nothing is known of slow but the mean of all'
    progress.event('end', runs[2], Outcome(runs[2], 'finished', 100.0))
    assert progress.seconds_left({}) == pytest.approx(110)
    assert progress.seconds_left({runs[3].identity: 60.0}) == pytest.approx(50)
    progress.jobs = 2
    assert progress.seconds_left({}) == pytest.approx(100), 'not less than the longest'


def test_lines(capsys):
    runs = [run('a', 0), run('b', 0)]
    with BenchmarkProgress(runs, 1) as progress:
        progress.event('resume', runs[0], None)
        progress.event('busy', runs[1], None)
        progress.event('busy', runs[1], None)
        progress.event('end', runs[0], Outcome(runs[0], 'finished', 61.0))
        progress.event('end', runs[1], Outcome(runs[1], 'failed', 1.0, 'exit status 1; last line: [x] bad'))
    shown = capsys.readouterr().out
    assert '1/2: finished a' in shown and '2/2, left 0 s: failed b' in shown, 'in a file there is no bar'
    assert 'resuming a, seed 0' in shown and shown.count('waiting') == 1
    assert 'finished a, seed 0 in 1:01 min' in shown
    assert 'failed b, seed 0: exit status 1; last line: [x] bad' in shown
    assert '2/2' in shown and 'all ended, 1 failed' in shown and 'left 0 s' in shown


def test_runs_that_had_finished_take_no_time():
    runs = [run('a', 0), run('a', 1)]
    progress = BenchmarkProgress(runs, 1, {runs[1].identity: 40.0})
    assert progress.seconds_left({}) == pytest.approx(40)
    assert BenchmarkProgress(runs, 1, {one.identity: 40.0 for one in runs}).seconds_left({}) == 0


def test_lines_in_a_file_have_the_time_left(capsys):
    runs = [run('a', seed) for seed in range(3)]
    with BenchmarkProgress(runs, 1) as progress:
        progress.event('end', runs[0], Outcome(runs[0], 'finished', 61.0))
        progress.tick({runs[1].identity: 31.0})
        progress.event('end', runs[2], Outcome(runs[2], 'failed', 1.0, 'the :x: [/x] line'))
    shown = capsys.readouterr().out
    assert '1/3, left 2:02 min: finished a, seed 0' in shown
    assert '2/3, left 30 s: failed a, seed 2: the :x: [/x] line' in shown


def test_a_resumed_run_tells_nothing_of_the_time_of_others():
    runs = [run('a', 0), run('a', 1)]
    progress = BenchmarkProgress(runs, 1)
    progress.event('resume', runs[0], None)
    progress.event('end', runs[0], Outcome(runs[0], 'finished', 1.0))
    assert progress.seconds_left({}) is None
