"""How pictures are made and written; matplotlib is imported here, when it is needed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ..utils.checkpoint import whole_file
from ..utils.errors import ConfigError

SUFFIXES = ('.png', '.svg', '.pdf')


def checked_path(path: str | os.PathLike) -> Path:
    """The path of a picture.

    Raises:
        ConfigError: Its suffix is not known.
    """
    path = Path(path)
    if path.suffix.lower() not in SUFFIXES:
        raise ConfigError(f"cannot write '{path.name}'; its name must end in {', '.join(SUFFIXES)}")
    return path


def new_figure(size: tuple[float, float]) -> Any:
    """A matplotlib figure that touches no display, of a width and height in inches."""
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    matplotlib.rcParams['svg.hashsalt'] = 'ltkit'  # the same picture gives the same file

    figure = Figure(figsize=size, layout='constrained')
    FigureCanvasAgg(figure)
    return figure


def save_figure(figure: Any, path: Path) -> Path:
    """Write a figure so that the file is there whole or not at all; its folder is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    kind = path.suffix.lower()[1:]
    metadata = {'png': None, 'svg': {'Date': None}, 'pdf': {'CreationDate': None}}[kind]
    with whole_file(path) as part:
        figure.savefig(part, format=kind, dpi=150, metadata=metadata)
    return path
