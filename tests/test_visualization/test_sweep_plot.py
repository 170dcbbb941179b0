"""The picture of a sweep."""

from __future__ import annotations

import re

import pytest

from ltkit.utils import ConfigError
from ltkit.visualization import plot_sweep


def test_lines_in_the_order_of_the_values(tmp_path):
    lines = {'all': [50.0, 40.0, 60.0], 'few': [10.0, 5.0, 30.0]}
    path = plot_sweep([1, 0, 2], lines, tmp_path / 'a' / 'sweep.svg', 'tau', 'A title')
    text = path.read_text()
    assert text.count('id="line2d_') >= 2
    lines = {'all': [40, 50, 60], 'few': [5, 10, 30]}
    sorted_first = plot_sweep([0, 1, 2], lines, tmp_path / 'b.svg', 'tau', 'A title')
    drop = re.compile(r'<dc:.*|<cc:.*')
    assert drop.sub('', text) == drop.sub('', sorted_first.read_text())


@pytest.mark.parametrize('values, lines, path, text', [
    ([], {'all': []}, 'a.png', 'nothing to draw'), ([1], {}, 'a.png', 'nothing to draw'),
    ([1, 2], {'all': [1]}, 'a.png', "line 'all' has 1 accuracies, but there are 2 values"),
    ([1], {'all': [1]}, 'a.gif', "cannot write 'a.gif'")])
def test_wrong_input(tmp_path, values, lines, path, text):
    with pytest.raises(ConfigError, match=text):
        plot_sweep(values, lines, tmp_path / path, 'tau')
    assert not list(tmp_path.iterdir())
