"""Calibration: values, groups, and what is exact on two processes."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import torch
from mmengine.dataset import DefaultSampler

from ltkit.evaluation import Calibration
from ltkit.evaluation import functional as F
from ltkit.evaluation.functional import ReliabilityBins
from ltkit.registry import METRICS
from ltkit.testing import run_distributed
from ltkit.utils.errors import ConfigError, DataError

COUNTS = [200, 150, 60, 30, 19, 5, 1]
SIZE = 31


def arrays(size=SIZE, classes=7):
    rng = np.random.default_rng(0)
    labels = rng.integers(0, classes, size)
    logits = torch.tensor(rng.normal(size=(size, classes)) + 2 * np.eye(classes)[labels])
    return torch.softmax(logits, 1).float(), labels


def samples_of(indices, indexed=True):
    scores, labels = arrays()
    return [dict(pred_score=scores[i], gt_label=torch.tensor([int(labels[i])]))
            | (dict(sample_idx=int(i)) if indexed else {}) for i in indices]


def evaluated(metric, samples, batch=4, size=SIZE):
    for start in range(0, len(samples), batch):
        metric.process(None, samples[start:start + batch])
    return metric.evaluate(size)


def share_of(rank, world_size, indexed):
    share = list(DefaultSampler(range(SIZE), shuffle=False))
    return evaluated(Calibration(class_counts=COUNTS), samples_of(share, indexed))


def early_repeats(rank, world_size):
    """Sample 0 is repeated at the beginning of the second process."""
    share = [range(0, SIZE, 2), [0, *range(1, SIZE, 2)]][rank]
    return evaluated(Calibration(class_counts=COUNTS), samples_of(share))


def test_values_are_those_of_the_functions():
    scores, labels = arrays()
    result = evaluated(METRICS.build(dict(type='Calibration', class_counts=COUNTS)), samples_of(range(SIZE)))
    for end, classes in dict(many=[0, 1], medium=[2, 3], few=[4, 5, 6], all=range(7)).items():
        rows = np.isin(labels, list(classes))
        end = '' if end == 'all' else f'_{end}'
        confidence, correct = F.top_label(scores[rows], labels[rows])
        bins = F.reliability_bins(confidence, correct)
        want = dict(
            ece=100 * F.expected_calibration_error(bins), mce=100 * F.maximum_calibration_error(bins),
            adaptive_ece=100 * F.expected_calibration_error(F.adaptive_bins(confidence, correct)),
            nll=-np.mean([math.log(p[y]) for p, y in zip(scores[rows].tolist(), labels[rows])]),
            brier=F.brier_scores(scores[rows], labels[rows]).mean())
        for key, value in want.items():
            assert result[f'calibration/{key}{end}'] == pytest.approx(value, rel=1e-9)
    assert result['calibration/classwise_ece'] == pytest.approx(
        100 * F.classwise_calibration_error(scores, labels))
    assert len(result) == 21 and all(type(value) is float for value in result.values())


def test_bins_are_kept_for_the_diagram():
    metric = Calibration(num_bins=10, class_counts=COUNTS)
    evaluated(metric, samples_of(range(SIZE)))
    assert list(metric.bins) == ['all', 'many', 'medium', 'few']
    assert metric.bins['all'].counts.sum() == SIZE and len(metric.bins['all'].edges) == 11
    stored = json.loads(json.dumps(metric.details))['bins']['few']
    again = ReliabilityBins.from_dict(stored)
    assert np.array_equal(again.accuracy, metric.bins['few'].accuracy, equal_nan=True)


@pytest.mark.parametrize('world_size', [2, 3])
@pytest.mark.parametrize('indexed', [True, False])
def test_padded_processes_give_exactly_the_metrics_of_one(world_size, indexed):
    want = evaluated(Calibration(class_counts=COUNTS), samples_of(range(SIZE)))
    assert SIZE % world_size
    for result in run_distributed(share_of, world_size, indexed):
        assert result == want


def test_what_cannot_be_taken_out_is_not_reported():
    want = evaluated(Calibration(class_counts=COUNTS), samples_of(range(SIZE)))
    want.pop('calibration/classwise_ece')
    for result in run_distributed(early_repeats, 2):
        assert result == want


def test_scores_of_former_batches_are_not_held():
    metric = Calibration(groups=False)
    for start in range(0, 28, 4):
        metric.process(None, samples_of(range(start, start + 4)))
    kept = sum(value.nbytes for value in metric.results[0].arrays().values())
    assert kept <= 28 * 7 * 8 and metric._last[0].shape == (4, 7)
    metric.evaluate(28)
    assert metric._last is None and metric._sums is None


def test_groups_can_be_left_out_and_empty_ones_are_absent():
    assert len(evaluated(Calibration(groups=False), samples_of(range(SIZE)))) == 6
    result = evaluated(Calibration(class_counts=[500] * 7), samples_of(range(SIZE)))
    assert 'calibration/ece_many' in result and 'calibration/ece_few' not in result
    assert result['calibration/ece_many'] == result['calibration/ece']


def test_thresholds_can_be_chosen():
    metric = Calibration(class_counts=COUNTS, many_threshold=10, few_threshold=1)
    evaluated(metric, samples_of(range(SIZE)))
    assert metric.class_distribution.groups['many'].tolist() == [0, 1, 2, 3, 4]
    assert 'few' not in metric.bins


def test_wrong_input_is_named():
    with pytest.raises(ConfigError, match='num_bins must be at least 1, but is 0'):
        Calibration(num_bins=0)
    logits = [dict(pred_score=torch.tensor([2.0, -1.5]), gt_label=torch.tensor([0]), sample_idx=3)]
    with pytest.raises(DataError, match=r'scores of sample 3 add up to 0\.5, the least is -1\.5'):
        Calibration(groups=False).process(None, logits)
    with pytest.raises(DataError, match='add up to 2,'):
        Calibration(groups=False).process(None, [dict(logits[0], pred_score=torch.ones(2))])
