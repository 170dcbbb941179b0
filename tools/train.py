#!/usr/bin/env python
"""Train a model by its config."""

from __future__ import annotations

import argparse

from ltkit.utils.friendly import friendly_main


def parse_args() -> argparse.Namespace:
    from ltkit.apis import add_run_arguments, seed_number
    parser = argparse.ArgumentParser(description=__doc__)
    add_run_arguments(parser)
    parser.add_argument('--resume', nargs='?', const='auto', metavar='PATH',
                        help='continue from PATH, or from the newest checkpoint of the work folder')
    parser.add_argument('--amp', nargs='?', const='', choices=['', 'fp16', 'bf16'], metavar='fp16|bf16',
                        help='mixed precision (default: fp16 on a GPU, bf16 on the CPU)')
    parser.add_argument('--compile', action='store_true',
                        help='torch.compile the training step (options: --cfg-options compile.backend=...)')
    parser.add_argument('--seed', type=seed_number, help='random seed (default: the config\'s, which is 0)')
    return parser.parse_args()


@friendly_main
def main() -> None:
    from ltkit.apis import config_of, train, use_amp, use_compile
    args = parse_args()
    cfg = config_of(args)
    if args.seed is not None:
        cfg.randomness = dict(cfg.get('randomness', {}), seed=args.seed)
    if args.amp is not None:
        use_amp(cfg, args.amp or None)
    if args.compile:
        use_compile(cfg)
    if args.resume is not None:
        cfg.resume = True
        cfg.load_from = None if args.resume == 'auto' else args.resume
    train(cfg)


if __name__ == '__main__':
    main()
