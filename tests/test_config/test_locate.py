"""File and line of a key."""

from __future__ import annotations

import pytest

from ltkit.config import read_files
from ltkit.config.locate import Locator


@pytest.mark.parametrize(
    'key, place',
    [
        ('model.head.loss.max_margin', 'base.py:8'),
        ('model.head.num_classes', 'base.py:7'),
        ('train_dataloader.dataset.pipeline.0.size', 'base.py:3'),
        ('train_dataloader.sampler.type', 'base.py:9'),
        ('model.head.depth', 'x.py:2'),
        ('train_cfg.max_epochs', 'x.py:3'),
        ('val_cfg', 'x.py:4'),
        ('nothing', 'x.py: nothing'),
    ],
)
def test_key_is_found_in_the_nearest_file(write, base, key, place):
    write(
        'x.py',
        "_base_ = 'base.py'\nmodel = dict(head=dict(depth=1))\ntrain_cfg = {'max_epochs': 1}\nval_cfg = 3\n",
    )
    assert Locator(read_files('x.py')).where(tuple(key.split('.'))) == place


def test_options_come_first(write, base):
    before = {'model': {'head': {'depth': 1}}}
    locator = Locator(read_files('base.py'), {'model.head.depth': 1, 'model.neck.type': 'A'}, before)
    assert locator.where(('model', 'head', 'depth')) == '--cfg-options model.head.depth'
    assert locator.where(('model', 'neck')) == '--cfg-options model.neck.type'
    assert locator.where(('model', 'head')) == 'base.py:7'


def test_without_files():
    assert Locator(None).where(('model', 'head')) == 'model.head'
