"""Configs, loaded and checked before anything is built."""

from __future__ import annotations

import copy
import os
import re
import traceback
from typing import Any

from mmengine.config import Config

from ltkit.utils.errors import ConfigError, LtkitError

from .files import ConfigFile, read_files
from .locate import Locator
from .lookup import find_part, not_registered
from .names import Names, known_keys
from .numbers import check_numbers
from .parts import PartChecker
from .plugins import import_plugins
from .schedules import check_schedules
from .variables import check_top_level


def load_config(
    path: str | os.PathLike, cfg_options: dict[str, Any] | None = None, check: bool = True
) -> Config:
    """Load a config, import its plugins and check it.

    Args:
        path: The config file.
        cfg_options (dict, optional): Dotted key = value, as mmengine's
            ``DictAction`` gives them; they take precedence over the file.
        check (bool): Whether to check keys, variables, registered names and
            arguments. The config then holds effective keys alone: the
            variables of its files are dropped, so that what a run dumps loads
            again. Defaults to True.

    Returns:
        Config: The resolved config.

    Raises:
        ConfigError: One line with file, line (or option), key and what would be right.
    """
    root = read_files(path)
    config = _execute(root)
    before = config._cfg_dict
    options = copy.deepcopy(dict(cfg_options or {}))  # mmengine takes out each _delete_
    _merge(config, options)
    _drop_delete_marks(config._cfg_dict)
    locator = Locator(root, options, before)
    import_plugins(config.get('custom_imports'), locator)
    if check:
        known = _known(config, locator)
        check_top_level(root, known, options)
        PartChecker(config._cfg_dict, locator).check()
        check_numbers(config._cfg_dict, locator)
        check_schedules(config._cfg_dict, locator)
        for key in [key for key in config if key not in known]:
            config._cfg_dict.pop(key)
    return config


def check_config(config: Config) -> None:
    """Check a config that was made or loaded by other means.

    Args:
        config (Config): Its file, where it has one, is read for the lines to name.

    Raises:
        ConfigError: As :func:`load_config`.
    """
    root = read_files(config.filename) if config.filename else None
    locator = Locator(root)
    known = _known(config, locator)
    if root is not None:
        check_top_level(root, known)
    PartChecker(config._cfg_dict, locator).check()
    check_numbers(config._cfg_dict, locator)
    check_schedules(config._cfg_dict, locator)


def _known(config: Config, locator: Locator) -> set[str]:
    """The legal top-level keys, those of the config's own runner included."""
    runner = config.get('runner_type')
    if isinstance(runner, str):
        scope = config.get('default_scope') or 'ltkit'
        found = find_part(runner, 'RUNNERS', scope)
        if found is None:
            raise ConfigError(
                f'{locator.where(("runner_type",))}: {not_registered(runner, "RUNNERS", scope)}'
            )
        runner = found
    return known_keys(runner)


def _execute(root: ConfigFile) -> Config:
    try:
        return Config.fromfile(str(root.path), import_custom_modules=False)
    except LtkitError:
        raise
    except Exception as error:
        raise ConfigError(_explain(error, root)) from error


def _explain(error: Exception, root: ConfigFile) -> str:
    """Say in one line, with its place, why mmengine could not load a config."""
    files = list(root.chain())
    text = ' '.join(str(error).split())
    locator = Locator(root)
    duplicates = re.findall(r"'(\w+)'", text) if 'Duplicate key is not allowed' in text else []
    if duplicates:
        key = sorted(duplicates)[0]
        places = [file.at(names.values[key]) for file in files if key in (names := Names(file)).values]
        return (
            f"{root.at()}: the bases {' and '.join(places)} both set '{key}'; set it in one of them, or let "
            'one inherit from the other'
        )
    if 'cannot inherit from base' in text:
        key = text.split('=', 1)[0]
        return (
            f"{locator.where((key,))}: '{key}' is a dict here but not in the base; give it _delete_=True to "
            'replace what the base has'
        )
    if isinstance(error, KeyError) and 'os.environ' in text:
        return f'{root.at()}: {text.strip(chr(34))}'
    paths = {str(file.path): file for file in files}
    frames = [f for f in traceback.extract_tb(error.__traceback__) if os.path.abspath(f.filename) in paths]
    if frames:
        place = paths[os.path.abspath(frames[-1].filename)].at(frames[-1].lineno)
    elif isinstance(error, KeyError):
        return f"{locator.where((text.strip(chr(39)),))}: no base sets '{text.strip(chr(39))}'"
    else:
        place = root.at()
    return f'{place}: {type(error).__name__}: {text}'


def _merge(config: Config, options: dict[str, Any]) -> None:
    try:
        config.merge_from_dict(options)
    except Exception:
        for key, value in options.items():  # once more, to find the one at fault
            try:
                config.merge_from_dict({key: value})
            except Exception as error:
                reason = ' '.join(str(error).split())
                raise ConfigError(
                    f'--cfg-options {key}: does not fit the config ({type(error).__name__}: {reason})'
                ) from error


def _drop_delete_marks(value: Any) -> None:
    """Drop each ``_delete_`` that had nothing to delete, which mmengine leaves in place."""
    if isinstance(value, dict):
        dict.pop(value, '_delete_', None)
        for item in dict.values(value):
            _drop_delete_marks(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            _drop_delete_marks(item)
