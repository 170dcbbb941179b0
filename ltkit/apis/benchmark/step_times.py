"""What a training step of each method costs, measured against the baseline's in turns."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ltkit.config import load_runs
from ltkit.utils.errors import ConfigError
from ltkit.utils.provenance import provenance

from .config import Benchmark
from .runs import METHOD, Run
from .training_steps import training_steps
from .workplace import read_json, write_json

STEP_TIMES = 'step_times.json'
ROUNDS, ITERATIONS = 25, 5
Steps = Callable[[int], None]


def time_steps(
    benchmark: Benchmark, runs: Sequence[Run], names: Sequence[str], root: Path, rounds: int, iterations: int
) -> Path:
    """Time methods against the baseline, and write ``step_times.json`` after each.

    What the file has of other methods against the same baseline stays there: each
    method has its own provenance.

    Args:
        benchmark (Benchmark): Its config.
        runs (Sequence[Run]): Its runs; of the first one's seed and imbalance factor
            the steps are taken.
        names (Sequence[str]): Of the methods; the baseline is 1 by definition.
        root (Path): Folder of the benchmark.
        rounds (int): Turns of each method and the baseline.
        iterations (int): Training steps of a turn.

    Returns:
        Path: The file.

    Raises:
        ConfigError: There is no method to time, or one that cannot be timed.
    """
    of_one: dict[str, Run] = {}
    for run in runs:
        if run.role == METHOD and run.factor == runs[0].factor:
            of_one.setdefault(run.method, run)
    names = [name for name in of_one if name in names and name != benchmark.baseline]
    if not names:
        raise ConfigError(f"{benchmark.file}: there is no method to time against '{benchmark.baseline}'")
    path = root / STEP_TIMES
    root.mkdir(parents=True, exist_ok=True)
    content = read_json(path) or {}
    entries = content.get('methods', {}) if content.get('baseline') == benchmark.baseline else {}
    for i, name in enumerate(names):
        if of_one[name].source or len(load_runs(of_one[name].config, dict(of_one[name].options))) > 1:
            print(f'[{i + 1}/{len(names)}] {name}: trains in stages, of which there is no one time', flush=True)
            continue
        entry = _measured(benchmark, of_one[name], of_one[benchmark.baseline], rounds, iterations)
        entries[name] = entry
        write_json(path, dict(baseline=benchmark.baseline, methods=entries))
        low, high = entry['quartiles']
        print(f"[{i + 1}/{len(names)}] {name}: {entry['ratio']:.2f} x {benchmark.baseline} (quartiles {low:.2f} and "
              f"{high:.2f}), {1e3 * entry['seconds_per_iteration']:.1f} ms an iteration", flush=True)
    return path


def slowdowns(root: Path, baseline: str, runs: Sequence[Run]) -> dict[str, Mapping[str, Any]]:
    """What ``step_times.json`` has of the methods, as their configs are now; empty without it.

    Returns:
        dict: By the name of the method; the baseline's ``ratio`` is 1.
    """
    content = read_json(root / STEP_TIMES) or {}
    if content.get('baseline') != baseline:
        return {}
    present = {(run.method, run.config_hash) for run in runs}
    found = {
        name: entry
        for name, entry in content.get('methods', {}).items()
        if (name, entry['config_hash']) in present and (baseline, entry['baseline_config_hash']) in present
    }
    return {baseline: dict(ratio=1.0), **found} if found else {}


def alternate(
    steps: Sequence[Steps], rounds: int, iterations: int, clock: Callable[[], float] = time.perf_counter
) -> list[list[float]]:
    """Let two trainings take turns; who begins changes from round to round.

    A first round is warm-up.

    Returns:
        list: Of each training the seconds of its turns.
    """
    seconds: list[list[float]] = [[] for _ in steps]
    for turn in range(rounds + 1):
        order = list(zip(steps, seconds))
        for take, spent in order if turn % 2 else reversed(order):
            start = clock()
            take(iterations)
            spent.append(clock() - start)
    return [spent[1:] for spent in seconds]


def ratio_of(own: Sequence[float], baseline: Sequence[float]) -> dict[str, Any]:
    """The median over the rounds of what a method takes over the baseline's of the same round."""
    ratios = np.divide(own, baseline)
    low, median, high = np.percentile(ratios, (25, 50, 75)).round(4).tolist()
    return dict(ratio=median, quartiles=[low, high], range=[round(float(f(ratios)), 4) for f in (min, max)])


def _measured(benchmark: Benchmark, run: Run, baseline: Run, rounds: int, iterations: int) -> dict[str, Any]:
    with ExitStack() as stack:
        steps = [_begun(stack, benchmark, each, (rounds + 1) * iterations) for each in (run, baseline)]
        seconds, baseline_seconds = alternate(steps, rounds, iterations)
    return dict(
        **ratio_of(seconds, baseline_seconds),
        seconds_per_iteration=_per_iteration(seconds, iterations),
        baseline_seconds_per_iteration=_per_iteration(baseline_seconds, iterations),
        rounds=rounds,
        iterations=iterations,
        factor=run.factor,
        seed=run.seed,
        config=run.config,
        config_hash=run.config_hash,
        baseline_config_hash=baseline.config_hash,
        threads=torch.get_num_threads(),
        **provenance(),
    )


def _begun(stack: ExitStack, benchmark: Benchmark, run: Run, needed: int) -> Steps:
    config = load_runs(run.config, dict(run.options))[-1].config
    config.randomness = dict(config.get('randomness') or {}, seed=run.seed)
    try:
        return stack.enter_context(training_steps(config, needed))
    except ConfigError as error:
        raise ConfigError(f"{benchmark.file}: methods '{run.method}' cannot be timed: {error}") from error


def _per_iteration(seconds: Sequence[float], iterations: int) -> float:
    return round(float(np.median(seconds)) / iterations, 6)
