from __future__ import annotations

import numpy as np
import pytest
import torch

from ltkit.datasets.samplers.class_rates import ClassRates


@pytest.mark.parametrize('power', [0, 0.1, 0.3, 1])
def test_rates_at_the_beginning(power):
    counts = [8, 50, 0, 2]  # an empty class counts as one
    odds = [(max(n, 1) / 61)**-power for n in counts]
    rates = ClassRates(np.array(counts), power)
    assert np.allclose(rates().tolist(), [a / (min(odds) + max(odds)) for a in odds], rtol=0, atol=1e-12)
    assert rates().min() > 0 and rates().max() < 1


def test_equal_rates_are_exactly_half():
    rates = ClassRates(np.array([9, 5]), 0)
    assert torch.equal(rates.psi.detach(), torch.zeros(2, dtype=torch.float64))
    assert rates().tolist() == [0.5, 0.5]
