"""Reliability diagrams: accuracy against confidence, as a picture."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..evaluation.functional.calibration import (
    ReliabilityBins,
    expected_calibration_error,
    maximum_calibration_error,
)
from ..utils.errors import ConfigError
from .figure_file import checked_path, new_figure, save_figure

ACCURACY, GAP, SAMPLES = '#0072B2', '#D55E00', '#777777'
MAX_COLUMNS = 5


def plot_reliability(bins: ReliabilityBins | Mapping[str, Any], path: str | os.PathLike,
                     title: str | None = None) -> Path:
    """Draw one reliability diagram, or several side by side.

    Of each: the accuracy of every bin as a bar, the gap to its mean confidence
    hatched on it, the diagonal of a calibrated model, and below the share of the
    samples in each bin. ECE and MCE, in percent, stand in its title.

    Args:
        bins (ReliabilityBins or Mapping): Bins, what their ``to_dict`` gave (as
            in ``results.json``), or a mapping of names (groups, methods) to such:
            ``Calibration.bins``, for example.
        path: A ``.png``, ``.svg`` or ``.pdf`` file; its folder is made.
        title (str, optional): Title of the picture.

    Returns:
        Path: ``path``.

    Raises:
        ConfigError: The suffix is not known, there are no bins, or something
            else is given in their place.
    """
    path, diagrams = checked_path(path), _diagrams(bins)
    rows = -(-len(diagrams) // MAX_COLUMNS)
    columns = -(-len(diagrams) // rows)  # rows of about equal length
    figure = new_figure((2.9 * columns + 0.6, 3.9 * rows + 0.5))
    grid = figure.subplots(2 * rows, columns, squeeze=False, height_ratios=(3, 1) * rows)
    for place, (name, one) in enumerate(diagrams.items()):
        row, column = divmod(place, columns)
        _diagram(grid[2 * row, column], one, name)
        _histogram(grid[2 * row + 1, column], one)
        if column == 0:
            grid[2 * row, 0].set_ylabel('accuracy (%)')
            grid[2 * row + 1, 0].set_ylabel('samples (%)')
    for place in range(len(diagrams), rows * columns):
        row, column = divmod(place, columns)
        grid[2 * row, column].set_axis_off()
        grid[2 * row + 1, column].set_axis_off()
    handles, labels = grid[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc='outside lower center', ncols=3, frameon=False, fontsize=8.5)
    figure.suptitle(title or 'Reliability', fontsize=12)
    return save_figure(figure, path)


def _diagrams(bins: Any) -> dict[str, ReliabilityBins]:
    if isinstance(bins, ReliabilityBins) or (isinstance(bins, Mapping) and 'edges' in bins):
        return {'': _bins(bins, '')}
    if not isinstance(bins, Mapping) or not bins:
        raise ConfigError('plot_reliability needs bins, or a mapping of names to bins, but has '
                          f'{type(bins).__name__ if bins else "none"}')
    return {str(name): _bins(one, f" of '{name}'") for name, one in bins.items()}


def _bins(value: Any, whose: str) -> ReliabilityBins:
    if isinstance(value, ReliabilityBins):
        return value
    if isinstance(value, Mapping) and all(name in value for name in ReliabilityBins._fields):
        return ReliabilityBins.from_dict(dict(value))
    raise ConfigError(f'the bins{whose} must be ReliabilityBins or their to_dict(), but are '
                      f'{type(value).__name__}')


def _diagram(axes: Any, bins: ReliabilityBins, name: str) -> None:
    left, width = 100 * bins.edges[:-1], 100 * np.diff(bins.edges)
    accuracy, confidence = 100 * bins.accuracy, 100 * bins.confidence
    known = bins.counts > 0
    bar = dict(width=width[known], align='edge', linewidth=0.5)
    axes.bar(left[known], accuracy[known], color=ACCURACY, edgecolor='white', label='accuracy', **bar)
    axes.bar(left[known], (confidence - accuracy)[known], bottom=accuracy[known], color='none', edgecolor=GAP,
             hatch='////', label='gap to the mean confidence', **bar)
    axes.plot([0, 100], [0, 100], color='black', linewidth=1, linestyle='--', label='calibrated')
    axes.set(xlim=(0, 100), ylim=(0, 100), xticks=range(0, 101, 20), yticks=range(0, 101, 20))
    axes.tick_params(labelbottom=False, labelsize=8)
    ece, mce = expected_calibration_error(bins), maximum_calibration_error(bins)
    errors = f'ECE {100 * ece:.1f}, MCE {100 * mce:.1f}' if known.any() else 'no sample'
    axes.set_title(f'{name}\n{errors}' if name else errors, fontsize=9)


def _histogram(axes: Any, bins: ReliabilityBins) -> None:
    total = max(int(bins.counts.sum()), 1)
    axes.bar(100 * bins.edges[:-1], 100 * bins.counts / total, width=100 * np.diff(bins.edges), align='edge',
             color=SAMPLES, edgecolor='white', linewidth=0.5)
    axes.set(xlim=(0, 100), ylim=(0, 100), xticks=range(0, 101, 20), yticks=(0, 50, 100))
    axes.set_xlabel(f'confidence (%), {int(bins.counts.sum()):,} samples', fontsize=8.5)
    axes.tick_params(labelsize=8)
