"""ImageNet-LT, Places-LT and iNaturalist 2018, on their published lists."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Sequence
from typing import Any

from ..registry import DATASETS
from ..utils.errors import ConfigError
from .columns import Columns, TextColumn
from .download import git_blob_hash
from .image_list import ImageListDataset
from .split_lists import SPLIT_LISTS, check_list, find_list, parse_list, read_list_bytes, shipped_file


class OfficialListDataset(ImageListDataset):
    """An :class:`ImageListDataset` that knows its lists.

    Lists are shipped with the package, except for the large ones, which are
    looked for in ``data_root``, ``data_root/<FOLDER>``, ``data/<FOLDER>`` and
    ``data``. Every list found is verified by its git blob hash.

    Args:
        data_root (str): Folder of the images; ``''`` if only the labels are
            wanted. Defaults to ``''``.
        ann_file (str, optional): A list of one's own in place of the official.
        split (str): One of ``SPLITS``. Defaults to ``'train'``.
        data_prefix (str): Folder within ``data_root`` that the paths of the list
            are relative to. Defaults to ``''``.
        check_files (bool): Look for every image at the start. Defaults to False.
        verify (bool): Compare the hash of an official list. Defaults to True.
        pipeline (Sequence[dict | Callable]): Transforms. Defaults to ``()``.
        **kwargs: See :class:`~ltkit.datasets.base.BaseLongTailDataset`.

    Raises:
        DataError: As :class:`ImageListDataset`; and a list that is nowhere, or
            is not the official one.
    """

    FIXED_ARGUMENTS = ('num_classes',)
    FOLDER: str
    LISTS: dict[str, str]  # split -> name in SPLIT_LISTS

    def __init__(self,
                 data_root: str | os.PathLike = '',
                 ann_file: str | os.PathLike | None = None,
                 split: str = 'train',
                 data_prefix: str = '',
                 check_files: bool = False,
                 verify: bool = True,
                 pipeline: Sequence[dict | Callable] = (),
                 **kwargs: Any) -> None:
        self.verify = verify
        self.is_canonical: bool | None = None
        super().__init__(
            data_root, ann_file, split, data_prefix, check_files=check_files, pipeline=pipeline, **kwargs)

    def load_columns(self) -> Columns:
        official = SPLIT_LISTS[self.LISTS[self.split]]
        path = self.find_list() if self.list_file else find_list(official, self._folders())
        content = read_list_bytes(path)
        if self.list_file:
            self.is_canonical = git_blob_hash(content) == official.blob
        elif self.verify:
            check_list(official, content, path)
            self.is_canonical = True
        return self.columns_of(path, content)

    def _folders(self) -> list[str]:
        folders = [self.data_root, os.path.join(self.data_root, self.FOLDER)] if self.data_root else []
        return list(dict.fromkeys([*folders, os.path.join('data', self.FOLDER), 'data']))

    def describe(self) -> str:
        words = {True: 'the canonical list', False: 'not the canonical list', None: 'list not verified'}
        return f'{super().describe()}; {self.columns.source}, {words[self.is_canonical]}'


@DATASETS.register_module()
class ImageNetLT(OfficialListDataset):
    """ImageNet-LT: 115,846 training images of 1,000 classes, 1,280 to 5 a class.

    Splits: ``train``, ``val`` (20 a class, images of ImageNet's training set),
    ``test`` (50 a class, ImageNet's validation set) and ``train_balanced``, as
    many training images in equal classes (the survey's reference). Liu et al.,
    CVPR 2019, arXiv 1904.05160. Arguments as of :class:`OfficialListDataset`.
    """

    SPLITS = ('train', 'val', 'test', 'train_balanced')
    FOLDER = 'ImageNet_LT'
    LISTS = dict(train='ImageNet_LT_train.txt', val='ImageNet_LT_val.txt', test='ImageNet_LT_test.txt',
                 train_balanced='Imagenet_balanced_train.txt')
    LAYOUT = ('data_root must hold the ImageNet images as train/n01440764/*.JPEG and val/n01440764/*.JPEG '
              '(https://image-net.org, ILSVRC 2012)')

    def class_names(self) -> Sequence[str]:
        return _column('ImageNet_LT_train_class_counts.tsv', 'wnid')


@DATASETS.register_module()
class PlacesLT(OfficialListDataset):
    """Places-LT: 62,500 training images of 365 scenes, 4,980 to 5 a class.

    Splits: ``train``, ``val`` (20 a class) and ``test`` (100 a class). Liu et
    al., CVPR 2019, arXiv 1904.05160.

    Args:
        data_root (str): Folder of the images. Defaults to ``''``.
        ann_file (str, optional): A list of one's own; ``layout`` then changes nothing.
        split (str): Defaults to ``'train'``.
        layout (str): How the images are laid out: ``'places365_standard'``
            (``train/airfield/X.jpg``, ``val/airfield/X.jpg``) or ``'data_256'``
            (``data_256/a/airfield/X.jpg``, ``val_256/X.jpg``, the archives of
            256 x 256 pixels). Defaults to the former.
        **kwargs: See :class:`OfficialListDataset`.
    """

    FOLDER = 'Places_LT'
    LISTS = dict(train='Places_LT_train.txt', val='Places_LT_val.txt', test='Places_LT_test.txt')
    LAYOUTS = dict(
        places365_standard='data_root must hold the Places365 images as train/airfield/*.jpg and '
        "val/airfield/*.jpg (or give layout='data_256')",
        data_256='data_root must hold the Places365 images as data_256/a/airfield/*.jpg and val_256/*.jpg '
        "(or give layout='places365_standard')")

    def __init__(self,
                 data_root: str | os.PathLike = '',
                 ann_file: str | os.PathLike | None = None,
                 split: str = 'train',
                 layout: str = 'places365_standard',
                 **kwargs: Any) -> None:
        if layout not in self.LAYOUTS:
            known = ' or '.join(map(repr, self.LAYOUTS))
            raise ConfigError(f'PlacesLT: layout must be {known}, but is {layout!r}')
        self.layout = layout
        self.LAYOUT = f'{self.LAYOUTS[layout]}; http://places2.csail.mit.edu'
        super().__init__(data_root, ann_file, split, **kwargs)

    def class_names(self) -> Sequence[str]:
        return _column('Places_LT_train_class_counts.tsv', 'name')

    def check_images(self, columns: Columns) -> None:
        if self.layout == 'data_256' and not self.list_file:
            paths = columns.paths
            columns.paths = TextColumn.from_strings([_places_256(paths[idx]) for idx in range(len(paths))])
        super().check_images(columns)


@DATASETS.register_module()
class INaturalist2018(OfficialListDataset):
    """iNaturalist 2018: 437,513 training images of 8,142 species, 1,000 to 2 a class.

    Splits: ``train`` and ``val`` (3 a class), on which the field reports its
    results. Van Horn et al., CVPR 2018, arXiv 1707.06642. Arguments as of
    :class:`OfficialListDataset`.
    """

    SPLITS = ('train', 'val')
    FOLDER = 'iNaturalist18'
    LISTS = dict(train='iNaturalist18_train.txt', val='iNaturalist18_val.txt')
    LAYOUT = ('data_root must hold the images as train_val2018/Plantae/7291/*.jpg '
              '(https://github.com/visipedia/inat_comp, 2018)')

    def class_names(self) -> Sequence[str]:
        path = shipped_file('iNaturalist18_val.txt')
        paths, labels, _ = parse_list(read_list_bytes(path), path)
        names = [''] * (int(labels.max()) + 1)
        for idx, label in enumerate(labels.tolist()):
            if not names[label]:
                names[label] = '/'.join(paths[idx].split('/')[1:3])
        return names


def _column(file_name: str, column: str) -> list[str]:
    with open(shipped_file(file_name), encoding='utf-8', newline='') as file:
        return [row[column] for row in csv.DictReader(file, delimiter='\t')]


def _places_256(path: str) -> str:
    """A path of the standard layout in that of the 256 x 256 archives."""
    top, scene, name = path.split('/')
    return f'val_256/{name}' if top == 'val' else f"data_256/{scene[0]}/{scene.replace('-', '/')}/{name}"
