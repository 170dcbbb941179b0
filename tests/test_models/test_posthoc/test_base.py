"""Tests of ltkit.models.posthoc.base."""

from __future__ import annotations

import pytest
import torch

from ltkit.models.posthoc import PosthocRule


def test_keeps_counts_and_is_to_be_overridden():
    rule = PosthocRule(class_counts=[3, 1])
    assert rule.state_dict()['class_counts'].tolist() == [3, 1]
    with pytest.raises(NotImplementedError, match='PosthocRule must override forward'):
        rule(torch.zeros(1, 2))
