#!/usr/bin/env python
"""Compare ERM, Balanced Softmax and RIDE on the long-tailed digits, with three seeds.

Every run is ``tools/train.py`` with a config of the repository. Runs that are
finished already are shown again, not repeated (``--fresh`` repeats them).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

import numpy as np

from ltkit.distribution import ClassDistribution
from ltkit.utils.errors import TrainingError
from ltkit.utils.friendly import friendly_main

ROOT = Path(__file__).resolve().parents[1]
METHODS = {'ERM': 'erm', 'Balanced Softmax': 'balanced_softmax', 'RIDE': 'ride'}


def fingerprint() -> str:
    """A hash of all that a run depends on: the package and the configs."""
    digest = hashlib.sha256()
    for folder in ('ltkit', 'configs'):
        for file in sorted((ROOT / folder).rglob('*.py')):
            digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def train(method: str, seed: int, folder: Path, code: str) -> dict:
    """Train one method with one seed in a process of its own, or read its finished run."""
    work_dir = folder / method / f'seed{seed}'
    finished, stamp = work_dir / 'results.json', work_dir / 'code'
    if not (finished.is_file() and stamp.is_file() and stamp.read_text() == code):
        shutil.rmtree(work_dir, ignore_errors=True)
        work_dir.mkdir(parents=True)
        command = [sys.executable, str(ROOT / 'tools' / 'train.py'), str(ROOT / 'configs' / method / 'r8_digits_lt.py'),
                   '--seed', str(seed), '--work-dir', str(work_dir)]
        with open(work_dir / 'train.log', 'w', encoding='utf-8') as log:
            code_of_exit = subprocess.run(
                command, stdout=log, stderr=subprocess.STDOUT, env=dict(os.environ, OMP_NUM_THREADS='1')).returncode
        if code_of_exit:
            raise TrainingError(f"'{' '.join(command)}' ended with status {code_of_exit}; see {work_dir / 'train.log'}")
        stamp.write_text(code)
    return json.loads(finished.read_text(encoding='utf-8'))


@friendly_main
def main() -> None:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from ltkit.visualization import plot_accuracy_by_class_size, results_row, results_table
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--seeds', type=int, default=3, help='runs of each method (default: 3)')
    parser.add_argument('--jobs', type=int, default=os.cpu_count() or 1, help='runs at once (default: the cores)')
    parser.add_argument('--work-dir', default=str(ROOT / 'work_dirs' / 'quickstart'), help='folder for all runs')
    parser.add_argument('--fresh', action='store_true', help='repeat runs that are finished')
    args = parser.parse_args()
    folder = Path(args.work_dir)
    if args.fresh:
        shutil.rmtree(folder, ignore_errors=True)
    code = fingerprint()
    results: dict[str, list[dict]] = {name: [] for name in METHODS}
    columns = [TextColumn('training on the long-tailed digits'), BarColumn(), MofNCompleteColumn(),
               TextColumn('time left'), TimeRemainingColumn()]
    with Progress(*columns) as progress, ThreadPoolExecutor(args.jobs) as pool:
        bar = progress.add_task('', total=len(METHODS) * args.seeds)
        runs = {pool.submit(train, method, seed, folder, code): name
                for seed in range(args.seeds) for name, method in METHODS.items()}
        for run in as_completed(runs):
            results[runs[run]].append(run.result())
            progress.advance(bar)

    first = results['ERM'][0]
    distribution = ClassDistribution(**first['class_distribution'])
    rows = [results_row(name, runs) for name, runs in results.items()]
    caption = (f'{distribution.thresholds}; accuracy in % on the balanced test set, mean ± standard deviation of '
               f'{args.seeds} seeds; imbalance factor {distribution.imbalance_factor:g}')
    table = results_table(rows, caption=caption)
    print(table)
    picture = folder / 'accuracy_by_class_size.png'
    accuracies = {name: np.array([run['per_class_accuracy'] for run in runs], dtype=float)
                  for name, runs in results.items()}
    plot_accuracy_by_class_size(accuracies, distribution, picture, title='DigitsLT: accuracy by class size')
    (folder / 'table.md').write_text(results_table(rows, caption=caption, style='markdown') + '\n', encoding='utf-8')
    print(f'picture: {picture}\ntable:   {folder / "table.md"}\nruns:    {folder}/METHOD/seedN')


if __name__ == '__main__':
    main()
