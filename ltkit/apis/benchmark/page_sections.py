"""The sections of the page that carry the proof: published figures and runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from .html import badge, code, spread, table, td, th, words
from .progress import duration
from .published import DEVIATIONS, TAGS, published_figures
from .runs import REFERENCE
from .tables import TITLES

COMPARED = ('method', 'IF', 'metric', 'measured', 'published', 'difference', 'verdict', 'where from')
FEW = 12  # runs that are listed without a click
EVIDENCE = (
    'method',
    'IF',
    'training set',
    'seed',
    'status',
    'top-1',
    'time',
    'config',
    'code',
    'commit',
    'hardware',
    'command and log',
)


def published_section(report: Mapping[str, Any]) -> str:
    """Each set of published figures beside the measured means."""
    if not report['published_sets']:
        return '<p>This benchmark names no published figures.</p>'
    parts = [
        f'<p>A figure is <i>off</i> when it lies more than {DEVIATIONS} standard deviations of the seeds '
        'from the measured mean.</p>'
    ]
    for name in report['published_sets']:
        figures = published_figures(name)
        entries = [entry for entry in report['published'] if entry['set'] == name]
        done = sum(bool(entry['n']) for entry in entries)
        body = [_compared(entry) for entry in sorted(entries, key=lambda entry: not entry['n'])]
        found = {entry['method'] for entry in entries}
        without = dict.fromkeys(row['method'] for row in report['rows'] if row['method'] not in found)
        named = dict.fromkeys(entry['method'] for entry in figures['entries'])
        parts.append(
            f'<h3>{escape(figures["title"])}</h3><p class="caption">{escape(figures["notes"])}</p>'
            f'<details{" open" if done else ""}><summary>{len(entries)} figures of these methods, {done} of '
            f'them with a run to compare</summary>{table(COMPARED, body, (0, 2, 6, 7))}</details>'
        )
        if without:
            parts.append(
                f'<p class="caption">No figure of {escape("; ".join(without))} with these imbalance factors. '
                f'Figures are found by the name of the method; this set has {escape("; ".join(named))}.</p>'
            )
    return ''.join(parts)


def _compared(entry: Mapping[str, Any]) -> list[str]:
    mean, std, difference = entry['mean'], entry['std'], entry['difference']
    ours = '-' if mean is None else f'{mean:.2f}' + ('' if std is None else f' ± {std:.2f}')
    about = [
        entry['backbone'] + (f', {entry["epochs"]} epochs' if 'epochs' in entry else ''),
        entry['source'],
        TAGS[entry['tag']],
    ]
    about += [f'printed as {entry["printed_as"]}'] if 'printed_as' in entry else []
    about += [entry['note']] if 'note' in entry else []
    return [
        th(entry['method']),
        _factor(entry.get('imbalance_factor')),
        words(TITLES[entry['metric']]),
        td(spread(ours), mean),
        td(f'{entry["value"]:g}', entry['value']),
        td('-' if difference is None else f'{difference:+.2f}', difference),
        words(badge(entry['status'])),
        words(escape('; '.join(about)), 'wrap'),
    ]


def evidence_section(runs: Sequence[Mapping[str, Any]]) -> str:
    """All runs, with what made them, and the errors of those that failed."""
    errors = ''.join(f'<li>{escape(_label(run))}: {code(run["error"])}</li>' for run in runs if run['error'])
    failures = f'<p>What failed:</p><ul>{errors}</ul>' if errors else ''
    body = [_run(run) for run in runs]
    return (
        f'{failures}<p class="caption">config: hash of the resolved config and its seed; code: hash of the '
        'code that a run executes. results.json has all of this as data.</p>'
        f'<details{" open" * (len(runs) <= FEW)}><summary>{len(runs)} runs</summary>'
        f'{table(EVIDENCE, body, (0, 2, 4, 7, 8, 9, 10, 11))}</details>'
    )


def _run(run: Mapping[str, Any]) -> list[str]:
    top1 = (run.get('metrics') or {}).get('accuracy/top1')
    status = badge(run['status']) + (' ' + badge('other code') if run['other_code'] else '')
    seconds = run.get('seconds')
    took = (duration(seconds) if seconds else '-') + (' (resumed)' if run.get('resumed') else '')
    return [
        th(run['method']),
        _factor(run['factor']),
        words(_training_set(run)),
        td(str(run['seed']), run['seed']),
        words(status),
        td('-' if top1 is None else f'{top1:.2f}', top1),
        td(took, seconds),
        words(code(run['config_hash'])),
        words(code(run['code_hash'])),
        words(code(commit_of(run))),
        words(escape(run.get('device', '-'))),
        words(f'<details><summary>show</summary>{code(run.get("command") or run["config"])}<br>'
              f'log: {code(run["log"])}</details>', 'command'),
    ]


def commit_of(run: Mapping[str, Any]) -> str:
    """The commit of a run, short, ``-dirty`` when the code was changed."""
    name, dirty, _ = (run.get('commit') or '-').partition('-dirty')
    return name[:10] + dirty


def _training_set(run: Mapping[str, Any]) -> str:
    return 'balanced' if run['role'] == REFERENCE else 'long-tailed'


def _label(run: Mapping[str, Any]) -> str:
    factor = '' if run['factor'] is None else f', imbalance factor {run["factor"]:g}'
    return f'{run["method"]}{factor}, seed {run["seed"]}, {_training_set(run)}'


def _factor(value: float | None) -> str:
    return td('-' if value is None else f'{value:g}', value)
