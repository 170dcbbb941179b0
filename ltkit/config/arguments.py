"""The arguments that a class or function really takes."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from torch import nn

VARIABLE = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


@dataclass(frozen=True)
class Arguments:
    """What a part can be given.

    Attributes:
        names (tuple[str, ...]): Known arguments, in order.
        required (tuple[str, ...]): Those without a default.
        open (bool): Whether any other is accepted too.
    """

    names: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    open: bool = False


@cache
def arguments_of(part: Callable) -> Arguments:
    """Read the arguments of a class or function.

    ``**kwargs`` of a constructor is followed through the bases as long as it is
    only passed on by ``super().__init__(**kwargs)``; anything else that is done
    with it counts as taking any argument.
    """
    if inspect.isclass(part):
        return _of_class(part)
    try:
        parameters = inspect.signature(part).parameters
    except (TypeError, ValueError):
        return Arguments(open=True)
    return _of_parameters(list(parameters.values()))


def _of_parameters(parameters: list[inspect.Parameter]) -> Arguments:
    named = [p for p in parameters if p.kind not in VARIABLE]
    return Arguments(
        tuple(p.name for p in named),
        tuple(p.name for p in named if p.default is inspect.Parameter.empty),
        any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters),
    )


def _of_class(cls: type) -> Arguments:
    if cls.__new__ is not object.__new__ and not any('__init__' in vars(c) for c in cls.__mro__[:-1]):
        return Arguments(open=True)
    names: list[str] = []
    required: tuple[str, ...] = ()
    given: set[str] = set()
    positional = 0
    for depth, base in enumerate(c for c in cls.__mro__ if '__init__' in vars(c)):
        if base in (object, nn.Module):  # they take none
            return Arguments(tuple(names), required)
        init = base.__init__
        try:
            parameters = list(inspect.signature(init).parameters.values())[1:]
        except (TypeError, ValueError):
            return Arguments(tuple(names), required, open=True)
        own = _of_parameters(parameters)
        if depth == 0:
            required = own.required
        names += [n for n in own.names[positional:] if n not in given and n not in names]
        if not own.open:
            return Arguments(tuple(names), required)
        passed = _passed_on(init)
        if passed is None:
            return Arguments(tuple(names), required, open=True)
        positional, keywords = passed
        given |= keywords
    return Arguments(tuple(names), required, open=True)


def _passed_on(init: Callable) -> tuple[int, set[str]] | None:
    """How ``**kwargs`` reaches the base: the positional and keyword arguments set beside it.

    Returns:
        tuple[int, set[str]] | None: None when it is used in any other way, or the source is not to be had.
    """
    try:
        function = ast.parse(textwrap.dedent(inspect.getsource(init))).body[0]
    except (OSError, TypeError, SyntaxError, IndexError):
        return None
    if not isinstance(function, ast.FunctionDef) or function.args.kwarg is None:
        return None
    kwargs = function.args.kwarg.arg
    uses = sum(isinstance(n, ast.Name) and n.id == kwargs for n in ast.walk(function))
    for node in ast.walk(function):
        if uses == 1 and _is_super_init(node) and _unpacks(node, kwargs):
            stars = [i for i, arg in enumerate(node.args) if isinstance(arg, ast.Starred)]
            return (stars or [len(node.args)])[0], {k.arg for k in node.keywords if k.arg}
    return None


def _unpacks(node: ast.Call, kwargs: str) -> bool:
    return any(
        k.arg is None and isinstance(k.value, ast.Name) and k.value.id == kwargs for k in node.keywords
    )


def _is_super_init(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == '__init__'
        and isinstance(node.func.value, ast.Call)
        and isinstance(node.func.value.func, ast.Name)
        and node.func.value.func.id == 'super'
    )
