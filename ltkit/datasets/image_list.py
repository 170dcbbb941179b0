"""Images in files, named by a list."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

from ..registry import DATASETS
from ..utils.errors import ConfigError, DataError
from .base import BaseLongTailDataset
from .columns import Columns
from .split_lists import parse_list, read_list_bytes


@DATASETS.register_module()
class ImageListDataset(BaseLongTailDataset):
    """Images named by a list of lines ``relative/path.jpg label``.

    The label is what stands after the last space, so paths may contain spaces.
    Lists may be gzip-compressed. The pipeline opens the images (``LoadImage``).

    Args:
        data_root (str): Folder of the images. Defaults to ``''``.
        ann_file (str, optional): The list; a relative path is looked for in
            ``data_root``, then in the working folder.
        split (str): ``'train'``, ``'val'`` or ``'test'``. Defaults to ``'train'``.
        data_prefix (str): Folder within ``data_root`` that the paths of the list
            are relative to. Defaults to ``''``.
        num_classes (int, optional): C. Defaults to the number of names in
            ``metainfo['classes']``, else to the largest label + 1.
        check_files (bool): Look for every image at the start. Else the first
            one is looked for, and a missing one stops the run when its turn
            comes. Defaults to False.
        pipeline (Sequence[dict | Callable]): Transforms. Defaults to ``()``.
        **kwargs: See :class:`~ltkit.datasets.base.BaseLongTailDataset`.

    Raises:
        DataError: The folder, the list or an image is missing, or a line is
            wrong; names the file and the line.
    """

    LAYOUT = ''  # what data_root must hold, for messages

    def __init__(self,
                 data_root: str | os.PathLike = '',
                 ann_file: str | os.PathLike | None = None,
                 split: str = 'train',
                 data_prefix: str = '',
                 num_classes: int | None = None,
                 check_files: bool = False,
                 pipeline: Sequence[dict | Callable] = (),
                 **kwargs: Any) -> None:
        self.list_file = None if not ann_file else os.path.expanduser(os.fspath(ann_file))
        self.image_prefix = data_prefix
        self.check_files = check_files
        self._num_classes = num_classes
        super().__init__(data_root=data_root, split=split, pipeline=pipeline, **kwargs)

    def load_columns(self) -> Columns:
        path = self.find_list()
        return self.columns_of(path, read_list_bytes(path))

    def find_list(self) -> str:
        """Path of the list of this split."""
        if self.list_file is None:
            raise ConfigError(
                f"{type(self).__name__} needs ann_file, a list of lines 'relative/path.jpg label'")
        for path in (os.path.join(self.data_root, self.list_file), self.list_file):
            if os.path.isfile(path):
                return path
        places = [os.path.join(self.data_root, self.list_file)]
        if self.data_root and not os.path.isabs(self.list_file):
            places.append(self.list_file)
        raise DataError(f'{type(self).__name__} {self.split}: the list {" or ".join(places)} does not exist')

    def class_names(self) -> Sequence[str] | None:
        """Class names where the data set has them."""
        return None if self._num_classes is None else [str(label) for label in range(self._num_classes)]

    def columns_of(self, path: str, content: bytes) -> Columns:
        """Make the columns of a list and look for the images."""
        name = os.path.basename(path)
        paths, labels, lines = parse_list(content, name)
        columns = Columns(
            labels,
            paths=paths,
            prefix=os.path.join(self.data_root, self.image_prefix),
            rows=lines,
            source=name,
            classes=self.class_names())
        self.check_images(columns)
        return columns

    def check_images(self, columns: Columns) -> None:
        """Look for the folder and the first image, or for all (``check_files``)."""
        need = f'; {self.LAYOUT}' if self.LAYOUT else ''
        if columns.prefix and not os.path.isdir(columns.prefix):
            raise DataError(f"{type(self).__name__} {self.split}: the image folder '{columns.prefix}' "
                            f'does not exist{need}')
        if not columns.prefix and not self.check_files:
            return  # only the labels are wanted
        for idx in range(len(columns) if self.check_files else min(1, len(columns))):
            path = os.path.join(columns.prefix, columns.paths[idx])
            if not os.path.isfile(path):
                raise DataError(f'{columns.where(idx)}: image {path} does not exist{need}')
