"""Tests of the class distribution."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from mmengine.dataset import BaseDataset, ClassBalancedDataset, ConcatDataset, RepeatDataset
from torch.utils.data import ConcatDataset as TorchConcatDataset
from torch.utils.data import Subset

from ltkit import ClassDistribution
from ltkit.distribution import labels_of
from ltkit.utils.errors import DistributionError

COUNTS = [500, 101, 100, 20, 19, 5]


class Labelled(BaseDataset):
    """Samples that know their label, and perhaps their own thresholds."""

    METAINFO = dict(classes=('a', 'b', 'c'))

    def __init__(self, labels, own: ClassDistribution | None = None) -> None:
        self.labels = np.array(labels)
        super().__init__(lazy_init=False)
        if own is not None:
            self.class_distribution = own

    def load_data_list(self) -> list[dict]:
        return [dict(label=int(label)) for label in self.labels]

    def get_gt_labels(self) -> np.ndarray:
        return self.labels

    def get_cat_ids(self, idx: int) -> list[int]:
        return [int(self.labels[idx])]


# ----------------------------------------------------------------- statistics
def test_statistics():
    d = ClassDistribution(COUNTS, names='abcdef')
    assert (d.num_classes, d.total, d.imbalance_factor) == (6, 745, 100.0)
    assert np.allclose(d.prior, np.array(COUNTS) / 745, rtol=0, atol=1e-15)
    assert np.allclose(np.exp(d.log_prior), d.prior)
    assert d.names == tuple('abcdef')
    with pytest.raises(ValueError, match='read-only'):
        d.counts[0] = 3


@pytest.mark.parametrize('style, expected', [
    ('decoupling', dict(many=[0, 1], medium=[2, 3], few=[4, 5])),
    ('oltr', dict(many=[0, 1, 2], medium=[], few=[3, 4, 5])),
])
def test_groups_at_the_limits(style, expected):
    groups = ClassDistribution(COUNTS, style=style).groups
    assert {key: value.tolist() for key, value in groups.items()} == expected
    assert list(groups) == ['many', 'medium', 'few']


def test_groups_partition_the_classes_even_if_the_limits_meet():
    for style in ('decoupling', 'oltr'):
        groups = ClassDistribution(COUNTS, many_threshold=20, few_threshold=20, style=style).groups
        assert sorted(np.concatenate(list(groups.values())).tolist()) == list(range(6))


def test_thresholds_in_words():
    assert ClassDistribution(COUNTS).thresholds == 'many > 100, few < 20 training samples'
    oltr = ClassDistribution(COUNTS, 'abcdef', 10, 5, 'oltr')
    assert oltr.thresholds == 'many >= 10, few <= 5 training samples'


def test_empty_class_is_finite():
    d = ClassDistribution([10, 0, 5])
    assert d.imbalance_factor == float('inf') and 'inf' in repr(d)
    assert d.empty_classes.tolist() == [1]
    assert d.floored_counts.tolist() == [10, 1, 5]
    assert d.prior.tolist() == [10 / 15, 0, 5 / 15]
    for values in (d.log_prior, d.effective_number_weights(), d.inverse_frequency_weights()):
        assert np.isfinite(values).all()
    assert np.isclose(np.exp(d.log_prior).sum(), 1)


# --------------------------------------------------------------------- errors
@pytest.mark.parametrize('arguments, words', [
    (dict(counts=[]), 'shape'),
    (dict(counts=[[1, 2]]), 'shape'),
    (dict(counts=5), 'shape'),
    (dict(counts=[[1], [2, 3]]), 'list of numbers'),
    (dict(counts=[1, -2, 3]), 'class 1 has a negative count'),
    (dict(counts=[1, 2.5]), 'whole numbers'),
    (dict(counts=[1, float('nan')]), 'whole numbers'),
    (dict(counts=[1, float('inf')]), 'whole numbers'),
    (dict(counts=['many', 'few']), 'whole numbers'),
    (dict(counts=[0, 0]), 'no training sample'),
    (dict(counts=[1, 2], names=['a']), '1 class names for 2 class counts'),
    (dict(counts=[1, 2], style='kang'), 'decoupling, oltr'),
    (dict(counts=[1, 2], many_threshold=5, few_threshold=9), r'few_threshold \(9\) is above many_threshold '
                                                             r'\(5\)'),
])
def test_wrong_arguments(arguments, words):
    with pytest.raises(DistributionError, match=words) as error:
        ClassDistribution(**arguments)
    assert '\n' not in str(error.value)


def test_whole_numbers_of_any_kind_are_taken():
    for counts in ([5.0, 3.0], (5, 3), np.array([5, 3], dtype=np.uint8), torch.tensor([5, 3])):
        assert ClassDistribution(counts).counts.tolist() == [5, 3]


# --------------------------------------------------------------- constructors
def test_from_labels():
    assert ClassDistribution.from_labels([0, 2, 2]).counts.tolist() == [1, 0, 2]
    assert ClassDistribution.from_labels([0, 2, 2], 5, few_threshold=1).counts.tolist() == [1, 0, 2, 0, 0]
    for wrong, label in (([0, 1, 7], 7), ([0, -1], -1)):
        with pytest.raises(DistributionError, match=rf'label {label} of sample {len(wrong) - 1} .* 0 to 2'):
            ClassDistribution.from_labels(wrong, 3)
    with pytest.raises(DistributionError, match='no labels'):
        ClassDistribution.from_labels([])
    with pytest.raises(DistributionError, match='one class'):
        ClassDistribution.from_labels(np.eye(3, dtype=int))
    with pytest.raises(DistributionError, match='whole numbers'):
        ClassDistribution.from_labels([0.5, 1.0])


LABELS = [0, 0, 0, 0, 1, 1, 2]


def _wrapped():
    base = Labelled(LABELS)
    yield 'itself', base, LABELS
    yield 'concat', ConcatDataset([base, Labelled([2, 2])]), [*LABELS, 2, 2]
    yield 'torch concat', TorchConcatDataset([base, Labelled([2, 2])]), [*LABELS, 2, 2]
    yield 'repeat', RepeatDataset(base, 3), LABELS * 3
    yield 'subset', Subset(base, [6, 0, 4]), [2, 0, 1]
    yield 'subset of repeat', Subset(RepeatDataset(base, 2), [6, 7]), [2, 0]
    balanced = ClassBalancedDataset(base, oversample_thr=0.5)
    yield 'class-balanced', balanced, [LABELS[i] for i in balanced.repeat_indices]


@pytest.mark.parametrize('name, dataset, labels', [pytest.param(*case, id=case[0]) for case in _wrapped()])
def test_through_wrappers(name, dataset, labels):
    assert len(dataset) == len(labels)
    found = labels_of(dataset)
    assert found.dtype == np.int64 and found.tolist() == labels
    d = ClassDistribution.from_dataset(dataset)
    assert d.counts.tolist() == np.bincount(labels, minlength=3).tolist()
    if name not in ('subset', 'subset of repeat', 'torch concat'):
        assert d.names == ('a', 'b', 'c')


def test_sliced_by_the_runner():
    from mmengine.runner.runner import _SlicedDataset
    sliced = _SlicedDataset(Labelled(LABELS, ClassDistribution.from_labels(LABELS)), 4)
    assert labels_of(sliced).tolist() == [0, 0, 0, 0]
    assert ClassDistribution.from_dataset(sliced).counts.tolist() == [4, 0, 0]


def test_own_thresholds_hold_through_wrappers():
    own = ClassDistribution([4, 2, 1], 'xyz', many_threshold=3, few_threshold=2, style='oltr')
    base = Labelled(LABELS, own)
    assert ClassDistribution.from_dataset(base) is own
    repeated = ClassDistribution.from_dataset(RepeatDataset(base, 2))
    assert (repeated.counts.tolist(), repeated.names) == ([8, 4, 2], ('x', 'y', 'z'))
    assert (repeated.many_threshold, repeated.few_threshold, repeated.style) == (3, 2, 'oltr')
    assert ClassDistribution.from_dataset(base, many_threshold=9).many_threshold == 9


def test_dataset_without_labels():
    class Silent:
        def __len__(self) -> int:
            return 3

    for dataset in (Silent(), Subset(Silent(), [0])):
        with pytest.raises(DistributionError, match=r'Silent does not tell its labels; .*get_gt_labels'):
            labels_of(dataset)


# ---------------------------------------------------------------------- files
@pytest.mark.parametrize('text', [
    '[5, 3, 0]',
    '5\n3\n0\n',
    '# counts of a set\n5\n\n3\n0',
    'name,count\na,5\nb,3\nc,0',
    'index\tname\tcount\n0\ta\t5\n1\tb\t3\n2\tc\t0\n',
    json.dumps(ClassDistribution([5, 3, 0], 'abc').to_dict()),
])
def test_from_file(tmp_path, text):
    (tmp_path / 'counts').write_text(text)
    d = ClassDistribution.from_file(tmp_path / 'counts', many_threshold=4, few_threshold=1)
    assert d.counts.tolist() == [5, 3, 0] and d.many_threshold == 4
    if 'name' in text:
        assert d.names == ('a', 'b', 'c')


@pytest.mark.parametrize('content', [
    b'', b'hello', b'{"classes": 3}', b'{"counts": [1], "thresholds": 2}', b'[1, 2', b'a,count\n1',
    b'count\nfive', b'\xff\xfe\x00binary', b'[1, -1]', b'5\n-3',
])
def test_file_without_counts_is_named(tmp_path, content):
    path = tmp_path / 'counts.txt'
    path.write_bytes(content)
    with pytest.raises(DistributionError) as error:
        ClassDistribution.from_file(path)
    assert str(path) in str(error.value) and '\n' not in str(error.value)


def test_missing_file(tmp_path):
    with pytest.raises(DistributionError, match=r'cannot read class counts from .*none: No such file'):
        ClassDistribution.from_file(tmp_path / 'none')


# -------------------------------------------------------------------- equality
def test_round_trip_and_equality():
    d = ClassDistribution(COUNTS, 'abcdef', 50, 10, 'oltr')
    again = ClassDistribution(**json.loads(json.dumps(d.to_dict())))
    assert again == d and hash(again) == hash(d)
    assert d != ClassDistribution(COUNTS) and d != COUNTS
    assert 'imbalance factor 100' in repr(d) and '500..5' in repr(d) and '6 classes' in repr(d)
