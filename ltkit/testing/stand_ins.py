"""Small generated data in the layout of the real archives, for tests and trials.

A class has its own smooth pattern, to which noise is added, so that a model
learns something of it. The same arguments give the same files.
"""

from __future__ import annotations

import gzip
import io
import os
import pickle
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from ..utils.errors import DataError

PathLike = str | os.PathLike


def make_cifar(root: PathLike, num_classes: int = 100, per_class: int = 100, test_per_class: int = 2,
               seed: int = 0) -> Path:
    """Write CIFAR-10 or CIFAR-100 in the python layout of the official archive.

    Args:
        root: Folder to hold ``cifar-10-batches-py`` or ``cifar-100-python``; what
            ``data_root`` of ``CIFAR100LT`` takes.
        num_classes (int): 10 or 100.
        per_class (int): Training images of each class, at least the imbalance
            factor. Defaults to 100.
        test_per_class (int): Test images of each class. Defaults to 2.
        seed (int): Of the pixels. Defaults to 0.

    Returns:
        Path: ``root``.

    Raises:
        DataError: ``num_classes`` is neither 10 nor 100.
    """
    if num_classes not in (10, 100):
        raise DataError(f'CIFAR has 10 or 100 classes, not {num_classes}')
    fine = num_classes == 100
    folder = Path(root) / ('cifar-100-python' if fine else 'cifar-10-batches-py')
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    names = [f'class {label}' for label in range(num_classes)]
    train = _batch(rng, num_classes, per_class)
    test = _batch(rng, num_classes, test_per_class)
    if fine:
        files = dict(train=train, test=test)
        meta = ('meta', dict(fine_label_names=names, coarse_label_names=names[:20]))
    else:
        parts = [(images, labels) for images, labels in zip(*(np.array_split(array, 5) for array in train))]
        files = {f'data_batch_{number}': part for number, part in enumerate(parts, 1)} | dict(test_batch=test)
        meta = ('batches.meta', dict(label_names=names))
    for name, (images, labels) in files.items():
        content = {'data': images.transpose(0, 3, 1, 2).reshape(len(images), -1)}
        content['fine_labels' if fine else 'labels'] = labels.tolist()
        if fine:
            content['coarse_labels'] = (labels // 5).tolist()
        _pickle(folder / name, content)
    _pickle(folder / meta[0], meta[1])
    return Path(root)


def make_idx(root: PathLike, per_class: int = 100, test_per_class: int = 2, compress: bool = True,
             seed: int = 0) -> Path:
    """Write (Fashion-)MNIST's four IDX files: 10 classes of 28 x 28 gray images.

    Args:
        root: Folder of the files ``train-images-idx3-ubyte.gz`` and so on.
        per_class (int): Training images of each class. Defaults to 100.
        test_per_class (int): Test images of each class. Defaults to 2.
        compress (bool): Whether to gzip them, as they are published. Defaults to
            True.
        seed (int): Of the pixels. Defaults to 0.

    Returns:
        Path: ``root``.
    """
    folder = Path(root)
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    for split, count in (('train', per_class), ('t10k', test_per_class)):
        images, labels = _batch(rng, 10, count, size=(28, 28))
        _write_idx(folder / f'{split}-images-idx3-ubyte', images[..., 0], compress)
        _write_idx(folder / f'{split}-labels-idx1-ubyte', labels.astype(np.uint8), compress)
    return folder


def make_image_list(path: PathLike, counts: Sequence[int],
                    pattern: str = 'train/{label:04d}/{index:04d}.jpg') -> Path:
    """Write a list of lines ``relative/path.jpg label``, the classes one after the other.

    Args:
        path: The list; compressed when it ends in ``.gz``.
        counts (Sequence[int]): Images of each class, shape ``(C,)``.
        pattern (str): Path of an image, with ``{label}`` and ``{index}``.

    Returns:
        Path: ``path``.
    """
    lines = [f'{pattern.format(label=label, index=index)} {label}'
             for label, count in enumerate(counts) for index in range(count)]
    return _write_list(Path(path), lines)


def make_image_tree(root: PathLike, list_file: PathLike, per_class: int | Sequence[int] | None = None,
                    num_images: int | None = None, size: tuple[int, int] = (48, 40),
                    subset_list: PathLike | None = None, seed: int = 0) -> list[tuple[str, int]]:
    """Generate the JPEG files that a list names, or some of them.

    Args:
        root: Folder that the paths of the list are relative to.
        list_file: Lines ``relative/path.jpg label``, plain or ``.gz``.
        per_class (int or Sequence[int], optional): Only the first so many rows
            of each class. Defaults to None, all.
        num_images (int, optional): Only the first so many rows (of those).
            Defaults to None, all.
        size (tuple[int, int]): Width and height in pixels. Defaults to (48, 40).
        subset_list: Where to write the list of the generated rows. Defaults to
            None.
        seed (int): Of the pixels. Defaults to 0.

    Returns:
        list[tuple[str, int]]: The generated rows.
    """
    rows = _chosen(_read_list(Path(list_file)), per_class)[:num_images]
    made: dict[str, None] = {}
    encoded = _Encoded(size, seed)
    for number, (name, label) in enumerate(rows):
        path = Path(root) / name
        if str(path.parent) not in made:
            path.parent.mkdir(parents=True, exist_ok=True)
            made[str(path.parent)] = None
        path.write_bytes(encoded.image(label, number))
    if subset_list is not None:
        _write_list(Path(subset_list), [f'{name} {label}' for name, label in rows])
    return rows


def make_image_folder(root: PathLike, counts: Sequence[int], size: tuple[int, int] = (48, 40),
                      seed: int = 0) -> Path:
    """Generate a folder of class folders, ``root/class_0/0000.jpg`` and so on.

    Args:
        root: The folder.
        counts (Sequence[int]): Images of each class, shape ``(C,)``.
        size (tuple[int, int]): Width and height in pixels. Defaults to (48, 40).
        seed (int): Of the pixels. Defaults to 0.

    Returns:
        Path: ``root``.
    """
    encoded = _Encoded(size, seed)
    digits = len(str(max(len(counts) - 1, 0)))
    for label, count in enumerate(counts):
        folder = Path(root) / f'class_{label:0{digits}d}'
        folder.mkdir(parents=True, exist_ok=True)
        for index in range(count):
            (folder / f'{index:04d}.jpg').write_bytes(encoded.image(label, index))
    return Path(root)


class _Encoded:
    """JPEG files of each class: a few are made, the rest are copies."""

    VARIANTS = 4

    def __init__(self, size: tuple[int, int], seed: int) -> None:
        self.size = size
        self.seed = seed
        self._files: dict[tuple[int, int], bytes] = {}

    def image(self, label: int, number: int) -> bytes:
        key = (label, number % self.VARIANTS)
        if key not in self._files:
            from PIL import Image
            rng = np.random.default_rng((self.seed, *key))
            pixels = _noisy(_pattern(label, self.size[::-1])[None], rng)[0]
            buffer = io.BytesIO()
            Image.fromarray(pixels).save(buffer, 'JPEG', quality=80)
            self._files[key] = buffer.getvalue()
        return self._files[key]


def _batch(rng: np.random.Generator, num_classes: int, per_class: int,
           size: tuple[int, int] = (32, 32)) -> tuple[np.ndarray, np.ndarray]:
    """Images, uint8 ``(N, H, W, 3)``, and labels ``(N,)`` in a random order."""
    labels = rng.permutation(np.repeat(np.arange(num_classes), per_class))
    patterns = np.stack([_pattern(label, size) for label in range(num_classes)])
    return _noisy(patterns[labels], rng), labels


def _pattern(label: int, size: tuple[int, int]) -> np.ndarray:
    """Waves of a class, int16 ``(H, W, 3)``, around 128."""
    rng = np.random.default_rng(1000 + label)
    y, x = np.meshgrid(np.linspace(0, 1, size[0]), np.linspace(0, 1, size[1]), indexing='ij')
    frequency, phase = rng.uniform(-2.5, 2.5, (2, 3)), rng.uniform(0, 2 * np.pi, 3)
    waves = np.sin(2 * np.pi * (y[..., None] * frequency[0] + x[..., None] * frequency[1]) + phase)
    return (128 + 70 * waves).astype(np.int16)


def _noisy(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    noise = rng.integers(-40, 41, images.shape, dtype=np.int8)
    return np.clip(images + noise, 0, 255).astype(np.uint8)


def _pickle(path: Path, content: dict) -> None:
    with open(path, 'wb') as file:  # protocol 2 and bytes as keys: what the archives of Python 2 hold
        pickle.dump({key.encode(): value for key, value in content.items()}, file, protocol=2)


def _write_idx(path: Path, array: np.ndarray, compress: bool) -> None:
    header = bytes([0, 0, 8, array.ndim]) + b''.join(length.to_bytes(4, 'big') for length in array.shape)
    content = header + np.ascontiguousarray(array).tobytes()
    if compress:
        path, content = path.with_name(path.name + '.gz'), gzip.compress(content, mtime=0)
    path.write_bytes(content)


def _read_list(path: Path) -> Iterator[tuple[str, int]]:
    content = path.read_bytes()
    if path.suffix == '.gz':
        content = gzip.decompress(content)
    for number, line in enumerate(content.decode().splitlines(), 1):
        name, _, label = line.rpartition(' ')
        if not name or not label.isdigit():
            raise DataError(f"{path} line {number}: '{line}' is not 'relative/path.jpg label'")
        yield name, int(label)


def _chosen(rows: Iterator[tuple[str, int]], per_class: int | Sequence[int] | None) -> list[tuple[str, int]]:
    if per_class is None:
        return list(rows)
    taken: dict[int, int] = {}
    chosen = []
    for name, label in rows:
        limit = per_class if isinstance(per_class, int) else per_class[label]
        if taken.get(label, 0) < limit:
            taken[label] = taken.get(label, 0) + 1
            chosen.append((name, label))
    return chosen


def _write_list(path: Path, lines: Sequence[str]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    content = ''.join(f'{line}\n' for line in lines).encode()
    path.write_bytes(gzip.compress(content, mtime=0) if path.suffix == '.gz' else content)
    return path
