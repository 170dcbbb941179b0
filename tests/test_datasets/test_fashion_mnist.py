from __future__ import annotations

import gzip
import hashlib
import struct
from pathlib import Path

import numpy as np
import pytest

from ltkit.datasets import FashionMNISTLT
from ltkit.datasets.fashion_mnist import read_idx
from ltkit.utils.errors import DataError


def idx_bytes(array: np.ndarray) -> bytes:
    return struct.pack(f'>HBB{array.ndim}I', 0, 8, array.ndim, *array.shape) + array.tobytes()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / 'FashionMNIST' / 'raw'
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for stem, size in (('train', 200), ('t10k', 50)):
        images = rng.integers(0, 256, (size, 28, 28), dtype=np.uint8)
        labels = (np.arange(size) % 10).astype(np.uint8)
        (folder / f'{stem}-images-idx3-ubyte').write_bytes(idx_bytes(images))
        (folder / f'{stem}-labels-idx1-ubyte.gz').write_bytes(gzip.compress(idx_bytes(labels)))
    return tmp_path


def test_reads_both_splits(root: Path) -> None:
    data = FashionMNISTLT(root, imbalance_factor=10)
    assert data.class_distribution.counts.tolist() == [20, 15, 11, 9, 7, 5, 4, 3, 2, 2]
    assert data.metainfo['classes'][9] == 'Ankle boot'
    source = read_idx(root / 'FashionMNIST' / 'raw' / 'train-images-idx3-ubyte', 3)
    assert data[5]['img'].shape == (28, 28, 1)
    assert np.array_equal(data[5]['img'][..., 0], source[data.index_list[5]])
    assert len(FashionMNISTLT(root / 'FashionMNIST' / 'raw', split='test')) == 50
    digits = FashionMNISTLT(root, split='test', metainfo=dict(classes=[str(digit) for digit in range(10)]))
    assert digits.metainfo['classes'][9] == '9'


def test_canonical(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not FashionMNISTLT(root, imbalance_factor=2).is_canonical
    labels = root / 'FashionMNIST' / 'raw' / 'train-labels-idx1-ubyte.gz'
    monkeypatch.setattr(FashionMNISTLT, 'TRAIN_LABELS_MD5', hashlib.md5(labels.read_bytes()).hexdigest())
    assert FashionMNISTLT(root, imbalance_factor=2).is_canonical


def test_bad_files(root: Path, tmp_path: Path) -> None:
    raw = root / 'FashionMNIST' / 'raw'
    with pytest.raises(DataError, match=r'finds no train-labels-idx1-ubyte\[\.gz\] in .*FashionMNIST'):
        FashionMNISTLT(tmp_path / 'absent')
    labels, images = raw / 'train-labels-idx1-ubyte', raw / 'train-images-idx3-ubyte'
    (raw / 'train-labels-idx1-ubyte.gz').unlink()
    for content, message in [
        (idx_bytes(np.zeros((3, 2), np.uint8)), 'it begins with 00000802, not 00000801'),
        (idx_bytes(np.zeros(3, np.uint8))[:-1], 'its header says 3 values of shape'),
        (b'', 'no IDX file'),
        (idx_bytes(np.zeros(3, np.uint8))[:6], 'damaged'),
        (gzip.compress(bytes(9))[:9], 'cannot read'),
        (idx_bytes(np.zeros(3, np.uint8)), '3 labels for 200 images'),
        (idx_bytes(np.full(200, 11, np.uint8)), 'row 0: label 11 is out of range'),
    ]:
        labels.write_bytes(content)
        with pytest.raises(DataError, match=message):
            FashionMNISTLT(root)
    images.unlink()
    with pytest.raises(DataError, match='train-images-idx3-ubyte'):
        FashionMNISTLT(root)


def test_held_out(root: Path) -> None:
    train = FashionMNISTLT(root, imbalance_factor=3, held_out=5)
    held_out = FashionMNISTLT(root, split='held_out', held_out=5)
    assert train.class_distribution.counts[[0, -1]].tolist() == [15, 5]
    assert held_out.class_distribution.counts.tolist() == [5] * 10
    assert not set(train.index_list.tolist()) & set(held_out.index_list.tolist())
