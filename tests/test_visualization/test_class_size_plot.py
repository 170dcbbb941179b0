"""The picture of accuracy by class size."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from ltkit.distribution import ClassDistribution
from ltkit.utils.errors import ConfigError, DistributionError
from ltkit.visualization import class_size_plot, plot_accuracy_by_class_size

DIGITS = ClassDistribution([10, 200, 150, 30, 19], names=['a', 'b', 'c', 'd', 'e'])


@pytest.mark.parametrize('suffix, magic', [('.png', b'\x89PNG'), ('.svg', b'<?xml'), ('.pdf', b'%PDF')])
def test_writes_the_kind_of_the_suffix(tmp_path, suffix, magic):
    path = tmp_path / 'new' / f'picture{suffix}'
    results = dict(ERM=np.array([[10., 90, 80, 40, np.nan], [20., 92, 81, 45, np.nan]]),
                   RIDE=(np.full(5, 70.0), np.full(5, 2.0)), one=[1.0, 2, 3, 4, 5])
    assert plot_accuracy_by_class_size(results, DIGITS, path) == path
    assert path.read_bytes().startswith(magic)
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_the_same_input_gives_the_same_svg(tmp_path):
    for name in ('a.svg', 'b.svg'):
        plot_accuracy_by_class_size(dict(ERM=[1.0, 2, 3, 4, 5]), DIGITS, tmp_path / name)
    assert (tmp_path / 'a.svg').read_bytes() == (tmp_path / 'b.svg').read_bytes()


def test_classes_are_sorted_within_the_groups():
    order, sections = class_size_plot._sorted_classes(DIGITS)
    assert order.tolist() == [1, 2, 3, 4, 0]
    assert sections == dict(many=(0, 2), medium=(2, 3), few=(3, 5))


def test_points_average_classes_of_one_group():
    distribution = ClassDistribution(np.geomspace(500, 5, 100).astype(int))
    order, sections = class_size_plot._sorted_classes(distribution)
    points = class_size_plot._points(sections, 100)
    assert np.concatenate(points).tolist() == list(range(100))
    for part in points:
        assert any(start <= part[0] and part[-1] < end for start, end in sections.values())
    seeds = np.random.default_rng(0).random((3, 100))
    mean, spread = class_size_plot._line(seeds, None, order, points)
    first = [seeds[s][order[points[0]]].mean() for s in range(3)]
    assert mean[0] == pytest.approx(np.mean(first)) and spread[0] == pytest.approx(np.std(first, ddof=1))


def test_wrong_input(tmp_path):
    with pytest.raises(DistributionError, match="'ERM' are of 2 classes, but the class counts of 5"):
        plot_accuracy_by_class_size(dict(ERM=[1.0, 2.0]), DIGITS, tmp_path / 'a.png')
    with pytest.raises(ConfigError, match=r'\.png, \.svg'):
        plot_accuracy_by_class_size(dict(ERM=[1.0] * 5), DIGITS, tmp_path / 'a.txt')
    with pytest.raises(ConfigError, match='no result'):
        plot_accuracy_by_class_size({}, DIGITS, tmp_path / 'a.png')
    assert not list(tmp_path.iterdir())


def test_importing_does_not_import_matplotlib():
    code = "import sys, ltkit.visualization; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, '-c', code]).returncode == 0
