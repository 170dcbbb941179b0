from __future__ import annotations

import numpy as np

from ltkit.registry import DATASETS


def build(**kwargs: object):
    return DATASETS.build(dict(type='DigitsLT', **kwargs))


def test_profile_groups_and_images() -> None:
    data = build()
    assert data.class_distribution.counts.tolist() == [100, 64, 41, 27, 17, 11, 7, 4, 3, 2]
    sizes = {name: len(group) for name, group in data.class_distribution.groups.items()}
    assert sizes == dict(many=3, medium=3, few=4)
    image = data[0]['img']
    assert image.shape == (8, 8, 1) and image.dtype == np.uint8 and image.max() == 255
    assert data.is_canonical and data.index_list_hash == '739fbc8aee37725b'


def test_test_set_is_fixed_balanced_and_apart() -> None:
    test = build(split='test')
    assert test.class_distribution.counts.tolist() == [70] * 10
    same = build(split='test', seed=5, imbalance_factor=2)
    assert np.array_equal(test.columns.rows, same.columns.rows)
    for seed in (0, 1):
        train = build(imbalance_factor=1, seed=seed)
        assert train.class_distribution.counts.tolist() == [100] * 10
        assert not set(train.columns.rows.tolist()) & set(test.columns.rows.tolist())


def test_labels_are_those_of_the_images() -> None:
    from sklearn.datasets import load_digits

    bunch = load_digits()
    data = build(seed=2, imbalance_factor=10)
    assert np.array_equal(bunch.target[data.index_list], data.get_gt_labels())
    expected = np.round(bunch.images[data.index_list[3]] * 255 / 16)
    assert np.array_equal(data[3]['img'][..., 0], expected)


def test_seed_chooses_the_training_images() -> None:
    assert set(build(seed=0).index_list.tolist()) != set(build(seed=1).index_list.tolist())
    assert 'seed 1' in build(seed=1).not_canonical


def test_balanced_reference() -> None:
    data = DATASETS.build(dict(type='DigitsLT', balanced_reference=True))
    assert data.class_distribution.counts.tolist() == [28] * 6 + [27] * 4
    assert len(data) == len(DATASETS.build(dict(type='DigitsLT'))) == 276


def test_held_out() -> None:
    train, held_out, test = build(held_out=10), build(split='held_out', held_out=10), build(split='test', held_out=10)
    assert train.class_distribution.counts.tolist() == [90, 58, 37, 24, 15, 10, 6, 4, 2, 1]
    assert held_out.class_distribution.counts.tolist() == [10] * 10 and len(test) == 700
    lists = [set(data.columns.rows.tolist()) for data in (train, held_out, test)]
    assert not lists[0] & lists[1] and not lists[1] & lists[2]
    assert lists[0] < set(build().index_list.tolist())
