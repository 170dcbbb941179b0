"""The page loads nothing, is whole and says what it must."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from ltkit.apis.benchmark.aggregate import aggregate
from ltkit.apis.benchmark.page import page
from ltkit.apis.benchmark.pictures import draw

VOID = ('meta', 'link', 'img', 'br')


class Reader(HTMLParser):
    """Checks that tags are closed, and keeps addresses and text."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.addresses: list[str] = []
        self.ids: list[str] = []
        self.text = ''

    def handle_starttag(self, tag, attrs):
        if tag not in VOID:
            self.open.append(tag)
        self.addresses += [value for name, value in attrs if name in ('src', 'href', 'srcset', 'action', 'data')]
        self.ids += [value for name, value in attrs if name == 'id']

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


@pytest.fixture
def report(data):
    records = data.records()
    return dict(title='A & B <bench>', notes='', baseline='ERM', rows=aggregate(data.benchmark(), records),
                runs=records, published=[], published_sets=[], written='2030-01-01 00:00 UTC', ltkit='9',
                command='python tools/benchmark.py bench.py')


@pytest.fixture
def text(report, tmp_path):
    return page(report, {100: draw(report['rows'], report['runs'], 'T', tmp_path)})


def test_the_page_loads_nothing(text):
    reader = Reader()
    reader.feed(text)
    assert not reader.open
    for address in reader.addresses:
        assert address.startswith('data:') or (address[0] == '#' and address[1:] in reader.ids), address
    assert not re.search(r'url\(|@import|<script[^>]*src|fetch\(|XMLHttpRequest|import\(', text)
    assert sum(address.startswith('data:image/svg+xml') for address in reader.addresses) == 4


def test_the_page_says_what_it_must(text):
    reader = Reader()
    reader.feed(text)
    for part in ('A & B <bench>', 'unverified', '51.00 ± 1.41', 'many > 60, few < 20', 'Δ ERM', 'RA', '8 of 12',
                 'a GPU', '0123456789-dirty', 'python tools/train.py ours.py', 'runs/x/train.log', 'Further metrics',
                 'Imbalance factor 100', 'python tools/benchmark.py bench.py', 'last epoch'):
        assert part in reader.text, part
    assert re.search(r'main {[^}]*overflow-wrap', text), 'a long path in an error would widen the page of a phone'
    assert 'prefers-color-scheme: dark' in text and 'name="viewport"' in text


def test_one_row_and_no_run(data, report):
    records = [data.record('ERM', 0, None)]
    rows = aggregate(data.benchmark(methods=data.benchmark().methods[:1]), records)
    text = page(dict(report, rows=rows, runs=records), {})
    assert '0 of 1' in text and 'unverified' in text and '<figure' not in text
