"""Configs that train in stages, each of which starts from an earlier one's weights."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mmengine.config import Config

from ltkit.utils.errors import ConfigError, did_you_mean, nearest

from .files import ConfigFile, read_files
from .loading import load_config
from .locate import Locator
from .names import Names, known_keys

KEYS = ('name', 'config', 'load_from', 'cfg_options')
BESIDE = {'stages', 'custom_imports'}  # what a config with stages may set


@dataclass
class Stage:
    """One of the runs of a config with stages.

    Attributes:
        name (str): Also of its folder, ``<work_dir>/<name>``.
        config (Config): Loaded and checked.
        load_from (str, optional): An earlier stage by name, or a checkpoint by path.
        source (Stage, optional): The earlier stage that ``load_from`` names.
        where (str): Its place in the file, for messages.
    """

    name: str
    config: Config
    load_from: str | None = None
    source: Stage | None = field(default=None, repr=False)
    where: str = ''


def has_stages(config: Mapping[str, Any]) -> bool:
    """Whether a config trains in stages."""
    return config.get('stages') is not None


def load_stages(path: str | os.PathLike, cfg_options: dict[str, Any] | None = None) -> list[Stage]:
    """Load the stages of a config, each checked as :func:`~.loading.load_config` does.

    ``config`` of a stage is a path from the folder of the file that states the
    stages, or ``package::path``.

    Args:
        path: The config file.
        cfg_options (dict, optional): Dotted key = value. A key that begins with
            the name of a stage is for that stage
            (``classifier.train_cfg.max_epochs``), any other for all of them.

    Returns:
        list[Stage]: In their order.

    Raises:
        ConfigError: One line with file, line and what would be right.
    """
    root = read_files(path)
    stated = load_config(path, check=False).get('stages')
    locator = Locator(root)
    file = next((file for file in root.chain() if 'stages' in Names(file).values), root)
    if not isinstance(stated, (list, tuple)) or not stated:
        raise ConfigError(f"{locator.where(('stages', ))}: stages is to be a list of dict(name=..., config=...), but "
                          f'is {stated!r}')
    for other in sorted({name for one in root.chain() for name in Names(one).values if not name.startswith('_')}):
        if other not in BESIDE:
            raise ConfigError(f'{locator.where((other, ))}: {other} has no effect beside stages; set it in the config '
                              "of a stage, or in its cfg_options=dict(...)")
    entries = [_entry(entry, number, locator) for number, entry in enumerate(stated)]
    names = [entry['name'] for entry in entries]
    options = _options_by_stage(cfg_options or {}, names)
    stages: list[Stage] = []
    for number, entry in enumerate(entries):
        where = locator.where(('stages', str(number)), entry['name'])
        if entry['name'] in names[:number]:
            raise ConfigError(f"{where}: there are two stages '{entry['name']}'; give each its own name")
        stages.append(_stage(entry, where, file, options[entry['name']], stages))
    return stages


def load_runs(path: str | os.PathLike, cfg_options: dict[str, Any] | None = None) -> list[Stage]:
    """The runs of any config: its stages, or the one run of a config without stages, whose name is ''.

    Args:
        path: The config file.
        cfg_options (dict, optional): Dotted key = value.
    """
    stated = any('stages' in Names(file).values for file in read_files(path).chain())
    if stated and has_stages(load_config(path, check=False)):
        return load_stages(path, cfg_options)
    return [Stage('', load_config(path, cfg_options))]


def stage_named(stages: list[Stage], name: str) -> Stage:
    """The stage of a name.

    Raises:
        ConfigError: There is none.
    """
    names = [stage.name for stage in stages]
    if name not in names:
        raise ConfigError(f"--stage {name}: there is no such stage{did_you_mean(name, names) or ''}; there are "
                          f"{', '.join(names)}")
    return stages[names.index(name)]


def _entry(entry: Any, number: int, locator: Locator) -> dict[str, Any]:
    where = locator.where(('stages', str(number)))
    if not isinstance(entry, Mapping):
        raise ConfigError(f'{where}: a stage is a dict(name=..., config=...), but this is {entry!r}')
    for key in entry:
        if key not in KEYS:
            raise ConfigError(f"{locator.where(('stages', str(number), str(key)))}: a stage has no key '{key}'"
                              f"{did_you_mean(str(key), KEYS) or '; it has ' + ', '.join(KEYS)}")
    for key in ('name', 'config'):
        if not isinstance(entry.get(key), str) or not entry[key]:
            raise ConfigError(f'{where}: a stage needs {key}, for example dict(name=\'representation\', '
                              "config='../erm/r32_cifar100_lt.py')")
    if not entry['name'].replace('_', '').replace('-', '').isalnum():
        raise ConfigError(f"{where}: the name of a stage is that of its folder, of letters, digits, - and _, but is "
                          f"'{entry['name']}'")
    if entry['name'] in known_keys():
        raise ConfigError(f"{where}: '{entry['name']}' is a key of every config, so that --cfg-options "
                          f"{entry['name']}.KEY=VALUE would have two meanings; give the stage another name")
    if not isinstance(entry.get('load_from', ''), (str, type(None))):
        raise ConfigError(f"{where}: load_from is the name of an earlier stage or the path of a checkpoint, but is "
                          f"{entry['load_from']!r}")
    if not isinstance(entry.get('cfg_options', {}), Mapping):
        raise ConfigError(f'{where}: cfg_options of a stage must be a dict of dotted keys')
    return dict(entry)


def _options_by_stage(options: Mapping[str, Any], names: list[str]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {name: {} for name in names}
    for key, value in options.items():
        first, _, rest = key.partition('.')
        if first in ('stages', *BESIDE):
            raise ConfigError(f'--cfg-options {key}: settings are those of the stages; write '
                              f'{names[-1]}.KEY=VALUE for one of them, KEY=VALUE for all')
        if rest and first not in names and first not in known_keys() and nearest(first, names):
            raise ConfigError(f"--cfg-options {key}: there is no stage '{first}'{did_you_mean(first, names)}")
        for name in [first] if first in names and rest else names:
            found[name][rest if first in names and rest else key] = value
    return found


def _stage(entry: dict[str, Any], where: str, file: ConfigFile, options: dict[str, Any], earlier: list[Stage]) -> Stage:
    path = entry['config'] if '::' in entry['config'] else str(Path(file.path).parent / entry['config'])
    try:
        config = load_config(path, {**entry.get('cfg_options', {}), **options})
    except ConfigError as error:
        raise ConfigError(f"stage '{entry['name']}' of {where}: {error}") from error
    if has_stages(config):
        raise ConfigError(f"{where}: the config of stage '{entry['name']}' has stages itself; list them here")
    load_from = entry.get('load_from')
    if load_from and config.get('load_from'):
        raise ConfigError(f"{where}: stage '{entry['name']}' has load_from twice, '{load_from}' here and "
                          f"'{config.load_from}' in its config or --cfg-options; take one of them out (another "
                          'checkpoint in place of the first stage: --stage1-checkpoint PATH)')
    source = next((stage for stage in earlier if stage.name == load_from), None)
    if load_from and source is None and not _is_path(load_from):
        names = [stage.name for stage in earlier]
        hint = did_you_mean(load_from, names) or (f"; before it there are {', '.join(names)}" if names else
                                                  '; it is the first one')
        raise ConfigError(f"{where}: load_from of stage '{entry['name']}' is '{load_from}', which is no earlier "
                          f'stage{hint}')
    return Stage(entry['name'], config, load_from, source, where)


def _is_path(text: str) -> bool:
    return '/' in text or text.endswith('.pth') or os.path.isfile(text)
