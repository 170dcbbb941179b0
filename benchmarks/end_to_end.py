"""Images a second of training ResNet-32 through the Runner, against the limit.

The limit is the same network in a bare loop (forward, cross entropy, backward, SGD) on one normalised
batch that lies in memory. The Runner trains it from images with crop and flip, with all default hooks,
logging and the batched data path. Step by step the two take turns, in changing order, so that what else
the machine does meets both alike; the ratio is the median over the pairs of steps. The time within hooks
and the wait for data are measured inside the Runner's steps.

    python benchmarks/end_to_end.py --out end_to_end.json
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from figures import make_parser, write
from mmengine.config import Config
from torch import nn

from ltkit.datasets import BaseLongTailDataset
from ltkit.datasets.columns import Columns
from ltkit.engine import Runner
from ltkit.registry import DATASETS, MODELS

MEAN, STD = [125.307, 122.961, 113.8575], [51.5865, 50.847, 51.255]
MODEL = dict(
    type='ImageRecognizer', data_preprocessor=dict(type='ImageDataPreprocessor', mean=MEAN, std=STD),
    backbone=dict(type='ResNet32'), neck=dict(type='GlobalAveragePooling'),
    head=dict(type='LongTailClsHead', num_classes=100, in_channels=64))
SGD = dict(lr=0.1, momentum=0.9, weight_decay=2e-4)


@DATASETS.register_module()
class MadeImages(BaseLongTailDataset):
    """Random images of 100 classes."""

    def __init__(self, size: int = 32, num_images: int = 10_847, **kwargs: Any) -> None:
        self.shape = (num_images, size, size, 3)
        super().__init__(**kwargs)

    def load_columns(self) -> Columns:
        rng = np.random.default_rng(0)
        return Columns(np.arange(self.shape[0]) % 100, images=rng.integers(0, 256, self.shape, dtype=np.uint8))


class BareLoop:
    """The limit: one step is what no training of this network can leave out."""

    def __init__(self, device: torch.device, batch_size: int) -> None:
        model = MODELS.build(MODEL).to(device).train()
        self.network = nn.Sequential(model.backbone, model.neck)
        self.classifier = model.head.classifier
        self.optimizer = torch.optim.SGD([*self.network.parameters(), *self.classifier.parameters()], **SGD)
        self.inputs = torch.randn(batch_size, 3, 32, 32, device=device)
        self.labels = torch.randint(100, (batch_size,), device=device)

    def step(self) -> None:
        loss = F.cross_entropy(self.classifier(self.network(self.inputs)[-1]), self.labels)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()


class RunnerLoop:
    """Steps of the Runner's own training loop, and the time that its hooks take.

    Args:
        folder (str): Work folder.
        in_memory (bool): The data path.
        batch_size (int): Images of a step.
        model (dict): Defaults to ResNet-32.
        size (int): Of the images. Defaults to 32.
        num_images (int): Of the data set. Defaults to that of CIFAR100-LT.
        **more: Further keys of the config.
    """

    def __init__(self, folder: str, in_memory: bool, batch_size: int, model: dict = MODEL, size: int = 32,
                 num_images: int = 10_847, **more: Any) -> None:
        pipeline = [dict(type='torchvision/RandomCrop', size=size, padding=size // 8),
                    dict(type='torchvision/RandomHorizontalFlip'), dict(type='PackInputs')]
        self.runner = Runner.from_cfg(Config(dict(
            model=model, work_dir=folder, experiment_name=Path(folder).name, default_scope='ltkit',
            log_level='WARNING', randomness=dict(seed=0),
            default_hooks=dict(logger=dict(type='LoggerHook', interval=10)),
            train_dataloader=dict(in_memory=in_memory, batch_size=batch_size, num_workers=0, dataset=dict(
                type='MadeImages', size=size, num_images=num_images, pipeline=pipeline),
                sampler=dict(type='InstanceBalancedSampler')),
            train_cfg=dict(by_epoch=True, max_epochs=1000), optim_wrapper=dict(optimizer=dict(type='SGD', **SGD)),
            **more)))
        self.hook_seconds = self.data_seconds = 0.0
        call_hook = self.runner.call_hook

        def timed(name: str, **kwargs: Any) -> None:
            start = time.perf_counter()
            call_hook(name, **kwargs)
            self.hook_seconds += time.perf_counter() - start

        self.runner.call_hook = timed
        self.begin()

    def begin(self) -> None:
        """What :meth:`Runner.train` does before its first step."""
        runner = self.runner
        runner._train_loop = runner.build_train_loop(runner._train_loop)
        runner.optim_wrapper = runner.build_optim_wrapper(runner.optim_wrapper)
        runner.optim_wrapper.initialize_count_status(runner.model, 0, runner.train_loop.max_iters)
        for name in ('before_run', 'before_train', 'before_train_epoch'):
            runner.call_hook(name)
        runner.model.train()
        self.batches = enumerate(runner.train_dataloader)

    def step(self) -> None:
        start, in_hooks = time.perf_counter(), self.hook_seconds
        found = next(self.batches, None)
        if found is None:  # an epoch ends and another begins
            self.runner.call_hook('after_train_epoch')
            self.runner.train_loop._epoch += 1
            self.runner.call_hook('before_train_epoch')
            self.batches = enumerate(self.runner.train_dataloader)
            found = next(self.batches)
        self.data_seconds += time.perf_counter() - start - (self.hook_seconds - in_hooks)
        self.runner.train_loop.run_iter(*found)


def timed_step(loop: BareLoop | RunnerLoop, wait: Callable[[], None]) -> float:
    """Seconds of one step, the work of the device included."""
    start = time.perf_counter()
    loop.step()
    wait()
    return time.perf_counter() - start


def main() -> None:
    """Measure and print."""
    parser = make_parser(__doc__)
    parser.add_argument('--steps', type=int, default=60, help='steps of each loop')
    parser.add_argument('--threads', type=int, default=torch.get_num_threads(), help='threads of torch')
    parser.add_argument('--batch-size', type=int, default=128, help='images of a step')
    parser.add_argument('--per-sample', action='store_true', help='the data path without in_memory, for comparison')
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    device = torch.device('cuda' if torch.cuda.is_available() else 'cpu')
    wait = torch.cuda.synchronize if device.type == 'cuda' else lambda: None
    with tempfile.TemporaryDirectory() as folder:
        limit = BareLoop(device, args.batch_size)
        ours = RunnerLoop(folder, not args.per_sample, args.batch_size)
        for _ in range(5):
            limit.step()
            ours.step()
        ours.hook_seconds = ours.data_seconds = 0.0
        times: dict[str, list[float]] = dict(limit=[], runner=[])
        for turn in range(args.steps):
            order = [('limit', limit), ('runner', ours)]
            for name, loop in order if turn % 2 else reversed(order):
                times[name].append(timed_step(loop, wait))
    ratio = statistics.median(a / b for a, b in zip(times['limit'], times['runner']))
    images = {name: args.batch_size / statistics.median(values) for name, values in times.items()}
    total = sum(times['runner'])
    hooks, data = ours.hook_seconds / total, ours.data_seconds / total
    print(f"limit  {images['limit']:9.1f} images/s\nrunner {images['runner']:9.1f} images/s\n"
          f'ratio runner / limit: {ratio:.4f}; within the Runner: hooks and logging {hooks:.2%}, data {data:.2%}')
    figures = dict(
        ratio=round(ratio, 4), images_a_second={k: round(v, 1) for k, v in images.items()},
        hooks_share=round(hooks, 5), data_share=round(data, 5), steps=args.steps, threads=args.threads,
        batch_size=args.batch_size, data_path='per sample' if args.per_sample else 'in memory', device=str(device))
    write(args.out, figures)


if __name__ == '__main__':
    main()
