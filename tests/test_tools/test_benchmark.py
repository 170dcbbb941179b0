"""The command of benchmarks, as a user starts it."""

from __future__ import annotations


def test_report_of_a_benchmark_without_runs(small_run):
    done = small_run.tool('benchmark.py', small_run.folder.parents[0] / 'none.py', check=2)
    assert done.stderr.startswith('error: config file') and 'does not exist' in done.stderr
    bench = small_run.folder / 'mine.py'
    bench.write_text("methods = {'ERM': 'erm/r8_digits_lt.py'}\n")
    done = small_run.tool('benchmark.py', bench, '--report-only')
    assert 'unverified' in done.stdout
    assert (small_run.folder / 'work_dirs' / 'benchmarks' / 'mine' / 'index.html').is_file()


def test_wrong_arguments_are_one_line(small_run):
    bench = small_run.folder / 'mine.py'
    bench.write_text("methods = {'ERM': 'erm/r8_digit_lt.py'}\n")
    done = small_run.tool('benchmark.py', bench, check=2)
    assert done.stderr.startswith("error: mine.py:1: methods 'ERM': there is no config 'erm/r8_digit_lt.py'")
    assert '--jobs: must be a whole number' in small_run.tool('benchmark.py', bench, '--jobs', 0, check=2).stderr
