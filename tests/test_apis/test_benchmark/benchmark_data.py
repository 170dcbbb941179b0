"""Records of runs as collect() gives them."""

from __future__ import annotations

from typing import Any

from ltkit.apis.benchmark.config import Benchmark, Method

BINS = dict(edges=[0.0, 0.5, 1.0], counts=[40, 60], confidence=[0.3, 0.8], accuracy=[0.25, 0.7])


def benchmark(**changes: Any) -> Benchmark:
    """ERM, ours and one that never ran, two seeds."""
    own = dict(name='bench', title='A & B <bench>', methods=tuple(Method(name, f'ltkit::{name}.py') for name in (
        'ERM', 'ours', 'never_ran')), baseline='ERM', imbalance_factors=(100, ), seeds=(0, 1), reference=True,
        reference_seeds=(0, 1), reference_options={}, cfg_options={}, published=(), notes='')
    return Benchmark(**{**own, **changes})


def record(method: str, seed: int, top1: float | None, role: str = 'method', **changes: Any) -> dict[str, Any]:
    """One run; unverified without ``top1``."""
    made = dict(method=method, config=f'ltkit::{method}.py', cfg_options={}, factor=100, seed=seed, role=role,
                config_hash='c' * 12, code_hash='d' * 8, status='unverified', other_code=False,
                work_dir='runs/x', log='runs/x/train.log', attempts=0, error=None)
    if top1 is not None:
        made.update(
            status='finished', metrics={'accuracy/top1': top1, 'accuracy/few': top1 / 2, 'calibration/nll': 1.5},
            per_class_accuracy=[top1, top1 / 2, None], thresholds='many > 60, few < 20',
            class_distribution=dict(counts=[100, 10, 1]), seconds=60.0 + seed, resumed=False, reliability=BINS,
            command=f'python tools/train.py {method}.py', commit='0123456789abcdef-dirty', device='a GPU')
    return {**made, **changes}


def records() -> list[dict[str, Any]]:
    """UA of ERM is 60, of ours max(60, 80) = 80."""
    return [record('ERM', 0, 40.0), record('ERM', 1, 44.0), record('ours', 0, 50.0), record('ours', 1, 52.0),
            record('ERM', 0, 59.0, 'reference'), record('ERM', 1, 61.0, 'reference'),
            record('ours', 0, 78.0, 'reference'), record('ours', 1, 82.0, 'reference'),
            *(record('never_ran', seed, None, role) for role in ('method', 'reference') for seed in (0, 1))]
