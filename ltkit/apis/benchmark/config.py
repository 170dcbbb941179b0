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
STAGE_KEYS = ('name', 'config', 'cfg_options')
METHOD_KEYS = (*STAGE_KEYS, 'second_stages')
NEEDS_METHODS = "a benchmark needs methods, for example methods = {'ERM': 'erm/r8_digits_lt.py'}"


@dataclass(frozen=True)
class Method:
    """One row of the table.

    Attributes:
        name (str): As the table shows it, and as the published figures call it.
        config (str): A training config, as ``tools/train.py`` takes it.
        cfg_options (dict): Settings of this method alone, dotted key = value.
        first (str, optional): The method from whose weights it begins, where it is a second stage.
        stage (str, optional): Name of that second stage.
    """

    name: str
    config: str
    cfg_options: dict[str, Any] = field(default_factory=dict)
    first: str | None = None
    stage: str | None = None


@dataclass(frozen=True)
class Benchmark:
    """A benchmark config, checked; docs/benchmark.md explains each key.

    Attributes:
        name (str): Stem of the file.
        title (str): Heading of the report.
        methods (tuple[Method]): The rows, in order, each followed by its second stages.
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


KEYS = {*Benchmark.__dataclass_fields__, 'second_stages'} - {'name', 'file'}


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
    methods = _methods(content['methods'], content.get('second_stages'), root.path.parent, fail)
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


def _methods(value: Any, stages: Any, folder: Path, fail: Any) -> tuple[Method, ...]:
    """The methods, each followed by its second stages."""
    common = {} if stages is None else {
        entry['name']: entry for _, entry in _entries('second_stages', stages, STAGE_KEYS, fail)}
    found: list[Method] = []
    for place, entry in _entries('methods', value, METHOD_KEYS, fail):
        own = entry.get('second_stages', {})
        if not isinstance(own, Mapping):
            raise fail('methods', f"second_stages of '{entry['name']}' must be a dict of name = config", place)
        found.append(_method(entry, folder, fail, 'methods', place))
        for name in own:
            if name not in common:
                raise fail(
                    'methods',
                    f"'{entry['name']}' has a second stage '{name}', which is none of second_stages"
                    f'{did_you_mean(str(name), list(common)) or " (" + ", ".join(common) + ")"}',
                    place,
                )
        for name, stage in common.items():
            changed = own.get(name, {})
            if changed is None:
                continue  # this method has no such second stage
            changed = changed if isinstance(changed, Mapping) else dict(config=changed)
            [(_, stage)] = _entries('second_stages', {name: {**stage, **changed}}, STAGE_KEYS, fail)
            stage = {**stage, 'name': f"{entry['name']} + {name}"}
            made = _method(stage, folder, fail, *(('methods', place) if changed else ('second_stages', name)))
            found.append(replace(made, first=entry['name'], stage=name))
    for name in [method.name for method in found]:
        if sum(method.name == name for method in found) > 1:
            raise fail('methods', f"has '{name}' twice; give each its own name")
    return tuple(found)


def _entries(key: str, value: Any, known: Sequence[str], fail: Any) -> list[tuple[str, dict[str, Any]]]:
    """Place and settings of each entry of a dict name = config (or settings), or of a list of dicts."""
    what = key.removesuffix('s').replace('_', ' ')
    if isinstance(value, Mapping):
        entries = {
            str(name): dict(entry, name=name) if isinstance(entry, Mapping) else dict(name=name, config=entry)
            for name, entry in value.items()
        }
    elif isinstance(value, Sequence) and not isinstance(value, str):
        entries = {str(i): entry for i, entry in enumerate(value)}
    else:
        raise fail(key, 'must be a dict of name = config, or a list of dict(name=..., config=...)')
    names = []
    for place, entry in entries.items():
        if not isinstance(entry, Mapping):
            raise fail(key, f'has {entry!r}, which is no dict(name=..., config=...)', place)
        for each in entry:
            if each not in known:
                raise fail(
                    key,
                    f"has a {what} with the unknown key '{each}'"
                    f'{did_you_mean(str(each), known) or "; known: " + ", ".join(known)}',
                    place,
                    str(each),
                )
        for each in ('name', 'config'):
            if not isinstance(entry.get(each), str) or not entry[each]:
                raise fail(key, f'has a {what} without {each} ({dict(entry)})', place)
        if not isinstance(entry.get('cfg_options', {}), Mapping):
            raise fail(key, f"cfg_options of '{entry['name']}' must be a dict of dotted keys", place)
        if entry['name'] in names:
            raise fail(key, f"has '{entry['name']}' twice; give each its own name", place)
        names.append(entry['name'])
    return list(entries.items())


def _method(entry: Mapping[str, Any], folder: Path, fail: Any, key: str, place: str) -> Method:
    made = Method(entry['name'], entry['config'], dict(entry.get('cfg_options', {})))
    return replace(made, config=_config(made, folder, fail, key, place))


def _config(method: Method, folder: Path, fail: Any, key: str, place: str) -> str:
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
            key,
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
