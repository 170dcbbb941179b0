"""Pictures are written whole, or not at all."""

from __future__ import annotations

import pytest

from ltkit.utils.errors import ConfigError
from ltkit.visualization.figure_file import checked_path, new_figure, save_figure


def test_a_figure_is_written_with_its_folder(tmp_path):
    path = save_figure(new_figure((1, 1)), checked_path(tmp_path / 'new' / 'a.SVG'))
    assert path.read_bytes().startswith(b'<?xml') and [p.name for p in path.parent.iterdir()] == ['a.SVG']


def test_a_failed_picture_leaves_the_old_one(tmp_path):
    path = tmp_path / 'a.png'
    path.write_bytes(b'old')
    with pytest.raises(AttributeError):
        save_figure(None, path)
    assert path.read_bytes() == b'old' and len(list(tmp_path.iterdir())) == 1


def test_an_unknown_suffix_is_named():
    with pytest.raises(ConfigError, match=r"cannot write 'a\.gif'; its name must end in \.png, \.svg, \.pdf"):
        checked_path('a.gif')
