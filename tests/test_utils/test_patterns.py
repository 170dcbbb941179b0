"""Tests of patterns over dotted names."""

from __future__ import annotations

import pytest

from ltkit.utils.errors import ConfigError
from ltkit.utils.patterns import as_patterns, matches, select


@pytest.mark.parametrize('name,pattern,expected', [
    ('backbone.conv1.weight', 'backbone', True),
    ('backbone.conv1.weight', 'backbone.conv1', True),
    ('backbone.conv1.weight', 'backbone.conv1.weight', True),
    ('backbone.conv1.weight', 'conv1', False),
    ('backbone.conv10.weight', 'backbone.conv1', False),
    ('backbone2.weight', 'backbone', False),
    ('backbone.layer2.0.weight', 'backbone.layer[12]', True),
    ('backbone.layer3.0.weight', 'backbone.layer[12]', False),
    ('head.classifier.bias', '*', True),
    ('head.classifier.bias', '*.bias', True),
    ('head.classifier.bias', 'head.?', False),
])
def test_matches(name, pattern, expected):
    assert matches(name, pattern) is expected


def test_select_keeps_the_order_and_names_what_matches_nothing():
    names = ['b.x', 'a.x', 'a.y']
    assert select(names, ['a', 'b.x'], 'frozen.parameters', 'parameter') == names
    assert select(names, [], 'frozen.parameters', 'parameter') == []
    with pytest.raises(ConfigError, match=r"frozen.parameters: 'c' matches no parameter of the model; .* has a, b$"):
        select(names, ['a', 'c'], 'frozen.parameters', 'parameter')
    with pytest.raises(ConfigError, match=r"'backbon' matches no parameter.*backbone"):
        select(['backbone.conv.weight'], ['backbon'], 'frozen.parameters', 'parameter')


@pytest.mark.parametrize('value,expected', [('a', ('a', )), (['a', 'b'], ('a', 'b')), ((), ())])
def test_as_patterns(value, expected):
    assert as_patterns(value, 'reinitialize') == expected


@pytest.mark.parametrize('value', [1, ['a', 2], {'a': 1}, [''], None, True])
def test_other_values_are_no_patterns(value):
    with pytest.raises(ConfigError, match='reinitialize must be the name of a part or a list of names'):
        as_patterns(value, 'reinitialize')
