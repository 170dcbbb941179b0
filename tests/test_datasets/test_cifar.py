from __future__ import annotations

import hashlib
import pickle
from pathlib import Path

import numpy as np
import pytest

from ltkit.datasets import CIFAR10LT, CIFAR100LT
from ltkit.utils.errors import DataError


def make_cifar10(folder: Path, per_batch: int = 40) -> Path:
    folder.mkdir()
    rng = np.random.default_rng(0)
    for name in [f'data_batch_{number}' for number in range(1, 6)] + ['test_batch']:
        data = rng.integers(0, 256, (per_batch, 3072), dtype=np.uint8)
        batch = {b'data': data, b'labels': [idx % 10 for idx in range(per_batch)]}
        (folder / name).write_bytes(pickle.dumps(batch, 2))
    (folder / 'batches.meta').write_bytes(
        pickle.dumps({'label_names': [f'name{idx}' for idx in range(10)]}, 2)
    )
    return folder


@pytest.fixture
def cifar10(tmp_path: Path) -> Path:
    return make_cifar10(tmp_path / 'cifar-10-batches-py')


def test_cifar10_layout(cifar10: Path) -> None:
    data = CIFAR10LT(cifar10.parent, imbalance_factor=10)
    assert data.class_distribution.counts.tolist() == [20, 15, 11, 9, 7, 5, 4, 3, 2, 2]
    assert data.metainfo['classes'][3] == 'name3'
    inner = CIFAR10LT(str(cifar10), split='test')
    assert len(inner) == 40 and inner.class_distribution.counts.tolist() == [4] * 10
    rows = pickle.loads((cifar10 / 'test_batch').read_bytes())[b'data']
    image = inner[7]['img']
    assert image.shape == (32, 32, 3) and image.flags.c_contiguous
    assert np.array_equal(image.transpose(2, 0, 1).reshape(-1), rows[7])
    second = pickle.loads((cifar10 / 'data_batch_2').read_bytes())[b'data']
    place = int(np.flatnonzero((data.index_list >= 40) & (data.index_list < 80))[0])
    assert np.array_equal(
        data[place]['img'].transpose(2, 0, 1).reshape(-1), second[data.index_list[place] - 40]
    )


def test_official_files_make_the_list_canonical(cifar10: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (
        CIFAR10LT(cifar10, imbalance_factor=2).not_canonical == 'row order differs from the official archive'
    )
    sums = {name: hashlib.md5((cifar10 / name).read_bytes()).hexdigest() for name in CIFAR10LT.FILES['train']}
    monkeypatch.setattr(CIFAR10LT, 'FILES', dict(CIFAR10LT.FILES, train=sums))
    assert CIFAR10LT(cifar10, imbalance_factor=2).is_canonical
    assert not CIFAR10LT(cifar10, imbalance_factor=2, seed=1).is_canonical


def test_bad_files(cifar10: Path, tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"finds no train, meta in '.*cifar-100-python' .*kriz.*download=True"
    ):
        CIFAR100LT(tmp_path)
    batch = cifar10 / 'data_batch_3'
    good = batch.read_bytes()
    for content, message in [
        ({b'data': np.zeros((2, 3072), np.uint8), b'labels': [0]}, "'labels' must have 2 labels"),
        ({b'data': np.zeros((2, 3000), np.uint8), b'labels': [0, 0]}, r'uint8 of shape \(N, 3072\)'),
        ({b'data': np.zeros((2, 3072), np.uint8)}, 'but has none'),
        ({b'data': np.zeros((1, 3072), np.uint8), b'labels': [10]}, 'label 10 is out of range'),
    ]:
        batch.write_bytes(pickle.dumps(content, 2))
        with pytest.raises(DataError, match=message):
            CIFAR10LT(cifar10, imbalance_factor=2)
    batch.write_bytes(good)
    (cifar10 / 'batches.meta').write_bytes(pickle.dumps({'label_names': ['a']}, 2))
    with pytest.raises(DataError, match='must name 10 classes, but names 1'):
        CIFAR10LT(cifar10)


def test_download(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def download(url: str, folder: str, md5: str) -> None:
        calls.append((url, md5))
        make_cifar10(Path(folder) / 'cifar-10-batches-py')

    monkeypatch.setattr('ltkit.datasets.cifar.download_archive', download)
    assert len(CIFAR10LT(tmp_path, split='test', download=True)) == 40
    assert calls == [(CIFAR10LT.URL, CIFAR10LT.URL_MD5)]
    CIFAR10LT(tmp_path, split='test', download=True)
    assert len(calls) == 1


def test_cifar100_of_the_papers(cifar100_root: Path) -> None:
    data = CIFAR100LT(cifar100_root, imbalance_factor=100)
    distribution = data.class_distribution
    assert (len(data), distribution.counts.max(), distribution.counts.min()) == (10847, 500, 5)
    assert [len(group) for group in distribution.groups.values()] == [35, 35, 30]
    assert data.metainfo['classes'][0] == 'apple' and len(data.metainfo['classes']) == 100
    assert data.is_canonical or data.not_canonical == 'row order differs from the official archive'
    test = CIFAR100LT(cifar100_root, split='test')
    assert test.class_distribution.counts.tolist() == [100] * 100


@pytest.mark.parametrize(
    'factor, kind, total', [(50, 'exp', 12608), (10, 'exp', 19573), (100, 'step', 25250)]
)
def test_cifar100_profiles(cifar100_root: Path, factor: float, kind: str, total: int) -> None:
    assert len(CIFAR100LT(cifar100_root, imbalance_factor=factor, imbalance_type=kind)) == total


def test_balanced_reference(cifar10: Path) -> None:
    long_tailed = CIFAR10LT(cifar10, imbalance_factor=2)
    data = CIFAR10LT(cifar10, imbalance_factor=2, balanced_reference=True)
    counts = data.class_distribution.counts
    assert len(data) == len(long_tailed) and np.ptp(counts) <= 1


def test_held_out(cifar10: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sums = {name: hashlib.md5((cifar10 / name).read_bytes()).hexdigest() for name in CIFAR10LT.FILES['train']}
    monkeypatch.setattr(CIFAR10LT, 'FILES', dict(CIFAR10LT.FILES, train=sums))
    train = CIFAR10LT(cifar10, imbalance_factor=3, held_out=5)
    held_out = CIFAR10LT(cifar10, split='held_out', held_out=5)
    assert train.class_distribution.counts.tolist() == [int(15 * 3 ** (-label / 9)) for label in range(10)]
    assert held_out.class_distribution.counts.tolist() == [5] * 10
    assert not set(train.index_list.tolist()) & set(held_out.index_list.tolist())
    assert train.not_canonical == '5 images of each class are held out'
    batches = [pickle.loads((cifar10 / name).read_bytes())[b'data'] for name in sums]
    source = np.concatenate(batches)[held_out.index_list[7]]
    assert np.array_equal(held_out[7]['img'].transpose(2, 0, 1).reshape(-1), source)


def test_held_out_of_cifar100(cifar100_root: Path) -> None:
    train = CIFAR100LT(cifar100_root, held_out=25)
    held_out = CIFAR100LT(cifar100_root, split='held_out', held_out=25)
    assert train.class_distribution.counts[[0, -1]].tolist() == [475, 4]
    assert held_out.class_distribution.counts.tolist() == [25] * 100
    assert not set(train.index_list.tolist()) & set(held_out.index_list.tolist())
    assert set(train.index_list.tolist()) < set(CIFAR100LT(cifar100_root).index_list.tolist())
