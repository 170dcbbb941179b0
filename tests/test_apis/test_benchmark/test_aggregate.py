"""Means, deviations, UA, RA and paired differences."""

from __future__ import annotations

import pytest

from ltkit.apis.benchmark.aggregate import aggregate, summary


def test_summary():
    assert summary({}) == dict(mean=None, std=None, n=0, values={})
    assert summary({3: 2.0}) == dict(mean=2.0, std=None, n=1, values={'3': 2.0})
    assert summary({0: 1.0, 1: 3.0})['std'] == pytest.approx(2**0.5)


def test_ua_ra_and_paired_differences(data):
    erm, ours, never = aggregate(data.benchmark(), data.records())
    assert erm['metrics']['ua']['mean'] == 60 and ours['metrics']['ua']['mean'] == 80
    assert erm['metrics']['ra']['values'] == pytest.approx({'0': 100 * 40 / 60, '1': 100 * 44 / 60})
    assert ours['metrics']['ra']['mean'] == pytest.approx(100 * 51 / 80)
    assert erm['difference'] is None
    assert ours['difference']['values'] == {'0': 10.0, '1': 8.0}
    assert ours['difference']['mean'] == 9 and ours['difference']['std'] == pytest.approx(2**0.5)
    assert ours['metrics']['nll']['mean'] == 1.5 and ours['seconds']['mean'] == 60.5
    assert ours['measured_factor'] == 100
    assert (erm['status'], never['status']) == ('finished', 'unverified') and never['metrics'] == {}


def test_the_backbone_gives_ua_where_it_is_better(data):
    records = [dict(record, metrics={'accuracy/top1': 50.0}) if record['method'] == 'ours'
               and record['role'] == 'reference' else record for record in data.records()]
    assert aggregate(data.benchmark(), records)[1]['metrics']['ua']['mean'] == 60


def test_without_a_reference_there_is_no_ra(data):
    records = [record for record in data.records()
               if not (record['role'] == 'reference' and record['method'] == 'ERM')]
    assert all('ra' not in row['metrics'] for row in aggregate(data.benchmark(), records))


def test_a_missing_seed_is_partial_and_resumed_time_is_no_time(data):
    records = [data.record('ours', 1, None) if (record['method'], record['seed'], record['role']) == (
        'ours', 1, 'method') else record for record in data.records()]
    records[2]['resumed'] = True
    ours = aggregate(data.benchmark(), records)[1]
    assert ours['status'] == 'partial' and ours['seconds']['n'] == 0
    assert ours['difference']['values'] == {'0': 10.0}


def test_factors_are_kept_apart(data):
    records = data.records() + [dict(record, factor=10, metrics={'accuracy/top1': 90.0})
                                for record in data.records() if record['status'] == 'finished']
    rows = aggregate(data.benchmark(imbalance_factors=(100, 10)), records)
    assert [row['factor'] for row in rows] == [100] * 3 + [10] * 3
    assert rows[1]['metrics']['top1']['mean'] == 51 and rows[4]['metrics']['top1']['mean'] == 90


def test_slowdown_is_what_was_measured_of_the_method(data):
    slowdowns = dict(ERM=dict(ratio=1.0), ours=dict(ratio=1.5, rounds=3))
    erm, ours, never = aggregate(data.benchmark(), data.records(), slowdowns)
    assert (erm['slowdown'], ours['slowdown'], never['slowdown']) == (*slowdowns.values(), None)
    assert all(row['slowdown'] is None for row in aggregate(data.benchmark(), data.records()))
