"""Tests of the annotations of a whole batch."""

from __future__ import annotations

import numpy as np
import torch

from ltkit.models.targets import gather_targets
from ltkit.structures import BatchedSamples, DataSample


def _batch() -> BatchedSamples:
    return BatchedSamples(torch.tensor([3, 0, 2]), np.array([11, 12, 13]), num_classes=4)


def test_iterates_over_the_data_samples_of_the_list():
    batch = _batch()
    for index, label, sample in zip((11, 12, 13), (3, 0, 2), batch):
        want = DataSample(metainfo=dict(sample_idx=index, num_classes=4)).set_gt_label(label)
        assert type(sample) is DataSample and sample.to_dict().keys() == want.to_dict().keys()
        assert sample.sample_idx == index and sample.num_classes == 4
        assert torch.equal(sample.gt_label, want.gt_label)
    assert len(batch) == 3 and batch[1] is batch[1] and batch[0:2] == list(batch)[:2]
    assert 'gt_score' not in batch[0]


def test_targets_are_read_without_making_samples():
    batch = _batch()
    assert torch.equal(gather_targets(batch), torch.tensor([3, 0, 2]))
    scores = torch.eye(4)[[3, 0, 2]]
    batch.set_targets(scores)
    assert gather_targets(batch) is scores and batch._samples is None
    assert torch.equal(batch[2].gt_score, scores[2]) and batch[2].gt_label.tolist() == [2]


def test_samples_once_made_are_what_counts():
    batch = _batch()
    list(batch)
    batch.set_targets(torch.tensor([1, 1, 1]))
    assert [sample.gt_label.tolist() for sample in batch] == [[1]] * 3
    batch[0].set_gt_label(2)
    assert gather_targets(batch).tolist() == [2, 1, 1]
    batch.set_targets(torch.full((3, 4), 0.25))
    assert gather_targets(batch).tolist() == torch.full((3, 4), 0.25).tolist()


def test_without_meta_information():
    assert [sample.keys() for sample in BatchedSamples(torch.tensor([1, 2]))] == [['gt_label']] * 2
    assert len(BatchedSamples(torch.tensor([], dtype=torch.int64))) == 0
