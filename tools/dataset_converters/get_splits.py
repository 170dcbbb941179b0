"""Fetch the split lists that are too large to be shipped, and verify them.

    python tools/dataset_converters/get_splits.py imagenet_lt
    python tools/dataset_converters/get_splits.py all --out /path/to/data
"""

from __future__ import annotations

import argparse
import sys

from ltkit.datasets.split_lists import SPLIT_LISTS, fetch_list
from ltkit.utils.errors import LtkitError

LISTS = {entry.key: entry for entry in SPLIT_LISTS.values() if not entry.shipped}


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('names', nargs='+', choices=[*LISTS, 'all'], metavar='NAME',
                        help=f"what to fetch: {', '.join(LISTS)} or all")
    parser.add_argument('--out', default='data', help='folder to put the lists into (default: data)')
    parser.add_argument('--url', help='fetch from this URL instead (http, https or file), for one list')
    args = parser.parse_args(argv)
    if 'all' in args.names:
        args.names = list(LISTS)
    if args.url and len(args.names) > 1:
        parser.error('--url goes with one list')
    return args


def main(argv: list[str] | None = None) -> int:
    """Fetch what is asked for; 0 if all is there, else 2."""
    args = parse_args(argv)
    status = 0
    for name in args.names:
        entry = LISTS[name]
        try:
            path, fetched = fetch_list(entry, args.out, args.url)
        except LtkitError as error:
            print(f'error: {error}', file=sys.stderr)
            status = 2
        else:
            print(f"{path}: {'fetched' if fetched else 'already there'}, {entry.lines:,} lines, verified")
    return status


if __name__ == '__main__':
    sys.exit(main())
