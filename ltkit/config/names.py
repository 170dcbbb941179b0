"""What the files of a config define at the top level, and what they read."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from functools import cached_property

from .files import BASE_READ, ConfigFile

# Read by mmengine or ltkit from the config itself, beside the arguments of a runner.
EXTRA_KEYS = {
    'activation_checkpointing',
    'compile',
    'custom_imports',
    'efficient_conv_bn_eval',
    'find_unused_parameters',
    'frozen',
    'hand_over',
    'model_wrapper_cfg',
    'reinitialize',
    'runner_type',
    'stages',
    'strategy',
    'strict_load',
    'sync_bn',
    'tta_model',
    'tta_pipeline',
}
_allowed: set[str] = set()


def allow_top_level_key(*names: str) -> None:
    """Make further top-level keys legal, for a plugin that reads ``runner.cfg.<name>``.

    Call it in a module that the config lists in ``custom_imports``.
    """
    _allowed.update(names)


def known_keys(runner_type: object = None) -> set[str]:
    """The top-level keys that a run reads.

    Args:
        runner_type (class, optional): The runner of the config, whose
            arguments count too.
    """
    from mmengine.runner import Runner

    keys = EXTRA_KEYS | _allowed
    for runner in (Runner, runner_type):
        if inspect.isclass(runner):
            keys |= set(inspect.signature(runner.__init__).parameters) - {'self', 'args', 'kwargs'}
    return keys


class Names:
    """Top-level definitions and reads of one file.

    Attributes:
        values (dict[str, int]): Name = line of its last assignment.
        others (set[str]): Imported modules, functions and classes.
        reads (set[str]): Names that the file reads as its own.
        base_reads (set[str]): Names that it reads from its bases.
    """

    def __init__(self, file: ConfigFile) -> None:
        self.file = file
        self.values: dict[str, int] = {}
        self.others: set[str] = set()
        self.reads: set[str] = set()
        self.base_reads: set[str] = set(BASE_READ.findall(file.text)) if file.tree is None else set()
        if file.tree is None:
            self._read_data()
        else:
            self._define(file.tree.body)
            self._read(file.tree)
        if file.lazy:
            self.base_reads |= self.reads

    @cached_property
    def expressions(self) -> list[tuple[tuple[str, ...], ast.expr]]:
        """``(path of keys, value)`` of every assignment, in order."""
        found: list[tuple[tuple[str, ...], ast.expr]] = []
        for node in _statements(self.file.tree.body if self.file.tree else []):
            if isinstance(node, ast.Assign):
                found += [(path, node.value) for target in node.targets if (path := _path_of(target))]
            elif (
                isinstance(node, (ast.AugAssign, ast.AnnAssign))
                and node.value
                and (path := _path_of(node.target))
            ):
                found.append((path, node.value))
            elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
                owner = _path_of(node.value.func)
                if owner and len(owner) > 1:  # train_dataloader.update(dict(...)), pipeline.append(...)
                    values = [*node.value.args, *(k.value for k in node.value.keywords)]
                    found += [(owner[:-1], value) for value in values]
        return found

    def _read_data(self) -> None:
        rows = [row.strip(' \t{,\'"') for row in self.file.text.splitlines()]
        for key in self.file.keys:
            self.values[key] = next((i for i, row in enumerate(rows, 1) if row.startswith(key)), 1)

    def _define(self, body: list[ast.stmt]) -> None:
        for node in _statements(body):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                self.others.add(node.name)
            elif isinstance(node, (ast.Import, ast.ImportFrom)):
                self.others |= {(a.asname or a.name).split('.')[0] for a in node.names}
            else:
                for target in _targets(node):
                    for name in ast.walk(target):
                        if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store):
                            self.values[name.id] = name.lineno

    def _read(self, tree: ast.AST) -> None:
        for node in ast.walk(tree):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                self.reads.add(node.id)
            elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
                self.reads.add(node.target.id)
            elif isinstance(node, (ast.Attribute, ast.Subscript)) and (name := base_read(node)):
                self.base_reads.add(name[0])


def base_read(node: ast.AST) -> tuple[str, ...] | None:
    """The keys of ``_base_.a.b`` or ``_base_['a']``, or None for anything else."""
    path = _path_of(node)
    return path[1:] if path and path[0] == '_base_' and len(path) > 1 else None


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements at the top level, those inside ``if``, ``for``, ``with``, ``try`` included."""
    for node in body:
        yield node
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            for part in ('body', 'orelse', 'finalbody'):
                yield from _statements(getattr(node, part, []))
            for handler in getattr(node, 'handlers', []):
                yield from _statements(handler.body)


def _targets(node: ast.stmt) -> list[ast.expr]:
    if isinstance(node, ast.Assign):
        return node.targets
    if isinstance(node, (ast.AugAssign, ast.For)) or (isinstance(node, ast.AnnAssign) and node.value):
        return [node.target]
    return []


def _path_of(node: ast.AST) -> tuple[str, ...] | None:
    """``('model', 'head')`` of ``model``, ``model['head']`` or ``model.head``; a computed index ends it."""
    keys: list[str] = []
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        if isinstance(node, ast.Attribute):
            keys.append(node.attr)
        elif isinstance(node.slice, ast.Constant):
            keys.append(str(node.slice.value))
        else:
            keys.clear()  # what stands above it is still read
        node = node.value
    return (node.id, *reversed(keys)) if isinstance(node, ast.Name) else None
