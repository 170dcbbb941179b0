#!/usr/bin/env python
"""Print a config as a run would see it, after all checks."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
if (ROOT / 'ltkit').is_dir():
    sys.path.insert(0, str(ROOT))

from ltkit.apis import KeyValues  # noqa: E402
from ltkit.config import implied_prior_warnings, load_runs  # noqa: E402
from ltkit.utils.friendly import friendly_main  # noqa: E402


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='a config file')
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=KeyValues,
        metavar='KEY=VALUE',
        help='settings that take precedence over the file, such as model.head.loss.type=SoftmaxLoss',
    )
    return parser.parse_args()


@friendly_main
def main() -> None:
    args = parse_args()
    for stage in load_runs(args.config, args.cfg_options):
        for warning in implied_prior_warnings(stage.config):
            print(f'warning: {warning}', file=sys.stderr)
        if stage.name:
            print(f"# stage '{stage.name}'" + (f", from '{stage.load_from}'" if stage.load_from else ''))
        print(stage.config.pretty_text, end='')


if __name__ == '__main__':
    main()
