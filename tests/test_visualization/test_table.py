"""The table of results."""

from __future__ import annotations

import statistics

import pytest

from ltkit.utils.errors import ConfigError
from ltkit.visualization import results_row, results_table

ROWS = [dict(name='ERM', top1=[90.1, 91.0, 89.5], many=[98.0, 97.5, 98.2], few=[60.0, 62.0, 58.0],
             time=[10, 11, 12]),
        dict(name='Balanced Softmax', top1=[93.0, 92.0, 92.5], many=95.0, few=None, time=[200, 210, 220])]


def test_mean_and_deviation_over_seeds_in_the_order_of_the_columns():
    lines = results_table(ROWS, thresholds='many > 30, few < 10 training samples', width=200).splitlines()
    assert lines[0].split() == ['method', 'top-1', 'many', 'few', 'time']  # no row has medium
    top1 = ROWS[0]['top1']
    assert f'{statistics.mean(top1):.2f} ± {statistics.stdev(top1):.2f}' in lines[2]
    assert lines[2].endswith('11.0 s') and lines[3].endswith('4 min')
    assert lines[3].split()[-4:-2] == ['95.00', '-']
    assert lines[-1].startswith('Percent; mean ± standard deviation over 3 seeds; many > 30, few < 10')
    assert len({len(line) for line in lines[:4]}) == 1


def test_markdown():
    text = results_table(ROWS, style='markdown', decimals=1)
    lines = text.splitlines()
    assert lines[0] == '| method | top-1 | many | few | time |'
    assert lines[1] == '| --- | ---: | ---: | ---: | ---: |'
    assert lines[2].startswith('| ERM | 90.2 ± 0.8 | 97.9 ± 0.4 |')
    assert r'a\|b' in results_table([dict(name='a|b', top1=1.0)], style='markdown')


def test_different_numbers_of_seeds_are_told():
    rows = [dict(name='a', top1=[1.0, 2.0]), dict(name='b', top1=3.0)]
    lines = results_table(rows).splitlines()
    assert lines[0].split() == ['method', 'top-1', 'seeds']
    assert lines[2].endswith('2') and lines[3].endswith('1') and 'over the seeds' in lines[-1]


def test_one_seed_has_no_deviation():
    assert '±' not in results_table([dict(name='a', top1=1.0)])


def test_narrow_screen_cuts_names_and_wraps_the_caption():
    rows = [dict(name='a method of a very long name indeed', top1=1.0)]
    lines = results_table(rows, thresholds='x', width=30).splitlines()
    assert max(map(len, lines)) <= 30 and '…' in lines[2] and lines[2].endswith('1.00')


def test_wide_characters_keep_the_columns():
    lines = results_table([dict(name='長尾', top1=1.0), dict(name='abcd', top1=2.0)]).splitlines()
    assert len(lines[2]) + 2 == len(lines[3])


def test_row_from_result_files():
    runs = [dict(metrics={'accuracy/top1': 90.0, 'accuracy/few': 50.0, 'note': 'x'}, seconds=3.0),
            dict(metrics={'accuracy/top1': 92.0, 'accuracy/few': 54.0}, seconds=5.0)]
    assert results_row('ERM', runs) == dict(name='ERM', top1=[90.0, 92.0], few=[50.0, 54.0], time=[3.0, 5.0])


def test_wrong_input():
    with pytest.raises(ConfigError, match='plain, markdown'):
        results_table(ROWS, style='html')
    with pytest.raises(ConfigError, match="row 0 of the table has no 'name'"):
        results_table([dict(top1=1.0)])


def test_rows_by_name_and_a_caption_of_ones_own():
    text = results_table({'ERM': dict(top1=1.0)}, caption='as we like it')
    assert text.splitlines()[-1] == 'as we like it' and text.splitlines()[2].startswith('ERM')
