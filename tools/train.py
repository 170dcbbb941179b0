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
    parser.add_argument('--stage', metavar='NAME', help='of a config with stages: train this one alone')
    parser.add_argument('--stage1-checkpoint', metavar='PATH',
                        help='of a config with stages: weights in place of training the first one')
    return parser.parse_args()


@friendly_main
def main() -> None:
    from ltkit.apis import configs_of, train, train_stages, use_amp, use_compile
    args = parse_args()
    stages = configs_of(args)
    refuse_misplaced(args, staged=bool(stages[0].name))
    for stage in stages:
        cfg = stage.config
        if args.seed is not None:
            cfg.randomness = dict(cfg.get('randomness', {}), seed=args.seed)
        if args.amp is not None:
            use_amp(cfg, args.amp or None)
        if args.compile:
            use_compile(cfg)
    if stages[0].name:
        train_stages(stages, cfg.work_dir, args.stage, args.stage1_checkpoint)
        return
    if args.resume is not None:
        cfg.resume = True
        cfg.load_from = None if args.resume == 'auto' else args.resume
    train(cfg)


def refuse_misplaced(args: argparse.Namespace, staged: bool) -> None:
    """Refuse options of a config with stages where there are none, and the other way round."""
    from ltkit.utils.errors import ConfigError
    if staged and args.resume is not None:
        raise ConfigError(f'{args.config} has stages, which go on where they stopped by themselves; leave '
                          '--resume out')
    for flag, value in (('--stage', args.stage), ('--stage1-checkpoint', args.stage1_checkpoint)):
        if value is not None and not staged:
            raise ConfigError(f'{flag} is for a config with stages, but {args.config} has none')


if __name__ == '__main__':
    main()
