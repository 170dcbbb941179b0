"""Second stages of methods: whether each fits what it begins from, and the tables method x stage."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.registry import init_default_scope
from torch import nn

from ltkit.apis.arguments import option_value
from ltkit.apis.stages import build_frozen, check_end
from ltkit.config import load_runs
from ltkit.utils.errors import CheckpointError, ConfigError
from ltkit.utils.patterns import as_patterns
from ltkit.utils.weights import compare_weights

from .html import spread, table, td, th
from .runs import Run
from .tables import best, cell, columns_of, plain_markdown, title_of, value_of

JOINT = 'joint'
CROSSED = ('top1', 'many', 'medium', 'few')
Row = Mapping[str, Any]


def check_hand_overs(runs: Sequence[Run], file: str, folder_of: Callable[[Run], Path]) -> None:
    """Compare the model of each second stage with that of the run that it begins from, before any is trained.

    Raises:
        ConfigError: One does not fit.
    """
    init_default_scope('ltkit')
    first: dict[str, nn.Module] = {}
    seen: set[str] = set()
    for run in runs:
        if run.source is None or run.method in seen:
            continue
        seen.add(run.method)
        folder = str(folder_of(run.source))
        if option_value(folder) != folder:
            raise ConfigError(f'second stages are told the folder {folder} on a command line, which cannot say it; '
                              'give another --work-dir, of letters, digits, _, -, . and /')
        try:
            if run.source.method not in first:
                source = _alone(run.source)
                check_end(source, f"'{run.source.method}'", f"'{run.method}'")
                first[run.source.method] = build_frozen(source)[0]
            config = _alone(run)
            model, frozen = build_frozen(config)
            anew = as_patterns(config.get('reinitialize') or (), 'reinitialize')
            state = dict(first[run.source.method].state_dict())
            compare_weights(model, state, f"'{run.source.method}'", anew, frozen)
        except (ConfigError, CheckpointError) as error:
            raise ConfigError(f"{file}: methods '{run.method}': {error}") from error


def _alone(run: Run) -> Config:
    """The config of a run that is no sequence of stages."""
    stages = load_runs(run.config, dict(run.options))
    if stages[-1].name:
        raise ConfigError(f'{run.config} trains in stages itself, and so neither is a second stage nor has one; for a '
                          "second stage give the config of its last stage, for a method second_stages={'NAME': None}")
    return stages[0].config


def crossed_markdown(rows: Sequence[Row]) -> str:
    """For each accuracy a table with a row a method and a column a stage; '' without second stages."""
    text = ''
    for column, stages, body in _crossed(rows):
        text += f'\n\n### {title_of(column, "")}\n\n| method | ' + ' | '.join(map(plain_markdown, stages)) + ' |\n'
        text += '| --- |' + ' ---: |' * len(stages)
        for name, own in body:
            top = best(list(own.values()), column)
            cells = [_cell(own.get(stage), column) for stage in stages]
            is_best = [top is not None and stage in own and value_of(own[stage], column) == top for stage in stages]
            cells = [f'**{each}**' if chosen else each for each, chosen in zip(cells, is_best)]
            text += f'\n| {plain_markdown(name)} | ' + ' | '.join(cells) + ' |'
    return text and f'{text}\n\nThe best stage of each method bold.'


def crossed_html(rows: Sequence[Row]) -> str:
    """The same for the page."""
    text = ''
    for column, stages, body in _crossed(rows):
        lines = []
        for name, own in body:
            top = best(list(own.values()), column)
            cells = [th(name)]
            for stage in stages:
                value = value_of(own[stage], column) if stage in own else None
                cells.append(td(spread(_cell(own.get(stage), column)), value,
                                'best' if top is not None and value == top else ''))
            lines.append(cells)
        title = escape(title_of(column, ''))
        text += f'<h4>{title} by stage</h4>{table(["method", *stages], lines, (0,))}'
    return text


def _crossed(rows: Sequence[Row]) -> Iterator[tuple[str, list[str], list[tuple[str, dict[str, Row]]]]]:
    """Column, stages, and of each method its rows by stage."""
    stages = list(dict.fromkeys(row['stage'] for row in rows if row.get('stage')))
    if not stages:
        return
    methods: dict[str, dict[str, Row]] = {}
    for row in rows:
        methods.setdefault(row.get('first') or row['method'], {})[row.get('stage') or JOINT] = row
    for column in columns_of(rows, CROSSED):
        yield column, [JOINT, *stages], list(methods.items())


def _cell(row: Row | None, column: str) -> str:
    return '-' if row is None else cell(row, column)
