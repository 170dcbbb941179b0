"""Pieces of the page."""

from __future__ import annotations

from ltkit.apis.benchmark.html import badge, code, spread, table, td, th, words


def test_text_is_escaped():
    assert th('<b>', '<i>x</i>') == '<th>&lt;b&gt;<i>x</i></th>'
    assert code('a<b') == '<code>a&lt;b</code>'
    assert badge('one run') == '<span class="badge one-run">one run</span>'


def test_cells():
    assert td('1.0', 1.0) == '<td data-value="1">1.0</td>'
    assert td('-') == '<td data-value="">-</td>', 'nothing sorts last'
    assert td('2', 2, 'best') == '<td class="best" data-value="2">2</td>'
    assert words('a') == '<td class="text">a</td>'
    assert spread('1.00 ± 0.10') == '1.00 <small>± 0.10</small>' and spread('-') == '-'


def test_table():
    text = table(['a', '<b>'], [[th('x'), td('1', 1)]], (0, ))
    assert '<th class=text>a</th><th>&lt;b&gt;</th>' in text and text.count('<tr>') == 2
