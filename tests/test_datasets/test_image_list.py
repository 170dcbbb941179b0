from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ltkit.datasets import ImageListDataset
from ltkit.utils.errors import ConfigError, DataError

PIPELINE = [dict(type='LoadImage'), dict(type='PackInputs')]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Three images, two classes, a list ``list.txt``."""
    (tmp_path / 'images' / 'a b').mkdir(parents=True)
    for idx, name in enumerate(('a b/0.jpg', 'a b/1.jpg', '2.png')):
        Image.fromarray(np.full((4, 5, 3), 50 * idx, np.uint8)).save(tmp_path / 'images' / name)
    (tmp_path / 'list.txt').write_text('a b/0.jpg 0\na b/1.jpg 0\n2.png 1\n')
    return tmp_path


def test_items(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = ImageListDataset(tree, 'list.txt', data_prefix='images', pipeline=PIPELINE)
    assert data.class_distribution.counts.tolist() == [2, 1] and data.metainfo['classes'] == ('0', '1')
    item = data[2]
    assert item['inputs'].shape == (3, 4, 5) and item['inputs'].unique().tolist() == [100]
    sample = item['data_samples']
    assert (sample.gt_label.tolist(), sample.sample_idx, sample.num_classes) == ([1], 2, 2)
    assert sample.img_path == str(tree / 'images' / '2.png')
    assert data.get_data_info(1)['ann_line'] == 'list.txt:2'
    monkeypatch.chdir(tree)
    (tree / 'packed.gz').write_bytes(gzip.compress((tree / 'list.txt').read_bytes()))
    assert len(ImageListDataset('images', 'packed.gz', check_files=True)) == 3
    assert ImageListDataset('images', 'list.txt', num_classes=4, split='test').num_classes == 4


def test_bad_input(tree: Path) -> None:
    def build(content: str | None = None, **kwargs: object) -> ImageListDataset:
        if content is not None:
            (tree / 'list.txt').write_text(content)
        return ImageListDataset(tree, 'list.txt', **{'data_prefix': 'images', 'pipeline': PIPELINE, **kwargs})

    with pytest.raises(
        DataError, match=r'list\.txt:2: label 7 is out of range; ImageListDataset has 2 classes'
    ):
        build('2.png 0\n2.png 7\n2.png 1\n', num_classes=2)
    with pytest.raises(DataError, match=r"class 1 \('1'\) has no sample in list\.txt"):
        build('2.png 0\n2.png 2\n')
    with pytest.raises(DataError, match=r'list\.txt:1: image .*images/none\.png does not exist'):
        build('none.png 0\n')
    late = build('2.png 0\nnone.png 0\n')
    with pytest.raises(DataError, match=r'list\.txt:2: image .*images/none\.png does not exist'):
        late[1]
    with pytest.raises(DataError, match=r'list\.txt:2: image .*images/none\.png does not exist'):
        build(check_files=True)
    (tree / 'images' / 'bad.jpg').write_bytes(b'no image')
    with pytest.raises(DataError, match=r'list\.txt:2: image .*bad\.jpg cannot be decoded'):
        build('2.png 0\nbad.jpg 0\n')[1]
    with pytest.raises(DataError, match=r"image folder '.*pictures' does not exist"):
        build(data_prefix='pictures')
    with pytest.raises(DataError, match='no samples in list'):
        build('\n')
    with pytest.raises(DataError, match=r'the list .*absent\.txt or absent\.txt does not exist'):
        ImageListDataset(tree, 'absent.txt')
    with pytest.raises(ConfigError, match='needs ann_file'):
        ImageListDataset(tree)


def test_a_list_of_the_size_of_inaturalist(tmp_path: Path) -> None:
    size = 437_513
    lines = [
        f'train_val2018/Plantae/{idx % 8142}/9f8ecb39e5f767e39e9b28e34488f179.jpg {idx % 8142}'
        for idx in range(size)
    ]
    path = tmp_path / 'list.txt'
    path.write_text('\n'.join(lines))
    data = ImageListDataset(ann_file=path, num_classes=8142)
    assert len(data) == size and data.get_data_info(size - 1)['img_path'] == lines[-1].split()[0]
