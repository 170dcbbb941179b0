"""Whether samples to fit on are neither those of the test nor those of the training."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from typing import Any

from mmengine.logging import print_log

from ltkit.datasets import BaseLongTailDataset
from ltkit.distribution import ClassDistribution
from ltkit.registry import DATASETS
from ltkit.utils.errors import ConfigError, LtkitError

NO_SAMPLES = ('pipeline', 'test_mode', 'lazy_init')  # arguments of a data set that do not choose its samples


def check_held_out(dataset: Any, loaders: Mapping[str, Any], trained_on: ClassDistribution | None, who: str,
                   otherwise: str) -> None:
    """Refuse to fit on samples that are tested on or were trained on.

    Args:
        dataset: Built, of ``loaders['val']``.
        loaders (Mapping): The configs of the loaders ``'train'``, ``'val'`` and
            ``'test'``; None where there is none.
        trained_on (ClassDistribution, optional): That of the checkpoint.
        who (str): What is fitted, for messages.
        otherwise (str): What to do without held-out samples, for messages.

    Raises:
        ConfigError: Samples are shared, or the checkpoint is of another training
            set than the config's.
    """
    of_val = loaders['val']['dataset']
    shared = _shared(dataset, of_val, loaders['test'])
    if shared:
        raise ConfigError(f'{who} would be fitted to the test set: test_dataloader has {shared} of val_dataloader; '
                          f'{advice(otherwise)}')
    if loaders['train'] is None:
        print_log(f'{who}: the config has no train_dataloader, so nothing tells whether the checkpoint was trained on '
                  'the images of val_dataloader', 'current', level=logging.WARNING)
        return
    try:
        train = _built(loaders['train'])
        shared = _shared(dataset, of_val, loaders['train'], train)
    except LtkitError as error:
        print_log(f'{who}: the training data cannot be compared with val_dataloader ({error})', 'current',
                  level=logging.WARNING)
        return
    if shared:
        raise ConfigError(f'{who} would be fitted to the training set: train_dataloader has {shared} of '
                          f'val_dataloader; {advice(otherwise)}')
    counts = getattr(train, 'class_distribution', None)
    if trained_on is not None and counts is not None and getattr(dataset, 'split', '') == 'held_out' \
            and trained_on.counts.tolist() != counts.counts.tolist():
        raise ConfigError(f'{who}: the checkpoint was trained on {_told(trained_on)}, but train_dataloader has '
                          f'{_told(counts)}, so images of val_dataloader may have been trained on; '
                          f'{advice(otherwise)}')


def advice(otherwise: str) -> str:
    """How to have held-out samples, or what to do without."""
    return ("train with train_dataloader.dataset.held_out=K and give val_dataloader.dataset split='held_out' and the "
            f'same held_out, or {otherwise}')


def _shared(dataset: Any, config: Mapping, loader: Any, other: Any = None) -> str:
    """How many samples a loader's data set shares with another, in words; '' for none."""
    if _without_form(config) == _without_form(loader['dataset']):
        return 'all images'
    own = _samples(dataset)
    others = None if own is None else _samples(_built(loader) if other is None else other)
    both = len(own & others) if others is not None else 0
    return f'{both} of the {len(own)} images' if both else ''


def _built(loader: Mapping) -> Any:
    config = dict(loader['dataset'])
    if 'pipeline' in config:
        config['pipeline'] = []
    return DATASETS.build(config)


def _without_form(config: Mapping) -> dict:
    return {key: value for key, value in config.items() if key not in NO_SAMPLES}


def _samples(dataset: Any) -> set | None:
    """A name of each sample, the same in all data sets; None where it is not known."""
    if not isinstance(dataset, BaseLongTailDataset):
        return None
    dataset.full_init()
    columns = dataset.columns
    if columns.paths is not None:
        folder = os.path.realpath(columns.prefix)
        return {os.path.normpath(os.path.join(folder, columns.paths[i])) for i in range(len(columns))}
    if columns.rows is None:
        return None
    source = os.path.realpath(columns.source)
    return {(source, row) for row in columns.rows.tolist()}


def _told(distribution: ClassDistribution) -> str:
    counts = distribution.counts
    return f'{distribution.total:,} images ({counts.max()} to {counts.min()} a class)'
