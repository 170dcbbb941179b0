"""Means and deviations over seeds, UA and RA, and paired differences to the baseline."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ltkit.evaluation.functional.relative_accuracy import relative_accuracy, upper_reference_accuracy

from .config import Benchmark
from .runs import METHOD, REFERENCE

TOP1 = 'accuracy/top1'
Record = Mapping[str, Any]


def aggregate(
    benchmark: Benchmark, records: Sequence[Record], slowdowns: Mapping[str, Record] | None = None
) -> list[dict[str, Any]]:
    """One row for each factor and method.

    UA is made of means over the seeds of the runs on the balanced set; RA is
    that of each seed of the method over this UA, so that its deviation is the
    method's own.

    Args:
        benchmark (Benchmark): Its config.
        records (Sequence[dict]): Of :func:`~.collect.collect`.
        slowdowns (dict, optional): Of :func:`~.step_times.slowdowns`.

    Returns:
        list[dict]: factor, method, config, ``metrics`` (name to mean, std, n and the
        values by seed; std is the sample's, None of one run), ``a_v``, ``a_b``,
        ``difference`` (top-1 less the baseline's, seeds in pairs), for a second stage
        ``first``, ``stage`` and ``gain`` (top-1 less that of ``first``), ``seconds``,
        ``slowdown`` (its entry of ``slowdowns``, None without one), and
        ``status``: ``'finished'``, ``'partial'`` or ``'unverified'``, and whether some
        of the runs were made with ``other_code`` than the present one.
    """
    rows = []
    for factor in benchmark.imbalance_factors:
        there = [record for record in records if record['factor'] == factor]
        references = {
            method.name: summary(_values(_of(there, method.name, REFERENCE), TOP1))
            for method in benchmark.methods
        }
        baseline = _values(_of(there, benchmark.baseline, METHOD), TOP1)
        for method in benchmark.methods:
            row = _row(
                method.name,
                method.config,
                factor,
                _of(there, method.name, METHOD),
                references[benchmark.baseline],
                references[method.name],
                baseline,
                (slowdowns or {}).get(method.name),
                method.name == benchmark.baseline,
            )
            if method.first is not None:
                own, first = (_values(_of(there, name, METHOD), TOP1) for name in (method.name, method.first))
                row.update(first=method.first, stage=method.stage, gain=_difference(own, first))
            rows.append(row)
    return rows


def _row(
    name: str,
    config: str,
    factor: float | None,
    records: Sequence[Record],
    backbone: Mapping[str, Any],
    own: Mapping[str, Any],
    baseline: Mapping[int, float],
    slowdown: Record | None,
    is_baseline: bool,
) -> dict[str, Any]:
    finished = [record for record in records if record['status'] == 'finished']
    keys = dict.fromkeys(key for record in finished for key in record['metrics'])
    metrics = {
        key.removeprefix('accuracy/').removeprefix('calibration/'): summary(_values(finished, key))
        for key in keys
        if key not in ('time', 'data_time')
    }
    row = dict(
        method=name,
        config=config,
        factor=factor,
        measured_factor=_measured_factor(finished),
        thresholds=next((record['thresholds'] for record in finished if 'thresholds' in record), None),
        a_v=backbone,
        a_b=own,
        metrics=metrics,
        difference=None,
        slowdown=slowdown,
        seconds=summary(
            {
                record['seed']: record['seconds']
                for record in finished
                if record.get('seconds') and not record.get('resumed')
            }
        ),
        other_code=any(record.get('other_code') for record in finished),
        status='unverified' if not finished else 'finished' if len(finished) == len(records) else 'partial',
    )
    top1 = _values(finished, TOP1)
    if backbone['n'] and own['n'] and backbone['mean'] > 0 and own['mean'] > 0:
        upper = upper_reference_accuracy(backbone['mean'], own['mean'])
        metrics['ua'] = dict(mean=upper, std=None, n=min(backbone['n'], own['n']), values={})
        if top1:
            metrics['ra'] = summary({seed: relative_accuracy(value, upper) for seed, value in top1.items()})
    if not is_baseline:
        row['difference'] = _difference(top1, baseline)
    return row


def _difference(own: Mapping[int, float], other: Mapping[int, float]) -> dict[str, Any]:
    """One less the other, of each seed that both have."""
    return summary({seed: value - other[seed] for seed, value in own.items() if seed in other})


def summary(values: Mapping[int, float]) -> dict[str, Any]:
    """Mean, sample standard deviation (None of fewer than two) and number of values by seed."""
    array = np.array(list(values.values()), dtype=np.float64)
    return dict(
        mean=float(array.mean()) if array.size else None,
        std=float(array.std(ddof=1)) if array.size > 1 else None,
        n=int(array.size),
        values={str(seed): value for seed, value in values.items()},
    )


def _of(records: Iterable[Record], method: str, role: str) -> list[Record]:
    return [record for record in records if record['method'] == method and record['role'] == role]


def _values(records: Iterable[Record], key: str) -> dict[int, float]:
    """The numbers of a metric by seed."""
    return {
        record['seed']: float(record['metrics'][key])
        for record in records
        if record['status'] == 'finished' and isinstance(record['metrics'].get(key), (int, float))
    }


def _measured_factor(records: Iterable[Record]) -> float | None:
    """The imbalance factor of the training set, where the config says it alone."""
    for record in records:
        counts = (record.get('class_distribution') or {}).get('counts')
        if counts and min(counts) > 0:
            return round(max(counts) / min(counts))
    return None
