"""The table at the end of a run."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from typing import Any

from ltkit.visualization.table import TITLES


def final_table(results: dict[str, Any], width: int | None = None) -> str:
    """The metrics of one run as a table of two lines, again where they do not fit, and a caption.

    Args:
        results (dict): What ``ResultsHook`` keeps.
        width (int, optional): Columns of the screen. Defaults to the terminal's.
    """
    metrics = {key.rsplit('/', 1)[-1]: value for key, value in results['metrics'].items()
               if isinstance(value, (int, float)) and key not in ('data_time', 'time')}
    names = [name for name in TITLES if name in metrics]
    names += [name for name in metrics if name not in TITLES]
    heads = [TITLES.get(name, name) for name in names]
    cells = [f'{metrics[name]:.2f}' for name in names]
    sizes = [max(len(head), len(cell)) for head, cell in zip(heads, cells)]
    lines = ['  '.join(row[i].rjust(sizes[i]) for i in part)
             for part in _parts(sizes, width or shutil.get_terminal_size((120, 24)).columns)
             for row in (heads, cells)]
    facts = [f"{results.get('split', '')} set after {results.get('epoch', '?')} epochs"]
    if 'thresholds' in results:
        facts.append(results['thresholds'])
    if 'seconds' in results:
        facts.append(f"trained in {results['seconds']:.1f} s")
    return '\n'.join([*lines, '; '.join(facts)])


def _parts(sizes: Sequence[int], width: int) -> Iterator[list[int]]:
    """Columns that fit side by side, with two blanks between."""
    part: list[int] = []
    for column, size in enumerate(sizes):
        if part and sum(sizes[i] + 2 for i in part) + size > width:
            yield part
            part = []
        part.append(column)
    yield part
