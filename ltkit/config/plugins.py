"""Import of the modules that a config lists in ``custom_imports``."""

from __future__ import annotations

import os
import pkgutil
import sys
import traceback
import warnings
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module, invalidate_caches
from pathlib import Path

from ltkit.utils.errors import ConfigError, did_you_mean, nearest

from .files import ConfigFile, shown
from .locate import Locator

KEYS = ('imports', 'allow_failed_imports')


def import_plugins(custom_imports: dict | None, locator: Locator) -> None:
    """Import plugins, and show why one cannot be imported.

    The current folder goes on ``sys.path``, and in front of it the nearest
    folder above the config in which the first part of a module's name exists.

    Args:
        custom_imports (dict, optional): ``dict(imports=['package.module'],
            allow_failed_imports=False)``.
        locator (Locator): Of the config.

    Raises:
        ConfigError: A module is not found, or fails while it is imported.
    """
    if not custom_imports:
        return
    where = locator.where(('custom_imports',))
    if not isinstance(custom_imports, dict):
        raise ConfigError(
            f"{where}: custom_imports must be dict(imports=['package.module'], ...), not {custom_imports!r}"
        )
    for key in custom_imports:
        if key not in KEYS:
            raise ConfigError(
                f'{locator.where(("custom_imports", key))}: custom_imports has no argument '
                f"'{key}'{did_you_mean(key, KEYS) or ' (it has ' + ', '.join(KEYS) + ')'}"
            )
    modules = custom_imports.get('imports') or []
    modules = [modules] if isinstance(modules, str) else modules
    if not isinstance(modules, (list, tuple)) or not all(isinstance(m, str) for m in modules):
        raise ConfigError(f'{where}: custom_imports.imports must be a list of module names, not {modules!r}')
    for index, name in enumerate(modules):
        where = locator.where(('custom_imports', 'imports', str(index)), name)
        _import(name, where, locator.files, bool(custom_imports.get('allow_failed_imports')))


def _import(name: str, where: str, files: Sequence[ConfigFile], may_fail: bool) -> None:
    project = project_folder(name, files)
    for folder in (os.getcwd(), project):
        if folder:
            if folder in sys.path:
                sys.path.remove(folder)
            sys.path.insert(0, folder)
    invalidate_caches()
    try:
        import_module(name)
    except Exception as error:
        if may_fail and isinstance(error, ImportError):
            warnings.warn(f'custom_imports: {name} failed to import and is ignored ({error})', stacklevel=2)
        elif (
            isinstance(error, ModuleNotFoundError)
            and error.name
            and (name + '.').startswith(error.name + '.')
        ):
            raise ConfigError(_not_found(name, error.name, where, files)) from error
        else:
            raise ConfigError(
                f"{where}: custom_imports: '{name}' failed to import: {_cause(error, name)}"
            ) from error


def project_folder(name: str, files: Sequence[ConfigFile]) -> str | None:
    """The nearest folder above a config (or its bases) that holds the first part of a module's name."""
    first = name.split('.')[0]
    for file in files:
        for folder in file.path.parents:
            if (folder / first).is_dir() or (folder / f'{first}.py').is_file():
                return str(folder)
    return None


def _not_found(name: str, missing: str, where: str, files: Sequence[ConfigFile]) -> str:
    parent, _, last = missing.rpartition('.')
    package = sys.modules.get(parent)
    if parent and package is not None and hasattr(package, '__path__'):
        there = [module.name for module in pkgutil.iter_modules(package.__path__)]
        folder = next(iter(package.__path__), parent)
        hint = did_you_mean(last, there)[1:] or f' it holds {", ".join(sorted(there)) or "no module"}'
        return f"{where}: custom_imports: there is no module '{name}': {shown(folder)} has no '{last}';{hint}"
    above = f', the folders above {files[0].at()}' if files else ''
    beside = _modules_in([Path.cwd(), *(p for f in files[:1] for p in list(f.path.parents)[:3])])
    close = [n for n in nearest(missing, beside) if n != missing]
    hint = f" (did you mean '{close[0]}'?)" if close else ''
    return (
        f"{where}: custom_imports: there is no module '{name}'{hint}; searched: the current folder{above}, "
        'and PYTHONPATH. Its parent folder must be on PYTHONPATH, or the command be run from there'
    )


def _modules_in(folders: Sequence[Path]) -> set[str]:
    """Names of the packages and modules in some folders."""
    found: set[str] = set()
    for folder in folders:
        with suppress(OSError):
            found |= {e.stem for e in folder.iterdir() if e.suffix == '.py' or (e / '__init__.py').is_file()}
    return found


def _cause(error: Exception, name: str) -> str:
    """``NameError: name 'foo' is not defined (my_plugin/losses.py:12)``."""
    text = ' '.join(str(error.msg if isinstance(error, SyntaxError) else error).split())
    if isinstance(error, SyntaxError) and error.filename:
        return f'{type(error).__name__}: {text} ({shown(error.filename)}:{error.lineno})'
    frames = [
        f
        for f in traceback.extract_tb(error.__traceback__)
        if not f.filename.startswith('<')
        and os.path.abspath(f.filename) != os.path.abspath(__file__)
        and f'{os.sep}importlib{os.sep}' not in f.filename
    ]
    first = name.split('.')[0]
    own = [f for f in frames if first in Path(f.filename).with_suffix('').parts]
    frame = (own or frames or [None])[-1]
    place = f' ({shown(frame.filename)}:{frame.lineno})' if frame else ''
    return f'{type(error).__name__}: {text}{place}'
