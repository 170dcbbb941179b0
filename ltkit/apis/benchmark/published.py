"""Published figures, kept as data with their sources, and how far off measured ones are.

Each ``published/<name>.json`` has a title, a source, notes and entries of method,
dataset, backbone, epochs, imbalance factor, metric, value, source and tag: ``S`` was
read in the survey, ``R`` in a repository, ``T`` in a third party's table.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from ltkit.utils.errors import ConfigError, did_you_mean

FOLDER = Path(__file__).parent / 'published'
TAGS = dict(S='survey', R='repository', T="third party's table")
DEVIATIONS = 2
AGREES, OFF, ONE_RUN, UNVERIFIED = 'agrees', 'off', 'one run', 'unverified'


def published_names() -> list[str]:
    """The sets of figures that ltkit carries."""
    return sorted(path.stem for path in FOLDER.glob('*.json'))


@cache
def published_figures(name: str) -> dict[str, Any]:
    """One set of figures.

    Raises:
        ConfigError: There is no such set.
    """
    if name not in published_names():
        raise ConfigError(
            f"there are no published figures '{name}'"
            f'{did_you_mean(name, published_names()) or "; known: " + ", ".join(published_names())}'
        )
    return json.loads((FOLDER / f'{name}.json').read_text(encoding='utf-8'))


def compare(rows: Iterable[Mapping[str, Any]], names: Sequence[str]) -> list[dict[str, Any]]:
    """Set the rows of a benchmark beside published figures.

    A figure is ``'off'`` when it lies more than two standard deviations (of the
    seeds) from the measured mean, ``'agrees'`` otherwise; ``'one run'`` has no
    deviation, and ``'unverified'`` no run.

    Args:
        rows (Iterable[Mapping]): Each with method, factor and metrics (name to
            dict of mean, std, n).
        names (Sequence[str]): Sets of figures.

    Returns:
        list[dict]: The entries of methods in ``rows``, with ``set``, ``mean``,
        ``std``, ``n``, ``difference`` (ours less theirs) and ``status``. An entry
        with an imbalance factor is compared with the rows of that factor only.
    """
    rows, found = list(rows), []
    for name in names:
        for entry in published_figures(name)['entries']:
            for row in rows:
                if row['method'] == entry['method'] and entry.get('imbalance_factor') in (
                    None,
                    row['factor'],
                    row.get('measured_factor'),
                ):
                    ours = row['metrics'].get(entry['metric']) or {}
                    found.append(dict(entry, set=name, factor=row['factor'], **_judge(ours, entry['value'])))
    return found


def _judge(ours: Mapping[str, Any], value: float) -> dict[str, Any]:
    if not ours.get('n'):
        return dict(mean=None, std=None, n=0, difference=None, status=UNVERIFIED)
    difference = ours['mean'] - value
    if ours['n'] == 1 or ours.get('std') is None:
        status = ONE_RUN
    else:
        status = OFF if abs(difference) > DEVIATIONS * ours['std'] else AGREES
    return dict(mean=ours['mean'], std=ours.get('std'), n=ours['n'], difference=difference, status=status)
