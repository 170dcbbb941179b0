"""Time an image of three data paths: crop, flip and normalisation of 32 x 32 images, in one process.

Batches of 128 from 10,847 made images (the size of CIFAR100-LT at imbalance 100), from the sampler
to the normalised float batch: the batched path (``in_memory=True``), the pipeline one image at a time,
and mmpretrain's pipeline (RandomCrop, RandomFlip, PackInputs, its data preprocessor), where it is
installed. The paths take turns, batch by batch, so that what else the machine does meets all alike;
medians over the batches.

    python benchmarks/data_path.py --out data_path.json
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from figures import make_parser, write
from torch import Tensor
from torch.utils.data import DataLoader

from ltkit.datasets import BaseLongTailDataset
from ltkit.datasets.columns import Columns
from ltkit.datasets.in_memory import InMemoryDataLoader
from ltkit.datasets.samplers import GlobalBatchSampler, InstanceBalancedSampler
from ltkit.models.data_preprocessors import ImageDataPreprocessor

MEAN, STD = [125.307, 122.961, 113.8575], [51.5865, 50.847, 51.255]
BATCH_SIZE = 128
CROP_FLIP = [dict(type='torchvision/RandomCrop', size=32, padding=4), dict(type='torchvision/RandomHorizontalFlip')]


class MadeImages(BaseLongTailDataset):
    """Random images of 100 classes."""

    def load_columns(self) -> Columns:
        rng = np.random.default_rng(0)
        return Columns(np.arange(10_847) % 100, images=rng.integers(0, 256, (10_847, 32, 32, 3), dtype=np.uint8))


def first_items(batch: list[Any]) -> dict[str, list[Any]]:
    """A list of items to a dict of lists."""
    return {key: [item[key] for item in batch] for key in batch[0]}


def forever(loader: DataLoader, prepare: Callable[[dict], dict]) -> Iterator[Tensor]:
    """Normalised batches of epoch after epoch."""
    epoch = 0
    while True:
        loader.batch_sampler.set_epoch(epoch)
        for batch in loader:
            yield prepare(batch)['inputs']
        epoch += 1


def our_paths() -> dict[str, Iterator[Tensor]]:
    """The batched path and the pipeline one image at a time."""
    dataset = MadeImages(pipeline=[*CROP_FLIP, dict(type='PackInputs')])
    preprocessor = ImageDataPreprocessor(mean=MEAN, std=STD, num_classes=100)

    def prepare(batch: dict) -> dict:
        return preprocessor(batch, training=True)

    def batches() -> GlobalBatchSampler:
        return GlobalBatchSampler(InstanceBalancedSampler(dataset, seed=0), BATCH_SIZE)

    return dict(
        batched=forever(InMemoryDataLoader(dataset, batch_sampler=batches()), prepare),
        per_sample=forever(DataLoader(dataset, batch_sampler=batches(), collate_fn=first_items), prepare))


def mmpretrain_path() -> Iterator[Tensor] | None:
    """mmpretrain's transforms and data preprocessor; None where it is not installed."""
    try:
        from mmcv.transforms import Compose, RandomFlip
        from mmpretrain.datasets.transforms import PackInputs, RandomCrop
        from mmpretrain.models import ClsDataPreprocessor
    except ImportError:
        return None
    columns = MadeImages().columns
    pipeline = Compose([RandomCrop(crop_size=32, padding=4), RandomFlip(prob=0.5, direction='horizontal'),
                        PackInputs()])
    preprocessor = ClsDataPreprocessor(mean=MEAN, std=STD, num_classes=100)

    class Dataset(torch.utils.data.Dataset):
        def __len__(self) -> int:
            return len(columns)

        def __getitem__(self, index: int) -> dict:
            return pipeline(dict(img=columns.images[index], gt_label=int(columns.labels[index]), sample_idx=index))

    batches = GlobalBatchSampler(InstanceBalancedSampler(columns.labels, seed=0), BATCH_SIZE)
    loader = DataLoader(Dataset(), batch_sampler=batches, collate_fn=first_items)
    return forever(loader, lambda batch: preprocessor(batch, training=True))


def main() -> None:
    """Measure and print."""
    parser = make_parser(__doc__)
    parser.add_argument('--batches', type=int, default=60, help='batches of each path')
    parser.add_argument('--threads', type=int, default=1, help='threads of torch')
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    paths = our_paths()
    theirs = mmpretrain_path()
    if theirs is not None:
        paths['mmpretrain'] = theirs
    times: dict[str, list[float]] = {name: [] for name in paths}
    for turn in range(args.batches + 3):
        for name, path in paths.items():
            start = time.perf_counter()
            batch = next(path)
            seconds = time.perf_counter() - start
            if batch.shape != (BATCH_SIZE, 3, 32, 32) or batch.dtype != torch.float32:
                raise SystemExit(f'{name} gave {batch.dtype} {tuple(batch.shape)}')
            if turn >= 3:  # the first are warm-up
                times[name].append(seconds)
    microseconds = {name: statistics.median(values) / BATCH_SIZE * 1e6 for name, values in times.items()}
    ratios = {f'{name}_over_batched': statistics.median(
        slow / fast for slow, fast in zip(times[name], times['batched'])) for name in paths if name != 'batched'}
    for name, value in microseconds.items():
        print(f'{name:12s} {value:8.2f} us an image')
    for name, value in ratios.items():
        print(f"ratio {name.replace('_over_', ' / ')}: {value:.1f}")
    if theirs is None:
        print('mmpretrain is not installed: not measured')
    figures = dict(microseconds_an_image={k: round(v, 3) for k, v in microseconds.items()},
                   **{k: round(v, 2) for k, v in ratios.items()}, batch_size=BATCH_SIZE, batches=args.batches,
                   threads=args.threads)
    write(args.out, figures)


if __name__ == '__main__':
    main()
