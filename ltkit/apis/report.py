"""The table at the end of a run."""

from __future__ import annotations

from typing import Any

from ltkit.visualization.table import TITLES


def final_table(results: dict[str, Any]) -> str:
    """The metrics of one run as a table of two lines and a caption.

    Args:
        results (dict): What ``ResultsHook`` keeps.
    """
    metrics = {key.rsplit('/', 1)[-1]: value for key, value in results['metrics'].items()
               if isinstance(value, (int, float)) and key not in ('data_time', 'time')}
    names = [name for name in TITLES if name in metrics]
    names += [name for name in metrics if name not in TITLES]
    heads = [TITLES.get(name, name) for name in names]
    cells = [f'{metrics[name]:.2f}' for name in names]
    widths = [max(len(head), len(cell)) for head, cell in zip(heads, cells)]
    lines = ['  '.join(text.rjust(width) for text, width in zip(row, widths)) for row in (heads, cells)]
    facts = [f"{results.get('split', '')} set after {results.get('epoch', '?')} epochs"]
    if 'thresholds' in results:
        facts.append(results['thresholds'])
    if 'seconds' in results:
        facts.append(f"trained in {results['seconds']:.1f} s")
    return '\n'.join([*lines, '; '.join(facts)])
