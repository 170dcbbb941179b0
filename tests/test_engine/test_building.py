"""Tests of the errors of parts that refuse their arguments."""

from __future__ import annotations

import pytest
import torch

from ltkit.engine.building import building
from ltkit.utils.errors import ConfigError, DataError


class Picky:
    def __init__(self, size: int) -> None:
        if size < 1:
            raise ValueError('size must be\nabove 0')


def test_the_class_and_the_reason_are_named():
    with pytest.raises(ConfigError, match=r'^model: Picky: size must be above 0 \(LTKIT_DEBUG=1') as caught, \
            building('model'):
        Picky(-1)
    assert isinstance(caught.value.__cause__, ValueError)
    with pytest.raises(ConfigError, match=r"^optim_wrapper: SGD: .*'str'"), building('optim_wrapper'):
        torch.optim.SGD([torch.zeros(1)], lr='fast')


def test_without_a_constructor_or_a_reason():
    with pytest.raises(ConfigError, match=r'^data: AssertionError \('), building('data'):
        raise AssertionError


@pytest.mark.parametrize('error', [DataError('row 3'), RuntimeError('a bug')])
def test_other_errors_pass(error):
    with pytest.raises(type(error), match=str(error)), building('model'):
        raise error
    with building('model'):
        pass
