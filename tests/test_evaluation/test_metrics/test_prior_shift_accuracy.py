"""One pass answers for other test priors, as a test set drawn by them would."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ltkit.evaluation import PriorShiftAccuracy
from ltkit.testing import run_distributed
from ltkit.utils.errors import ConfigError, DistributionError

COUNTS = [4, 8, 2, 1]
LABELS = np.repeat(np.arange(4), 8)  # 8 of each class
HITS = np.arange(32) % 8 < np.repeat([4, 8, 2, 0], 8)  # of which so many are right


def samples_of(indices):
    predicted = np.where(HITS, LABELS, (LABELS + 1) % 4)
    return [dict(pred_score=torch.eye(4)[predicted[i]], gt_label=torch.tensor([LABELS[i]]), sample_idx=int(i))
            for i in indices]


def evaluated(metric, indices=range(32)):
    for start in range(0, len(indices), 5):
        metric.process(None, samples_of(indices[start:start + 5]))
    return metric.evaluate(32)


def share_of(rank, world_size):
    padded = [*range(32), 0]
    return evaluated(PriorShiftAccuracy(class_counts=COUNTS), padded[rank::world_size])


def test_priors_are_those_of_test_sets_of_these_counts():
    result = evaluated(PriorShiftAccuracy(class_counts=COUNTS))
    accuracy = [0.5, 1.0, 0.25, 0.0]
    for name, counts in dict(uniform=[1] * 4, forward=COUNTS, backward=[2, 1, 4, 8]).items():
        hits = sum(n * a for n, a in zip(counts, accuracy))
        assert result[f'test_prior/{name}'] == pytest.approx(100 * hits / sum(counts))
    assert len(result) == 3


def test_exponential_priors_of_the_protocol():
    result = evaluated(PriorShiftAccuracy(imbalance_factors=[8, 1], class_counts=COUNTS))
    assert result['test_prior/forward_8'] == pytest.approx(100 * (8 * 1 + 4 * 0.5 + 2 * 0.25) / 15)
    assert result['test_prior/backward_8'] == pytest.approx(100 * (1 * 1 + 2 * 0.5 + 4 * 0.25) / 15)
    assert result['test_prior/forward_1'] == pytest.approx(result['test_prior/uniform'])


def test_two_processes_give_the_same():
    for result in run_distributed(share_of, 3):
        assert result == evaluated(PriorShiftAccuracy(class_counts=COUNTS))


def test_wrong_input_is_named():
    with pytest.raises(ConfigError, match=r'at least 1, but one is 0\.5'):
        PriorShiftAccuracy(imbalance_factors=[50, 0.5])
    with pytest.raises(DistributionError, match='PriorShiftAccuracy needs the class counts'):
        evaluated(PriorShiftAccuracy())
    with pytest.raises(DistributionError, match='counts of 2 classes, but the model scores 4'):
        evaluated(PriorShiftAccuracy(class_counts=[2, 1]))
