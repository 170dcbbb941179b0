"""Stands in for tools/train.py: 'trains' by drawing numbers, with checkpoints, in milliseconds.

Its result depends on config, options, seed and all epochs, so that a run which is
resumed wrongly ends elsewhere. ``FAKE_LOG`` is a file with a line for each start and
end; ``FAKE_SECONDS`` how long an epoch takes, all but the first ``FAKE_LATER_SECONDS``;
``FAKE_TOGETHER`` how many runs have to be started before one goes on; a config whose name has ``fails`` fails;
``FAKE_CHECKPOINT`` a file that a checkpoint is a copy of.
"""

import argparse
import hashlib
import json
import os
import random
import shutil
import sys
import time
from pathlib import Path

EPOCHS = 4


def note(what: str, run: str) -> None:
    with open(os.environ['FAKE_LOG'], 'a') as file:
        file.write(f'{what} {os.getpid()} {run}\n')


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument('config')
    parser.add_argument('--work-dir', type=Path)
    parser.add_argument('--seed', type=int)
    parser.add_argument('--resume', action='store_true')
    parser.add_argument('--cfg-options', nargs='*', default=[])
    args = parser.parse_args()
    name = f'{Path(args.config).stem} {args.seed} {" ".join(args.cfg_options)}'.strip()
    note('resume' if args.resume else 'start', name)
    total, first = 0.0, 0
    if args.resume:
        saved = json.loads((args.work_dir / 'progress.json').read_text())
        total, first = saved['total'], saved['epoch']
    while Path(os.environ['FAKE_LOG']).read_text().count('start ') < int(os.environ.get('FAKE_TOGETHER', '0')):
        time.sleep(0.01)
    for epoch in range(first, EPOCHS):
        time.sleep(float(os.environ.get('FAKE_LATER_SECONDS' if epoch else 'FAKE_SECONDS', '0')))
        print(f'epoch {epoch} of {name}', flush=True)
        if 'fails' in args.config and epoch == 1:
            sys.exit('error: the loss is not finite')
        total += random.Random(hashlib.sha256(f'{name} {epoch}'.encode()).hexdigest()).random()
        part = args.work_dir / 'progress.part'
        part.write_text(json.dumps(dict(total=total, epoch=epoch + 1)))
        os.replace(part, args.work_dir / 'progress.json')
        if 'FAKE_CHECKPOINT' in os.environ:
            shutil.copyfile(os.environ['FAKE_CHECKPOINT'], args.work_dir / 'part')
            os.replace(args.work_dir / 'part', args.work_dir / 'epoch_1.pth')
    counts = [100, 50, 10, 2]
    top1 = 40 + 10 * total + (20 if 'balanced_reference=True' in name else 0)
    results = dict(
        metrics={'accuracy/top1': top1, 'accuracy/many': top1 + 10, 'accuracy/few': top1 - 10, 'data_time': 0.1},
        per_class_accuracy=[top1 + 10, top1, top1 - 10, None], thresholds='many > 100, few < 20 training images',
        class_distribution=dict(counts=counts, names=['a', 'b', 'c', 'd'], many_threshold=60, few_threshold=20,
                                style='decoupling'),
        details=dict(calibration=dict(bins=dict(all=dict(
            edges=[0.0, 0.5, 1.0], counts=[40, 60], confidence=[0.3, 0.8], accuracy=[0.25, 0.7])))),
        seconds=float(args.seed + 3), resumed=args.resume, seed=args.seed,
        command=f'python tools/train.py {args.config}',
        commit='0123456789abcdef0123', device='CPU, 1 threads', threads=os.environ.get('OMP_NUM_THREADS'))
    part = args.work_dir / 'results.part'
    part.write_text(json.dumps(results))
    os.replace(part, args.work_dir / 'results.json')
    note('end', name)


if __name__ == '__main__':
    main()
