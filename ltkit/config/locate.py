"""Where a value of the resolved config was written."""

from __future__ import annotations

import ast
from typing import Any

from .files import ConfigFile
from .names import Names, base_read
from .variables import Path, entries_of


class Locator:
    """Finds the file and line, or the command-line option, that set a key.

    Args:
        root (ConfigFile, optional): The config file, if there is one.
        options (dict, optional): What the command line set, by dotted key.
        before (dict, optional): The config as the files alone give it.
    """

    def __init__(
        self, root: ConfigFile | None, options: dict | None = None, before: dict | None = None
    ) -> None:
        self.root = root
        self.files = list(root.chain()) if root else []
        self.options = {tuple(key.split('.')): key for key in options or {}}
        self.before = before or {}
        self._names: dict[int, Names] = {}

    def where(self, path: Path, word: str | None = None) -> str:
        """What to print in front of an error about ``path``.

        Args:
            path (tuple[str, ...]): Keys from the top, list positions as digits.
            word (str, optional): Looked for as a string or keyword when the
                path cannot be followed in the files. Defaults to its last key.

        Returns:
            str: ``file:line``, ``--cfg-options key``, or the dotted key.
        """
        option = self._option(path)
        if option:
            return f'--cfg-options {option}'
        for file in self.files:
            line = self._follow_top(file, path)
            if line:
                return file.at(line)
        word = word or next((key for key in reversed(path) if not key.isdigit()), '')
        for file in self.files:
            line = _search(file, word)
            if line:
                return file.at(line)
        return f'{self.root.at()}: {".".join(path)}' if self.root else '.'.join(path)

    def _option(self, path: Path) -> str | None:
        for keys, option in self.options.items():
            sets_all_of_it = path[: len(keys)] == keys
            made_it = keys[: len(path)] == path and not _exists(self.before, path)
            if sets_all_of_it or made_it:
                return option
        return None

    def _names_of(self, file: ConfigFile) -> Names:
        return self._names.setdefault(id(file), Names(file))

    def _follow_top(self, file: ConfigFile, path: Path, depth: int = 0) -> int | None:
        """Line of ``path`` in this very file."""
        best = None
        if file.tree is None or depth > 20:
            return None
        for target, value in self._names_of(file).expressions:
            if path[: len(target)] == target:
                line = self._follow(file, value, path[len(target) :], value.lineno, depth)
                best = line or best
        return best

    def _follow(self, file: ConfigFile, value: ast.expr, rest: Path, line: int, depth: int) -> int | None:
        if not rest:
            return line
        if isinstance(value, ast.Name):
            return self._follow_top(file, (value.id, *rest), depth + 1)
        if base_read(value) is not None:
            return None  # found when the bases are searched, by its word
        for key, entry, its_line in entries_of(value) or []:
            if key is None:
                found = self._follow(file, entry, rest, its_line, depth + 1)
            elif key == rest[0]:
                found = self._follow(file, entry, rest[1:], its_line, depth + 1)
            else:
                found = None
            if found:
                return found
        return None


def _exists(config: Any, path: Path) -> bool:
    for key in path:
        if isinstance(config, dict) and key in config:
            config = config[key]
        elif isinstance(config, (list, tuple)) and key.isdigit() and int(key) < len(config):
            config = config[int(key)]
        else:
            return False
    return True


def _search(file: ConfigFile, word: str) -> int | None:
    """The first line that holds ``word`` as a string, a keyword, a name or an attribute."""
    if file.tree is None:
        return next((i for i, row in enumerate(file.text.splitlines(), 1) if word in row), None)
    lines = [
        node.value.lineno if isinstance(node, ast.keyword) else node.lineno
        for node in ast.walk(file.tree)
        if (isinstance(node, ast.Constant) and node.value == word)
        or (isinstance(node, ast.keyword) and node.arg == word)
        or (isinstance(node, ast.Name) and node.id == word)
        or (isinstance(node, ast.Attribute) and node.attr == word)
    ]
    return min(lines, default=None)
