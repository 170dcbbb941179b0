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
    return parser.parse_args()


@friendly_main
def main() -> None:
    from ltkit.apis import config_of, test
    args = parse_args()
    test(config_of(args), args.checkpoint)


if __name__ == '__main__':
    main()
