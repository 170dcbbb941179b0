"""The config of a benchmark: which methods, factors and seeds, and what to compare with."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import ltkit
from ltkit.config import load_config, read_files
from ltkit.config.files import shown
from ltkit.config.locate import Locator
from ltkit.config.numbers import LARGEST_SEED, is_seed
from ltkit.config.variables import check_top_level
from ltkit.utils.errors import ConfigError, did_you_mean

from .published import published_names

SHIPPED = Path(ltkit.__file__).parent / '.mim' / 'configs'
BALANCED = {'train_dataloader.dataset.balanced_reference': True}
FACTOR = 'train_dataloader.dataset.imbalance_factor'
METHOD_KEYS = ('name', 'config', 'cfg_options')
NEEDS_METHODS = "a benchmark needs methods, for example methods = {'ERM': 'erm/r8_digits_lt.py'}"


@dataclass(frozen=True)
class Method:
    """One row of the table.

    Attributes:
        name (str): As the table shows it, and as the published figures call it.
        config (str): A training config, as ``tools/train.py`` takes it.
        cfg_options (dict): Settings of this method alone, dotted key = value.
    """

    name: str
    config: str
    cfg_options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Benchmark:
    """A benchmark config, checked; docs/benchmark.md explains each key.

    Attributes:
        name (str): Stem of the file.
        title (str): Heading of the report.
        methods (tuple[Method]): The rows, in order.
        baseline (str): The method of plain cross-entropy: the other methods are
            compared with it, and its backbone gives A_v.
        imbalance_factors (tuple): Factors to run; ``(None, )`` for the configs' own.
        seeds (tuple[int]): A run each.
        reference (bool): Whether to run on the balanced set, for UA and RA.
        reference_seeds (tuple[int]): Seeds of the runs on the balanced set.
        reference_options (dict): What makes a training set the balanced one.
        cfg_options (dict): Settings of all runs, dotted key = value.
        published (tuple[str]): Sets of published figures to compare with.
        notes (str): What a reader of the report must know.
        file (str): The file, as error messages name it.
    """

    name: str
    title: str
    methods: tuple[Method, ...]
    baseline: str
    imbalance_factors: tuple[float | None, ...]
    seeds: tuple[int, ...]
    reference: bool
    reference_seeds: tuple[int, ...]
    reference_options: dict[str, Any]
    cfg_options: dict[str, Any]
    published: tuple[str, ...]
    notes: str
    file: str = ''


KEYS = set(Benchmark.__dataclass_fields__) - {'name', 'file'}


def load_benchmark(path: str | os.PathLike) -> Benchmark:
    """Read and check a benchmark config.

    Args:
        path: A Python config; ``_base_`` works as in training configs.

    Raises:
        ConfigError: One line with file, line, key and what would be right.
    """
    root = read_files(path)
    locator = Locator(root)
    content = load_config(root.path, check=False).to_dict()
    if 'model' in content and 'methods' not in content:
        raise ConfigError(f'{root.at()} is a training config, for tools/train.py; {NEEDS_METHODS}')
    check_top_level(root, KEYS)
    content = {key: value for key, value in content.items() if key in KEYS}

    def fail(key: str, what: str, *below: str) -> ConfigError:
        return ConfigError(f'{locator.where((key, *below))}: {key} {what}')

    if not content.get('methods'):
        raise ConfigError(f'{root.at()}: {NEEDS_METHODS}')
    methods = _methods(content['methods'], root.path.parent, fail)
    names = [method.name for method in methods]
    baseline = content.get('baseline', names[0])
    if baseline not in names:
        raise fail(
            'baseline',
            f"is '{baseline}', which is none of the methods"
            f'{did_you_mean(str(baseline), names) or " (" + ", ".join(names) + ")"}',
        )
    seeds = _whole_numbers('seeds', content.get('seeds', [0]), fail)
    published = content.get('published', [])
    published = [published] if isinstance(published, str) else published
    for name in published if isinstance(published, (list, tuple)) else [published]:
        if name not in published_names():
            raise fail(
                'published',
                f"has '{name}', of which there are no figures"
                f'{did_you_mean(str(name), published_names()) or "; known: " + ", ".join(published_names())}',
            )
    for key in ('reference_options', 'cfg_options'):
        if not isinstance(content.get(key, {}), dict):
            raise fail(key, 'must be a dict of dotted keys')
    if not content.get('reference_options', BALANCED):
        raise fail('reference_options', 'is empty, so no set would be balanced; for no such runs: reference = False')
    if not isinstance(content.get('reference', True), bool):
        raise fail('reference', f'must be True or False, but is {content["reference"]!r}')
    return Benchmark(
        name=root.path.stem,
        title=' '.join(str(content.get('title', root.path.stem)).split()),
        methods=methods,
        baseline=baseline,
        imbalance_factors=_factors(content.get('imbalance_factors'), fail),
        seeds=seeds,
        reference=content.get('reference', True),
        reference_seeds=_whole_numbers('reference_seeds', content.get('reference_seeds', seeds), fail),
        reference_options=dict(content.get('reference_options', BALANCED)),
        cfg_options=dict(content.get('cfg_options', {})),
        published=tuple(published),
        notes=' '.join(str(content.get('notes', '')).split()),
        file=root.at(),
    )


def _methods(value: Any, folder: Path, fail: Any) -> tuple[Method, ...]:
    """Methods of a dict name = config (or settings), or of a list of dicts."""
    if isinstance(value, Mapping):
        entries = [
            dict(entry, name=name) if isinstance(entry, Mapping) else dict(name=name, config=entry)
            for name, entry in value.items()
        ]
    elif isinstance(value, Sequence) and not isinstance(value, str):
        entries = list(value)
    else:
        raise fail('methods', 'must be a dict of name = config, or a list of dict(name=..., config=...)')
    places = [str(key) for key in value] if isinstance(value, Mapping) else [str(i) for i in range(len(entries))]
    methods: list[Method] = []
    for entry, place in zip(entries, places):
        if not isinstance(entry, Mapping):
            raise fail('methods', f'has {entry!r}, which is no dict(name=..., config=...)', place)
        for key in entry:
            if key not in METHOD_KEYS:
                raise fail(
                    'methods',
                    f"has a method with the unknown key '{key}'"
                    f'{did_you_mean(str(key), METHOD_KEYS) or "; known: " + ", ".join(METHOD_KEYS)}',
                    place,
                    str(key),
                )
        for key in ('name', 'config'):
            if not isinstance(entry.get(key), str) or not entry[key]:
                raise fail('methods', f'has a method without {key} ({dict(entry)})', place)
        if not isinstance(entry.get('cfg_options', {}), Mapping):
            raise fail('methods', f"cfg_options of '{entry['name']}' must be a dict of dotted keys", place)
        if entry['name'] in [method.name for method in methods]:
            raise fail('methods', f"has '{entry['name']}' twice; give each its own name", place)
        methods.append(Method(entry['name'], entry['config'], dict(entry.get('cfg_options', {}))))
    return tuple(
        replace(method, config=_config(method, folder, place, fail)) for method, place in zip(methods, places)
    )


def _config(method: Method, folder: Path, place: str, fail: Any) -> str:
    """A config beside the benchmark's file if there is one, else one of ltkit's configs."""
    name = method.config
    if '::' in name or os.path.isabs(name):
        return name
    if (folder / name).is_file():
        return str(folder / name)
    if not (SHIPPED / name).is_file():
        there = [path.relative_to(SHIPPED).as_posix() for path in SHIPPED.glob('[!_]*/*.py')]
        there += [path.name for path in folder.glob('*.py')]
        raise fail(
            'methods',
            f"'{method.name}': there is no config '{name}' in {shown(folder)} nor among ltkit's"
            f'{did_you_mean(name, there)}',
            place,
        )
    return f'ltkit::{name}'


def _whole_numbers(key: str, value: Any, fail: Any) -> tuple[int, ...]:
    value = [value] if isinstance(value, int) else value
    if not isinstance(value, (list, tuple)) or not value or not all(map(is_seed, value)):
        raise fail(key, f'must be whole numbers from 0 to {LARGEST_SEED} such as [0, 1, 2], but is {value!r}')
    if len(set(value)) < len(value):
        raise fail(key, f'names a seed twice: {list(value)}')
    return tuple(value)


def _factors(value: Any, fail: Any) -> tuple[float | None, ...]:
    if value is None:
        return (None,)
    value = [value] if isinstance(value, (int, float)) else value
    if (
        not isinstance(value, (list, tuple))
        or not value
        or not all(
            isinstance(item, (int, float)) and not isinstance(item, bool) and 1 <= item < math.inf
            for item in value
        )
    ):
        raise fail(
            'imbalance_factors', f'must be numbers of at least 1 such as [100, 50, 10], but is {value!r}'
        )
    if len(set(value)) < len(value):
        raise fail('imbalance_factors', f'names a factor twice: {list(value)}')
    return tuple(value)
