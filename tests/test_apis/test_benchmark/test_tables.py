"""The tables."""

from __future__ import annotations

import re

import pytest

from ltkit.apis.benchmark.aggregate import aggregate
from ltkit.apis.benchmark.tables import (
    FURTHER,
    best,
    by_factor,
    caption,
    cell,
    columns_of,
    heading,
    latex,
    markdown,
    plain_markdown,
)


@pytest.fixture
def rows(data):
    return aggregate(data.benchmark(), data.records())


def test_markdown(rows):
    lines = markdown(rows, 'ERM').splitlines()
    assert lines[0] == '| method | top-1 | UA | RA | Δ ERM | few | time | seeds |'
    assert lines[2].startswith('| ERM | 42.00 ± 2.83 | 60.00 | **70.00 ± 4.71** | - | 21.00 ± 1.41 | 1:00 min | 2 |')
    assert lines[3].startswith('| ours | **51.00 ± 1.41** | 80.00 | 63.75 ± 1.77 | +9.00 ± 1.41 |')
    assert lines[4] == '| never_ran | unverified | - | - | - | - | - | 0 |'


def test_the_best_of_losses_is_the_smallest(rows):
    assert best(rows, 'top1') == 51 and best(rows, 'seconds') is None
    rows[0]['metrics']['nll']['mean'] = 1.0
    assert best(rows, 'nll') == 1.0 and cell(rows[0], 'nll') == '1.000 ± 0.000'
    assert best(rows[:1], 'top1') is None, 'one row is no contest'
    assert columns_of(rows, FURTHER) == ['nll']


def test_caption_says_what_the_numbers_are(rows):
    text = caption(rows, 'ERM')
    for part in ('Percent', '2 seeds', 'last epoch', 'UA is', 'Δ is the difference to ERM', 'many > 60, few < 20'):
        assert part.lower() in text.lower()
    assert 'seeds' not in caption([rows[2]], 'ERM')


def test_slowdown_against_the_baseline(data):
    slowdowns = dict(ERM=dict(ratio=1.0), ours=dict(ratio=3.0, factor=100))
    rows = aggregate(data.benchmark(), data.records(), slowdowns)
    lines = markdown(rows, 'ERM').splitlines()
    assert lines[0].endswith('| time | s/iter ÷ ERM | seeds |') and lines[3].endswith('| 3.00 | 2 |')
    assert lines[2].endswith('| 1.00 | 2 |') and lines[4].endswith('| - | - | 0 |')
    assert 's/iter ÷ ERM is the time of a training step' in caption(rows, 'ERM')
    assert 'imbalance factor' not in caption(rows, 'ERM')
    rows[1]['slowdown']['factor'] = 50
    assert '(step_times.json, at imbalance factor 50)' in caption(rows, 'ERM')
    assert r's/iter $\div$ ERM' in latex(rows, 'ERM', 'bench', 'T')


def test_no_slowdown_of_runs_of_different_times(data):
    rows = aggregate(data.benchmark(), [dict(record, seconds_per_iteration=1.0) for record in data.records()])
    for text in (markdown(rows, 'ERM'), caption(rows, 'ERM'), latex(rows, 'ERM', 'bench', 'T')):
        assert 's/iter' not in text


def test_latex_is_balanced_and_escaped(rows):
    rows[0]['method'] = r'50% & co_1 \x'
    text = latex(rows, 'ERM', 'bench', 'A & B <bench>')
    assert text.count(r'\begin{') == text.count(r'\end{') == 2
    for rule in ('toprule', 'midrule', 'bottomrule'):
        assert text.count(rf'\{rule}') == 1
    body = re.findall(r'^    (.*) \\\\$', text, re.MULTILINE)
    assert len(body) == 4 and len({len(re.findall(r'(?<!\\)&', line)) for line in body}) == 1
    assert r'50\% \& co\_1 \textbackslash x' in text and r'\textbf{51.00 $\pm$ 1.41}' in text
    assert '±' not in text and 'Δ' not in text and r'A \& B $<$bench$>$' in text


def test_groups_and_headings(rows):
    assert list(by_factor(rows)) == [100]
    assert heading(rows[0], 'T') == 'T, imbalance factor 100' and heading(dict(factor=None), 'T') == 'T'


@pytest.mark.parametrize('text, shown', [
    ('never_ran', 'never_ran'), ('few < 20', 'few < 20'), ('A & B', 'A & B'), ('_a_', r'\_a\_'), ('a|b', r'a\|b'),
    ('*a* `b` ~c~ $d$', r'\*a\* \`b\` \~c\~ \$d\$'), ('<b>a</b>', r'\<b>a\</b>'), ('&lt;', r'\&lt;'),
    (r'a\*', r'a\\\*')])
def test_markdown_shows_text_as_it_is(text, shown):
    assert plain_markdown(text) == shown


def test_names_in_markdown_are_escaped(rows):
    rows[0]['method'] = 'a|<b>'
    lines = markdown(rows, 'a|<b>').splitlines()
    assert r'| Δ a\|\<b> |' in lines[0] and lines[2].startswith(r'| a\|\<b> |')
    assert len({len(line.replace(r'\|', '').split('|')) for line in lines}) == 1


def test_latex_names_compile(rows):
    rows[0]['method'], rows[1]['method'], rows[2]['method'] = '[v2] a|b', 'τ-norm', '*ours'
    text = latex(rows, 'ERM', 'my%bench', 'T')
    assert r'    {}[v2] a\textbar{}b & ' in text and r'$\tau$-norm' in text and r'    {}*ours &' in text
    assert r'\label{tab:my_bench}' in text
