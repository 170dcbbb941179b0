"""The picture of neural collapse over training."""

from __future__ import annotations

import pytest

from ltkit.utils import ConfigError
from ltkit.visualization import neural_collapse_plot as module
from ltkit.visualization import plot_neural_collapse
from ltkit.visualization.neural_collapse_plot import PANELS

KEYS = [key for panel in PANELS for key in panel.lines]


def history(factor=1.0, absent=()):
    return dict(simplex_angle=96.4, records=[
        dict(epoch=epoch, **{key: factor / epoch for key in KEYS if key not in absent}) for epoch in (10, 20, 30)])


@pytest.fixture
def lines_of(monkeypatch, tmp_path):
    """Draws runs, without writing the picture, and counts the lines of each panel."""

    def draw(runs):
        kept = []
        with monkeypatch.context() as patch:
            patch.setattr(module, 'save_figure', lambda figure, path: kept.append(figure))
            plot_neural_collapse(runs, tmp_path / 'a.png')
        return [len(axes.lines) for axes in kept[0].axes]

    return draw


def test_each_run_is_a_line(lines_of):
    assert lines_of({'ERM': [history()]}) == [1, 2, 2, 3, 1, 1]  # the third of the angles is that of a simplex
    assert lines_of({'ERM': [history(), history(2)], 'NC': [history(3)]}) == [3, 6, 6, 7, 3, 3]


def test_what_was_not_measured_is_left_out(lines_of):
    """A classifier without rows has no NC3."""
    assert lines_of({'': [history(absent=('nc3', 'nc2_norm_weights'))]}) == [1, 1, 2, 3, 0, 1]


def test_what_is_written(tmp_path):
    text = plot_neural_collapse({'ERM': [history()]}, tmp_path / 'a' / 'one.svg', 'A title').read_text()
    for words in ('A title', 'ERM', *(panel.title for panel in PANELS)):
        assert f'<!-- {words} -->' in text, words


def test_nc1_without_the_factor(tmp_path):
    whole = dict(history(), divide_by_classes=False)
    for one, label in ((history(), 'trace / K'), (whole, 'trace')):
        assert f'<!-- {label} -->' in plot_neural_collapse({'': [one]}, tmp_path / 'a.svg').read_text()
    with pytest.raises(ConfigError, match='NC1 has the factor 1 / K in some of the runs'):
        plot_neural_collapse({'ERM': [history()], 'NC': [whole]}, tmp_path / 'a.svg')


@pytest.mark.parametrize('runs, path, text', [
    ({}, 'a.png', 'nothing to draw'), ({'ERM': []}, 'a.png', 'nothing to draw'),
    ({'ERM': [dict(records=[])]}, 'a.png', "a run of 'ERM' has no records"),
    ({'ERM': [history()]}, 'a.gif', "cannot write 'a.gif'")])
def test_wrong_input(tmp_path, runs, path, text):
    with pytest.raises(ConfigError, match=text):
        plot_neural_collapse(runs, tmp_path / path)
    assert not list(tmp_path.iterdir())
