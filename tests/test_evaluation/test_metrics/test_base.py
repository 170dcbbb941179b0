"""Every sample counts once, on any number of processes."""

from __future__ import annotations

import logging

import numpy as np
import pytest
import torch
from mmengine.dataset import DefaultSampler

from ltkit.evaluation import LongTailAccuracy, LongTailMetric
from ltkit.evaluation.metrics.base import _interleaved
from ltkit.testing import run_distributed
from ltkit.utils.errors import DistributionError

COUNTS = [200, 150, 60, 30, 19, 5, 1]
SIZE = 31  # odd, and not divisible by 3


class Mean(LongTailMetric):
    """Mean of a number that each sample carries."""

    default_prefix = 'mean'

    def record(self, data_samples):
        return dict(value=np.array([sample['value'] for sample in data_samples]))

    def compute(self, records):
        return dict(value=float(records['value'].mean()), order=records['value'].tolist())


def samples_of(indices, indexed=True):
    rng = np.random.default_rng(0)
    scores, labels = rng.random((SIZE, len(COUNTS))), rng.integers(0, len(COUNTS), SIZE)
    return [dict(pred_score=torch.tensor(scores[i]), gt_label=torch.tensor([labels[i]]), value=float(i))
            | (dict(sample_idx=int(i)) if indexed else {}) for i in indices]


def evaluated(metric, samples, batch=4):
    for start in range(0, len(samples), batch):
        metric.process(None, samples[start:start + batch])
    return metric.evaluate(SIZE)


def one_process(indexed=True):
    return evaluated(LongTailAccuracy(class_counts=COUNTS), samples_of(range(SIZE), indexed))


def padded_share(rank, world_size, indexed):
    """What mmengine's test sampler gives a process: padded to equal numbers."""
    share = list(DefaultSampler(range(SIZE), shuffle=False))
    assert len(share) == -(-SIZE // world_size)
    return evaluated(LongTailAccuracy(class_counts=COUNTS), samples_of(share, indexed))


def uneven_share(rank, world_size):
    """All but five samples on the first process, none on the last, unpadded."""
    shares = [range(5, SIZE), range(5), range(0)]
    return evaluated(LongTailAccuracy(class_counts=COUNTS), samples_of(shares[rank]))


def error_of(rank, world_size):
    try:
        evaluated(LongTailAccuracy(), samples_of(range(rank, SIZE, world_size)))
    except DistributionError as error:
        return str(error)


@pytest.mark.parametrize('world_size', [2, 3])
@pytest.mark.parametrize('indexed', [True, False])
def test_padded_processes_give_exactly_the_metrics_of_one(world_size, indexed):
    for result in run_distributed(padded_share, world_size, indexed):
        assert result == one_process()


def test_uneven_processes_give_exactly_the_metrics_of_one():
    for result in run_distributed(uneven_share, 3):
        assert result == one_process()


def test_an_error_is_seen_by_all_processes():
    errors = run_distributed(error_of, 2)
    assert errors[0] == errors[1] and 'LongTailAccuracy needs the class counts' in errors[0]


def test_records_come_in_the_order_of_the_data_set():
    shuffled = np.random.default_rng(1).permutation(SIZE)
    result = evaluated(Mean(), samples_of(shuffled))
    assert result['mean/order'] == [float(i) for i in range(SIZE)] and result['mean/value'] == 15


def test_missing_samples_are_told(monkeypatch):
    lines = []
    monkeypatch.setattr('ltkit.evaluation.metrics.base.print_log',
                        lambda text, *args, level: lines.append((text, level)))
    assert evaluated(Mean(), samples_of([3, 4, 4]))['mean/value'] == 3.5
    assert lines == [(f'Mean: 2 samples were evaluated, the test set has {SIZE}', logging.WARNING)]


def test_results_are_cleared():
    metric = Mean()
    evaluated(metric, samples_of(range(SIZE)))
    assert metric.results == []


def test_interleaving():
    assert _interleaved([3, 2, 3]).tolist() == [0, 3, 5, 1, 4, 6, 2, 7]
