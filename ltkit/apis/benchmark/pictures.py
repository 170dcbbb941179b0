"""The plots of a benchmark, written as SVG files."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ltkit.distribution import ClassDistribution
from ltkit.evaluation.functional.calibration import ReliabilityBins
from ltkit.visualization import plot_accuracy_by_class_size
from ltkit.visualization.class_size_plot import COLOURS, MARKERS
from ltkit.visualization.figure_file import new_figure, save_figure
from ltkit.visualization.reliability_plot import plot_reliability

from .runs import METHOD
from .tables import value_of

# Text stays text, which keeps the files small; the browser's own sans-serif draws it.
STYLE = {'svg.fonttype': 'none', 'font.family': 'sans-serif', 'svg.hashsalt': 'ltkit'}
MAX_LINES = 7
RELIABILITY = 'Reliability'
FILES = ('accuracy_by_class_size_*.svg', 'accuracy_ra.svg', 'time_accuracy.svg', 'reliability.svg')


def draw(
    rows: Sequence[Mapping[str, Any]], records: Sequence[Mapping[str, Any]], title: str, folder: Path
) -> dict[str, Path]:
    """Draw what the rows of one imbalance factor allow.

    Args:
        rows (Sequence[Mapping]): Of :func:`~.aggregate.aggregate`, of one factor.
        records (Sequence[Mapping]): Of :func:`~.collect.collect`, of that factor.
        title (str): What the plots are of.
        folder (Path): Where to write.

    Returns:
        dict[str, Path]: Caption = file; what has no data is left out.
    """
    import matplotlib

    folder.mkdir(parents=True, exist_ok=True)
    finished = [record for record in records if record['status'] == 'finished' and record['role'] == METHOD]
    pictures: dict[str, Path] = {}
    with matplotlib.rc_context(STYLE):
        for path in _by_class_size(rows, finished, title, folder):
            part = '' if len(rows) <= MAX_LINES else f' ({path.stem.rpartition("_")[2]})'
            pictures[f'Accuracy by class size{part}'] = path
        ends = [row for row in rows if value_of(row, 'ra') is not None]
        if ends:
            pictures['Accuracy against relative accuracy'] = _scatter(
                ends, 'ra', 'relative accuracy RA = top-1 / UA (%)', title, folder / 'accuracy_ra.svg'
            )
        timed = [row for row in rows if value_of(row, 'seconds') is not None]
        if timed:
            pictures['Training time against accuracy'] = _scatter(
                timed,
                'seconds',
                'training time of a run (s, logarithmic)',
                title,
                folder / 'time_accuracy.svg',
            )
        bins = {
            row['method']: [
                record['reliability']
                for record in finished
                if record['method'] == row['method'] and record.get('reliability')
            ]
            for row in rows
        }
        bins = {name: parts for name, parts in bins.items() if parts}
        if bins:
            pictures[RELIABILITY] = plot_reliability(
                {_shown(name): merged_bins(parts) for name, parts in bins.items()},
                folder / 'reliability.svg',
                _shown(title),
            )
    for path in (path for name in FILES for path in folder.glob(name)):
        if path not in pictures.values():
            path.unlink()  # of an earlier report; it does not belong to the tables any more
    return pictures


def _by_class_size(
    rows: Sequence[Mapping], finished: Sequence[Mapping], title: str, folder: Path
) -> list[Path]:
    """Lines of at most seven methods a picture; the first method is in each."""
    values: dict[str, np.ndarray] = {}
    for row in rows:
        parts = [
            record['per_class_accuracy']
            for record in finished
            if record['method'] == row['method'] and record.get('per_class_accuracy')
        ]
        if parts:
            values[row['method']] = np.array(parts, dtype=float)
    distribution = next(
        (record['class_distribution'] for record in finished if record.get('class_distribution')), None
    )
    if not values or distribution is None:
        return []
    names = list(values)
    if len(names) <= MAX_LINES:
        parts = [names]
    else:
        step = MAX_LINES - 1
        parts = [[names[0], *names[1 + i : 1 + i + step]] for i in range(0, len(names) - 1, step)]
    return [
        plot_accuracy_by_class_size(
            {_shown(name): values[name] for name in part},
            ClassDistribution(**distribution),
            folder / f'accuracy_by_class_size_{i}.svg',
            title=_shown(title),
        )
        for i, part in enumerate(parts, 1)
    ]


def _scatter(rows: Sequence[Mapping], column: str, label: str, title: str, path: Path) -> Path:
    figure = new_figure((7, 5))
    axes = figure.subplots()
    points = []
    for i, row in enumerate(rows):
        x, y = value_of(row, column), value_of(row, 'top1')
        found = row['seconds'] if column == 'seconds' else row['metrics'][column]
        colour = COLOURS[i % len(COLOURS)]
        axes.errorbar(
            x,
            y,
            xerr=found['std'] or None,
            yerr=row['metrics']['top1']['std'] or None,
            fmt='none',
            ecolor=colour,
            alpha=0.5,
            linewidth=1,
            capsize=2,
        )
        axes.plot(
            x,
            y,
            marker=MARKERS[(i + i // len(MARKERS)) % len(MARKERS)],
            color=colour,
            markersize=8,
            linestyle='none',
        )
        points.append((x, y, row['method']))
    if column == 'seconds':
        axes.set_xscale('log')
        from matplotlib.ticker import LogLocator, NullFormatter, ScalarFormatter

        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_major_formatter(ScalarFormatter())
        axes.xaxis.set_minor_formatter(NullFormatter())
    axes.margins(x=0.16, y=0.12)
    _name_points(axes, points)
    axes.set(xlabel=label, ylabel='top-1 accuracy (%)')
    axes.set_title(_shown(title), fontsize=11)
    axes.grid(linewidth=0.5, alpha=0.4)
    return save_figure(figure, path)


def _name_points(axes: Any, points: Sequence[tuple[float, float, str]]) -> None:
    """Write names beside points, higher or lower where one would cover another name or point."""
    axes.figure.canvas.draw()  # the layout, and with it where the points lie, is known now
    where = {name: axes.transData.transform((x, y)) for x, y, name in points}
    end = axes.get_window_extent().x1
    covered = {name: (across - 6, across + 6, up) for name, (across, up) in where.items()}
    for x, y, name in sorted(points, key=lambda point: -point[1]):
        (across, up), width = where[name], 7.0 * len(name)
        to_the_left = across + width > end  # where the picture has no room
        if to_the_left:
            across -= width
        others = [place for other, place in covered.items() if other != name]

        def is_free(
            step: float,
            left: float = across,
            right: float = across + width,
            up: float = up,
            others: list = others,
        ) -> bool:
            return not any(
                abs(up + step - height) < 14 and start < right and left < end for start, end, height in others
            )

        step = next((step for step in (0, 15, -15, 30, -30, 45, -45) if is_free(step)), 0)
        covered[f'name of {name}'] = (across, across + width, up + step)
        axes.annotate(
            _shown(name), (x, y), xytext=(-8 if to_the_left else 8, 0.72 * step), textcoords='offset points',
            va='center', ha='right' if to_the_left else 'left', fontsize=9,
            bbox=dict(facecolor='white', alpha=0.8, edgecolor='none', pad=0.5),  # bars do not strike it through
        )


def _shown(text: str) -> str:
    """Text as matplotlib shows it: no formula between dollars, no name left out of the legend for its underscore."""
    text = text.replace('$', r'\$')
    return f' {text}' if text.startswith('_') else text


def merged_bins(parts: Sequence[Mapping[str, Any]]) -> ReliabilityBins:
    """The bins of several seeds as those of all their predictions."""
    bins = [ReliabilityBins.from_dict(dict(part)) for part in parts]
    counts = np.sum([part.counts for part in bins], axis=0)
    totals = (
        sum(np.where(part.counts > 0, values, 0) * part.counts for part, values in pairs)
        for pairs in ([(part, part.confidence) for part in bins], [(part, part.accuracy) for part in bins])
    )
    empty = np.full(len(counts), np.nan)
    return ReliabilityBins(
        bins[0].edges,
        counts,
        *(np.divide(total, counts, out=empty.copy(), where=counts > 0) for total in totals),
    )


def svg_text(path: Path) -> str:
    """An SVG without what comes before its root, for a data address."""
    text = path.read_text(encoding='utf-8')
    text = text[text.index('<svg') :]
    return re.sub(r'\s*<metadata>.*?</metadata>', '', text, count=1, flags=re.DOTALL)
