"""CIFAR-10 and CIFAR-100, made long-tailed."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..registry import DATASETS
from ..utils.errors import DataError
from .columns import Columns
from .download import download_archive, file_md5
from .made_long_tailed import MadeLongTailedDataset
from .restricted_pickle import load_pickled_arrays


class CIFARLT(MadeLongTailedDataset):
    """What :class:`CIFAR10LT` and :class:`CIFAR100LT` share.

    Reads the python layout of https://www.cs.toronto.edu/~kriz/cifar.html
    without torchvision and without trusting the pickles. The list of a seed is
    that of the papers when the rows stand in the official order, which the md5
    sums of the training files tell; any other copy gives the same class counts.

    Args:
        data_root (str): The folder that holds the unpacked archive, or that
            folder itself. Defaults to ``'data'``.
        split (str): ``'train'``, ``'held_out'`` or ``'test'`` (balanced).
            Defaults to ``'train'``.
        imbalance_factor (float): :math:`n_{max} / n_{min}`; 1 keeps the classes
            balanced. Defaults to 100.
        imbalance_type (str, optional): ``'exp'``, ``'step'``, or None for a
            balanced set. Defaults to ``'exp'``.
        seed (int): Which images are chosen. Published lists have 0, the default.
        pipeline (Sequence[dict | Callable]): Transforms. Defaults to ``()``.
        download (bool): Download and unpack the archive into ``data_root`` when
            it is not there. Defaults to False.
        **kwargs: See :class:`~ltkit.datasets.made_long_tailed.MadeLongTailedDataset`.

    Raises:
        DataError: The files are missing, damaged or hold other things than arrays.
    """

    FOLDER: str
    URL: str
    URL_MD5: str
    LABEL_KEY: str
    META: tuple[str, str]  # file, key of the class names
    image_shape = (32, 32, 3)
    FILES: dict[str, dict[str, str]]  # split -> file -> official md5
    NUM_CLASSES: int

    def __init__(self,
                 data_root: str | os.PathLike = 'data',
                 split: str = 'train',
                 imbalance_factor: float = 100,
                 imbalance_type: str | None = 'exp',
                 seed: int = 0,
                 pipeline: Sequence[dict | Callable] = (),
                 download: bool = False,
                 **kwargs: Any) -> None:
        self.download = download
        super().__init__(data_root, split, imbalance_factor, imbalance_type, seed, pipeline, **kwargs)

    def load_pool(self) -> Columns:
        folder = self._find_folder()
        if folder is None and self.download:
            download_archive(self.URL, self.data_root, self.URL_MD5)
            folder = self._find_folder()
        if folder is None:
            inner = os.path.join(self.data_root, self.FOLDER)
            raise DataError(
                f"{type(self).__name__} finds no {', '.join(self._file_names())} in '{inner}' nor in "
                f"'{self.data_root}'; unpack {self.URL} there, or link its folder "
                f'(ln -s /path/to/{self.FOLDER} {inner}), or give download=True')
        parts = [self._read(os.path.join(folder, name)) for name in self.FILES[self.pool_split]]
        images = np.concatenate([part[0] for part in parts]) if len(parts) > 1 else parts[0][0]
        labels = np.concatenate([part[1] for part in parts])
        self._official_order = self.pool_split != 'train' or all(
            file_md5(os.path.join(folder, name)) == md5 for name, md5 in self.FILES[self.pool_split].items())
        return Columns(
            labels,
            images=images.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1),
            rows=np.arange(len(labels)),
            source=os.path.join(folder, next(iter(self.FILES[self.pool_split]))),
            classes=self._class_names(os.path.join(folder, self.META[0])))

    def source_mismatch(self) -> str:
        return '' if self._official_order else 'row order differs from the official archive'

    def _file_names(self) -> list[str]:
        return [*self.FILES[self.pool_split], self.META[0]]

    def _find_folder(self) -> str | None:
        for folder in (os.path.join(self.data_root, self.FOLDER), self.data_root):
            if all(os.path.isfile(os.path.join(folder, name)) for name in self._file_names()):
                return folder
        return None

    def _read(self, path: str) -> tuple[np.ndarray, np.ndarray]:
        """Images, uint8 ``(N, 3072)``, and labels ``(N,)`` of one file."""
        content = load_pickled_arrays(path)
        data, labels = content.get('data'), content.get(self.LABEL_KEY)
        if not isinstance(data, np.ndarray) or data.dtype != np.uint8 or data.shape[1:] != (3072,):
            shape = f'{data.dtype} {data.shape}' if isinstance(data, np.ndarray) else type(data).__name__
            raise DataError(f"{path}: 'data' must be uint8 of shape (N, 3072), but is {shape}")
        if labels is None or len(labels) != len(data):
            found = 'none' if labels is None else len(labels)
            raise DataError(
                f'{path}: {self.LABEL_KEY!r} must have {len(data)} labels, one a row, but has {found}')
        return data, np.asarray(labels, dtype=np.int64)

    def _class_names(self, path: str) -> tuple[str, ...]:
        names = load_pickled_arrays(path).get(self.META[1], ())
        if len(names) != self.NUM_CLASSES:
            raise DataError(
                f'{path}: {self.META[1]!r} must name {self.NUM_CLASSES} classes, but names {len(names)}')
        return tuple(name.decode() if isinstance(name, bytes) else str(name) for name in names)


@DATASETS.register_module()
class CIFAR10LT(CIFARLT):
    """Long-tailed CIFAR-10: 12,406 images at imbalance 100 (5,000 to 50 a class).

    Arguments as of :class:`CIFARLT`. Images: Krizhevsky, 2009.
    """

    FOLDER = 'cifar-10-batches-py'
    URL = 'https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz'
    URL_MD5 = 'c58f30108f718f92721af3b95e74349a'
    LABEL_KEY = 'labels'
    META = ('batches.meta', 'label_names')
    FILES = dict(
        train=dict(
            data_batch_1='c99cafc152244af753f735de768cd75f',
            data_batch_2='d4bba439e000b95fd0a9bffe97cbabec',
            data_batch_3='54ebc095f3ab1f0389bbae665268c751',
            data_batch_4='634d18415352ddfa80567beed471001a',
            data_batch_5='482c414d41f54cd18b22e5b47cb7c3cb'),
        test=dict(test_batch='40351d587109b95175f43aff81a1287e'))
    NUM_CLASSES = 10


@DATASETS.register_module()
class CIFAR100LT(CIFARLT):
    """Long-tailed CIFAR-100: 10,847 images at imbalance 100 (500 to 5 a class).

    Arguments as of :class:`CIFARLT`. Images: Krizhevsky, 2009; the 100 fine
    classes.
    """

    FOLDER = 'cifar-100-python'
    URL = 'https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz'
    URL_MD5 = 'eb9058c3a382ffc7106e4002c42a8d85'
    LABEL_KEY = 'fine_labels'
    META = ('meta', 'fine_label_names')
    FILES = dict(
        train=dict(train='16019d7e3df5f24257cddd939b257f8d'),
        test=dict(test='f0ef6b0ae62326f3e7ffdfab6717acfc'))
    NUM_CLASSES = 100
