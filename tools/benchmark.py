#!/usr/bin/env python
"""Run a benchmark: methods x imbalance factors x seeds, with UA and RA, and write its report.

    python tools/benchmark.py configs/benchmarks/digits.py

See docs/benchmark.md.
"""

from __future__ import annotations

import sys
from pathlib import Path

from ltkit.utils.friendly import friendly_main


@friendly_main
def main() -> None:
    from ltkit.apis.benchmark import main as benchmark

    sys.exit(benchmark([sys.executable, str(Path(__file__).resolve().parent / 'train.py')]))


if __name__ == '__main__':
    main()
