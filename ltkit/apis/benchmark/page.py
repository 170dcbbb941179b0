"""The page of a benchmark: one HTML file that loads nothing."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from .html import badge, spread, table, td, th
from .page_sections import commit_of, evidence_section, published_section
from .pictures import RELIABILITY, svg_text
from .progress import duration
from .published import DEVIATIONS, OFF
from .second_stages import crossed_html
from .tables import FURTHER, UNVERIFIED, best, by_factor, caption, cell, columns_of, title_of, value_of

ASSETS = Path(__file__).parent / 'assets'
EXPLANATIONS = {
    'UA and RA': (
        'The upper reference accuracy of a method is the larger of two: that of plain cross-entropy with the '
        "baseline's network, and that of the method itself, both trained on a balanced set of as many images. "
        'The relative accuracy is the top-1 accuracy on the long-tailed set as a share of it: how much of what '
        'balanced data would give the method keeps (Zhang et al., arXiv 2110.04596). The deviation of RA is '
        "that of the method's seeds; UA is a mean over the seeds of the balanced runs."
    ),
    'Groups': (
        'Many-, medium- and few-shot classes are told by their numbers of training images; the accuracy of a '
        'group is the mean over its classes.'
    ),
    'The model': 'Always that of the last epoch. Nothing is selected on the evaluation set.',
    'Differences': 'Δ pairs the runs of one seed, so that what a seed does to both methods falls out.',
    'Unverified': 'No run has ended with these settings; no figure is taken from elsewhere.',
}
LINKS = dict(
    results='Results', published='Published figures', evidence='Evidence', meaning='What the numbers mean'
)
FRAME = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="data:,">
<style>
{style}</style>
</head>
<body>
<main>
{body}
</main>
<script>
{script}</script>
</body>
</html>
"""


def page(report: Mapping[str, Any], pictures: Mapping[float | None, Mapping[str, Path]]) -> str:
    """The page of a report.

    Args:
        report (Mapping): Of :func:`~.report.make_report`.
        pictures (Mapping): The plots of each imbalance factor.

    Returns:
        str: HTML with style, script and pictures inside.
    """
    title, baseline = escape(report['title']), report['baseline']
    parts = [f'<h1>{title}</h1>']
    parts += [f'<p>{escape(report["notes"])}</p>'] if report['notes'] else []
    links = ''.join(f'<a href="#{name}">{text}</a>' for name, text in LINKS.items())
    parts += [_tiles(report), f'<nav>{links}</nav>', _head('results')]
    for factor, rows in by_factor(report['rows']).items():
        parts += [f'<h3>Imbalance factor {factor:g}</h3>'] if factor is not None else []
        parts += [
            _results(rows, baseline, columns_of(rows)),
            f'<p class="caption">{escape(caption(rows, baseline))}</p>',
            crossed_html(rows),
        ]
        further = columns_of(rows, FURTHER)
        if further:
            more = _results(rows, baseline, further)
            parts.append(f'<details><summary>Further metrics</summary>{more}</details>')
        parts.append(_plots(pictures.get(factor, {})))
    parts += [
        _head('published'),
        published_section(report),
        _head('evidence'),
        evidence_section(report['runs']),
    ]
    parts.append(_head('meaning'))
    parts += [f'<p><b>{escape(name)}.</b> {escape(text)}</p>' for name, text in EXPLANATIONS.items()]
    parts.append(
        f'<p class="soft">Written {escape(report["written"])} by ltkit {escape(report["ltkit"])}: '
        f'<code>{escape(report["command"])}</code></p>'
    )
    style, script = ((ASSETS / name).read_text(encoding='utf-8') for name in ('page.css', 'page.js'))
    return FRAME.format(title=title, style=style, body='\n'.join(parts), script=script)


def _head(name: str) -> str:
    return f'<h2 id="{name}">{LINKS[name]}</h2>'


def _tiles(report: Mapping[str, Any]) -> str:
    runs = report['runs']
    finished = [run for run in runs if run['status'] == 'finished']
    tiles = [(f'{len(finished)} of {len(runs)}', 'runs finished')]
    for status, name in dict(
        failed='failed', running='running', interrupted='interrupted', unverified='never started'
    ).items():
        count = sum(run['status'] == status for run in runs)
        tiles += [(str(count), name)] if count else []
    judged = [entry for entry in report['published'] if entry['n'] > 1]
    if judged:
        off = sum(entry['status'] == OFF for entry in judged)
        tiles.append((f'{off} of {len(judged)}', f'published figures over {DEVIATIONS} deviations off'))
    seconds = sum(run['seconds'] for run in finished if run.get('seconds'))
    tiles += [(duration(seconds), 'training in all')] if seconds else []
    for name, found in {
        'hardware': [run['device'] for run in finished if run.get('device')],
        'commit of the code': [commit_of(run) for run in finished if run.get('commit')],
    }.items():
        different = list(dict.fromkeys(found))
        more = f' and {len(different) - 3} more' if len(different) > 3 else ''
        tiles += [(', '.join(different[:3]) + more, name)] if different else []
    return (
        '<div class="tiles">'
        + ''.join(
            f'<div class="tile"><b>{escape(value)}</b><span>{escape(name)}</span></div>'
            for value, name in tiles
        )
        + '</div>'
    )


def _results(rows: Sequence[Mapping[str, Any]], baseline: str, columns: Iterable[str]) -> str:
    columns = list(columns)
    top = {name: best(rows, name) for name in columns}
    body = []
    for row in rows:
        marks = [('partial', row['status'] == 'partial'), ('other code', row.get('other_code'))]
        cells = [th(row['method'], ''.join(' ' + badge(name) for name, there in marks if there))]
        for name in columns:
            value, text = value_of(row, name), cell(row, name)
            chosen = 'best' if top[name] is not None and value == top[name] else ''
            cells.append(td(badge(text) if text == UNVERIFIED else spread(text), value, chosen))
        body.append(cells)
    return table(['method', *(title_of(name, baseline) for name in columns)], body, (0,))


def _plots(pictures: Mapping[str, Path]) -> str:
    figures = []
    for name, path in pictures.items():
        data = base64.b64encode(svg_text(path).encode()).decode()
        wide, name = ' class=wide' if name == RELIABILITY else '', escape(name)
        figures.append(
            f'<figure{wide}><img alt="{name}" src="data:image/svg+xml;base64,{data}">'
            f'<figcaption>{name}</figcaption></figure>'
        )
    return f'<div class="plots">{"".join(figures)}</div>' if figures else ''
