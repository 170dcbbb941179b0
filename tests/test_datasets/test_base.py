from __future__ import annotations

import inspect
import pickle
from typing import Any

import numpy as np
import pytest
import torch
from mmengine.dataset import ClassBalancedDataset, ConcatDataset, RepeatDataset
from torch.utils.data import DataLoader

from ltkit.datasets import BaseLongTailDataset, base
from ltkit.datasets.columns import Columns
from ltkit.distribution import ClassDistribution, labels_of
from ltkit.utils.errors import ConfigError, DataError
from ltkit.utils.rng import SampleIndex


class Toy(BaseLongTailDataset):
    """Two-pixel images of given labels."""

    METAINFO = dict(classes=('a', 'b', 'c'))

    def __init__(self, labels: Any = (0, 0, 0, 1, 1, 2), split: str = 'train', **kwargs: Any) -> None:
        self.labels = labels
        super().__init__(split=split, **kwargs)

    def load_columns(self) -> Columns:
        size = len(self.labels)
        images = np.arange(size * 6, dtype=np.uint8).reshape(size, 1, 2, 3)
        return Columns(np.array(self.labels), images=images, rows=np.arange(size), source='toy')


def _noise(results: dict) -> dict:
    return dict(results, drawn=(torch.rand(()).item(), float(np.random.rand())))  # noqa: NPY002


def test_items_and_statistics() -> None:
    data = Toy(many_threshold=2, few_threshold=2)
    assert len(data) == 6 and data.num_classes == 3
    info = data.get_data_info(-1)
    assert (info['gt_label'], info['sample_idx'], info['num_classes']) == (2, 5, 3)
    info['img'][:] = 0
    assert data.get_data_info(5)['img'].any(), 'an item must not alias the data'
    assert data.get_gt_labels().dtype == np.int64 and data.get_cat_ids(3) == [1]
    distribution = data.class_distribution
    assert distribution.counts.tolist() == [3, 2, 1] and distribution.names == ('a', 'b', 'c')
    assert {name: group.tolist() for name, group in distribution.groups.items()} == dict(
        many=[0], medium=[1], few=[2]
    )
    with pytest.raises(IndexError):
        data[6]


def test_randomness_belongs_to_the_sample() -> None:
    data = Toy(pipeline=[_noise])
    first = data[SampleIndex(1, 5)]['drawn']
    before = torch.get_rng_state()
    assert data[SampleIndex(2, 5)]['drawn'] == first
    assert data[SampleIndex(1, 6)]['drawn'] != first
    assert torch.equal(torch.get_rng_state(), before)
    assert data[1]['drawn'] != data[1]['drawn']


def test_randomness_does_not_depend_on_workers() -> None:
    order = [SampleIndex(idx, 100 + idx) for idx in range(6)]
    drawn = []
    for workers in (0, 2):
        loader = DataLoader(Toy(pipeline=[_noise]), 2, sampler=order, num_workers=workers, collate_fn=list)
        drawn.append([item['drawn'] for batch in loader for item in batch])
    assert drawn[0] == drawn[1] and len(set(drawn[0])) == 6


def test_wrappers_of_mmengine() -> None:
    data = Toy()
    both = ConcatDataset([Toy(pipeline=[_noise]), data])
    assert len(both) == 12 and labels_of(both).tolist() == list(data.labels) * 2
    assert both[SampleIndex(1, 9)]['drawn'] == both[SampleIndex(2, 9)]['drawn']
    assert len(RepeatDataset(data, 3)) == 18
    balanced = ClassBalancedDataset(data, oversample_thr=1.0)
    assert ClassDistribution.from_dataset(balanced).counts[2] > 1
    assert labels_of(torch.utils.data.Subset(data, [0, 5])).tolist() == [0, 2]


def test_subsets() -> None:
    data = Toy()
    part = data.get_subset([5, 0])
    assert part.get_gt_labels().tolist() == [2, 0] and len(data) == 6
    assert part.class_distribution.counts.tolist() == [1, 0, 1]
    assert data.get_subset(2).get_gt_labels().tolist() == [0, 0]
    data.get_subset_(-1)
    assert data.get_gt_labels().tolist() == [2]
    assert len(Toy(indices=4)) == 4 and Toy(indices=[1, 5]).get_gt_labels().tolist() == [0, 2]
    with pytest.raises(DataError, match='index 9'):
        part.get_subset([9])


def test_lazy_and_pickled() -> None:
    data = Toy(lazy_init=True)
    assert data.columns is None and data.num_classes == 3
    assert len(data) == 6
    again = pickle.loads(pickle.dumps(data))
    assert np.array_equal(again[2]['img'], data[2]['img'])


def test_wrong_labels() -> None:
    with pytest.raises(DataError, match=r"class 2 \('c'\) has no sample in toy"):
        Toy(labels=(0, 1))
    assert Toy(labels=(0, 1), allow_empty_classes=True).class_distribution.empty_classes.tolist() == [2]
    assert len(Toy(labels=(0, 1), split='test')) == 2
    for label in (3, -1):
        with pytest.raises(
            DataError, match=f'toy row 3: label {label} is out of range; Toy has 3 classes, 0 to 2'
        ):
            Toy(labels=(0, 1, 2, label))
    with pytest.raises(DataError, match='no samples'):
        Toy(labels=())


def test_wrong_arguments() -> None:
    with pytest.raises(ConfigError, match=r"no split 'tset'; .* did you mean 'test'"):
        Toy(split='tset')
    with pytest.raises(ConfigError, match=r'pipeline\[0\] must be dict'):
        Toy(pipeline=dict(type='PackInputs'))
    with pytest.raises(DataError, match='gave None'):
        Toy(pipeline=[lambda results: None])[0]
    with pytest.raises(NotImplementedError, match='load_columns'):
        BaseLongTailDataset()


def test_signature_shows_all_arguments() -> None:
    names = list(inspect.signature(Toy).parameters)
    assert names[:2] == ['labels', 'split'] and {'pipeline', 'many_threshold', 'lazy_init'} <= set(names)
    assert 'kwargs' not in names

    class Fixed(Toy):
        FIXED_ARGUMENTS = ('indices',)

        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)

    assert 'indices' not in inspect.signature(Fixed).parameters


def test_test_mode_and_metainfo() -> None:
    assert (
        not Toy().test_mode
        and Toy(split='test').test_mode
        and not Toy(split='test', test_mode=False).test_mode
    )
    assert Toy(metainfo=dict(classes=['x', 'y', 'z'])).metainfo['classes'] == ['x', 'y', 'z']


def test_log_once(monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[str] = []
    monkeypatch.setattr(base, 'print_log', lambda message, logger: lines.append(message))
    base.log_once('a line of its own')
    base.log_once('a line of its own')
    assert lines == ['a line of its own']
    monkeypatch.setattr(base, 'is_main_process', lambda: False)
    base.log_once('another')
    assert len(lines) == 1
