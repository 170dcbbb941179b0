"""Everything that a benchmark writes: data, tables, plots and the page."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ltkit.utils.files import whole_file
from ltkit.version import __version__

from .aggregate import aggregate
from .collect import collect
from .config import Benchmark
from .page import page
from .pictures import draw
from .published import compare
from .runs import METHOD, Run
from .second_stages import crossed_markdown
from .step_times import slowdowns
from .tables import by_factor, caption, heading, latex, markdown, plain_markdown
from .workplace import write_json


def make_report(
    benchmark: Benchmark, runs: Sequence[Run], folder_of: Callable[[Run], Path], root: Path, command: str
) -> dict[str, Any]:
    """What is known of a benchmark, as plain data.

    Args:
        benchmark (Benchmark): Its config.
        runs (Sequence[Run]): All its runs.
        folder_of (Callable): The folder of a run.
        root (Path): Folder of the benchmark.
        command (str): The command line, for the reader.
    """
    records = collect(runs, folder_of, root)
    rows = aggregate(benchmark, records, slowdowns(root, benchmark.baseline, runs))
    return dict(
        title=benchmark.title,
        benchmark=benchmark.name,
        notes=benchmark.notes,
        baseline=benchmark.baseline,
        seeds=list(dict.fromkeys(run.seed for run in runs if run.role == METHOD)),
        imbalance_factors=list(benchmark.imbalance_factors),
        command=command,
        written=time.strftime('%Y-%m-%d %H:%M UTC', time.gmtime()),
        ltkit=__version__,
        published_sets=list(benchmark.published),
        rows=rows,
        published=compare(rows, benchmark.published),
        runs=records,
    )


def write_report(report: dict[str, Any], root: Path) -> Path:
    """Write ``results.json``, ``table.md``, ``table.tex``, ``plots/`` and ``index.html``.

    Returns:
        Path: The page.
    """
    root.mkdir(parents=True, exist_ok=True)
    write_json(root / 'results.json', report)
    groups = by_factor(report['rows'])
    titles = {factor: heading(rows[0], report['title']) for factor, rows in groups.items()}
    _write(
        root / 'table.md',
        '\n\n'.join(
            f'## {plain_markdown(titles[factor])}\n\n{markdown(rows, report["baseline"])}\n\n'
            f'{plain_markdown(caption(rows, report["baseline"]))}{crossed_markdown(rows)}'
            for factor, rows in groups.items()
        )
        + '\n',
    )
    _write(
        root / 'table.tex',
        '% needs \\usepackage{booktabs}\n'
        + '\n\n'.join(
            latex(rows, report['baseline'], _file_name(report['benchmark'], factor), titles[factor])
            for factor, rows in groups.items()
        )
        + '\n',
    )
    pictures = {}
    for factor, rows in groups.items():
        records = [record for record in report['runs'] if record['factor'] == factor]
        folder = root / 'plots' if factor is None else root / 'plots' / f'if{factor:g}'
        pictures[factor] = draw(rows, records, titles[factor], folder)
    path = root / 'index.html'
    _write(path, page(report, pictures))
    return path


def _file_name(name: str, factor: float | None) -> str:
    return name if factor is None else f'{name}_if{factor:g}'


def _write(path: str | os.PathLike, text: str) -> None:
    with whole_file(path) as part, open(part, 'w', encoding='utf-8') as file:
        file.write(text)
