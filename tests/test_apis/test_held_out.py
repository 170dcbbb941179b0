"""Tests of ltkit.apis.held_out."""

from __future__ import annotations

import pytest
from mmengine.dataset import BaseDataset

from ltkit.apis.held_out import check_held_out
from ltkit.distribution import ClassDistribution
from ltkit.registry import DATASETS
from ltkit.utils.errors import ConfigError

TRAIN = dict(type='DigitsLT', held_out=10, pipeline=[dict(type='PackInputs')])
VAL = dict(type='DigitsLT', split='held_out', held_out=10)
TEST = dict(type='DigitsLT', split='test')
COUNTS = [90, 58, 37, 24, 15, 10, 6, 4, 2, 1]


def check(train: dict | None = TRAIN, val: dict = VAL, test: dict = TEST, counts: list[int] | None = COUNTS) -> None:
    loaders = {name: None if dataset is None else dict(batch_size=1, dataset=dataset)
               for name, dataset in (('train', train), ('val', val), ('test', test))}
    trained_on = None if counts is None else ClassDistribution(counts)
    check_held_out(DATASETS.build(val), loaders, trained_on, 'Rule', 'give x=...')


@pytest.fixture
def said(monkeypatch):
    """What the module logs."""
    lines = []
    monkeypatch.setattr('ltkit.apis.held_out.print_log', lambda line, *_, **__: lines.append(line))
    return lines


@pytest.mark.parametrize('arguments', [
    {}, dict(counts=None), dict(train=dict(TRAIN, held_out=20), counts=None),
    dict(train=dict(TRAIN, imbalance_factor=10), counts=None)])
def test_held_out_samples_pass(arguments, said):
    check(**arguments)
    assert not said


@pytest.mark.parametrize('arguments, message', [
    (dict(val=TEST), r'Rule would be fitted to the test set: test_dataloader has all images of val_dataloader; train '
                     r'with .*held_out=K .*, or give x=\.\.\.'),
    (dict(val=dict(TEST, pipeline=[])), 'test_dataloader has all images'),
    (dict(val=dict(TEST, indices=30)), 'test_dataloader has 30 of the 30 images'),
    (dict(train=dict(TRAIN, held_out=0)), 'fitted to the training set: train_dataloader has 10 of the 100 images'),
    (dict(train=dict(TRAIN, seed=1)), r'train_dataloader has \d+ of the 100 images'),
    (dict(train=dict(VAL)), 'train_dataloader has all images'),
    (dict(counts=[100, 64, 41, 27, 17, 11, 7, 4, 3, 2]),
     r'the checkpoint was trained on 276 images \(100 to 2 a class\), but train_dataloader has 247 images \(90 to 1 a '
     r'class\), so images of val_dataloader may have been trained on; train with')])
def test_other_samples_are_refused(arguments, message):
    with pytest.raises(ConfigError, match=message):
        check(**arguments)


def test_what_cannot_be_compared_is_told(said):
    check(train=None)
    assert 'the config has no train_dataloader' in said.pop()
    check(train=dict(type='CIFAR10LT', data_root='nowhere'))
    assert 'the training data cannot be compared with val_dataloader (CIFAR10LT finds no' in said.pop()


def test_image_files_are_compared_by_their_path(tmp_path):
    from ltkit.testing.stand_ins import make_image_list, make_image_tree
    make_image_list(tmp_path / 'list.txt', [3, 3])
    make_image_tree(tmp_path, tmp_path / 'list.txt')
    whole = dict(type='ImageListDataset', data_root=str(tmp_path), ann_file=str(tmp_path / 'list.txt'))
    with pytest.raises(ConfigError, match='test_dataloader has 2 of the 2 images'):
        check(val=dict(whole, indices=2), test=dict(whole, data_root=str(tmp_path / '.')))
    check(val=dict(whole, indices=[0, 1]), test=dict(whole, indices=[2, 3]), train=dict(whole, indices=[4, 5]))


def test_another_data_set_is_compared_by_its_config():
    @DATASETS.register_module(force=True)
    class NoRows(BaseDataset):
        def load_data_list(self):
            return [{}]

    one, other = (dict(type=NoRows, lazy_init=True, metainfo=dict(name=name)) for name in 'ab')
    check(val=one, test=other, train=None)
    with pytest.raises(ConfigError, match='test_dataloader has all images'):
        check(val=one, test=dict(one, test_mode=False, pipeline=[]), train=None)
