#!/usr/bin/env python
"""Draw how the features of several runs collapse, and print where they end.

    python tools/analysis_tools/plot_neural_collapse.py collapse.png ERM=work_dirs/erm/* NC=work_dirs/nc/*

Each run was trained with ``NeuralCollapseHook``; it is given as its work folder or as
its ``neural_collapse.json``, behind a name and ``=``. Runs after a name without one of
their own are further seeds of it; so are all that a pattern behind a name stands for.
"""

from __future__ import annotations

import argparse
import glob
import json
import statistics
from pathlib import Path
from typing import Any

from ltkit.utils.errors import ConfigError, DataError
from ltkit.utils.friendly import friendly_main
from ltkit.visualization import plot_neural_collapse

COLUMNS = ('nc1', 'nc2_norm_means', 'nc2_angle_means', 'min_angle', 'mean_min_angle', 'nc3', 'nc4')


def read(path: Path) -> dict[str, Any]:
    """The content of a run's ``neural_collapse.json``."""
    file = path / 'neural_collapse.json' if path.is_dir() else path
    if not file.is_file():
        raise DataError(f"{file} is not there; train with custom_hooks=[dict(type='NeuralCollapseHook')]")
    try:
        history = json.loads(file.read_text(encoding='utf-8'))
    except ValueError as error:
        raise DataError(f'{file} is no JSON: {error}') from error
    if not isinstance(history, dict) or not history.get('records'):
        raise DataError(f'{file} has no records; it must be what NeuralCollapseHook writes')
    return history


def grouped(arguments: list[str]) -> dict[str, list[dict[str, Any]]]:
    """``NAME=PATH PATH ...`` to name and runs."""
    runs: dict[str, list[dict[str, Any]]] = {}
    name = None
    for argument in arguments:
        before, equals, after = argument.partition('=')
        if equals and '/' not in before:
            name, argument = before, after
        if name is None:
            raise ConfigError(f"'{argument}' has no name; write NAME={argument}")
        found = [argument] if Path(argument).exists() else sorted(glob.glob(argument))
        runs.setdefault(name, []).extend(read(Path(path)) for path in found or [argument])
    return runs


def table(runs: dict[str, list[dict[str, Any]]]) -> str:
    """Mean and deviation over the runs of a name, after the last epoch, in markdown."""
    lines = [['', 'runs', 'epoch', *COLUMNS]]
    for name, several in runs.items():
        last = [history['records'][-1] for history in several]
        epochs = '/'.join(str(epoch) for epoch in sorted({record['epoch'] for record in last}))
        lines.append([name, str(len(last)), epochs, *(_told([record.get(key) for record in last]) for key in COLUMNS)])
    lines.insert(1, ['---'] * len(lines[0]))
    return '\n'.join(f"| {' | '.join(cells)} |" for cells in lines)


def _told(values: list[float | None]) -> str:
    known = [value for value in values if value is not None]
    if not known:
        return '-'
    deviation = f' ± {statistics.stdev(known):.2g}' if len(known) > 1 else ''
    return f'{statistics.mean(known):.4g}{deviation}'


@friendly_main
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('out', type=Path, help='picture to write: .png, .svg or .pdf')
    parser.add_argument('runs', nargs='+', metavar='NAME=RUN', help='a work folder or neural_collapse.json')
    parser.add_argument('--title', help='title of the picture')
    args = parser.parse_args()
    runs = grouped(args.runs)
    plot_neural_collapse(runs, args.out, args.title)
    print(table(runs))


if __name__ == '__main__':
    main()
