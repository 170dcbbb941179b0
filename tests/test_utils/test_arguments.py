"""Tests of ltkit.utils.arguments."""

from __future__ import annotations

import numpy as np
import pytest

from ltkit.utils.arguments import checked_choice, checked_epoch, checked_number
from ltkit.utils.errors import ConfigError


def test_numbers_in_range_come_back_as_floats():
    assert [checked_number('x', value, 0, 2) for value in (0, 1, np.float32(0.5))] == [0.0, 1.0, 0.5]
    assert isinstance(checked_number('x', 3), float)


@pytest.mark.parametrize('value', [-1e-9, 2, float('nan'), float('inf'), None, '1', False])
def test_wrong_numbers(value):
    with pytest.raises(ConfigError, match=rf'^x must be a number in \[0, 2\), but is {value!r}$'):
        checked_number('x', value, 0, 2)


def test_choices():
    assert checked_choice('x', 'many', ('many', 'few')) == 'many'
    with pytest.raises(ConfigError, match=r"^x must be one of many, few, but is 'mani'; did you mean 'many'"):
        checked_choice('x', 'mani', ('many', 'few'))


def test_numbers_up_to_a_largest_one():
    assert checked_number('x', 1, at_most=1) == 1.0
    with pytest.raises(ConfigError, match=r'^x must be a number in \[0, 1\], but is 1.01$'):
        checked_number('x', 1.01, at_most=1)


def test_epochs():
    assert checked_epoch('begin', 0) == 0 and checked_epoch('begin', None, or_none=True) is None
    for value in (-1, 1.0, True, '1', None):
        with pytest.raises(ConfigError, match=rf'^begin must be a 0-based epoch \(0 or more\), but is {value!r}$'):
            checked_epoch('begin', value)
    with pytest.raises(ConfigError, match='or None, but is -1'):
        checked_epoch('begin', -1, or_none=True)
