"""A folder of class folders."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..registry import DATASETS
from ..utils.errors import ConfigError, DataError
from .columns import Columns, TextColumn
from .made_long_tailed import MadeLongTailedDataset

IMAGE_EXTENSIONS = ('.jpg', '.jpeg', '.png', '.bmp', '.webp', '.ppm', '.pgm', '.tif', '.tiff', '.gif')


@DATASETS.register_module()
class LongTailImageFolder(MadeLongTailedDataset):
    """Any folder of class folders, taken as it is or made long-tailed.

    ``data_root/data_prefix/<class>/**/<image>``. Classes are numbered in the
    alphabetical order of their folders, or as ``classes`` lists them, which a
    test folder that lacks a class needs. Files are sorted by path, so the
    choice does not depend on the file system.

    Args:
        data_root (str): The folder.
        split (str): ``'train'``, ``'held_out'`` (a part of the training folder),
            ``'val'`` or ``'test'``: what the images are for; the folder is named
            by ``data_prefix``. Defaults to ``'train'``.
        data_prefix (str): Folder within ``data_root``, for example ``'train'``.
            Defaults to ``''``.
        classes (Sequence[str], optional): Class folders in the order of labels.
        imbalance_factor (float, optional): Make a training split long-tailed.
            None takes it as it is. Defaults to None.
        imbalance_type (str, optional): ``'exp'``, ``'step'`` or None (as many of
            each class). Defaults to ``'exp'``.
        seed (int): Which images are chosen. Defaults to 0.
        num_max (int, optional): :math:`n_{max}` of the profile. Defaults to the
            size of the smallest class less ``held_out``, so that every class has
            enough.
        extensions (Sequence[str]): File names that count as images, lower case.
        pipeline (Sequence[dict | Callable]): Transforms. Defaults to ``()``.
        balanced_reference (bool): Draw as many images as the profile has in all,
            but equally many of each class. Defaults to False.
        held_out (int): Images of each class that are kept apart. Defaults to 0.
        **kwargs: See :class:`~ltkit.datasets.made_long_tailed.MadeLongTailedDataset`.

    Raises:
        DataError: The folder is missing, has no class folder or no image, or a
            class has too few images for the profile.
        ConfigError: ``balanced_reference`` or ``held_out`` without
            ``imbalance_factor``.
    """

    SPLITS = ('train', 'held_out', 'val', 'test')

    def __init__(self,
                 data_root: str | os.PathLike,
                 split: str = 'train',
                 data_prefix: str = '',
                 classes: Sequence[str] | None = None,
                 imbalance_factor: float | None = None,
                 imbalance_type: str | None = 'exp',
                 seed: int = 0,
                 num_max: int | None = None,
                 extensions: Sequence[str] = IMAGE_EXTENSIONS,
                 pipeline: Sequence[dict | Callable] = (),
                 balanced_reference: bool = False,
                 held_out: int = 0,
                 **kwargs: Any) -> None:
        self.image_prefix = data_prefix
        self.class_folders = None if classes is None else tuple(classes)
        self.num_max = num_max
        self.extensions = tuple(extension.lower() for extension in extensions)
        if balanced_reference and imbalance_factor is None and split == 'train':
            raise ConfigError(f'{type(self).__name__}: balanced_reference needs the imbalance_factor of the '
                              'long-tailed set, which says how many images there are')
        if held_out and imbalance_factor is None and split in ('train', 'held_out'):
            raise ConfigError(f'{type(self).__name__}: held_out needs imbalance_factor: images are held out where a '
                              'balanced folder is made long-tailed; a folder taken as it is wants a folder for them')
        super().__init__(data_root, split, imbalance_factor, imbalance_type, seed, pipeline,
                         balanced_reference, held_out, **kwargs)

    def load_columns(self) -> Columns:
        return super().load_columns() if self.imbalance_factor is not None else self.load_pool()

    def pool_size(self, class_counts: np.ndarray) -> int:
        return super().pool_size(class_counts) if self.num_max is None else self.num_max

    def source_mismatch(self) -> str:
        return 'a folder has none'

    def load_pool(self) -> Columns:
        folder = os.path.join(self.data_root, self.image_prefix)
        classes = self._class_folders(folder)
        files: list[str] = []
        sizes = []
        for name in classes:
            found = self._images(folder, name)
            files += found
            sizes.append(len(found))
        if not files:
            raise DataError(f"{type(self).__name__}: the class folders of '{folder}' hold no images "
                            f'({", ".join(self.extensions)})')
        if self.is_train_split and 0 in sizes and not self.allow_empty_classes:
            empty = os.path.join(folder, classes[sizes.index(0)])
            raise DataError(f"{type(self).__name__}: the class folder '{empty}' holds no images; remove it, "
                            'or give allow_empty_classes=True')
        labels = np.repeat(np.arange(len(classes), dtype=np.int64), sizes)
        return Columns(
            labels,
            paths=TextColumn.from_strings(files),
            prefix=folder,
            source=folder,
            classes=tuple(classes))

    def _class_folders(self, folder: str) -> Sequence[str]:
        if not os.path.isdir(folder):
            raise DataError(f"{type(self).__name__}: the folder '{folder}' does not exist; it must hold one "
                            'folder of images for each class')
        with os.scandir(folder) as entries:
            found = sorted(entry.name for entry in entries if entry.is_dir() and entry.name[0] != '.')
        if not found:
            raise DataError(f"{type(self).__name__}: '{folder}' has no class folder; it must hold one folder "
                            'of images for each class')
        if self.class_folders is None:
            return found
        unknown = sorted(set(found) - set(self.class_folders))
        if unknown:
            raise DataError(f"{type(self).__name__}: '{os.path.join(folder, unknown[0])}' is not one of the "
                            f'{len(self.class_folders)} classes given')
        return self.class_folders

    def _images(self, folder: str, name: str) -> list[str]:
        """Paths of a class, relative to ``folder``, sorted."""
        found = []
        for parent, _, files in os.walk(os.path.join(folder, name), followlinks=True):
            inside = os.path.relpath(parent, folder)
            found += [os.path.join(inside, file) for file in files if file.lower().endswith(self.extensions)]
        return sorted(found)
