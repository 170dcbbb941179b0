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


def test_nothing_to_fit_unless_a_rule_says_so():
    rule = PosthocRule()
    assert not rule.needs_fit and rule.fitted_arguments == ()
    with pytest.raises(NotImplementedError, match='PosthocRule has nothing to fit'):
        rule.fit(torch.zeros(1, 2), torch.zeros(1, dtype=torch.int64))
