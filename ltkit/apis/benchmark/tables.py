"""The table of a benchmark in Markdown and LaTeX, and the cells that all forms share."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ltkit.visualization.table import TITLES as METRIC_TITLES

from .progress import duration

TITLES = {**METRIC_TITLES, 'method': 'method', 'difference': 'Δ baseline',
          'gain': 'Δ joint', 'seconds': 'time',
          'slowdown': 's/iter ÷ baseline'}
MAIN = ('top1', 'ua', 'ra', 'difference', 'gain', 'many', 'medium', 'few', 'ece', 'seconds', 'slowdown', 'seeds')
OF_ROW = ('difference', 'gain', 'seconds', 'slowdown')
PRIORS = ('predicted_prior_l1', 'predicted_prior_kl')
CALIBRATION = ('mce', 'adaptive_ece', 'classwise_ece', 'nll', 'brier')
CONFUSED = ('few_to_many', *PRIORS)
FURTHER = (
    'top5', 'mean_class', 'macro_f1', 'g_mean', 'harmonic_mean', 'worst_class', *CONFUSED, *CALIBRATION)  # fmt: skip
NO_PERCENT = ('nll', 'brier', *PRIORS)
SMALLER_IS_BETTER = ('ece', *CALIBRATION, *CONFUSED)
UNVERIFIED = 'unverified'
# An underscore inside a word and a < before a number are no markup.
MARKUP = re.compile(r'[`*|$~]|\\(?=[!-/:-@[-`{-~])|<(?=[A-Za-z/!?])|&(?=#?\w+;)|(?<![^\W_])_|_(?![^\W_])')
GREEK = dict(
    α='alpha', β='beta', γ='gamma', δ='delta', ε='epsilon', η='eta', θ='theta', κ='kappa', λ='lambda', μ='mu',
    π='pi', ρ='rho', σ='sigma', τ='tau', φ='phi', ω='omega', Δ='Delta', Σ='Sigma', Φ='Phi', Ω='Omega')  # fmt: skip
Row = Mapping[str, Any]


def columns_of(rows: Sequence[Row], wanted: Iterable[str] = MAIN) -> list[str]:
    """The columns of ``wanted`` that some row has a value of; top-1 and seeds always."""
    return [
        name
        for name in wanted
        if name in ('top1', 'seeds') or any(value_of(row, name) is not None for row in rows)
    ]


def value_of(row: Row, column: str) -> float | None:
    """The mean that a cell shows, in percent, seconds or points, or the ratio."""
    if column == 'seeds':
        return row['metrics'].get('top1', {}).get('n', 0)
    found = row.get(column) if column in OF_ROW else row['metrics'].get(column)
    return None if not found else found['ratio' if column == 'slowdown' else 'mean']


def cell(row: Row, column: str, missing: str = '-', plus_minus: str = ' ± ',
         decimals: int = 2) -> str:
    """The text of a cell; ``unverified`` for the accuracy of a method without a run. ``decimals``: of percentages."""
    value = value_of(row, column)
    if column == 'seeds':
        return str(value)
    if value is None:
        return UNVERIFIED if column == 'top1' else missing
    if column == 'seconds':
        return duration(value)
    if column == 'slowdown':
        return f'{value:.2f}'
    found = row[column] if column in OF_ROW else row['metrics'][column]
    decimals, sign = (3 if column in NO_PERCENT else decimals), ('+' if column in OF_ROW else '')
    text = f'{value:{sign}.{decimals}f}'
    return text if found['std'] is None else f'{text}{plus_minus}{found["std"]:.{decimals}f}'


def best(rows: Sequence[Row], column: str) -> float | None:
    """The best value of a column; None where there is no better and worse, or only one row."""
    values = [value for row in rows if (value := value_of(row, column)) is not None]
    if len(values) < 2 or column in ('ua', 'seeds', *OF_ROW):
        return None
    return min(values) if column in SMALLER_IS_BETTER else max(values)


def caption(rows: Sequence[Row], baseline: str) -> str:
    """What the numbers are, in one paragraph."""
    seeds = sorted({row['metrics']['top1']['n'] for row in rows if 'top1' in row['metrics']})
    parts = ['In percent']
    if seeds and seeds[-1] > 1:
        over = f'{seeds[0]} seeds' if len(seeds) == 1 else 'the seeds'
        parts.append(f'mean ± sample standard deviation over {over}')
    parts.append('accuracies of the last epoch')
    if any('ua' in row['metrics'] for row in rows):
        parts.append(
            'UA is the larger accuracy of plain cross-entropy and of the method on a balanced training set '
            'of equally many images, RA = top-1 / UA'
        )
    if any(row['difference'] and row['difference']['n'] for row in rows):
        parts.append(f'Δ is the difference to {baseline} of the same seed')
    if any((row.get('gain') or {}).get('n') for row in rows):
        parts.append('Δ joint is the difference of a second stage to the run that it begins from')
    parts += _about_slowdown(rows, baseline)
    parts += sorted({row['thresholds'] for row in rows if row['thresholds']})
    older = [row['method'] for row in rows if row.get('other_code')]
    parts += [f'runs of other code than the present: {", ".join(older)}'] if older else []
    return '; '.join(parts) + '.'


def _about_slowdown(rows: Sequence[Row], baseline: str) -> list[str]:
    measured = [row['slowdown'] for row in rows if row.get('slowdown') and row['method'] != baseline]
    if not measured:
        return []
    factors = {entry['factor'] for entry in measured} - {None, *(row['factor'] for row in rows)}
    return [
        f's/iter ÷ {baseline} is the time of a training step over that of {baseline}, the two taking turns in one '
        'process: the median over the rounds (step_times.json'
        + ''.join(f', at imbalance factor {factor:g}' for factor in sorted(factors))
        + ')'
    ]


def markdown(rows: Sequence[Row], baseline: str, wanted: Iterable[str] = MAIN) -> str:
    """The table of one imbalance factor in Markdown, the best of a column bold."""
    columns = columns_of(rows, wanted)
    titles = ['method', *(plain_markdown(title_of(column, baseline)) for column in columns)]
    lines = ['| ' + ' | '.join(titles) + ' |', '| --- |' + ' ---: |' * len(columns)]
    top = {column: best(rows, column) for column in columns}
    for row in rows:
        cells = [
            f'**{text}**' if _is_best(row, column, top) else text
            for column in columns
            for text in [cell(row, column)]
        ]
        lines.append('| ' + ' | '.join([plain_markdown(row['method']), *cells]) + ' |')
    return '\n'.join(lines)


def plain_markdown(text: str) -> str:
    """Text with what Markdown (of GitHub) reads as markup escaped."""
    return MARKUP.sub(r'\\\g<0>', text)


def latex(rows: Sequence[Row], baseline: str, label: str, title: str) -> str:
    """The table of one imbalance factor in LaTeX, for the package booktabs."""
    columns = columns_of(rows)
    top = {column: best(rows, column) for column in columns}
    lines = [
        r'\begin{table}[t]',
        r'  \centering',
        rf'  \caption{{{_tex(title)}. {_tex(caption(rows, baseline))}}}',
        r'  \label{tab:' + re.sub(r'[^\w.-]+', '_', label) + '}',
        rf'  \begin{{tabular}}{{l{"r" * len(columns)}}}',
        r'    \toprule',
        '    ' + ' & '.join(['method', *(_tex(title_of(column, baseline)) for column in columns)]) + r' \\',
        r'    \midrule',
    ]
    for row in rows:
        cells = []
        for column in columns:
            text = _tex(cell(row, column, missing='--'))
            cells.append(rf'\textbf{{{text}}}' if _is_best(row, column, top) else text)
        lines.append('    ' + ' & '.join([_tex(row['method']), *cells]) + r' \\')
    return '\n'.join([*lines, r'    \bottomrule', r'  \end{tabular}', r'\end{table}'])


def heading(row: Row, title: str) -> str:
    """The title with the imbalance factor, where the benchmark names factors."""
    return title if row['factor'] is None else f'{title}, imbalance factor {row["factor"]:g}'


def by_factor(rows: Iterable[Row]) -> dict[float | None, list[Row]]:
    """The rows of each imbalance factor."""
    groups: dict[float | None, list[Row]] = {}
    for row in rows:
        groups.setdefault(row['factor'], []).append(row)
    return groups


def title_of(column: str, baseline: str) -> str:
    """The heading of a column."""
    if column in ('difference', 'slowdown'):
        return TITLES[column].replace('baseline', baseline)
    return TITLES[column]


def _is_best(row: Row, column: str, top: Mapping[str, float | None]) -> bool:
    return top[column] is not None and value_of(row, column) == top[column]


def _tex(text: str) -> str:
    """Text with what LaTeX reads as commands escaped."""
    for char in ('\\', '&', '%', '$', '#', '_', '{', '}'):
        text = text.replace(char, r'\textbackslash ' if char == '\\' else f'\\{char}')
    for char, command in {
        '±': r'$\pm$',
        '|': r'\textbar{}',
        **{letter: rf'$\{name}$' for letter, name in GREEK.items()},
        '>': '$>$',
        '<': '$<$',
        '≥': r'$\geq$',
        '≤': r'$\leq$',
        '~': r'\textasciitilde{}',
        '^': r'\textasciicircum{}',
        '−': '$-$',
        '÷': r'$\div$',
    }.items():
        text = text.replace(char, command)
    return '{}' + text if text.startswith(('[', '*')) else text  # after the end of a row these are its options
