"""What all benchmarks share: the option ``--out`` and the file that it writes."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Any

from ltkit.utils.provenance import provenance


def make_parser(description: str) -> argparse.ArgumentParser:
    """A parser with ``--out``; the first line of ``description`` is shown."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument('--out', help='JSON file for the figures')
    return parser


def write(path: str | None, figures: dict[str, Any]) -> None:
    """Write the figures and what made them, if there is a path.

    ``load`` is the average load of the last minute: how busy the machine was, this process included.
    """
    if path is not None:
        made = dict(provenance(), cores=os.cpu_count(), load=round(os.getloadavg()[0], 2))
        Path(path).write_text(json.dumps({**figures, 'made': made}, indent=1) + '\n', encoding='utf-8')
