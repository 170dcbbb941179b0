"""Time from labels to the first epoch's order of every sampler, at the size of iNaturalist 2018.

437,513 labels of 8,142 classes, counts on a power law from 1,000 to 33 (made, not
read). Prints one line a sampler and writes JSON with ``--out``. The ratio is to
one stable argsort of the labels, which any sampler by class must do.

    python benchmarks/sampler_setup.py --out sampler_setup.json
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from figures import make_parser, write

from ltkit.datasets import samplers

NAMES = ('InstanceBalancedSampler', 'ClassBalancedSampler', 'SquareRootSampler', 'ProgressivelyBalancedSampler',
         'ClassAwareSampler', 'ReversedSampler', 'RepeatFactorSampler')


class LabelledSet:
    """A data set of labels alone."""

    def __init__(self, labels: np.ndarray) -> None:
        self.labels = labels

    def __len__(self) -> int:
        return len(self.labels)

    def get_gt_labels(self) -> np.ndarray:
        """One label a sample."""
        return self.labels


def inaturalist_like(num_samples: int = 437_513, num_classes: int = 8_142) -> np.ndarray:
    """Shuffled labels, counts on a power law, int64, shape ``(num_samples,)``."""
    ranks = np.arange(1, num_classes + 1, dtype=np.float64)

    def counts_of(power: float) -> np.ndarray:
        return np.maximum(1000 * ranks**-power, 2).astype(np.int64)

    low, high = 0.1, 3.0  # bisection for the exponent: counts_of(high) never exceeds the total
    for _ in range(60):
        power = (low + high) / 2
        low, high = (power, high) if counts_of(power).sum() > num_samples else (low, power)
    counts = counts_of(high)
    counts[:num_samples - counts.sum()] += 1
    return np.random.default_rng(0).permutation(np.repeat(np.arange(num_classes), counts))


def best_time(function: Callable[[], object], repeats: int) -> float:
    """Shortest of some runs, in seconds."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def main() -> None:
    """Measure and print."""
    parser = make_parser(__doc__)
    parser.add_argument('--repeats', type=int, default=5, help='runs, of which the shortest counts')
    args = parser.parse_args()
    labels = inaturalist_like()
    dataset = LabelledSet(labels)
    sort = best_time(lambda: np.argsort(labels, kind='stable'), args.repeats)
    print(f'{len(labels):,} labels, {labels.max() + 1:,} classes, counts {np.bincount(labels).max():,}..'
          f'{np.bincount(labels).min()}; one stable argsort of them {sort:.3f} s')
    figures = {}
    for name in NAMES:
        options = dict(max_epochs=90) if name == 'ProgressivelyBalancedSampler' else {}
        kind = getattr(samplers, name)
        seconds = best_time(lambda: kind(dataset, 0, **options).epoch_indices(), args.repeats)  # noqa: B023
        figures[name] = dict(seconds=round(seconds, 4), ratio_to_argsort=round(seconds / sort, 2))
        print(f'{name:30s} {seconds:.3f} s   {seconds / sort:5.1f} x argsort')
    result = dict(num_samples=len(labels), num_classes=int(labels.max()) + 1,
                  argsort_seconds=round(sort, 4), samplers=figures)
    write(args.out, result)


if __name__ == '__main__':
    main()
