"""Published figures as data, and the verdicts on measured ones."""

from __future__ import annotations

import pytest

from ltkit.apis.benchmark.published import TAGS, compare, published_figures, published_names
from ltkit.apis.benchmark.tables import TITLES
from ltkit.utils.errors import ConfigError

ENTRIES = [(name, entry) for name in published_names() for entry in published_figures(name)['entries']]


def value(name: str, method: str, metric: str) -> float:
    return next(entry['value'] for entry in published_figures(name)['entries']
                if entry['method'] == method and entry['metric'] == metric)


def test_sets():
    assert published_names() == ['cifar100_lt', 'cifar10_lt', 'survey_imagenet_lt_200e', 'survey_imagenet_lt_90e']
    with pytest.raises(ConfigError, match="no published figures 'cifar'"):
        published_figures('cifar')


@pytest.mark.parametrize('name', published_names())
def test_each_figure_has_its_source(name):
    figures = published_figures(name)
    assert figures['title'] and figures['source'] and figures['notes']
    seen = set()
    for entry in figures['entries']:
        assert set(entry) - {'note', 'printed_as', 'epochs', 'imbalance_factor'} == {
            'method', 'dataset', 'backbone', 'metric', 'value', 'source', 'tag'}
        assert entry['tag'] in TAGS and 0 < entry['value'] < 100 and entry['metric'] in TITLES
        key = (*(entry.get(field) for field in ('method', 'metric', 'imbalance_factor', 'source', 'note')), )
        assert key not in seen, key
        seen.add(key)


@pytest.mark.parametrize('epochs', [90, 200])
def test_the_survey_is_whole_and_follows_from_itself(epochs):
    name = f'survey_imagenet_lt_{epochs}e'
    methods = {entry['method'] for entry in published_figures(name)['entries']}
    assert len(methods) == 23 and len(published_figures(name)['entries']) == 23 * 6
    wrong = [method for method in methods if abs(
        100 * value(name, method, 'top1') / value(name, method, 'ua') - value(name, method, 'ra')) > 0.051]
    assert sorted(wrong) == (['PaCo', 'RSG', 'UNO-IC'] if epochs == 90 else [])
    noted = {entry['method'] for entry in published_figures(name)['entries'] if 'note' in entry}
    assert noted == set(wrong)


def test_some_figures():
    assert value('survey_imagenet_lt_90e', 'ERM', 'top1') == 45.5
    assert value('survey_imagenet_lt_200e', 'SADE', 'ra') == 93.0
    assert value('survey_imagenet_lt_200e', 'ResLT', 'few') == 38.8
    assert value('cifar100_lt', 'RIDE', 'few') == 25.7


def row(mean, std, n, factor=100, **more):
    return dict(method='LDAM-DRW', factor=factor, measured_factor=100,
                metrics=dict(top1=dict(mean=mean, std=std, n=n)) if n else {}, **more)


@pytest.mark.parametrize('mean, std, n, status', [
    (42.9, 0.5, 3, 'agrees'), (41.1, 0.5, 3, 'agrees'), (43.1, 0.5, 3, 'off'), (40.9, 0.5, 3, 'off'),
    (42.0, None, 1, 'one run'), (None, None, 0, 'unverified')])
def test_verdicts(mean, std, n, status):
    entry, = compare([row(mean, std, n)], ['cifar100_lt'])
    assert entry['value'] == 42.0 and entry['status'] == status and entry['n'] == n
    assert entry['difference'] == (None if mean is None else pytest.approx(mean - 42.0))


def test_only_the_same_imbalance_is_compared():
    unset = dict(row(50, 1, 3, factor=None), measured_factor=50)
    assert [entry['value'] for entry in compare([unset], ['cifar100_lt'])] == [46.6]
    own = dict(row(50, 1, 3, factor=10), measured_factor=10)
    assert [entry['value'] for entry in compare([own], ['cifar100_lt'])] == [58.7]
    assert compare([dict(own, method='nobody')], ['cifar100_lt']) == []
