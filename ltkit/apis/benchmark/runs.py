"""The runs of a benchmark: what each is, and the key under which it is kept."""

from __future__ import annotations

import ast
import hashlib
import json
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import ltkit
from ltkit.apis.arguments import option_value
from ltkit.config import load_runs
from ltkit.config.effect import with_effect
from ltkit.engine.data import has_test_set_of_its_own
from ltkit.utils.errors import ConfigError, did_you_mean

from .config import FACTOR, Benchmark, Method

METHOD, REFERENCE = 'method', 'reference'
# Code that a training run does not execute.
NOT_IN_A_RUN = ('apis/benchmark/', 'visualization/', 'testing/')


@dataclass(frozen=True)
class Run:
    """One training run.

    Attributes:
        method (str): Name of the method.
        config (str): Its training config.
        options (dict): ``--cfg-options``.
        factor (float, optional): Imbalance factor; None for the config's own.
        seed (int): Random seed.
        role (str): ``'method'`` on the long-tailed set, ``'reference'`` on the balanced one.
        config_hash (str): Of the resolved config with its seed.
        code_hash (str): Of the code that a run executes.
        source (Run, optional): The run from whose weights a second stage begins.
    """

    method: str
    config: str
    options: Mapping[str, Any]
    factor: float | None
    seed: int
    role: str
    config_hash: str
    code_hash: str
    source: Run | None = None

    @property
    def key(self) -> str:
        """Names the settings and the code of the run."""
        return f'{self.config_hash}-{self.code_hash}'

    @property
    def identity(self) -> str:
        """Two runs with one identity are the same run."""
        return f'{self.role}/{self.folder}'

    @property
    def folder(self) -> str:
        """Where it lies below the folder of the runs of its role."""
        configs = [run.config for run in (self.source, self) if run is not None]
        paths = [Path(config.split('::')[-1]) for config in configs]
        name = '_then_'.join(re.sub(r'[^\w.-]+', '_', f'{path.parent.name}_{path.stem}'.strip('_')) for path in paths)
        own = 'config' if self.factor is None else f'if{self.factor:g}'
        return f'{name}/{own}/seed{self.seed}/{self.key}'

    @property
    def label(self) -> str:
        """For people."""
        parts = [self.method] + ([] if self.factor is None else [f'IF {self.factor:g}'])
        parts += [f'seed {self.seed}'] + (['balanced'] if self.role == REFERENCE else [])
        return ', '.join(parts)

    def arguments(self, work_dir: str, resume: bool, checkpoint: str | None = None) -> list[str]:
        """What follows the training command.

        Args:
            work_dir (str): Its folder.
            resume (bool): Whether to go on from a checkpoint there.
            checkpoint (str, optional): That of ``source``, for a second stage.
        """
        options = {**self.options, **({} if checkpoint is None else dict(load_from=checkpoint, hand_over=True))}
        given = [self.config, '--work-dir', work_dir, '--seed', str(self.seed)]
        given += ['--resume'] if resume else []
        if options:
            given += [
                '--cfg-options',
                *(f'{key}={as_argument(key, value)}' for key, value in options.items()),
            ]
        return given


def plan(benchmark: Benchmark, seeds: Sequence[int] | None = None, reference: bool = True) -> list[Run]:
    """All runs of a benchmark, each config loaded and checked.

    Args:
        benchmark (Benchmark): Of :func:`~.config.load_benchmark`.
        seeds (Sequence[int], optional): In place of the benchmark's, for the
            runs on the balanced set as well.
        reference (bool): Whether to run on the balanced set.

    Returns:
        list[Run]: In the order of the seeds, so that a part of them says something
        of all methods.

    Raises:
        ConfigError: A config is wrong.
    """
    by_role = {METHOD: tuple(seeds or benchmark.seeds)}
    if benchmark.reference and reference:
        by_role[REFERENCE] = tuple(seeds or benchmark.reference_seeds)
    runs = []
    known: dict[str, dict[str, Any]] = {}  # resolved configs: a second stage is that of many methods
    for factor in benchmark.imbalance_factors:
        for role, own_seeds in by_role.items():
            modules: dict[str, set[str]] = {}
            made: dict[tuple[str, int], Run] = {}
            for method in benchmark.methods:
                options = {**benchmark.cfg_options, **method.cfg_options}
                options.update({} if factor is None else {FACTOR: factor})
                options.update(benchmark.reference_options if role == REFERENCE else {})
                settings = f'{method.config} {options!r}'
                resolved = known.get(settings) or _resolved(benchmark, method, options)
                known[settings] = resolved
                if 'val_evaluator' in options and has_test_set_of_its_own(resolved):
                    options.setdefault('test_evaluator', options['val_evaluator'])
                    resolved = _resolved(benchmark, method, options)
                modules[method.name] = {*modules_of(resolved), *modules.get(method.first or '', ())}
                code = code_hash(tuple(sorted(modules[method.name])))
                for seed in own_seeds:
                    source = made[method.first, seed] if method.first else None
                    whole = resolved if source is None else {**resolved, 'begins_from': source.config_hash}
                    made[method.name, seed] = Run(
                        method.name,
                        method.config,
                        options,
                        factor,
                        seed,
                        role,
                        config_hash(whole, seed),
                        code,
                        source,
                    )
            runs += made.values()
    order = {
        seed: i for i, seed in enumerate(dict.fromkeys(seed for own in by_role.values() for seed in own))
    }
    return sorted(runs, key=lambda run: order[run.seed])


def _resolved(benchmark: Benchmark, method: Method, options: Mapping[str, Any]) -> dict[str, Any]:
    """The config of a run; what is wrong in it is told with the file and the method that ask for it."""
    try:
        for key, value in options.items():
            as_argument(key, value)
        *earlier, last = load_runs(method.config, dict(options))
    except ConfigError as error:
        text = str(error).replace('--cfg-options ', 'cfg_options ')
        raise ConfigError(f"{benchmark.file}: methods '{method.name}': {text}") from error
    resolved = last.config.to_dict()
    if last.name:  # the stages before, and what each begins from, are of the run too
        resolved['stages'] = [dict(name=stage.name, load_from=stage.load_from, config=stage.config.to_dict())
                              for stage in earlier] + [dict(name=last.name, load_from=last.load_from)]
    return resolved


def only_methods(benchmark: Benchmark, runs: Sequence[Run], names: Sequence[str]) -> list[Run]:
    """The runs of some methods, those that they begin from, and the baseline's on the balanced set, for their UA.

    Raises:
        ConfigError: The benchmark has no such method.
    """
    known = [method.name for method in benchmark.methods]
    for name in names:
        if name not in known:
            hint = did_you_mean(name, known) or f'; it has {", ".join(known)}'
            raise ConfigError(f'--only {name}: the benchmark has no such method{hint}')
    needed = {*names, *(run.source.method for run in runs if run.source is not None and run.method in names)}
    return [
        run
        for run in runs
        if run.method in needed or (run.role == REFERENCE and run.method == benchmark.baseline)
    ]


def config_hash(config: Mapping[str, Any], seed: int) -> str:
    """12 hex digits of a resolved config and its seed; what has no effect on the result is left out."""
    config = {**config, 'randomness': {**(config.get('randomness') or {}), 'seed': seed}}
    text = json.dumps(with_effect(config), sort_keys=True, default=repr)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def modules_of(config: Mapping[str, Any]) -> tuple[str, ...]:
    """The packages and modules that a config adds to ltkit by ``custom_imports``."""
    imports = (config.get('custom_imports') or {}).get('imports') or []
    imports = [imports] if isinstance(imports, str) else imports
    return tuple(sorted({name.split('.')[0] for name in imports} - {'ltkit'}))


@lru_cache
def code_hash(modules: tuple[str, ...] = ()) -> str:
    """8 hex digits of the code that a training run executes.

    Comments, doc strings and layout do not count, and neither do plots and the
    benchmark itself, so that they can change while runs stay valid.

    Args:
        modules (tuple[str]): Imported packages and modules that count beside ltkit.
    """
    root = Path(ltkit.__file__).resolve().parent
    digest = hashlib.sha256()
    files = [(file, file.relative_to(root).as_posix()) for file in sorted(root.rglob('*.py'))]
    files = [(file, name) for file, name in files if not name.startswith(NOT_IN_A_RUN)]
    for module in modules:
        own = sys.modules.get(module)
        for folder in map(Path, getattr(own, '__path__', ())):
            files += [(file, f'{module}:{file.relative_to(folder)}') for file in sorted(folder.rglob('*.py'))]
        if own is not None and not hasattr(own, '__path__') and own.__file__:
            files.append((Path(own.__file__), module))
    for file, name in files:
        digest.update(name.encode())
        digest.update(code_of(file.read_text(encoding='utf-8')).encode())
    return digest.hexdigest()[:8]


def code_of(source: str) -> str:
    """The code of a file without comments, layout and doc strings."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            first = node.body[0] if node.body else None
            if (
                isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and isinstance(first.value.value, str)
            ):
                node.body[0] = ast.Pass()
    return ast.dump(tree)


def as_argument(key: str, value: Any) -> str:
    """A value as ``--cfg-options`` reads it back.

    Raises:
        ConfigError: It cannot be said on a command line.
    """
    if isinstance(value, (dict, list, tuple)):
        text = json.dumps(value, default=repr)
        if not text.startswith(('{', '[{')):
            text = str(value).replace(' ', '').replace("'", '')
    else:
        text = str(value)
    if option_value(text) != value:
        raise ConfigError(
            f'cfg_options {key}: {value!r} cannot be given on a command line (numbers, words, dicts and lists '
            "can); write a config that inherits from the method's and name that one"
        )
    return text
