"""A step of training all of a network, against one of a second stage whose backbone is frozen.

Both are steps of the Runner, from images in memory with crop and flip, with all default hooks. ``frozen`` is the
second stage of cRT, ``frozen = dict(parameters=['backbone'], statistics=['backbone'])``; in ``shifted`` the running
statistics go on, as in MiSLAS (no ``statistics``). The three take turns, in changing order; the ratios are medians over
the turns, of processor time, as another process makes a long step wait more often than a short one.

    python benchmarks/stage2_step.py --out stage2_step.json
"""

from __future__ import annotations

import copy
import random
import statistics
import tempfile
import time
from typing import Any

import torch
from end_to_end import MODEL, RunnerLoop
from figures import make_parser, write

JOINT = 'joint'
STAGES: dict[str, dict[str, Any]] = {
    JOINT: {},
    'frozen': dict(frozen=dict(parameters=['backbone'], statistics=['backbone'])),
    'shifted': dict(frozen=dict(parameters=['backbone'])),
}
RESNET50 = copy.deepcopy(MODEL)
RESNET50.update(backbone=dict(type='ResNet', depth=50), head=dict(RESNET50['head'], in_channels=2048))
NETWORKS: dict[str, dict[str, Any]] = {
    'ResNet-32, 32 x 32': dict(batch_size=128, model=MODEL),
    'ResNet-50, 224 x 224': dict(batch_size=8, model=RESNET50, size=224, num_images=100),
}


def measure(network: dict[str, Any], turns: int, warm_up: int = 2) -> dict[str, list[float]]:
    """Processor seconds of the steps of each stage."""
    order, times = random.Random(0), {name: [] for name in STAGES}
    with tempfile.TemporaryDirectory() as folder:
        loops = {name: RunnerLoop(f'{folder}/{name}_{id(network)}', True, **network, **more)
                 for name, more in STAGES.items()}
        for turn in range(turns + warm_up):
            for name in order.sample(list(loops), len(loops)):
                start = time.process_time()
                loops[name].step()
                if turn >= warm_up:
                    times[name].append(time.process_time() - start)
    return times


def main() -> None:
    """Measure and print."""
    parser = make_parser(__doc__)
    parser.add_argument('--turns', type=int, default=30, help='steps of each stage')
    parser.add_argument('--threads', type=int, default=1, help='threads of torch')
    parser.add_argument('--batch-size', type=int, help='images of a step (default: 128 small or 8 large ones)')
    parser.add_argument('--networks', nargs='+', default=['32', '50'], choices=['32', '50'], help='depths')
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    figures: dict[str, Any] = {}
    for name, network in NETWORKS.items():
        if not any(f'-{depth},' in name for depth in args.networks):
            continue
        network = {**network, 'batch_size': args.batch_size or network['batch_size']}
        times = measure(network, args.turns)
        joint = statistics.median(times[JOINT])
        print(f"{name}, batch {network['batch_size']}: a joint step {1e3 * joint:.1f} ms")
        figures[name] = dict(batch_size=network['batch_size'], joint_milliseconds=round(1e3 * joint, 2))
        for stage in [stage for stage in STAGES if stage != JOINT]:
            ratio = statistics.median(a / b for a, b in zip(times[JOINT], times[stage]))
            seconds = statistics.median(times[stage])
            print(f'    {stage:8s} {1e3 * seconds:8.1f} ms   a joint step takes {ratio:.2f} x as long')
            figures[name][stage] = dict(milliseconds=round(1e3 * seconds, 2), ratio=round(ratio, 3))
    write(args.out, dict(networks=figures, turns=args.turns, threads=args.threads))


if __name__ == '__main__':
    main()
