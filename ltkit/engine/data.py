"""Data loaders of a config."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmengine.device import get_device
from mmengine.logging import print_log
from mmengine.runner import BaseLoop, EpochBasedTrainLoop, Runner
from torch.utils.data import DataLoader

from ltkit.datasets.in_memory import InMemoryDataLoader
from ltkit.utils.errors import CheckpointError, ConfigError

# Settings of a loader that reads samples one by one, of no use where batches are made on the device.
OF_WORKERS = ('num_workers', 'persistent_workers', 'pin_memory', 'pin_memory_device', 'prefetch_factor', 'timeout',
              'multiprocessing_context', 'worker_init_fn')


def has_test_set_of_its_own(cfg: Mapping[str, Any]) -> bool:
    """Whether the test set of a config is another than its validation set, which may be a held-out part."""
    loaders = [cfg.get(name) or {} for name in ('val_dataloader', 'test_dataloader')]
    val, test = (loader.get('dataset') if isinstance(loader, Mapping) else None for loader in loaders)
    return bool(val and test) and val != test


def build_dataloader(dataloader: DataLoader | Mapping[str, Any], *args: Any, **kwargs: Any) -> Any:
    """mmengine's, and the batched data path where the config has ``in_memory=True``.

    Args:
        dataloader (DataLoader or Mapping): A built one is returned as it is.
        *args: As of :meth:`mmengine.runner.Runner.build_dataloader`.
        **kwargs: Likewise.

    Returns:
        DataLoader: With ``in_memory=True`` an
        :class:`~ltkit.datasets.in_memory.InMemoryDataLoader` on the device of
        training; the settings of workers are then of no effect.

    Raises:
        ConfigError: ``in_memory`` is not a truth value or stands beside ``collate_fn``, or
            the data set or its pipeline has no batched form.
    """
    if isinstance(dataloader, DataLoader):
        return dataloader
    settings = dict(dataloader)
    in_memory = settings.pop('in_memory', False)
    if not isinstance(in_memory, bool):
        raise ConfigError(f'in_memory of a dataloader must be True or False, but is {in_memory!r}')
    if not in_memory:
        return Runner.build_dataloader(settings, *args, **kwargs)
    if settings.get('collate_fn') is not None:
        raise ConfigError('in_memory=True makes whole batches, which a collate_fn cannot change; leave one of '
                          'them out')
    for key in OF_WORKERS:
        settings.pop(key, None)
    plain = Runner.build_dataloader(settings, *args, **kwargs)
    if plain.batch_size is None:
        batches: dict[str, Any] = dict(batch_sampler=plain.batch_sampler)
    else:
        batches = dict(batch_size=plain.batch_size, sampler=plain.sampler, drop_last=plain.drop_last)
    loader = InMemoryDataLoader(plain.dataset, device=get_device(), **batches)
    print_log(f'{type(plain.dataset).__name__} {plain.dataset.split}: {len(plain.dataset):,} images in memory, '
              f'{loader.pipeline.images.numel() / 2**20:.0f} MiB on {loader.device}; batches are made there', 'current')
    return loader


def plain_training_set(cfg: Mapping[str, Any], who: str) -> dict[str, Any]:
    """The config of a loader of the training images without augmentation: ``val_dataloader`` with the training set.

    Args:
        cfg (Mapping): A config of ``train_dataloader`` and ``val_dataloader``.
        who (str): What asks for it, in errors; it has an argument ``dataloader``.

    Raises:
        ConfigError: One of them is not there, or is built.
    """
    train, val = (cfg.get(key) for key in ('train_dataloader', 'val_dataloader'))
    if not isinstance(train, Mapping) or not isinstance(val, Mapping):
        raise ConfigError(f'{who} makes its data loader of train_dataloader and val_dataloader, which are not both '
                          'configs here; give it dataloader=dict(...)')
    return dict(val, dataset=with_pipeline(train['dataset'], pipeline_of(val['dataset'])))


def pipeline_of(dataset: Mapping[str, Any]) -> Any:
    """The pipeline of a data set, or of the first that it wraps."""
    inner = dataset.get('dataset') or next(iter(dataset.get('datasets') or ()), None)
    return pipeline_of(inner) if 'pipeline' not in dataset and inner is not None else dataset.get('pipeline', ())


def with_pipeline(dataset: Mapping[str, Any], pipeline: Any) -> dict[str, Any]:
    """The config of a data set with another pipeline, of those that it wraps as well."""
    changed = {**dataset, 'pipeline': pipeline}
    if 'dataset' in dataset or 'datasets' in dataset:
        changed = dict(dataset)
        if 'dataset' in dataset:
            changed['dataset'] = with_pipeline(dataset['dataset'], pipeline)
        else:
            changed['datasets'] = [with_pipeline(inner, pipeline) for inner in dataset['datasets']]
    return changed


def skip_seen_batches(loop: BaseLoop, filename: str) -> None:
    """Let a training loop that was resumed begin in the middle of an epoch, where the checkpoint was written there.

    Args:
        loop (BaseLoop): It has the state of the checkpoint.
        filename (str): The checkpoint, for errors.

    Raises:
        CheckpointError: The sampler cannot begin there, or the epochs of the checkpoint have other steps.
    """
    if not isinstance(loop, EpochBasedTrainLoop):
        return  # a loop that counts iterations skips by itself
    seen = loop.iter - loop.epoch * len(loop.dataloader)
    if seen == 0:
        return
    batches = loop.dataloader.batch_sampler
    if not hasattr(batches, 'skip'):
        kind = type(getattr(batches, 'sampler', batches)).__name__
        raise CheckpointError(
            f'{filename} was written after iteration {loop.iter}, in the middle of an epoch of '
            f'{len(loop.dataloader)}, where {kind} cannot begin; resume from a checkpoint of the end of an '
            'epoch, or use a sampler of ltkit')
    if not 0 < seen < len(loop.dataloader) or seen % batches.accumulation:
        raise CheckpointError(
            f'{filename} was written after iteration {loop.iter} and epoch {loop.epoch} of a run whose '
            f'epochs have other steps than the {len(loop.dataloader)} of this one, or in the middle of '
            'a step; resume with the data set, sampler and batch_size of that run')
    batches.set_epoch(loop.epoch)
    batches.skip(seen // batches.accumulation)
