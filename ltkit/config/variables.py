"""Unknown top-level keys, and variables that are set in vain."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from ltkit.utils.errors import ConfigError, did_you_mean

from .files import ConfigFile
from .names import Names, base_read

Path = tuple[str, ...]
MAX_SHOWN = 4


def check_top_level(root: ConfigFile, known: set[str], options: Iterable[str] = ()) -> None:
    """Check what a chain of config files and the command line set at the top level.

    A name is legal when it is a key that a run reads, or a variable that the
    file which sets it, or one that inherits from it, reads. A file that sets
    anew a variable of its base changes nothing that the base has computed from
    it: that is an error unless the file reads the new value.

    Args:
        root (ConfigFile): The config.
        known (set[str]): The keys that a run reads.
        options: Dotted keys of the command line.

    Raises:
        ConfigError: With file, line, key and what would be right.
    """
    names = {id(file): Names(file) for file in root.chain()}
    _check_file(root, [], names, known)
    for option in options:
        _check_option(option, root, names, known)


def _check_file(file: ConfigFile, heirs: list[ConfigFile], names: dict[int, Names], known: set[str]) -> None:
    own = names[id(file)]
    for name, line in own.values.items():
        if name in known or name.startswith('__') or name in ('_base_', '_deprecation_'):
            continue
        if name in own.reads or any(name in names[id(heir)].base_reads for heir in heirs):
            continue
        ancestors = [f for base in file.bases for f in base.chain()]
        source = _source(name, ancestors, names)
        if source is not None:
            raise _in_vain(f'{file.at(line)}: {name} = ...', 'here', name, source, ancestors, names, known)
        if not name.startswith('_') and not file.foreign:
            raise _unknown(file.at(line), name, [file, *ancestors], names, known)
    for base in file.bases:
        _check_file(base, [*heirs, file], names, known)


def _check_option(option: str, root: ConfigFile, names: dict[int, Names], known: set[str]) -> None:
    name = option.split('.')[0]
    if name in known:
        return
    files = list(root.chain())
    source = _source(name, files, names)
    if source is not None:
        raise _in_vain(f'--cfg-options {option}', 'instead', name, source, files, names, known)
    if not name.startswith('_'):
        raise _unknown(f'--cfg-options {option}', name, files, names, known)


def _source(name: str, files: list[ConfigFile], names: dict[int, Names]) -> ConfigFile | None:
    """The first of ``files`` that sets the variable ``name``, when one of them reads it."""
    source = next((f for f in files if name in names[id(f)].values), None)
    read = any(
        name in names[id(f)].base_reads or (name in names[id(f)].reads and name in names[id(f)].values)
        for f in files
    )
    return source if read else None


def _unknown(
    where: str, name: str, files: list[ConfigFile], names: dict[int, Names], known: set[str]
) -> ConfigError:
    pool = known | {n for f in files for n in names[id(f)].values} - {name}
    return ConfigError(
        f"{where}: unknown top-level key '{name}'{did_you_mean(name, pool) or '.'} A variable of "
        'your own must be read in the file that sets it or in one that inherits from it'
    )


def _in_vain(
    what: str,
    place: str,
    name: str,
    source: ConfigFile,
    files: list[ConfigFile],
    names: dict[int, Names],
    known: set[str],
) -> ConfigError:
    """The error for a variable whose new value nothing reads."""
    definition = source.at(names[id(source)].values[name])
    keys: dict[str, str] = {}
    for path, file, line in computed_from(name, files, names, known):
        keys.setdefault('.'.join(path), file.at(line))
    if not keys:
        return ConfigError(
            f"{what} has no effect: '{name}' of {definition} has been read there already; set the "
            f'keys that depend on it {place}'
        )
    shown = list(keys)[:MAX_SHOWN]
    more = f' and {len(keys) - MAX_SHOWN} more' if len(keys) > MAX_SHOWN else ''
    computed = ', '.join(f'{key} ({keys[key]})' for key in shown)
    return ConfigError(
        f"{what} has no effect: {computed}{more} has been computed from the '{name}' of {definition} "
        f'already; set {", ".join(shown)}{more} {place}'
    )


def computed_from(
    name: str,
    files: list[ConfigFile],
    names: dict[int, Names],
    known: set[str],
    seen: frozenset[str] = frozenset(),
) -> Iterator[tuple[Path, ConfigFile, int]]:
    """The keys of a run whose values come from a variable, directly or through others.

    Yields:
        tuple: The key as a path, the file and the line that compute it.
    """
    for file in files:
        for target, value in names[id(file)].expressions:
            for keys, node, exact in _occurrences(value, name):
                path = (*target, *keys)
                if path[0] in known:
                    yield path, file, node.lineno
                if path[0] not in seen and path[0] != name:
                    for outer, its_file, line in computed_from(path[0], files, names, known, seen | {name}):
                        yield ((*outer, *path[1:]) if exact else outer), its_file, line


def _occurrences(value: ast.expr, name: str) -> Iterator[tuple[Path, ast.expr, bool]]:
    """Where an expression reads ``name``: the keys that lead there, and whether they are all of the way."""
    read = base_read(value)
    if (isinstance(value, ast.Name) and value.id == name) or (read and read[0] == name):
        yield (), value, not read or len(read) == 1
        return
    entries = entries_of(value)
    if entries is None:
        for node in ast.walk(value):
            inner = base_read(node)
            if (isinstance(node, ast.Name) and node.id == name) or (inner and inner[0] == name):
                yield (), value, False
                return
        return
    for key, entry, _ in entries:
        for keys, node, exact in _occurrences(entry, name):
            yield (keys if key is None else (key, *keys)), node, exact


def entries_of(value: ast.expr) -> list[tuple[str | None, ast.expr, int]] | None:
    """``(key, value, line)`` of a dict or list that is written out, else None.

    The key None stands for what is unpacked into it (``**other``).
    """
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == 'dict':
        return [(None, arg, arg.lineno) for arg in value.args] + [
            (k.arg, k.value, k.lineno if k.arg else k.value.lineno) for k in value.keywords
        ]
    if isinstance(value, ast.Dict):
        return [
            (str(k.value) if isinstance(k, ast.Constant) else None, v, k.lineno if k else v.lineno)
            for k, v in zip(value.keys, value.values)
        ]
    if isinstance(value, (ast.List, ast.Tuple)) and not any(isinstance(e, ast.Starred) for e in value.elts):
        return [(str(i), e, e.lineno) for i, e in enumerate(value.elts)]
    if isinstance(value, ast.Set) and len(value.elts) == 1 and isinstance(value.elts[0], ast.Set):
        inner = value.elts[0].elts[0]  # {{_base_.name}}
        return [(None, inner, inner.lineno)]
    return None
