"""All that a benchmark writes."""

from __future__ import annotations

import json

from ltkit.apis.benchmark import load_benchmark, make_report, plan, write_report


def test_files_without_any_run(fake):
    benchmark = load_benchmark(fake.config('imbalance_factors = [50, 10]\npublished = "cifar10_lt"'))
    root = fake.work_dir
    report = make_report(benchmark, plan(benchmark), lambda run: root / run.role / run.folder, root, 'command')
    assert write_report(report, root) == root / 'index.html'
    assert json.loads((root / 'results.json').read_text()) == report
    assert sorted(path.name for path in root.iterdir()) == [
        'index.html', 'plots', 'results.json', 'table.md', 'table.tex']
    assert (root / 'table.md').read_text().count('unverified') == 4
    assert (root / 'table.tex').read_text().count(r'\label{tab:bench_if') == 2


def test_a_real_benchmark(real):
    """Two epochs of two methods on the digits, with their references, by the real training command."""
    assert real.main('--jobs', 2) == 0
    report = json.loads((real.work_dir / 'results.json').read_text())
    assert [run['status'] for run in report['runs']] == ['finished'] * 4
    long_tailed, balanced = (next(run for run in report['runs'] if run['role'] == role)
                             for role in ('method', 'reference'))
    counts = balanced['class_distribution']['counts']
    assert max(counts) - min(counts) <= 1 and sum(counts) == sum(long_tailed['class_distribution']['counts'])
    for row in report['rows']:
        assert {'top1', 'ua', 'ra', 'few', 'ece'} <= set(row['metrics'])
        upper = max(row['a_v']['mean'], row['a_b']['mean'])
        assert row['metrics']['ra']['mean'] == 100 * row['metrics']['top1']['mean'] / upper
    text = (real.work_dir / 'index.html').read_text()
    assert text.count('data:image/svg+xml') == 4 and '--cfg-options' in text
