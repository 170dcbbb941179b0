from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ltkit.datasets import ImageNetLT, INaturalist2018, PlacesLT
from ltkit.datasets.download import git_blob_hash
from ltkit.datasets.split_lists import SPLIT_LISTS
from ltkit.registry import DATASETS
from ltkit.utils.errors import ConfigError, DataError

# git blobs of the lists for the 256 x 256 archives, https://github.com/xiangly55/LFME
PLACES_256 = dict(
    train='1d608b558c25c271da75c06f1e5e3625a4ebcb79',
    val='89c29c0973328f77d7a77a8b580634ce20acdc11',
    test='d43400ac9bc2275baa058456da40b20abb50b108',
)


def test_places_lt() -> None:
    train = PlacesLT()
    distribution = train.class_distribution
    assert (len(train), distribution.num_classes) == (62500, 365)
    assert (distribution.counts.max(), distribution.counts.min()) == (4980, 5)
    assert [len(group) for group in distribution.groups.values()] == [131, 163, 71]
    assert train.metainfo['classes'][0] == 'airfield' and train.is_canonical
    assert PlacesLT(split='val').class_distribution.counts.tolist() == [20] * 365
    assert PlacesLT(split='test').class_distribution.counts.tolist() == [100] * 365


@pytest.mark.parametrize('split', list(PLACES_256))
def test_the_other_layout_of_places_is_derived(split: str) -> None:
    data = PlacesLT(split=split, layout='data_256')
    lines = (
        f'{data.columns.paths[idx]} {label}\n' for idx, label in enumerate(data.get_gt_labels().tolist())
    )
    assert git_blob_hash(''.join(lines).encode()) == PLACES_256[split]
    with pytest.raises(ConfigError, match='layout'):
        PlacesLT(layout='256')


def test_imagenet_lt_and_inaturalist() -> None:
    assert ImageNetLT(split='val').class_distribution.counts.tolist() == [20] * 1000
    test = ImageNetLT(split='test')
    assert test.class_distribution.counts.tolist() == [50] * 1000
    assert test.metainfo['classes'][0] == 'n01440764'
    assert test.get_data_info(0)['img_path'].startswith('val/n01440764/ILSVRC2012_val_')
    nature = INaturalist2018(split='val')
    assert nature.class_distribution.counts.tolist() == [3] * 8142
    assert nature.metainfo['classes'][7291] == 'Plantae/7291'
    with pytest.raises(ConfigError, match='no split'):
        INaturalist2018(split='test')


@pytest.mark.parametrize(
    'name, split, key',
    [
        ('ImageNetLT', 'train', 'imagenet_lt'),
        ('ImageNetLT', 'train_balanced', 'imagenet_balanced'),
        ('INaturalist2018', 'train', 'inaturalist18'),
    ],
)
def test_large_lists_are_looked_for_and_verified(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, split: str, key: str
) -> None:
    monkeypatch.chdir(tmp_path)
    config = dict(type=name, data_root=str(tmp_path), split=split)
    with pytest.raises(DataError, match=f'get_splits.py {key}`, or put it into .data. .git blob'):
        DATASETS.build(config)
    official = next(entry for entry in SPLIT_LISTS.values() if entry.key == key)
    (tmp_path / 'data').mkdir()
    (tmp_path / 'data' / official.name).write_text('train/x.jpg 0\n')
    with pytest.raises(DataError, match=f'is not the official {official.name}'):
        DATASETS.build(config)
    with pytest.raises(DataError, match=r':1: image .*x\.jpg does not exist; data_root must hold'):
        DATASETS.build(dict(config, verify=False))


def test_a_list_that_passes_is_canonical(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = ''.join(
        f'train/c{label}/{idx}.jpg {label}\n' for label in range(1000) for idx in range(2)
    ).encode()
    official = SPLIT_LISTS['ImageNet_LT_train.txt']
    monkeypatch.setitem(
        SPLIT_LISTS,
        official.name,
        type(official)(official.name, git_blob_hash(content), 2000, official.key, official.url),
    )
    (tmp_path / 'data' / 'ImageNet_LT').mkdir(parents=True)
    (tmp_path / 'data' / 'ImageNet_LT' / f'{official.name}.gz').write_bytes(gzip.compress(content))
    monkeypatch.chdir(tmp_path)
    data = ImageNetLT()
    assert len(data) == 2000 and data.is_canonical and data.describe().endswith('the canonical list')
    assert ImageNetLT(verify=False).describe().endswith('list not verified')


def test_a_list_of_ones_own(tmp_path: Path, shared_data: Path) -> None:
    rows = gzip.decompress(
        (shared_data / 'splits' / 'ImageNet_LT_train_90classes.txt.gz').read_bytes()
    ).decode()
    rows = rows.splitlines()[::40]
    for row in rows:
        path = tmp_path / row.split()[0]
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(path)
    (tmp_path / 'few.txt').write_text('\n'.join(rows))
    with pytest.raises(DataError, match=r'has no sample in few.txt'):
        ImageNetLT(tmp_path, 'few.txt')
    data = ImageNetLT(
        tmp_path,
        'few.txt',
        allow_empty_classes=True,
        check_files=True,
        pipeline=[dict(type='LoadImage'), dict(type='PackInputs')],
    )
    assert data.num_classes == 1000 and len(data) == len(rows) and data.is_canonical is False
    assert data.describe().endswith('few.txt, not the canonical list')
    assert data[0]['data_samples'].gt_label.item() == int(rows[0].split()[1])


def test_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"image folder '.*absent/?' does not exist; data_root must hold the Places365"
    ):
        PlacesLT(tmp_path / 'absent')
