"""The loader of data that fits in memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader

from ...structures import BatchedSamples
from ...utils.errors import ConfigError
from ..base import BaseLongTailDataset
from .pipeline import BatchedPipeline


class InMemoryDataLoader(DataLoader):
    """Keeps all images on the device and makes whole batches there.

    It takes the place of a loader of the same data set and sampler: the same
    samples in the same batches, changed by the batched form of the data set's
    pipeline. The randomness of a sample comes from the seed that the batch
    sampler gives it, so that it depends neither on the batch nor on the number of
    processes, and a resumed run goes on as it would have. In place of a list of
    data samples a batch has one :class:`~ltkit.structures.BatchedSamples`.

    ``train_dataloader = dict(in_memory=True)`` chooses it. There are no workers.

    Args:
        dataset (BaseLongTailDataset): With its images in memory.
        device (torch.device or str): Where to keep them. Defaults to ``'cpu'``.
        **kwargs: ``batch_sampler``, or ``batch_size``, ``sampler`` and
            ``drop_last``, as for :class:`torch.utils.data.DataLoader`.

    Raises:
        ConfigError: The data set does not hold its images, makes its samples by
            code of its own, or has a transform without a batched form.
    """

    def __init__(self, dataset: BaseLongTailDataset, device: torch.device | str = 'cpu', **kwargs: Any) -> None:
        _check(dataset)
        super().__init__(dataset, num_workers=0, **kwargs)
        columns = dataset.columns
        self.device = torch.device(device)
        self.pipeline = BatchedPipeline(dataset.pipeline.transforms, columns.images, self.device)
        self.labels = np.asarray(columns.labels)
        self.num_classes = len(dataset.metainfo['classes'])

    def __iter__(self) -> Iterator[dict[str, Any]]:
        if hasattr(self.batch_sampler, 'array_batches'):
            batches = self.batch_sampler.array_batches()
        else:
            batches = (_arrays(batch) for batch in self.batch_sampler)
        return (self.make_batch(*batch) for batch in batches)

    def make_batch(self, indices: np.ndarray, seeds: np.ndarray) -> dict[str, Any]:
        """One batch.

        Args:
            indices (ndarray): Samples, int64, shape ``(N,)``.
            seeds (ndarray): Seed of each, uint64, shape ``(N,)``.

        Returns:
            dict: ``inputs``, uint8 ``(N, C, H, W)`` on the device, and ``data_samples``.
        """
        labels = torch.from_numpy(self.labels[indices])
        keys = self.pipeline.meta_keys
        samples = BatchedSamples(labels, indices if 'sample_idx' in keys else None,
                                 self.num_classes if 'num_classes' in keys else None)
        return dict(inputs=self.pipeline(indices, seeds), data_samples=samples)


def _arrays(batch: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Indices and seeds of a batch; samples without a seed draw one of torch's global generator."""
    seeds = [getattr(index, 'rng_seed', None) for index in batch]
    if None in seeds:
        seeds = torch.randint(2**63 - 1, (len(batch),)).tolist()
    return np.array(batch, dtype=np.int64), np.array(seeds, dtype=np.uint64)


def _check(dataset: Any) -> None:
    name = type(dataset).__name__
    if not isinstance(dataset, BaseLongTailDataset):
        raise ConfigError(f'in_memory=True needs a data set of ltkit that holds its images, but got {name}; '
                          'set in_memory=False')
    dataset.full_init()
    if dataset.columns.images is None:
        raise ConfigError(f'in_memory=True needs images in memory, but {name} reads files; set in_memory=False')
    for method in ('get_data_info', 'prepare_data', '__getitem__'):
        if getattr(type(dataset), method) is not getattr(BaseLongTailDataset, method):
            raise ConfigError(f'in_memory=True would pass by {name}.{method}(), which makes its samples; '
                              'set in_memory=False')
