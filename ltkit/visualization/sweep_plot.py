"""Accuracy against the strength of a rule, as a picture."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..utils.errors import ConfigError
from .class_size_plot import COLOURS, DASHES, MARKERS
from .figure_file import checked_path, new_figure, save_figure


def plot_sweep(values: Sequence[float],
               accuracies: Mapping[str, Sequence[float]],
               path: str | os.PathLike,
               label: str,
               title: str | None = None) -> Path:
    """Draw one line for each group of classes.

    Args:
        values (Sequence[float]): The strengths, V of them.
        accuracies (Mapping): Name of a line to its V accuracies in percent.
        path: A ``.png``, ``.svg`` or ``.pdf`` file; its folder is made.
        label (str): What the strength is.
        title (str, optional): Title of the picture.

    Returns:
        Path: ``path``.

    Raises:
        ConfigError: The suffix is not known, there is no line, or one is not of
            V values.
    """
    path = checked_path(path)
    if not accuracies or not len(values):
        raise ConfigError('there is nothing to draw; give at least one value and one line')
    for name, line in accuracies.items():
        if len(line) != len(values):
            raise ConfigError(f"line '{name}' has {len(line)} accuracies, but there are {len(values)} values")
    figure = new_figure((6.4, 4.2))
    axes = figure.subplots()
    order = sorted(range(len(values)), key=lambda i: values[i])
    for i, (name, line) in enumerate(accuracies.items()):
        axes.plot([values[j] for j in order], [line[j] for j in order], label=name, color=COLOURS[i % len(COLOURS)],
                  marker=MARKERS[i % len(MARKERS)], linestyle=DASHES[i % len(DASHES)], markersize=4)
    axes.set(xlabel=label, ylabel='accuracy (%)')
    axes.grid(linewidth=0.5, alpha=0.4)
    axes.legend(frameon=False)
    axes.set_title(title or '', fontsize=11)
    return save_figure(figure, path)
