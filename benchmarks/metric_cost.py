"""Cost of the metrics on 50,000 x 8,142 scores: ImageNet's images, iNaturalist's classes.

The scores are made, not read: batches of softmax probabilities that come again and
again under other sample numbers. Of each metric the time to take all batches and
to compute, as a ratio to the softmax and top-5 of the same scores in the same run;
what it keeps of the samples; and the growth of the peak memory of the process, to
compare with the scores themselves. Prints one line a metric and writes JSON with
``--out``.

    python benchmarks/metric_cost.py --out metric_cost.json
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from figures import make_parser, write
from torch import Tensor

from ltkit.evaluation import (
    Calibration,
    LongTailAccuracy,
    LongTailMetric,
    PriorShiftAccuracy,
    RelativeAccuracy,
)

POOL = 8  # different batches


def peak_memory() -> float:
    """Of this process so far, in MB."""
    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return size / 2**20 if sys.platform == 'darwin' else size / 2**10


def logit_batches(batch_size: int, num_classes: int) -> list[Tensor]:
    """Float32 logits, shape ``(batch_size, num_classes)`` each, right in about half of the cases."""
    generator = torch.Generator().manual_seed(0)
    batches = []
    for number in range(POOL):
        logits = torch.randn(batch_size, num_classes, generator=generator)
        own = labels_of(number, batch_size, num_classes)
        logits[torch.arange(batch_size), own] += 9 * torch.rand(batch_size, generator=generator)
        batches.append(logits)
    return batches


def labels_of(number: int, batch_size: int, num_classes: int) -> Tensor:
    """Labels of a batch of the pool, int64, shape ``(batch_size,)``."""
    return (torch.arange(batch_size) * 31 + number * 7919) % num_classes


def data_samples(batches: list[Tensor], num_samples: int) -> Iterator[list[dict[str, Any]]]:
    """What an evaluator passes on, batch by batch."""
    size, num_classes = batches[0].shape
    for number, start in enumerate(range(0, num_samples, size)):
        scores = batches[number % POOL]
        labels = labels_of(number % POOL, size, num_classes)
        yield [dict(pred_score=scores[i], gt_label=labels[i:i + 1], sample_idx=start + i)
               for i in range(min(size, num_samples - start))]


def kept_bytes(metric: LongTailMetric) -> int:
    """Bytes of the records of all samples."""
    return sum(values.nbytes for values in metric.results[0].arrays().values())


def main() -> None:
    """Measure and print."""
    parser = make_parser(__doc__)
    parser.add_argument('--samples', type=int, default=50_000)
    parser.add_argument('--classes', type=int, default=8_142)
    parser.add_argument('--batch', type=int, default=128, help='samples of a batch')
    args = parser.parse_args()
    batches = logit_batches(args.batch, args.classes)
    num_batches = -(-args.samples // args.batch)

    began = time.perf_counter()
    for number in range(num_batches):
        torch.softmax(batches[number % POOL], 1).topk(min(5, args.classes), 1)
    base = time.perf_counter() - began
    for logits in batches:
        torch.softmax(logits, 1, out=logits)
    scores_mb = args.samples * args.classes * 4 / 2**20
    print(f'{args.samples:,} x {args.classes:,} scores ({scores_mb:,.0f} MB) in batches of {args.batch}, '
          f'{torch.get_num_threads()} threads; softmax and top-5 of them {base:.2f} s')

    counts = np.geomspace(1000, 2, args.classes).astype(int)
    metrics = [LongTailAccuracy(class_counts=counts), Calibration(class_counts=counts),
               PriorShiftAccuracy(imbalance_factors=(50,), class_counts=counts), RelativeAccuracy(75.0, 80.0)]
    figures, before = {}, peak_memory()
    for metric in metrics:
        spent = 0.0
        for samples in data_samples(batches, args.samples):
            began = time.perf_counter()
            metric.process(None, samples)
            spent += time.perf_counter() - began
        kept = kept_bytes(metric) / 2**20
        began = time.perf_counter()
        metric.evaluate(args.samples)
        computing = time.perf_counter() - began
        name = type(metric).__name__
        seconds = spent + computing
        figures[name] = dict(seconds=round(seconds, 3), ratio=round(seconds / base, 2),
                             seconds_to_compute=round(computing, 3), kept_mb=round(kept, 2))
        print(f'{name:20s} {seconds:6.2f} s   {seconds / base:5.2f} x softmax and top-5, of which '
              f'{computing:.2f} s at the end; keeps {kept:.1f} MB')
    total = sum(figure['seconds'] for figure in figures.values())
    growth = peak_memory() - before
    print(f'{"all":20s} {total:6.2f} s   {total / base:5.2f} x; peak memory grew by {growth:.0f} MB '
          f'({100 * growth / scores_mb:.1f}% of the scores)')
    result = dict(samples=args.samples, classes=args.classes, batch=args.batch,
                  threads=torch.get_num_threads(), softmax_topk_seconds=round(base, 3), metrics=figures,
                  all=dict(seconds=round(total, 3), ratio=round(total / base, 2)),
                  scores_mb=round(scores_mb), peak_growth_mb=round(growth, 1))
    write(args.out, result)


if __name__ == '__main__':
    main()
