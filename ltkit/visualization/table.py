"""Tables of results: mean and deviation over seeds, for the terminal and for Markdown."""

from __future__ import annotations

import shutil
import textwrap
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..utils.errors import ConfigError

TITLES = dict(name='method', top1='top-1', top5='top-5', many='many', medium='medium', few='few',
              mean_class='mean class', macro_f1='macro F1', g_mean='G-mean', worst_class='worst class',
              harmonic_mean='harmonic mean', few_to_many='few as many', many_to_few='many as few',
              predicted_prior_l1='prior L1', predicted_prior_kl='prior KL',
              ece='ECE', mce='MCE', adaptive_ece='adaptive ECE', classwise_ece='classwise ECE', nll='NLL',
              brier='Brier', ua='UA', ra='RA', time='time', seeds='seeds')
COLUMNS = ('top1', 'many', 'medium', 'few', 'time')
STYLES = ('plain', 'markdown')
MIN_NAME = 12


def results_table(rows: Mapping[str, Mapping[str, Any]] | Sequence[Mapping[str, Any]],
                  columns: Sequence[str] = COLUMNS,
                  thresholds: str | None = None,
                  caption: str | None = None,
                  style: str = 'plain',
                  decimals: int = 2,
                  missing: str = '-',
                  width: int | None = None,
                  heading: str = TITLES['name']) -> str:
    """A table with one row a method.

    Several values of one cell (one a seed) are shown as mean ± sample standard
    deviation. When the methods have different numbers of seeds there is a
    column that says so; the caption says what the numbers are.

    Args:
        rows (Mapping or Sequence): Name of a method to its row, or rows that
            have ``name``. A row has for each column a number or a sequence of
            numbers: percent, or seconds for ``time``.
        columns (Sequence[str]): Keys of the rows in order; one that no row has
            is left out. Defaults to top-1, many, medium, few, time.
        thresholds (str, optional): ``ClassDistribution.thresholds``, for the
            caption.
        caption (str, optional): In place of the one that says the above.
        style (str): 'plain' or 'markdown'. Defaults to 'plain'.
        decimals (int): Digits after the point. Defaults to 2.
        missing (str): What an empty cell shows. Defaults to '-'.
        width (int, optional): Columns of the screen, for 'plain': long names
            are cut and the caption is wrapped. Defaults to the terminal's.
        heading (str): Over the names. Defaults to 'method'.

    Returns:
        str: Without a line break at the end.

    Raises:
        ConfigError: A row has no name, or the style is not known.
    """
    if style not in STYLES:
        raise ConfigError(f"style must be one of {', '.join(STYLES)}, but is '{style}'")
    if isinstance(rows, Mapping):
        rows = [dict(row, name=name) for name, row in rows.items()]
    for number, row in enumerate(rows):
        if 'name' not in row:
            raise ConfigError(f"row {number} of the table has no 'name'")
    columns = [column for column in columns if any(_values(row.get(column)).size for row in rows)]
    seeds = [max((_values(row.get(column)).size for column in columns), default=0) for row in rows]
    heads = ['name', *columns]
    cells = [[str(row['name'])] + [_cell(row.get(column), column, decimals, missing) for column in columns]
             for row in rows]
    if len(set(seeds) - {0}) > 1:
        heads.append('seeds')
        cells = [[*line, str(count)] for line, count in zip(cells, seeds)]
    titles = [heading, *(TITLES.get(head, head) for head in heads[1:])]
    caption = _caption(columns, seeds, thresholds) if caption is None else caption
    if style == 'markdown':
        return _markdown(titles, cells, caption)
    return _plain(titles, cells, caption, width or shutil.get_terminal_size((100, 24)).columns)


def results_row(name: str, runs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The row of a method from the ``results.json`` of its seeds.

    Args:
        name (str): Name of the method.
        runs (Sequence[Mapping]): Each with ``metrics`` (keys such as
            ``accuracy/top1``) and ``seconds``.
    """
    row: dict[str, Any] = dict(name=name)
    for run in runs:
        for key, value in run.get('metrics', {}).items():
            if isinstance(value, (int, float)):
                row.setdefault(key.rsplit('/', 1)[-1], []).append(float(value))
    row['time'] = [float(run['seconds']) for run in runs if run.get('seconds') is not None]
    return row


def _values(value: Any) -> np.ndarray:
    return np.zeros(0) if value is None else np.atleast_1d(np.asarray(value, dtype=np.float64))


def _cell(value: Any, column: str, decimals: int, missing: str) -> str:
    values = _values(value)
    if not values.size:
        return missing
    if column == 'time':
        return _duration(float(values.mean()))
    if values.size == 1:
        return f'{values[0]:.{decimals}f}'
    return f'{values.mean():.{decimals}f} ± {values.std(ddof=1):.{decimals}f}'


def _duration(seconds: float) -> str:
    if seconds < 100:
        return f'{seconds:.1f} s'
    minutes = round(seconds / 60)
    return f'{minutes} min' if minutes < 100 else f'{minutes // 60} h {minutes % 60:02d} min'


def _caption(columns: Sequence[str], seeds: Sequence[int], thresholds: str | None) -> str:
    parts = []
    if any(column != 'time' for column in columns):
        parts.append('Percent')
    counts = sorted(set(seeds) - {0})
    if counts and counts[-1] > 1:
        over = f'{counts[0]} seeds' if len(counts) == 1 else 'the seeds'
        parts.append(f'mean ± standard deviation over {over}')
    if thresholds and {'many', 'medium', 'few'} & set(columns):
        parts.append(thresholds)
    return '; '.join(parts) + '.' if parts else ''


def _markdown(titles: list[str], cells: list[list[str]], caption: str) -> str:
    rows = [[cell.replace('|', r'\|') for cell in row] for row in cells]
    lines = [titles, ['---'] + ['---:'] * (len(titles) - 1), *rows]
    table = '\n'.join('| ' + ' | '.join(line) + ' |' for line in lines)
    return f'{table}\n\n{caption}' if caption else table


def _plain(titles: list[str], cells: list[list[str]], caption: str, width: int) -> str:
    widths = [max(_width(row[i]) for row in [titles, *cells]) for i in range(len(titles))]
    spare = width - sum(widths) - 2 * (len(widths) - 1)
    widths[0] = max(min(widths[0], MIN_NAME), widths[0] + min(spare, 0))
    rule = '  '.join('-' * size for size in widths)
    lines = [_line(titles, widths), rule, *(_line(row, widths) for row in cells)]
    return '\n'.join(lines + textwrap.wrap(caption, max(width, 20)))


def _line(cells: list[str], widths: list[int]) -> str:
    name = _cut(cells[0], widths[0])
    parts = [name + ' ' * (widths[0] - _width(name))]
    parts += [' ' * (size - _width(cell)) + cell for cell, size in zip(cells[1:], widths[1:])]
    return '  '.join(parts).rstrip()


def _width(text: str) -> int:
    """Columns that a text takes on the screen: two for a wide character, none for a mark."""
    return sum(0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in 'WF' else 1
               for char in text)


def _cut(text: str, width: int) -> str:
    if _width(text) <= width:
        return text
    while _width(text) > width - 1:
        text = text[:-1]
    return text + '…'
