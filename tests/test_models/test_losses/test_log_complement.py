"""Tests of ltkit.models.losses.log_complement."""

from __future__ import annotations

import math

import pytest
import torch

from ltkit.models.losses.log_complement import log_complement


def test_equation(case, same):
    def reference(logits):
        total = 0
        for z in logits:
            for c in range(7):
                total = total + c * (sum(z[k].exp() for k in range(7) if k != c) / z.exp().sum()).log()
        return total

    same(lambda z: (torch.arange(7) * log_complement(z.log_softmax(1))).sum(), reference, case.logits)


def test_where_one_class_is_certain():
    """1 - p would be 0 in float32, and its logarithm infinite."""
    log_prob = torch.tensor([[60.0, 0.0, -3.0]]).log_softmax(1)
    expected = [math.log(1 + math.exp(-3)) - 60, 0, 0]
    assert log_complement(log_prob)[0].tolist() == pytest.approx(expected, rel=1e-6, abs=1e-20)


@pytest.mark.parametrize('logits', [[[5.0]], [[1e4, -1e4, 0.0]], [[2.0, 2.0]], [[0.0, -1e4]]])
def test_value_and_gradient_are_finite(logits):
    logits = torch.tensor(logits, requires_grad=True)
    value = log_complement(logits.log_softmax(1))
    value.exp().sum().backward()
    assert value.isfinite().all() and logits.grad.isfinite().all()


def test_one_class_has_no_complement():
    assert log_complement(torch.zeros(2, 1)).exp().tolist() == [[0], [0]]
