#!/usr/bin/env python
"""Copy the report of a benchmark and the logs of its runs into one folder, to keep or to send.

    python tools/analysis_tools/collect_benchmark.py docs/results/digits_benchmark work_dirs/benchmarks/digits

The folder gets the page, the tables, ``results.json``, ``step_times.json`` where steps were timed, and ``logs/``: one
packed log a run, which begins with the resolved config. Page and data name the logs there. Folders of this machine are
left out of the logs. A folder that was written before is brought up to date: logs that only its former data named are
removed.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
from pathlib import Path

from ltkit.utils.errors import DataError
from ltkit.utils.friendly import friendly_main

REPORT = ('index.html', 'results.json', 'table.md', 'table.tex')
STEP_TIMES = 'step_times.json'  # where they were measured


def log_name(run: dict) -> str:
    """The packed log of a run of ``results.json``, below the folder."""
    configs = [run[key] for key in ('begins_from', 'config') if key in run]
    config = '_then_'.join(
        config.removeprefix('ltkit::').removesuffix('.py').strip('./').replace('/', '_') for config in configs)
    factor = '' if run['factor'] is None else f"_if{run['factor']:g}"
    balanced = '' if run['role'] == 'method' else '_balanced'
    return f"logs/{config}{factor}{balanced}_seed{run['seed']}.log.gz"


def pack_log(run: Path, out: Path) -> None:
    """Write the logs of a work folder, of its stages too, in their order, without the folders of this machine."""
    logs = sorted((*run.glob('*/*.log'), *run.glob('*/*/*.log')), key=lambda path: path.name)  # named after their time
    if not logs:
        raise DataError(f'{run} has no log; was it removed after the benchmark?')
    text = ''.join(path.read_text(encoding='utf-8') for path in logs)  # several where the run was resumed
    for folder in (Path.cwd(), sys.prefix):
        text = text.replace(f'{folder}/', '')
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_bytes(gzip.compress(text.encode(), mtime=0))


def logs_of(out: Path) -> set[str]:
    """The logs that ``results.json`` of a folder collected before names, below the folder; none where it has none."""
    try:
        runs = json.loads((out / 'results.json').read_text(encoding='utf-8'))['runs']
        return {run['log'] for run in runs if Path(run['log']).parent == Path('logs')}
    except (OSError, ValueError, KeyError, TypeError):
        return set()


@friendly_main
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('out', type=Path, help='folder to write')
    parser.add_argument('benchmark', type=Path, help='work folder of the benchmark')
    args = parser.parse_args()
    missing = [name for name in REPORT if not (args.benchmark / name).is_file()]
    if missing:
        raise DataError(f"{args.benchmark} has no {', '.join(missing)}; give the work folder of a benchmark, and "
                        'write its report with tools/benchmark.py CONFIG --report-only')
    there = [path for name in (*REPORT, STEP_TIMES) if (path := args.benchmark / name).is_file()]
    texts = {path.name: path.read_text(encoding='utf-8') for path in there}
    runs = [run for run in json.loads(texts['results.json'])['runs'] if run['status'] == 'finished']
    names = [log_name(run) for run in runs]
    if len(set(names)) < len(names):  # two methods of one config that differ in their options
        names = [name.replace('logs/', f'logs/{i:03d}_') for i, name in enumerate(names)]
    for run, name in zip(runs, names):
        pack_log(args.benchmark / run['work_dir'], args.out / name)
        for each in ('index.html', 'results.json'):
            texts[each] = texts[each].replace(run['log'], name)
    former = logs_of(args.out) - set(names)
    for name, text in texts.items():
        (args.out / name).write_text(text, encoding='utf-8')
    for name in former:
        (args.out / name).unlink(missing_ok=True)
    print(f'{len(runs)} runs: {args.out}')


if __name__ == '__main__':
    main()
