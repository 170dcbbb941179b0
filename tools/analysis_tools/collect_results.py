#!/usr/bin/env python
"""Copy the evidence of finished runs into one folder, with a table over their seeds.

    python tools/analysis_tools/collect_results.py docs/results/digits work_dirs/quickstart/*/seed*

Each run leaves ``results.json`` (metrics, seed, command, hardware, commit) and
its log, which begins with the resolved config. ``results.md`` has the table: one row for each
config, mean and standard deviation over seeds.
"""

from __future__ import annotations

import argparse
import gzip
import json
from pathlib import Path

from ltkit.utils.errors import DataError
from ltkit.utils.friendly import friendly_main
from ltkit.visualization import results_row, results_table


def collect(run: Path, out: Path) -> dict:
    """Copy one run below ``out`` and return its results."""
    if not (run / 'results.json').is_file():
        raise DataError(f'{run} has no results.json; the run did not finish')
    results = json.loads((run / 'results.json').read_text(encoding='utf-8'))
    folder = out / results['name'].replace('/', '_') / f"seed{results['seed']}"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / 'results.json').write_text(json.dumps(results, indent=1) + '\n', encoding='utf-8')
    here = str(run.resolve())  # of this machine; it says nothing to a reader
    logs = sorted(run.glob('*/*.log'))
    if not logs:
        raise DataError(f'{run} has no log')
    with open(folder / 'train.log.gz', 'wb') as file, gzip.GzipFile('', 'wb', fileobj=file, mtime=0) as packed:
        for log in logs:  # several where a run was resumed
            packed.write(log.read_bytes().replace(here.encode(), results['name'].encode()))
    return results


@friendly_main
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('out', type=Path, help='folder to write')
    parser.add_argument('runs', type=Path, nargs='+', help='work folders of finished runs')
    args = parser.parse_args()
    groups: dict[str, list[dict]] = {}
    for run in args.runs:
        results = collect(run, args.out)
        groups.setdefault(results['name'], []).append(results)
    rows = [results_row(name, runs) for name, runs in groups.items()]
    thresholds = {run['thresholds'] for runs in groups.values() for run in runs if 'thresholds' in run}
    if len(thresholds) > 1:
        raise DataError(f"the runs have different groups ({'; '.join(sorted(thresholds))}); collect them apart")
    table = results_table(rows, thresholds=next(iter(thresholds), None), style='markdown')
    commands = '\n'.join(run['command'] for runs in groups.values() for run in runs)
    devices = ', '.join(sorted({run['device'] for runs in groups.values() for run in runs}))
    (args.out / 'results.md').write_text(
        f'{table}\n\nHardware: {devices}. Commands:\n\n```bash\n{commands}\n```\n', encoding='utf-8')
    print(results_table(rows, thresholds=next(iter(thresholds), None)))


if __name__ == '__main__':
    main()
