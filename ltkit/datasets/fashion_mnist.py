"""Fashion-MNIST, and whatever else has the IDX files of MNIST."""

from __future__ import annotations

import gzip
import os
import zlib

import numpy as np

from ..registry import DATASETS
from ..utils.errors import DataError
from .columns import Columns
from .download import file_md5
from .made_long_tailed import MadeLongTailedDataset

_UBYTE = 8
_URL = 'https://github.com/zalandoresearch/fashion-mnist'


def read_idx(path: str | os.PathLike, ndim: int) -> np.ndarray:
    """Read an IDX file of bytes, plain or gzip-compressed.

    The form: two zero bytes, the type (8 for bytes), the number of dimensions,
    each dimension as a big-endian 32-bit number, then the values.

    Args:
        path (str): The file.
        ndim (int): Dimensions it must have: 3 for images, 1 for labels.

    Returns:
        ndarray: uint8.

    Raises:
        DataError: It is missing, damaged or another kind of file.
    """
    try:
        with open(path, 'rb') as file:
            content = file.read()
        if content[:2] == b'\x1f\x8b':
            content = gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f'cannot read {path}: {error}') from error
    if content[:4] != bytes([0, 0, _UBYTE, ndim]):
        raise DataError(f'{path} is no IDX file of {ndim}-dimensional bytes: it begins with '
                        f'{content[:4].hex()}, not {bytes([0, 0, _UBYTE, ndim]).hex()}')
    start = 4 + 4 * ndim
    if len(content) < start:
        raise DataError(f'{path} is damaged: it ends within its header of {start} bytes')
    shape = tuple(np.frombuffer(content[4:start], dtype='>u4').tolist())
    size = int(np.prod(shape, dtype=np.int64))
    if len(content) - start != size:
        raise DataError(f'{path} is damaged: its header says {size} values of shape {shape}, but it has '
                        f'{len(content) - start}')
    return np.frombuffer(content, dtype=np.uint8, offset=start).reshape(shape)


@DATASETS.register_module()
class FashionMNISTLT(MadeLongTailedDataset):
    """Long-tailed Fashion-MNIST: 28 x 28 gray images, 10 classes, 6,000 each.

    Reads the four IDX files, plain or ``.gz``, from ``data_root`` or its folders
    ``FashionMNIST/raw`` and ``raw``. MNIST and its kin have the same files: give
    ``metainfo=dict(classes=[...])``. Images: Xiao et al., 2017, arXiv
    1708.07747. Arguments as of
    :class:`~ltkit.datasets.made_long_tailed.MadeLongTailedDataset`.
    """

    METAINFO = dict(classes=('T-shirt/top', 'Trouser', 'Pullover', 'Dress', 'Coat', 'Sandal', 'Shirt',
                             'Sneaker', 'Bag', 'Ankle boot'))
    image_shape = (28, 28, 1)
    FILES = dict(train='train', test='t10k')
    TRAIN_LABELS_MD5 = '25c81989df183df01b3e8a0aad5dffbe'  # of the official .gz, which fixes the row order

    def load_pool(self) -> Columns:
        stem = self.FILES[self.pool_split]
        label_file = self._find(f'{stem}-labels-idx1-ubyte')
        image_file = self._find(f'{stem}-images-idx3-ubyte')
        labels, images = read_idx(label_file, 1), read_idx(image_file, 3)
        if len(labels) != len(images):
            raise DataError(f'{label_file} has {len(labels)} labels for {len(images)} images of {image_file}')
        self._label_file = label_file
        return Columns(
            labels.astype(np.int64), images=images[..., None], rows=np.arange(len(labels)), source=label_file)

    def source_mismatch(self) -> str:
        if self._label_file.endswith('.gz') and file_md5(self._label_file) == self.TRAIN_LABELS_MD5:
            return ''
        return 'the label file is not the official train-labels-idx1-ubyte.gz'

    def _find(self, name: str) -> str:
        folders = [self.data_root, os.path.join(self.data_root, 'FashionMNIST', 'raw'),
                   os.path.join(self.data_root, 'raw')]
        names = (name + '.gz', name, name.replace('-idx', '.idx'))
        for candidate in (os.path.join(folder, file) for folder in folders for file in names):
            if os.path.isfile(candidate):
                return candidate
        looked = ', '.join(f"'{folder}'" for folder in folders)
        raise DataError(f'{type(self).__name__} finds no {name}[.gz] in {looked}; get it from {_URL}')
