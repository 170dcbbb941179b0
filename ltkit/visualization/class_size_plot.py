"""Accuracy of each class against its number of training images, as a picture."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..distribution import GROUPS, ClassDistribution
from ..distribution_aware import CountsLike, as_distribution
from ..utils.errors import ConfigError, DistributionError
from .figure_file import checked_path, new_figure, save_figure

# Okabe and Ito's palette, apart for all common kinds of colour blindness; markers and dashes tell too.
COLOURS = ('#0072B2', '#D55E00', '#009E73', '#CC79A7', '#56B4E9', '#E69F00', '#000000')
MARKERS = ('o', 's', '^', 'D', 'v', 'P', 'X')
DASHES = ('-', '--', '-.', (0, (1, 1)), (0, (5, 1, 1, 1, 1, 1)))
SHADES = dict(many='#ffffff', medium='#f1f1f1', few='#e2e2e2')
MAX_POINTS = 40


def plot_accuracy_by_class_size(results: Mapping[str, Any],
                                distribution: CountsLike,
                                path: str | os.PathLike,
                                title: str | None = None) -> Path:
    """Draw accuracy by class, the classes sorted by their training images.

    The upper panel has one line a method, with a band of one standard deviation;
    the lower one the training images of each class, on a logarithmic axis. The
    many-, medium- and few-shot groups are shaded and their thresholds are in the
    caption. With more than 40 classes neighbouring ones of a group are averaged,
    which the caption says.

    Args:
        results (Mapping): Name of a method to its accuracies in percent: an
            array ``(C,)``, an array ``(S, C)`` of S seeds, or a tuple ``(mean,
            deviation)`` of arrays ``(C,)``. NaN where a class has no test sample.
        distribution: The class distribution of the training set, or its counts.
        path: A ``.png``, ``.svg`` or ``.pdf`` file; its folder is made.
        title (str, optional): Title of the picture.

    Returns:
        Path: ``path``.

    Raises:
        ConfigError: The suffix is not known, or there is no result.
        DistributionError: A result is not of C classes.
    """
    path, distribution = checked_path(path), as_distribution(distribution)
    if not results:
        raise ConfigError('there is no result to draw; give at least one method')
    order, sections = _sorted_classes(distribution)
    points = _points(sections, distribution.num_classes)
    lines = {name: _line(*_checked(name, value, distribution.num_classes), order, points)
             for name, value in results.items()}
    return save_figure(_figure(lines, distribution, order, sections, points, title), path)


def _checked(name: str, value: Any, num_classes: int) -> tuple[np.ndarray, np.ndarray | None]:
    """Accuracies ``(S, C)``, and their deviation ``(1, C)`` when it is given."""
    parts = value if isinstance(value, tuple) else (value, )
    parts = [np.atleast_2d(np.asarray(part, dtype=np.float64)) for part in parts]
    wrong = next((part for part in parts if part.shape[-1] != num_classes), None)
    if wrong is not None:
        raise DistributionError(f"the accuracies of '{name}' are of {wrong.shape[-1]} classes, but the class "
                                f'counts of {num_classes}')
    return parts[0], parts[1] if len(parts) > 1 else None


def _line(values: np.ndarray, deviation: np.ndarray | None, order: np.ndarray,
          points: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Mean and deviation over seeds at each point of a line; each seed is averaged over the classes first."""
    means = np.array([_nanmean(values[:, order[part]]) for part in points])
    if deviation is not None:
        spread = np.array([_nanmean(deviation[:, order[part]]) for part in points])[:, 0]
    else:
        spread = means.std(axis=1, ddof=1) if len(values) > 1 else np.zeros(len(points))
    return means.mean(axis=1), spread


def _sorted_classes(distribution: ClassDistribution) -> tuple[np.ndarray, dict[str, tuple[int, int]]]:
    """Classes from the largest to the smallest, and the range of each group in that order."""
    groups = distribution.groups
    order = [members[np.argsort(-distribution.counts[members], kind='stable')]
             for members in (groups[name] for name in GROUPS)]
    ends = np.cumsum([len(members) for members in order])
    sections = {name: (int(end - len(members)), int(end)) for name, end, members in zip(GROUPS, ends, order)}
    return np.concatenate(order), {name: span for name, span in sections.items() if span[0] < span[1]}


def _points(sections: Mapping[str, tuple[int, int]], num_classes: int) -> list[np.ndarray]:
    """Positions that are averaged to one point of a line; none lies in two groups."""
    size = max(1, -(-num_classes // MAX_POINTS))
    return [part for start, end in sections.values()
            for part in np.array_split(np.arange(start, end), max(1, round((end - start) / size)))]


def _figure(lines: Mapping[str, tuple[np.ndarray, np.ndarray]], distribution: ClassDistribution,
            order: np.ndarray, sections: Mapping[str, tuple[int, int]], points: list[np.ndarray],
            title: str | None) -> Any:
    figure = new_figure((8, 5.6))
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1.2))
    _shade(upper, lower, sections)
    centres = np.array([part.mean() for part in points])
    for i, (name, (mean, spread)) in enumerate(lines.items()):
        style = dict(color=COLOURS[i % len(COLOURS)], marker=MARKERS[i % len(MARKERS)],
                     linestyle=DASHES[i % len(DASHES)])
        if np.nanmax(spread, initial=0) > 0:
            upper.fill_between(centres, np.clip(mean - spread, 0, 100), np.clip(mean + spread, 0, 100),
                               color=style['color'], alpha=0.15, linewidth=0)
        upper.plot(centres, mean, label=name, linewidth=1.6, markersize=4.5, **style)
    upper.set(ylabel='accuracy (%)', ylim=(0, 103))
    upper.grid(axis='y', linewidth=0.5, alpha=0.5)
    counts = distribution.counts[order]
    lower.bar(np.arange(len(order)), counts, width=0.8 if len(order) <= MAX_POINTS else 1.0, color='#777777')
    lower.set_yscale('log')
    lower.set(ylabel='training images', ylim=(0.5, counts.max() * 2), xlim=(-0.6, len(order) - 0.4))
    ticks = [10**power for power in range(7) if 10**power <= counts.max() * 2]
    lower.set_yticks(ticks, [f'{tick:,}' for tick in ticks])
    _name_classes(lower, distribution, order)
    figure.suptitle(title or 'Accuracy by class size', fontsize=12)
    figure.legend(loc='outside lower center', ncols=min(4, len(lines)), frameon=False,
                  title=_caption(distribution, sections, points), title_fontsize=8.5)
    return figure


def _shade(upper: Any, lower: Any, sections: Mapping[str, tuple[int, int]]) -> None:
    for name, (start, end) in sections.items():
        for axes in (upper, lower):
            axes.axvspan(start - 0.5, end - 0.5, color=SHADES[name], linewidth=0, zorder=0)
        upper.annotate(f'{name}-shot', ((start + end - 1) / 2, 1.0), xycoords=('data', 'axes fraction'),
                       xytext=(0, 3), textcoords='offset points', ha='center', va='bottom', fontsize=9)


def _name_classes(axes: Any, distribution: ClassDistribution, order: np.ndarray) -> None:
    if len(order) > MAX_POINTS:
        axes.set_xlabel('classes, from most to fewest training images')
        return
    names = [str(c) if distribution.names is None else distribution.names[c] for c in order]
    long = len(order) > 12 or max(map(len, names)) > 6
    axes.set_xticks(range(len(order)), names, rotation=60 if long else 0, ha='right' if long else 'center',
                    fontsize=8)
    axes.set_xlabel('class, from most to fewest training images')


def _caption(distribution: ClassDistribution, sections: Mapping[str, tuple[int, int]],
             points: list[np.ndarray]) -> str:
    sizes = ', '.join(f'{end - start} {name}' for name, (start, end) in sections.items())
    text = f'{sizes} classes ({distribution.thresholds})'
    largest = max(len(part) for part in points)
    return f'{text}; a point is the mean of up to {largest} classes' if largest > 1 else text


def _nanmean(values: np.ndarray) -> np.ndarray:
    """Mean over the last axis of what is not NaN; NaN where all are, without a warning."""
    known = np.isfinite(values)
    total, count = np.where(known, values, 0).sum(-1), known.sum(-1)
    return np.divide(total, count, out=np.full(count.shape, np.nan), where=count > 0)
