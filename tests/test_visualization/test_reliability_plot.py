"""Reliability diagrams show the bins they are given."""

from __future__ import annotations

import json

import numpy as np
import pytest

from ltkit.evaluation.functional import adaptive_bins, reliability_bins
from ltkit.utils.errors import ConfigError
from ltkit.visualization import plot_reliability, reliability_plot
from ltkit.visualization.figure_file import new_figure


def bins(number=15, samples=300, seed=0):
    rng = np.random.default_rng(seed)
    confidence = rng.uniform(0.3, 1, samples)
    return reliability_bins(confidence, rng.random(samples) < confidence - 0.1, number)


@pytest.mark.parametrize('suffix, magic', [('.png', b'\x89PNG'), ('.svg', b'<?xml'), ('.pdf', b'%PDF')])
def test_writes_the_kind_of_the_suffix(tmp_path, suffix, magic):
    path = tmp_path / 'new' / f'picture{suffix}'
    assert plot_reliability(bins(), path) == path
    assert path.read_bytes().startswith(magic)


def test_results_json_and_the_metric_give_the_same_picture(tmp_path):
    given = dict(all=bins(), few=bins(10, 20, seed=1))
    plot_reliability(given, tmp_path / 'a.svg', title='RIDE')
    stored = json.loads(json.dumps({name: one.to_dict() for name, one in given.items()}))
    plot_reliability(stored, tmp_path / 'b.svg', title='RIDE')
    assert (tmp_path / 'a.svg').read_bytes() == (tmp_path / 'b.svg').read_bytes()
    plot_reliability(bins().to_dict(), tmp_path / 'c.svg')


def test_five_diagrams_and_adaptive_ones(tmp_path):
    many = {str(number): bins(seed=number) for number in range(4)}
    many['adaptive'] = adaptive_bins(np.linspace(0.2, 1, 50), np.arange(50) % 3 > 0)
    assert plot_reliability(many, tmp_path / 'a.png').stat().st_size > 10_000


def test_bars_are_accuracies_and_gaps():
    axes = new_figure((3, 3)).subplots()
    one = reliability_bins(np.array([0.9, 0.8, 0.1]), np.array([True, False, False]), 2)
    reliability_plot._diagram(axes, one, 'few')
    bars = [(round(bar.get_x()), round(bar.get_y()), round(bar.get_height())) for bar in axes.patches]
    assert bars == [(0, 0, 0), (50, 0, 50), (0, 0, 10), (50, 50, 35)]
    assert axes.get_title() == 'few\nECE 26.7, MCE 35.0'


def test_no_sample_is_said(tmp_path):
    axes = new_figure((3, 3)).subplots()
    empty = reliability_bins(np.zeros(0), np.zeros(0, bool), 2)
    reliability_plot._diagram(axes, empty, '')
    assert axes.get_title() == 'no sample'
    plot_reliability(empty, tmp_path / 'a.png')


def test_bad_input_gets_one_line(tmp_path):
    with pytest.raises(ConfigError, match=r"cannot write 'a\.gif'"):
        plot_reliability(bins(), tmp_path / 'a.gif')
    with pytest.raises(ConfigError, match='needs bins, or a mapping of names to bins, but has none'):
        plot_reliability({}, tmp_path / 'a.png')
    with pytest.raises(ConfigError, match=r"the bins of 'few' must be ReliabilityBins or .* but are list"):
        plot_reliability(dict(few=[1, 2]), tmp_path / 'a.png')
