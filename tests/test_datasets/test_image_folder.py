from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ltkit.datasets import LongTailImageFolder
from ltkit.utils.errors import ConfigError, DataError

SIZES = dict(cat=12, dog=8, owl=10)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for label, (name, size) in enumerate(SIZES.items()):
        (tmp_path / 'train' / name / 'deep').mkdir(parents=True)
        for idx in range(size):
            folder = tmp_path / 'train' / name / ('deep' if idx % 2 else '')
            Image.fromarray(np.full((4, 4, 3), label, np.uint8)).save(folder / f'{idx}.PNG')
        (tmp_path / 'train' / name / 'notes.txt').write_text('no image')
    (tmp_path / 'train' / '.hidden').mkdir()
    return tmp_path


def test_taken_as_it_is(root: Path) -> None:
    data = LongTailImageFolder(
        root, data_prefix='train', pipeline=[dict(type='LoadImage'), dict(type='PackInputs')]
    )
    assert data.class_distribution.counts.tolist() == list(SIZES.values())
    assert data.metainfo['classes'] == tuple(SIZES) and data.index_list_hash is None
    for item in data:
        assert (item['inputs'] == item['data_samples'].gt_label).all()
    assert 'ann_line' not in data.get_data_info(0)


def test_made_long_tailed(root: Path) -> None:
    data = LongTailImageFolder(root, data_prefix='train', imbalance_factor=4)
    assert data.class_distribution.counts.tolist() == [8, 4, 2]
    again = LongTailImageFolder(root, data_prefix='train', imbalance_factor=4)
    assert [info['img_path'] for info in map(data.get_data_info, range(14))] == [
        info['img_path'] for info in map(again.get_data_info, range(14))
    ]
    assert not data.is_canonical and len(data.index_list_hash) == 16
    wide = LongTailImageFolder(root, data_prefix='train', imbalance_factor=4, num_max=12)
    assert wide.class_distribution.counts.tolist() == [12, 6, 3]
    with pytest.raises(DataError, match=r"class 1 \('dog'\) has 8 samples.* needs 12"):
        LongTailImageFolder(root, data_prefix='train', imbalance_factor=1, num_max=12)
    assert len(LongTailImageFolder(root, 'val', data_prefix='train', imbalance_factor=4)) == 30


def test_classes_given(root: Path) -> None:
    names = ['owl', 'cat', 'dog', 'yak']
    data = LongTailImageFolder(root, 'test', data_prefix='train', classes=names)
    assert data.class_distribution.counts.tolist() == [10, 12, 8, 0]
    with pytest.raises(DataError, match=r"'.*owl' is not one of the 2 classes given"):
        LongTailImageFolder(root, data_prefix='train', classes=['cat', 'dog'])


def test_bad_folders(root: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"the folder '.*none' does not exist"):
        LongTailImageFolder(root, data_prefix='none')
    with pytest.raises(DataError, match='has no class folder'):
        LongTailImageFolder(root / 'train' / 'cat' / 'deep')
    (root / 'train' / 'bee').mkdir()
    with pytest.raises(DataError, match=r"class folder '.*bee' holds no images"):
        LongTailImageFolder(root, data_prefix='train')
    kept = LongTailImageFolder(root, data_prefix='train', allow_empty_classes=True)
    assert kept.class_distribution.counts.tolist() == [0, 12, 8, 10]
    with pytest.raises(DataError, match='hold no images'):
        LongTailImageFolder(root, data_prefix='train', extensions=['.xyz'])


def test_balanced_reference(root: Path) -> None:
    arguments = dict(data_root=root, data_prefix='train', balanced_reference=True)
    data = LongTailImageFolder(imbalance_factor=4, **arguments)
    assert data.class_distribution.counts.tolist() == [5, 5, 4]  # 8 + 4 + 2
    with pytest.raises(ConfigError, match='balanced_reference needs the imbalance_factor'):
        LongTailImageFolder(**arguments)
    assert len(LongTailImageFolder(split='test', **arguments)) == 30


def test_a_slip_in_the_type_is_found_though_nothing_is_made_long_tailed(root: Path) -> None:
    with pytest.raises(ConfigError, match="imbalance_type must be 'exp', 'step' or None, but is 'stepp'"):
        LongTailImageFolder(root, data_prefix='train', imbalance_type='stepp')


def test_held_out(root: Path) -> None:
    arguments = dict(data_root=root, data_prefix='train', imbalance_factor=2)
    train = LongTailImageFolder(held_out=4, **arguments)
    assert train.class_distribution.counts.tolist() == [4, 2, 2]  # dog has 8 images
    held_out = LongTailImageFolder(split='held_out', held_out=4, **arguments)
    assert held_out.class_distribution.counts.tolist() == [4, 4, 4]
    paths = [{data.get_data_info(idx)['img_path'] for idx in range(len(data))} for data in (train, held_out)]
    assert not paths[0] & paths[1]
    assert len(LongTailImageFolder(split='val', held_out=4, **arguments)) == 30
    wide = LongTailImageFolder(held_out=2, num_max=10, **dict(arguments, imbalance_factor=5))
    assert wide.class_distribution.counts.tolist() == [10, 4, 2], 'num_max stays what was given'
    with pytest.raises(DataError, match=r"'cat'\) has 12 samples.* needs 11, and 2 are held out"):
        LongTailImageFolder(held_out=2, num_max=11, **dict(arguments, imbalance_factor=5))


@pytest.mark.parametrize('split', ['train', 'held_out'])
def test_a_folder_taken_as_it_is_holds_nothing_out(root: Path, split: str) -> None:
    with pytest.raises(ConfigError, match='held_out needs imbalance_factor'):
        LongTailImageFolder(root, split, data_prefix='train', held_out=4)
    with pytest.raises(ConfigError, match='no images with held_out=0'):
        LongTailImageFolder(root, 'held_out', data_prefix='train')
