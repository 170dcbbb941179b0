"""One training step of any config on small generated data."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config

from ..registry import MODELS
from ..utils.errors import ConfigError
from .stand_ins import make_cifar, make_idx, make_image_list, make_image_tree

_NUM_CLASSES = dict(ImageNetLT=1000, PlacesLT=365, INaturalist2018=8142)
_CLASSES_WITH_IMAGES = 6
_FIT_BATCH = 100
_IMAGE_SIZE = 224
_HELD_OUT = 2  # images of each class of the generated CIFAR, where the config holds any out


def on_stand_in(cfg: Config, root: str | Path, batch_size: int = 4, image_size: int = 64) -> Config:
    """Change a config so that it trains for one step and evaluates, in a second or two.

    The model, loss, optimiser, schedule and pipeline stay as they are; what is
    changed: data (generated in ``root``), batch size, crop size, length, workers,
    and pretrained weights, which are not fetched (drawn at random where a config
    freezes them). A ``FitLoop`` passes over all of the data as before, and images
    keep their size where a part is made for a map of one size.

    Args:
        cfg (Config): As :func:`ltkit.config.load_config` gives it; changed in place.
        root: Folder for the generated data and the work folder.
        batch_size (int): Of the step. Defaults to 4.
        image_size (int): Crop side of image folders. Defaults to 64.

    Returns:
        Config: ``cfg``.

    Raises:
        ConfigError: There is no stand-in for the data set of the config.
    """
    root = Path(root)
    if any(node.get('type') == 'ModulatedAttention' for node in _dicts(cfg.model)):
        image_size = _IMAGE_SIZE
    for name in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        loader = cfg.get(name)
        if loader is None:
            continue
        loader.update(num_workers=0, persistent_workers=False, pin_memory=False, batch_size=batch_size)
        _generate(loader.dataset, root)
        loader.dataset.pipeline = [_smaller(step, image_size) for step in loader.dataset.pipeline]
    for node in _dicts(cfg.model):
        if isinstance(node.get('init_cfg'), dict) and node['init_cfg'].get('type') == 'Pretrained':
            node['init_cfg'] = _drawn_weights(node, root) if cfg.get('frozen') else None
    by_epoch = cfg.train_cfg.get('by_epoch', True)
    if cfg.train_cfg.get('type') == 'FitLoop':  # which sees all images once
        cfg.train_dataloader.batch_size = _FIT_BATCH
    else:
        cfg.train_dataloader.sampler.num_samples = batch_size
        length = dict(max_epochs=1) if by_epoch else dict(max_iters=1)
        meta = {key: value for key, value in cfg.train_cfg.items() if cfg.train_cfg.get('type') and key != 'by_epoch'}
        cfg.train_cfg = dict(meta or dict(by_epoch=by_epoch), val_interval=1, **length)
    cfg.default_hooks.checkpoint = dict(type='CheckpointHook', interval=1, by_epoch=by_epoch)
    cfg.work_dir = str(root / 'work_dir')
    return cfg


def _generate(dataset: Any, root: Path) -> None:
    kind = dataset['type']
    if kind == 'DigitsLT':
        return
    if kind in ('CIFAR10LT', 'CIFAR100LT'):
        dataset.data_root = str(root / 'cifar')
        if dataset.get('held_out'):
            dataset.held_out = _HELD_OUT
        if not Path(dataset.data_root).exists() or not list(Path(dataset.data_root).glob(f'cifar-{kind[5:-2]}-*')):
            make_cifar(root / 'cifar', int(kind[5:-2]), per_class=100 + _HELD_OUT)
    elif kind == 'FashionMNISTLT':
        dataset.data_root = str(root / 'idx')
        if not (root / 'idx').exists():
            make_idx(root / 'idx')
    elif kind in _NUM_CLASSES:
        folder = root / kind
        listed = folder / 'list.txt'
        if not listed.exists():
            folder.mkdir(parents=True)
            counts = [4] * _CLASSES_WITH_IMAGES + [0] * (_NUM_CLASSES[kind] - _CLASSES_WITH_IMAGES)
            make_image_list(listed, counts)
            make_image_tree(folder, listed)
        dataset.update(data_root=str(folder), ann_file=str(listed), allow_empty_classes=True)
    else:
        raise ConfigError(f"there is no stand-in for the data set '{kind}'")


def _smaller(step: Any, side: int) -> Any:
    """A transform of a pipeline with its crop of 224 made ``side``."""
    size = step.get('size')
    if size == _IMAGE_SIZE:
        return dict(step, size=side)
    if size == 256:
        return dict(step, size=side + side // 7)
    return step


def _drawn_weights(part: dict, root: Path) -> dict[str, Any]:
    """``init_cfg`` of a part with weights drawn at random, for a config that freezes its pretrained ones."""
    init_cfg = part['init_cfg']
    state = MODELS.build({key: value for key, value in part.items() if key != 'init_cfg'}).state_dict()
    prefix = f"{init_cfg['prefix']}." if init_cfg.get('prefix') else ''
    path = root / 'drawn.pth'
    torch.save({f'{prefix}{key}': value for key, value in state.items()}, path)
    return dict(init_cfg, checkpoint=str(path))


def _dicts(node: Any) -> Iterator[dict]:
    if isinstance(node, dict):
        yield node
        for value in node.values():
            yield from _dicts(value)
    elif isinstance(node, (list, tuple)):
        for value in node:
            yield from _dicts(value)
