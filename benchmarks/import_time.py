"""Time to import ltkit beside torch, and to start its tools.

Each measurement is a process of its own, the kinds take turns, medians. The ratio is to ``import
torch``; all of ltkit needs torch and mmengine, ``import ltkit`` alone neither.

    python benchmarks/import_time.py --out import_time.json
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

from figures import make_parser, write

ROOT = Path(__file__).resolve().parents[1]
COMMANDS = {
    'python': ['-c', 'pass'],
    'import torch': ['-c', 'import torch'],
    'import torch, mmengine.runner': ['-c', 'import torch, mmengine.runner'],
    'import ltkit': ['-c', 'import ltkit'],
    'import all of ltkit': ['-c', 'import ltkit.apis, ltkit.datasets, ltkit.engine, ltkit.evaluation, ltkit.models'],
    'tools/train.py --help': [str(ROOT / 'tools' / 'train.py'), '--help'],
}


def main() -> None:
    """Measure and print."""
    parser = make_parser(__doc__)
    parser.add_argument('--repeats', type=int, default=7, help='processes of each kind')
    args = parser.parse_args()
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for turn in range(args.repeats + 1):
        for name, command in COMMANDS.items():
            start = time.perf_counter()
            subprocess.run([sys.executable, *command], check=True, stdout=subprocess.DEVNULL, cwd=ROOT)
            if turn:  # the first one warms the caches of the disk
                times[name].append(time.perf_counter() - start)
    base = statistics.median(times['import torch'])
    figures = {}
    for name, values in times.items():
        seconds = statistics.median(values)
        figures[name] = dict(seconds=round(seconds, 3), ratio_to_torch=round(seconds / base, 2))
        print(f'{name:32s} {seconds:6.2f} s   {seconds / base:5.2f} x import torch')
    write(args.out, figures)


if __name__ == '__main__':
    main()
