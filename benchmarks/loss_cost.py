"""What each loss costs more than the cross entropy, as a part of a training step of ResNet-32.

A step is that of CIFAR100: forward, loss, backward and SGD on a batch of 128 images in memory. Of each
registered loss of one expert, with its own defaults and the class counts of CIFAR100-LT at imbalance 100,
forward and backward are timed on logits (and features, where it needs them) that are leaves: as the
network is the same for all, the difference to SoftmaxLoss is what the loss adds to the step, and shows far
less noise than whole steps. The losses and the step take turns in changing order; the figures are medians over
the turns, of processor time: a busy machine makes a long step wait more often than a short loss, which
would flatter the losses.

    python benchmarks/loss_cost.py --out loss_cost.json
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable

import torch
from end_to_end import BareLoop
from figures import make_parser, write
from torch import nn

from ltkit.distribution_aware import distribution_aware_parts
from ltkit.registry import LOSSES

BASELINE, STEP = 'SoftmaxLoss', 'step'
NUM_CLASSES, CHANNELS = 100, 64
COUNTS = [int(500 * 0.01**(c / (NUM_CLASSES - 1))) for c in range(NUM_CLASSES)]
IN_A_ROW = 5  # calls of a loss that are timed together


def single_expert_losses() -> dict[str, nn.Module]:
    """Every loss of ltkit that takes logits ``(N, C)``, with class counts, in training."""
    losses = {}
    for name in LOSSES.names():
        loss = LOSSES.build(dict(type=name))
        if len(getattr(loss, 'score_dims', ())) != 2:
            continue
        for part in distribution_aware_parts(loss).values():
            part.set_class_distribution(COUNTS)
        losses[name] = loss.train()
    return losses


def calls_of(loss: nn.Module, batch_size: int) -> Callable[[], None]:
    """Forward and backward of a loss, a few times, on one batch of logits of an untrained network."""
    logits = torch.randn(batch_size, NUM_CLASSES, requires_grad=True)
    labels = torch.randint(NUM_CLASSES, (batch_size, ))
    features = torch.randn(batch_size, CHANNELS).relu().requires_grad_()
    more = dict(features=features) if getattr(loss, 'needs_features', False) else {}

    def calls() -> None:
        for _ in range(IN_A_ROW):
            logits.grad = features.grad = None
            loss(logits, labels, **more).backward()

    return calls


def seconds_of(call: Callable[[], None]) -> float:
    """Processor seconds of one call."""
    start = time.process_time()
    call()
    return time.process_time() - start


def main() -> None:
    """Measure and print."""
    parser = make_parser(__doc__)
    parser.add_argument('--turns', type=int, default=60, help='turns of all losses and a step')
    parser.add_argument('--batch-size', type=int, default=128, help='images of a step')
    parser.add_argument('--threads', type=int, default=1, help='threads of torch')
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    contenders = {name: calls_of(loss, args.batch_size) for name, loss in single_expert_losses().items()}
    contenders[STEP] = BareLoop(torch.device('cpu'), args.batch_size).step
    times: dict[str, list[float]] = {name: [] for name in contenders}
    order = random.Random(0)
    for turn in range(args.turns + 2):
        for name in order.sample(list(contenders), len(contenders)):
            seconds = seconds_of(contenders[name])
            if turn >= 2:  # the first are warm-up
                times[name].append(seconds if name == STEP else seconds / IN_A_ROW)
    medians = {name: statistics.median(values) for name, values in times.items()}
    step = medians.pop(STEP)
    shares = {name: statistics.median(
        (own - plain) / step for own, plain in zip(times[name], times[BASELINE])) for name in medians}
    print(f'a step of ResNet-32: {1e3 * step:.1f} ms, of which {BASELINE} {1e3 * medians[BASELINE]:.3f} ms')
    for name in sorted(shares, key=shares.get):
        print(f'{name:28s} {1e3 * medians[name]:7.3f} ms   {medians[name] / medians[BASELINE]:6.2f} x {BASELINE}'
              f'   {100 * shares[name]:+6.2f}% of the step')
    dearest = max(shares, key=shares.get)
    print(f'at most {100 * shares[dearest]:.2f}% of the step more than {BASELINE} ({dearest})')
    figures = {name: dict(milliseconds=round(1e3 * medians[name], 4),
                          ratio=round(medians[name] / medians[BASELINE], 3),
                          added_share_of_step=round(shares[name], 5)) for name in shares}
    write(args.out, dict(step_milliseconds=round(1e3 * step, 2), losses=figures, most=round(shares[dearest], 5),
                         dearest=dearest, batch_size=args.batch_size, turns=args.turns, threads=args.threads))


if __name__ == '__main__':
    main()
