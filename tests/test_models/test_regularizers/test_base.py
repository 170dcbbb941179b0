"""Tests of ltkit.models.regularizers.base."""

from __future__ import annotations

import pytest
import torch

from ltkit.models.regularizers import Regularizer


class RareNorm(Regularizer):
    """Squared features, weighted by the inverse count of their class."""

    def penalty(self, features, logits, target):
        self.dtypes = features.dtype, logits.dtype
        return (features.square().sum(1) / self.counts_for(logits)[target]).sum()


def test_factor_counts_and_dtype():
    features, logits = torch.ones(2, 4).half(), torch.zeros(2, 3).bfloat16()
    regularizer = RareNorm(class_counts=[8, 4, 2], loss_weight=0.5)
    with torch.autocast('cpu'):
        value = regularizer(features=features, logits=logits, target=torch.tensor([0, 2]))
    assert value.item() == 0.5 * (4 / 8 + 4 / 2)
    assert regularizer.dtypes == (torch.float32, torch.float32)
    regularizer(features.double(), logits.double(), torch.tensor([0, 2]))
    assert regularizer.dtypes == (torch.float64, torch.float64)
    assert regularizer.state_dict()['class_counts'].tolist() == [8, 4, 2]
    assert 'loss_weight=0.5' in repr(regularizer)


def test_penalty_is_to_be_overridden():
    with pytest.raises(NotImplementedError, match='Regularizer must override penalty'):
        Regularizer()(torch.zeros(2, 4), torch.zeros(2, 3), torch.zeros(2).long())
