"""What the runs of a benchmark left, as data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from .runs import Run
from .workplace import RESULTS, RunFolder, read_json

KEPT = (
    'metrics',
    'per_class_accuracy',
    'class_distribution',
    'thresholds',
    'split',
    'epoch',
    'selected_on',
    'seconds',
    'resumed',
    'command',
    'commit',
    'device',
    'processes',
    'ltkit',
    'torch',
    'python',
)


def collect(runs: Sequence[Run], folder_of: Callable[[Run], Path], root: Path) -> list[dict[str, Any]]:
    """One record for each run, finished or not; paths below ``root`` are relative to it.

    Where a run was not made with the present code, the newest one of the same
    config and seed with other code is taken, and ``other_code`` says so. One that
    failed with the present code has failed.

    Returns:
        list[dict]: ``status`` is ``'finished'``, ``'failed'`` (see ``error``),
        ``'running'``, ``'interrupted'`` or ``'unverified'`` (never started).
    """
    return [_record(run, folder_of(run), root) for run in runs]


def _record(run: Run, path: Path, root: Path) -> dict[str, Any]:
    folder, other_code = RunFolder(path), False
    results, state = folder.results(), folder.state()
    if results is None and state.get('status') != 'failed':
        older = _other_code(run, path)
        if older is not None:
            folder, other_code = RunFolder(older), True
            results, state = folder.results(), folder.state()
    status = 'finished' if results is not None else state.get('status', 'unverified')
    if status == 'running' and not folder.busy:
        status = 'interrupted'  # whoever noted it was killed
    record: dict[str, Any] = dict(
        method=run.method,
        config=run.config,
        **({} if run.source is None else dict(begins_from=run.source.config)),
        cfg_options=dict(run.options),
        factor=run.factor,
        seed=run.seed,
        role=run.role,
        config_hash=run.config_hash,
        code_hash=folder.path.name.rpartition('-')[2] if results is not None else run.code_hash,
        status='unverified' if status == 'finished' and results is None else status,
        other_code=other_code,
        work_dir=_shown(folder.path, root),
        log=_shown(folder.log, root),
        attempts=state.get('attempts', 0),
        error=state.get('error') if results is None else None,
    )
    if results is not None:
        record.update({key: results[key] for key in KEPT if key in results})
        record['reliability'] = reliability_bins(results)
    return record


def _shown(path: Path, root: Path) -> str:
    return str(path.relative_to(root) if path.is_relative_to(root) else path)


def _other_code(run: Run, path: Path) -> Path | None:
    """The newest finished run of the same config and seed."""
    others = [
        other.parent
        for other in path.parent.glob(f'{run.config_hash}-*/{RESULTS}')
        if read_json(other, needed='metrics')
    ]
    return max(others, key=lambda other: (other / RESULTS).stat().st_mtime, default=None)


def reliability_bins(results: dict[str, Any]) -> dict[str, list] | None:
    """The bins of all samples, where the run has measured ``Calibration``."""
    for details in (results.get('details') or {}).values():
        if 'all' in (details.get('bins') or {}):
            return details['bins']['all']
    return None
