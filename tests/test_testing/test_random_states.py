"""The global generators are seeded, drawn from and watched."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch

from ltkit.testing import ConformanceError
from ltkit.testing.random_states import draw_all, expect_untouched, seed_all


def test_a_seed_decides_all_three():
    seed_all(3)
    first = draw_all()
    seed_all(3)
    assert draw_all() == first
    seed_all(4)
    assert all(a != b for a, b in zip(draw_all(), first))


@pytest.mark.parametrize('name, draw', [
    ('python', random.random), ('numpy', np.random.rand), ('torch', lambda: torch.rand(()))])
def test_who_draws_is_told(name, draw):
    expect_untouched(lambda: None, 'nothing draws')
    with pytest.raises(ConformanceError, match=f'^it draws from the global generator of {name}$'):
        expect_untouched(draw, 'it draws')


@pytest.mark.parametrize('name, seed', [
    ('python', random.seed), ('numpy', np.random.seed), ('torch', torch.manual_seed)])
def test_who_seeds_them_as_they_were_is_told(name, seed):
    seed_all(0)
    with pytest.raises(ConformanceError, match=f'generator of {name}$'):
        expect_untouched(lambda: seed(0), 'it draws')
