#!/usr/bin/env python
"""Evaluate a checkpoint on the test set of its config."""

from __future__ import annotations

import argparse

from ltkit.utils.friendly import friendly_main


def parse_args() -> argparse.Namespace:
    from ltkit.apis import add_run_arguments
    parser = argparse.ArgumentParser(description=__doc__)
    add_run_arguments(parser)
    parser.add_argument('checkpoint', help='checkpoint file')
    parser.add_argument('--posthoc', nargs='+', action='append', metavar='RULE',
                        help='a rule on the logits and its arguments, for example LogitAdjustment tau=1.0, in place of '
                        "the config's; given again, the next one")
    parser.add_argument('--sweep', metavar='KEY=VALUES',
                        help='values of an argument of the last rule, tau=0:2:0.25 (start:last:step) or tau=0.5,1,2; '
                        'the model is evaluated once')
    return parser.parse_args()


@friendly_main
def main() -> None:
    from ltkit.apis import config_of, parse_rule, parse_sweep, sweep_posthoc, sweep_table, test
    args = parse_args()
    argument, values = parse_sweep(args.sweep) if args.sweep else (None, [])
    if args.posthoc:
        rules = [parse_rule(words) for words in args.posthoc]
        if args.sweep:
            rules[-1].setdefault(argument, values[0])  # so that it is checked with the config
        args.cfg_options = {**(args.cfg_options or {}), 'model.head.posthoc': rules}
    cfg = config_of(args)
    if args.sweep:
        print(sweep_table(sweep_posthoc(cfg, args.checkpoint, argument, values)))
    else:
        test(cfg, args.checkpoint)


if __name__ == '__main__':
    main()
