"""Neural collapse over training, as a picture."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ..utils.errors import ConfigError
from .class_size_plot import COLOURS, DASHES, MARKERS
from .figure_file import checked_path, new_figure, save_figure

History = Mapping[str, Any]


class Panel(NamedTuple):
    """One of the small pictures: what it is of, and its lines (a key of the records to its name)."""

    title: str
    label: str
    lines: Mapping[str, str]
    logarithmic: bool = False
    factor: float = 1.0


PANELS = (
    Panel('NC1: within over between classes', 'trace / K', {'nc1': ''}, logarithmic=True),
    Panel('NC2: lengths', 'deviation / mean', {'nc2_norm_means': 'class means', 'nc2_norm_weights': 'classifier'}),
    Panel('NC2: angles', 'mean |cos + 1 / (K - 1)|', {'nc2_angle_means': 'class means',
                                                      'nc2_angle_weights': 'classifier'}),
    Panel('smallest angle between class means', 'degrees', {'mean_min_angle': 'mean over classes',
                                                            'min_angle': 'of all'}),
    Panel('NC3: classifier and class means', 'squared distance', {'nc3': ''}),
    Panel('NC4: prediction is not the nearest mean', '% of the samples', {'nc4': ''}, factor=100),
)


def plot_neural_collapse(runs: Mapping[str, Sequence[History]], path: str | os.PathLike,
                         title: str | None = None) -> Path:
    """Draw NC1 to NC4 and the smallest angles against the epochs.

    Each run is a line; runs of one name (seeds) have one colour. Dotted is the angle
    of a simplex, the largest that there can be.

    Args:
        runs (Mapping): Name to the contents of ``neural_collapse.json`` of the runs of
            that name: ``records``, a list of dicts with ``epoch`` and the numbers,
            ``simplex_angle``, and whether NC1 has the factor 1 / K,
            ``divide_by_classes`` (if absent, it has). The name '' is not written.
        path: A ``.png``, ``.svg`` or ``.pdf`` file; its folder is made.
        title (str, optional): Title of the picture.

    Returns:
        Path: ``path``.

    Raises:
        ConfigError: The suffix is not known, a run has no record, or NC1 has the factor
            1 / K in some of them alone.
    """
    path = checked_path(path)
    if not runs or not all(runs.values()):
        raise ConfigError('there is nothing to draw; give at least one run a name')
    for name, several in runs.items():
        for history in several:
            if not history.get('records'):
                raise ConfigError(f"a run of '{name}' has no records; it must be what NeuralCollapseHook writes")
    divided = {history.get('divide_by_classes', True) for several in runs.values() for history in several}
    if len(divided) > 1:
        raise ConfigError('NC1 has the factor 1 / K in some of the runs, and not in others: their '
                          'NeuralCollapseHook differs in divide_by_classes')
    panels = PANELS if divided == {True} else (PANELS[0]._replace(label='trace'), *PANELS[1:])
    figure = new_figure((11.5, 6.4))
    for panel, axes in zip(panels, figure.subplots(2, 3).flat):
        _draw(axes, panel, runs)
    handles = [_line(colour=i) for i in range(len(runs))]
    if any(runs):
        figure.legend(handles, list(runs), loc='outside lower center', ncols=min(len(runs), 5), frameon=False)
    figure.suptitle(title or 'Neural collapse of the training features', fontsize=12)
    return save_figure(figure, path)


def _draw(axes: Any, panel: Panel, runs: Mapping[str, Sequence[History]]) -> None:
    for i, several in enumerate(runs.values()):
        for history in several:
            for j, key in enumerate(panel.lines):
                points = [(record['epoch'], panel.factor * record[key]) for record in history['records']
                          if record.get(key) is not None]
                if points:
                    axes.plot(*zip(*points), **_style(i, j), markersize=3, linewidth=1.1)
    if 'min_angle' in panel.lines:
        for angle in sorted({history['simplex_angle'] for several in runs.values() for history in several
                             if history.get('simplex_angle') is not None}):
            axes.axhline(angle, color='black', linestyle=':', linewidth=1)
    if panel.logarithmic:
        axes.set_yscale('log')
    axes.set_title(panel.title, fontsize=10)
    axes.set(xlabel='epoch', ylabel=panel.label)
    axes.grid(linewidth=0.5, alpha=0.4)
    if len(panel.lines) > 1:
        handles = [_line(dash=j) for j in range(len(panel.lines))]
        axes.legend(handles, list(panel.lines.values()), frameon=False, fontsize=8)


def _style(run: int, line: int) -> dict[str, Any]:
    return dict(color=COLOURS[run % len(COLOURS)], marker=MARKERS[run % len(MARKERS)],
                linestyle=DASHES[line % len(DASHES)])


def _line(colour: int | None = None, dash: int = 0) -> Any:
    """A line for a legend, of a run or of a kind of line."""
    from matplotlib.lines import Line2D
    style = _style(colour or 0, dash)
    return Line2D([], [], **style if colour is not None else dict(color='black', linestyle=style['linestyle']))
