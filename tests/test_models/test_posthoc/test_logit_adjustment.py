"""Tests of ltkit.models.posthoc.logit_adjustment."""

from __future__ import annotations

import math

import pytest
import torch

from ltkit.models.posthoc import LogitAdjustment
from ltkit.registry import POSTHOC
from ltkit.utils.errors import ConfigError, DistributionError

COUNTS = [5, 500, 50]


@pytest.mark.parametrize('tau', [0.0, 0.5, 1.0, 1.5])
@pytest.mark.parametrize('shape', [(4, 3), (2, 4, 3)])
def test_equation(tau, shape):
    rule = POSTHOC.build(dict(type='LogitAdjustment', tau=tau, class_counts=COUNTS))
    logits = torch.randn(shape, dtype=torch.float64)
    expected = [[z - tau * math.log(n / sum(COUNTS)) for z, n in zip(row, COUNTS)]
                for row in logits.view(-1, 3).tolist()]
    assert torch.allclose(rule(logits).view(-1, 3), torch.tensor(expected, dtype=torch.float64), atol=1e-12)


def test_uniform_counts_change_no_probability():
    logits = torch.randn(4, 3)
    assert torch.allclose(LogitAdjustment(class_counts=[7, 7, 7])(logits).softmax(1), logits.softmax(1))


def test_undoes_the_prior_of_the_bayes_rule():
    """p(y|x) of the training set, made of a prior, becomes that of a balanced one."""
    balanced = torch.tensor([[0.2, 0.3, 0.5]])
    trained = (balanced * torch.tensor(COUNTS)).log()
    assert torch.allclose(LogitAdjustment(class_counts=COUNTS)(trained).softmax(1), balanced)


def test_an_empty_class_and_half_precision_are_finite():
    adjusted = LogitAdjustment(class_counts=[5, 0, 3])(torch.zeros(1, 3).half())
    assert adjusted.isfinite().all()
    assert adjusted.dtype == torch.float32


def test_counts_come_with_the_checkpoint():
    rule, other = LogitAdjustment(class_counts=COUNTS), LogitAdjustment()
    with pytest.raises(DistributionError, match='LogitAdjustment needs the class counts'):
        other(torch.zeros(1, 3))
    other.load_state_dict(rule.state_dict())
    assert torch.equal(other(torch.zeros(1, 3)), rule(torch.zeros(1, 3)))
    assert repr(rule) == 'LogitAdjustment(tau=1.0)'


@pytest.mark.parametrize('tau', ['abc', None, True, float('nan'), float('inf')])
def test_a_strength_that_is_no_number(tau):
    with pytest.raises(ConfigError, match='tau must be a finite number, but is '):
        LogitAdjustment(tau=tau)
