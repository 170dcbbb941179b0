"""The files that a config is made of, read for what they say and where.

mmengine executes configs and forgets which file and line set a key. Here the
same files are parsed, so that an error can name them.
"""

from __future__ import annotations

import ast
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from mmengine.config import Config
from mmengine.config.utils import MODULE2PACKAGE

from ltkit.utils.errors import ConfigError, did_you_mean

# mmengine resolves ``_base_ = 'package::folder/file.py'`` for the packages that this table knows.
MODULE2PACKAGE.setdefault('ltkit', 'ltkit')

TEMPLATE = re.compile(r'\{\{[^{}]*\}\}')
BASE_READ = re.compile(r'\{\{\s*_base_\.(\w+)')


@dataclass
class ConfigFile:
    """One file of an inheritance chain.

    Attributes:
        path (Path): The file, absolute.
        text (str): What it holds.
        tree (ast.Module, optional): The parsed file; None for YAML and JSON.
        keys (tuple[str, ...]): Top-level keys of YAML and JSON.
        bases (list[ConfigFile]): The files it inherits from, in their order.
        lazy (bool): Whether it inherits by ``with read_base():``.
        foreign (bool): Whether it belongs to another package, whose habits a
            user cannot mend (``mmpretrain::...``).
    """

    path: Path
    text: str
    tree: ast.Module | None = None
    keys: tuple[str, ...] = ()
    bases: list[ConfigFile] = field(default_factory=list)
    lazy: bool = False
    foreign: bool = False

    def chain(self) -> Iterator[ConfigFile]:
        """This file, then all those it inherits from, the nearest first."""
        yield self
        for base in self.bases:
            yield from base.chain()

    def at(self, line: int | None = None) -> str:
        """``file:line`` as it is shown to the user."""
        return shown(self.path) if line is None else f'{shown(self.path)}:{line}'


def shown(path: str | os.PathLike) -> str:
    """A path relative to the current folder where it lies inside, else absolute."""
    path = os.path.abspath(path)
    here = os.path.join(os.getcwd(), '')
    return path[len(here) :] if path.startswith(here) else path


def read_files(path: str | os.PathLike) -> ConfigFile:
    """Read a config and all files that it inherits from.

    Args:
        path: A ``.py``, ``.yaml``, ``.yml`` or ``.json`` config, or one of an
            installed package: ``ltkit::erm/r8_digits_lt.py``.

    Returns:
        ConfigFile: The config; its bases hang on it.

    Raises:
        ConfigError: A file is missing, cannot be parsed or inherits from itself.
    """
    if '::' in str(path):
        path = _of_package(str(path))
    path = Path(os.path.abspath(os.path.expanduser(path)))
    if not path.is_file():
        raise ConfigError(f'config file {shown(path)} does not exist{_nearest_file(path)}')
    return _read(path, ())


def _of_package(name: str) -> str:
    try:
        return Config._get_cfg_path(name, '')[0]
    except Exception as error:  # mmengine raises many kinds here
        reason = ' '.join(str(error).split())
        raise ConfigError(f'config {name} is not found: {reason}') from error


def _read(path: Path, heirs: tuple[Path, ...], foreign: bool = False) -> ConfigFile:
    if path.suffix not in ('.py', '.yaml', '.yml', '.json'):
        raise ConfigError(f'{shown(path)}: a config is a .py, .yaml, .yml or .json file')
    try:
        text = path.read_text(encoding='utf-8')
    except UnicodeDecodeError as error:
        raise ConfigError(f'{shown(path)}: not a text file in UTF-8 ({error.reason})') from error
    file = ConfigFile(path, text, foreign=foreign)
    if path.suffix == '.py':
        try:
            file.tree = ast.parse(text)
        except SyntaxError as error:
            raise ConfigError(f'{shown(path)}:{error.lineno}: syntax error: {error.msg}') from error
        except ValueError as error:
            raise ConfigError(f'{shown(path)}: syntax error: {error}') from error
    for name, line in _base_names(file):
        base, outside = _locate_base(file, name, line)
        if base in (path, *heirs):
            raise ConfigError(f'{file.at(line)}: {shown(base)} inherits from itself')
        file.bases.append(_read(base, (path, *heirs), foreign or outside))
    return file


def _base_names(file: ConfigFile) -> list[tuple[str, int]]:
    """The bases that a file states, each with its line."""
    if file.tree is None:
        return _base_names_of_data(file)
    for node in file.tree.body:
        if (
            isinstance(node, ast.Assign)
            and isinstance(node.targets[0], ast.Name)
            and node.targets[0].id == '_base_'
        ):
            return _base_names_of_value(file, node)
    names = []
    for node in file.tree.body:
        if isinstance(node, ast.With) and 'read_base' in ast.dump(node.items[0].context_expr):
            file.lazy = True
            names += [
                ('.' * inner.level + (inner.module or ''), inner.lineno)
                for inner in node.body
                if isinstance(inner, ast.ImportFrom)
            ]
    return names


def _base_names_of_value(file: ConfigFile, node: ast.Assign) -> list[tuple[str, int]]:
    try:
        names = eval(compile(ast.Expression(node.value), str(file.path), 'eval'))
    except Exception as error:
        raise ConfigError(
            f'{file.at(node.lineno)}: _base_ must be a path or a list of paths '
            f'({type(error).__name__}: {error})'
        ) from error
    names = names if isinstance(names, list) else [names]
    lines = {c.value: c.lineno for c in ast.walk(node.value) if isinstance(c, ast.Constant)}
    for name in names:
        if not isinstance(name, str):
            raise ConfigError(
                f'{file.at(node.lineno)}: _base_ must be a path or a list of paths, not {name!r}'
            )
    return [(name, lines.get(name, node.lineno)) for name in names]


def _base_names_of_data(file: ConfigFile) -> list[tuple[str, int]]:
    text = TEMPLATE.sub('0', file.text)  # mmengine fills them in before it parses the file
    try:
        data = json.loads(text) if file.path.suffix == '.json' else yaml.safe_load(text)
    except (ValueError, yaml.YAMLError) as error:
        reason = ' '.join(str(error).split())
        raise ConfigError(f'{file.at()}: cannot be read as {file.path.suffix[1:]}: {reason}') from error
    if not isinstance(data, dict):
        raise ConfigError(f'{file.at()}: a config holds a mapping, not a {type(data).__name__}')
    file.keys = tuple(map(str, data))
    names = data.get('_base_', [])
    line = next((i for i, row in enumerate(file.text.splitlines(), 1) if '_base_' in row), 1)
    return [(str(name), line) for name in (names if isinstance(names, list) else [names])]


def _locate_base(file: ConfigFile, name: str, line: int) -> tuple[Path, bool]:
    """The file that a base name stands for, and whether it is another package's."""
    if file.lazy:
        path = _module_file(file, name)
        outside = not name.startswith(('.', 'ltkit.'))
    else:
        outside = '::' in name and not name.startswith('ltkit::')
        try:
            path = Path(os.path.abspath(Config._get_cfg_path(name, str(file.path))[0]))
        except Exception as error:
            reason = ' '.join(str(error).split())
            raise ConfigError(f"{file.at(line)}: base '{name}' is not found: {reason}") from error
    if not path.is_file():
        raise ConfigError(f'{file.at(line)}: base file {shown(path)} does not exist{_nearest_file(path)}')
    return path, outside


def _module_file(file: ConfigFile, name: str) -> Path:
    """The file of a module that is named in ``with read_base():``."""
    from mmengine.utils import get_installed_path

    dots = len(name) - len(name.lstrip('.'))
    parts = name[dots:].split('.')
    if dots:
        folder = file.path.parents[dots - 1]
    else:
        try:
            folder, parts = Path(get_installed_path(parts[0])), parts[1:]
        except Exception:
            folder = file.path.parent
    return folder.joinpath(*parts[:-1], f'{parts[-1] if parts else ""}.py')


def _nearest_file(path: Path) -> str:
    """A suggestion out of the folder that should have held ``path``."""
    if not path.parent.is_dir():
        return f' (there is no folder {shown(path.parent)})'
    return did_you_mean(path.name, [p.name for p in path.parent.iterdir() if p.is_file()])
