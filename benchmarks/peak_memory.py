"""Peak memory of training through ltkit against a bare loop over the same model.

ResNet-32 at batch 128 on made CIFAR-sized images. Each is a process of its own; what is reported is
the peak of its resident memory on the CPU, with all that it imported, or of what torch allocated on a
GPU. The ratio is that of the Runner to the bare loop.

    python benchmarks/peak_memory.py --out peak_memory.json
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from figures import make_parser, write

CONFIG = '''
_base_ = 'ltkit::erm/r32_cifar100_lt.py'
model = dict(head=dict(num_classes=10))
'''


def peak() -> int:
    """Bytes at the peak so far."""
    import torch
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def model_and_images(batch: int, steps: int) -> tuple:
    """The model of the config and enough uint8 images for the steps."""
    import torch
    from mmengine.registry import init_default_scope

    from ltkit.config import load_config
    from ltkit.registry import MODELS
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / 'peak.py'
        path.write_text(CONFIG)
        cfg = load_config(path)
    init_default_scope('ltkit')
    torch.manual_seed(0)
    images = torch.randint(0, 256, (batch * steps, 3, 32, 32), dtype=torch.uint8)
    return cfg, MODELS.build(dict(cfg.model, data_preprocessor=cfg.data_preprocessor)), images


def bare(batch: int, steps: int) -> int:
    """Forward, backward and SGD in a plain loop; bytes at the peak."""
    import torch
    from torch.nn import functional
    device = 'cuda' if torch.cuda.is_available() else 'cpu'
    _, model, images = model_and_images(batch, steps)
    model.to(device)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    for step in range(steps):
        inputs = images[step * batch:(step + 1) * batch].to(device).float() / 255
        loss = functional.cross_entropy(model(inputs), torch.zeros(batch, dtype=torch.int64, device=device))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return peak()


def runner(batch: int, steps: int) -> int:
    """The same steps through the Runner, with all its default hooks and a checkpoint."""
    import numpy as np

    from ltkit.datasets import BaseLongTailDataset
    from ltkit.datasets.columns import Columns
    from ltkit.engine import Runner
    from ltkit.registry import DATASETS

    cfg, _, images = model_and_images(batch, steps)

    @DATASETS.register_module()
    class MadeImages(BaseLongTailDataset):
        """Images of ten classes."""

        METAINFO = dict(classes=[str(i) for i in range(10)])

        def load_columns(self) -> Columns:
            return Columns(labels=np.arange(len(images)) % 10, images=images.permute(0, 2, 3, 1).numpy())

    with tempfile.TemporaryDirectory() as folder:
        cfg.work_dir, cfg.log_level = folder, 'ERROR'
        cfg.train_dataloader.dataset = dict(type='MadeImages', pipeline=[dict(type='PackInputs')])
        cfg.train_dataloader.update(batch_size=batch, num_workers=0, persistent_workers=False, in_memory=False)
        cfg.train_cfg.update(max_epochs=1)
        for key in ('val_dataloader', 'val_evaluator', 'val_cfg', 'test_dataloader', 'test_evaluator', 'test_cfg'):
            cfg[key] = None
        built = Runner.from_cfg(cfg)
        built.train()
        return peak()


def main() -> None:
    """Measure and print."""
    parser = make_parser(__doc__)
    parser.add_argument('--batch', type=int, default=128)
    parser.add_argument('--steps', type=int, default=8)
    parser.add_argument('--only', choices=['bare', 'runner'], help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.only:
        used = dict(bare=bare, runner=runner)[args.only](args.batch, args.steps)
        print(used)
        return
    figures: dict[str, float] = {}
    for name in ('bare', 'runner'):
        done = subprocess.run([sys.executable, __file__, '--only', name, '--batch', str(args.batch), '--steps',
                               str(args.steps)], check=True, capture_output=True, text=True)
        figures[f'{name}_mb'] = round(int(done.stdout.split()[-1]) / 1e6, 1)
    figures['ratio'] = round(figures['runner_mb'] / figures['bare_mb'], 3)
    print(f"ResNet-32, batch {args.batch}: bare loop {figures['bare_mb']} MB, Runner {figures['runner_mb']} MB "
          f"({figures['ratio']} x)")
    write(args.out, figures)


if __name__ == '__main__':
    main()
