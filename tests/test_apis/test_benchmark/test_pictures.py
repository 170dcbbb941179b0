"""The plots."""

from __future__ import annotations

from xml.etree import ElementTree

import numpy as np
import pytest

from ltkit.apis.benchmark.aggregate import aggregate
from ltkit.apis.benchmark.pictures import draw, merged_bins, svg_text


@pytest.fixture
def rows(data):
    return aggregate(data.benchmark(), data.records())


def test_all_plots(data, rows, tmp_path):
    pictures = draw(rows, data.records(), 'A title', tmp_path / 'plots')
    assert list(pictures) == ['Accuracy by class size', 'Accuracy against relative accuracy',
                              'Training time against accuracy', 'Reliability']
    for path in pictures.values():
        text = svg_text(path)
        ElementTree.fromstring(text)
        assert text.startswith('<svg') and 'ERM' in text and 'never_ran' not in text and '<metadata>' not in text
        assert 'A title' in text and path.stat().st_size < 100_000
    again = draw(rows, data.records(), 'A title', tmp_path / 'again')
    assert [path.read_bytes() for path in again.values()] == [path.read_bytes() for path in pictures.values()]


def test_names_are_drawn_as_they_are(data, rows, tmp_path):
    records = [dict(record, method=record['method'].replace('ours', '_$a_b$ <i>')) for record in data.records()]
    for row in rows:
        row['method'] = row['method'].replace('ours', '_$a_b$ <i>')
    for name, path in draw(rows, records, 'A $x$ title', tmp_path).items():
        shown = ''.join(ElementTree.fromstring(svg_text(path)).itertext())
        assert '_$a_b$ <i>' in shown and 'A $x$ title' in shown, name


def test_names_stay_inside_the_picture(data, rows, tmp_path):
    name = 'a method with a name that is as long as names of methods get'
    for row in rows:
        row['method'] = row['method'].replace('ours', name)
    path = draw(rows, [], 'T', tmp_path)['Training time against accuracy']
    text = next(e for e in ElementTree.fromstring(svg_text(path)).iter() if e.text == name)
    assert 'end' in text.get('style'), 'it is to the left of its point'


def test_what_has_no_data_is_left_out(data, tmp_path):
    records = [dict(record, reliability=None, seconds=None, per_class_accuracy=None)
               for record in data.records() if record['role'] == 'method']
    assert draw(aggregate(data.benchmark(), records), records, 'T', tmp_path) == {}


def test_plots_of_an_earlier_report_go(data, rows, tmp_path):
    draw(rows, data.records(), 'T', tmp_path)
    (tmp_path / 'mine.svg').write_text('<svg/>')
    for row in rows:
        row['metrics'].pop('ra', None)
    pictures = draw(rows, data.records(), 'T', tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {'mine.svg', *(path.name for path in pictures.values())}
    assert not (tmp_path / 'accuracy_ra.svg').exists()


def test_many_methods_are_spread_over_pictures(data, tmp_path):
    names = [f'method {i}' for i in range(9)]
    records = [data.record(name, 0, 40.0 + i) for i, name in enumerate(names)]
    methods = tuple(type(data.benchmark().methods[0])(name, 'x') for name in names)
    rows = aggregate(data.benchmark(methods=methods, baseline=names[0]), records)
    pictures = draw(rows, records, 'T', tmp_path)
    first, second = (svg_text(path) for name, path in pictures.items() if name.startswith('Accuracy by class'))
    assert 'method 0' in first and 'method 0' in second and 'method 6' in first and 'method 7' not in first
    assert 'method 7' in second and 'method 8' in second


def test_bins_of_seeds_are_added(data):
    other = dict(data.BINS, counts=[0, 20], confidence=[None, 0.6], accuracy=[None, 0.5])
    bins = merged_bins([data.BINS, other])
    assert bins.counts.tolist() == [40, 80]
    np.testing.assert_allclose(bins.confidence, [0.3, (60 * 0.8 + 20 * 0.6) / 80])
    np.testing.assert_allclose(bins.accuracy, [0.25, (60 * 0.7 + 20 * 0.5) / 80])
    assert np.isnan(merged_bins([other]).accuracy[0])
