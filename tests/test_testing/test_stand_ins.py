"""Stand-in data is read by the data sets of ltkit."""

from __future__ import annotations

import numpy as np
import pytest

from ltkit.registry import DATASETS
from ltkit.testing import stand_ins
from ltkit.utils.errors import DataError

COUNTS = [5, 3, 1]


@pytest.mark.parametrize('num_classes', [10, 100])
def test_cifar(tmp_path, num_classes):
    stand_ins.make_cifar(tmp_path, num_classes, per_class=10, test_per_class=2)
    cfg = dict(type=f'CIFAR{num_classes}LT', data_root=str(tmp_path), imbalance_factor=5)
    train, test = DATASETS.build(dict(cfg)), DATASETS.build(dict(cfg, split='test'))
    counts = train.class_distribution.counts
    assert len(counts) == num_classes and counts[0] == 10 and counts[-1] == 2
    assert (test.class_distribution.counts == 2).all()
    assert train.get_data_info(0)['img'].shape == (32, 32, 3)


def test_cifar_has_10_or_100_classes(tmp_path):
    with pytest.raises(DataError, match='not 20'):
        stand_ins.make_cifar(tmp_path, 20)


@pytest.mark.parametrize('compress', [True, False])
def test_idx(tmp_path, compress):
    stand_ins.make_idx(tmp_path, per_class=10, test_per_class=2, compress=compress)
    train = DATASETS.build(dict(type='FashionMNISTLT', data_root=str(tmp_path), imbalance_factor=5))
    assert train.class_distribution.counts.tolist()[::9] == [10, 2]
    assert train.get_data_info(0)['img'].shape == (28, 28, 1)


@pytest.mark.parametrize('name', ['list.txt', 'list.txt.gz'])
def test_tree_of_a_list(tmp_path, name):
    path = stand_ins.make_image_list(tmp_path / name, COUNTS)
    rows = stand_ins.make_image_tree(tmp_path, path)
    assert rows[0] == ('train/0000/0000.jpg', 0) and len(rows) == sum(COUNTS)
    dataset = DATASETS.build(dict(
        type='ImageListDataset', data_root=str(tmp_path), ann_file=name, check_files=True,
        pipeline=[dict(type='LoadImage'), dict(type='PackInputs')]))
    assert dataset.class_distribution.counts.tolist() == COUNTS
    assert dataset[0]['inputs'].shape == (3, 40, 48)


def test_part_of_a_list(tmp_path):
    path = stand_ins.make_image_list(tmp_path / 'list.txt', COUNTS)
    rows = stand_ins.make_image_tree(tmp_path, path, per_class=[2, 1, 0], subset_list=tmp_path / 'part.txt')
    assert [label for _, label in rows] == [0, 0, 1]
    assert (tmp_path / 'part.txt').read_text().splitlines() == [f'{name} {label}' for name, label in rows]
    assert len(stand_ins.make_image_tree(tmp_path / 'b', path, per_class=2, num_images=3)) == 3


def test_wrong_line_of_a_list(tmp_path):
    (tmp_path / 'list.txt').write_text('a.jpg 0\nb.jpg\n')
    with pytest.raises(DataError, match=r'list\.txt line 2'):
        stand_ins.make_image_tree(tmp_path, tmp_path / 'list.txt')


def test_image_folder(tmp_path):
    stand_ins.make_image_folder(tmp_path, COUNTS)
    assert [len(list(folder.iterdir())) for folder in sorted(tmp_path.iterdir())] == COUNTS


def test_same_arguments_give_the_same_files(tmp_path):
    for name in 'ab':
        stand_ins.make_cifar(tmp_path / name, 10, per_class=5)
        stand_ins.make_idx(tmp_path / name, per_class=5)
        stand_ins.make_image_folder(tmp_path / name / 'tree', COUNTS)
    files = [sorted(p for p in (tmp_path / name).rglob('*') if p.is_file()) for name in 'ab']
    assert len(files[0]) == 7 + 4 + sum(COUNTS)
    assert all(a.read_bytes() == b.read_bytes() for a, b in zip(*files))


def test_classes_can_be_told_apart():
    images, labels = stand_ins._batch(np.random.default_rng(0), 10, 8)
    means = np.stack([images[labels == c][:4].mean(0) for c in range(10)])
    rest = np.concatenate([images[labels == c][4:] for c in range(10)]).astype(float)
    nearest = ((rest[:, None] - means) ** 2).sum((2, 3, 4)).argmin(1)
    assert (nearest == np.repeat(np.arange(10), 4)).all()
