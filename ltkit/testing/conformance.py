"""How the conformance kit runs its checks, from a call or from pytest."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from unittest import SkipTest

from mmengine.registry import DefaultScope

from ..registry import CLASSIFIERS, DATASETS, LOSSES, METRICS, REGULARIZERS, SAMPLERS, Registry
from ..utils.errors import ConfigError, did_you_mean
from ..utils.rng import rng_state, set_rng_state

REGISTRIES: dict[str, Registry] = dict(
    loss=LOSSES, regularizer=REGULARIZERS, sampler=SAMPLERS, classifier=CLASSIFIERS, metric=METRICS, dataset=DATASETS)


class ConformanceError(AssertionError):
    """A part does not do what ltkit promises of its kind."""


class NotApplicable(SkipTest):
    """A check does not apply to a part; pytest shows it as skipped."""


class Part:
    """A part under test: how to make a fresh one, and what is declared of it.

    A class may declare legitimate exceptions in an attribute::

        conformance = dict(skip={'uniform_counts': 'the margin stays'},
                           options=dict(num_classes=10), kwargs=dict(max_margin=0.5))

    Args:
        kind (str): 'loss', 'regularizer', 'sampler', 'classifier', 'metric' or
            'dataset'.
        what: A class, a function that makes one, a config ``dict(type=...)`` or
            a registered name.
        kwargs (Mapping, optional): Constructor arguments.
        skip (Mapping, optional): Name of a check to the reason to leave it out.
        options (Mapping, optional): Settings of the checks; see each kind.
    """

    def __init__(self, kind: str, what: Any, kwargs: Mapping[str, Any] | None = None,
                 skip: Mapping[str, str] | None = None, options: Mapping[str, Any] | None = None) -> None:
        if kind not in REGISTRIES:
            raise ConfigError(f"'{kind}' is not a kind of part{did_you_mean(kind, REGISTRIES)} "
                              f"There are {', '.join(REGISTRIES)}.")
        self.kind = kind
        self.registry = REGISTRIES[kind]
        self.what = dict(type=what) if isinstance(what, str) else what
        if isinstance(self.what, Mapping):
            kind_of = self.what['type']
            self.target = self.registry.get(kind_of) if isinstance(kind_of, str) else kind_of
        else:
            self.target = self.what
        declared = getattr(self.target, 'conformance', {})
        self.kwargs = {**declared.get('kwargs', {}), **(kwargs or {})}
        self.skip = {**declared.get('skip', {}), **(skip or {})}
        self.options = {**declared.get('options', {}), **(options or {})}

    @property
    def name(self) -> str:
        """Name of the class or factory."""
        return getattr(self.target, '__name__', type(self.target).__name__)

    def make(self, **overrides: Any) -> Any:
        """A fresh part."""
        arguments = {**self.kwargs, **overrides}
        if isinstance(self.what, Mapping):
            with DefaultScope.overwrite_default_scope('ltkit'):
                return self.registry.build({**self.what, **arguments})
        return self.what(**arguments)

    def make_by_config(self, **overrides: Any) -> Any:
        """A fresh part, built from a config with the registered name.

        Raises:
            NotApplicable: It is a factory, or its class is not registered.
        """
        if isinstance(self.what, Mapping):
            return self.make(**overrides)
        if self.registry._module_dict.get(self.name) is not self.target:
            raise NotApplicable(f'{self.name} is not registered')
        return self.registry.build({'type': self.name, **self.kwargs, **overrides})

    def accepts(self, argument: str) -> bool:
        """Whether the constructor takes an argument, itself or through its bases."""
        if argument in inspect.signature(self.target).parameters:
            return True
        if not isinstance(self.target, type):
            kinds = [p.kind for p in inspect.signature(self.target).parameters.values()]
            return inspect.Parameter.VAR_KEYWORD in kinds
        for base in self.target.__mro__:
            if '__init__' not in vars(base):
                continue
            parameters = inspect.signature(base.__init__).parameters
            if argument in parameters:
                return True
            if inspect.Parameter.VAR_KEYWORD not in [p.kind for p in parameters.values()]:
                return False
        return False


@dataclass(frozen=True)
class Check:
    """One check bound to one part; call it to run it. The random state is put back.

    Raises:
        NotApplicable: It is declared as skipped, or does not apply.
        ConformanceError: The part fails it.
    """

    name: str
    function: Callable[[Part], None]
    part: Part

    def __call__(self) -> None:
        if self.name in self.part.skip:
            raise NotApplicable(self.part.skip[self.name])
        state = rng_state()
        try:
            self.function(self.part)
        except (ConformanceError, SkipTest):
            raise
        except Exception as error:
            raise ConformanceError(f'{type(error).__name__}: {error}') from error
        finally:
            set_rng_state(state)

    def __repr__(self) -> str:
        return f'{self.part.name}-{self.name}'


class CheckList(dict):
    """The checks of a kind, by name; made by decorating functions."""

    def add(self, function: Callable[[Part], None]) -> Callable[[Part], None]:
        """Register a function under its name."""
        self[function.__name__] = function
        return function


def bound_checks(part: Part, checks: Mapping[str, Callable[[Part], None]]) -> Iterator[Check]:
    """The checks of one part.

    Raises:
        ConfigError: ``skip`` names a check that does not exist, or has no reason.
    """
    for name, reason in part.skip.items():
        if name not in checks:
            raise ConfigError(
                f"skip names '{name}', which is no check of a {part.kind}{did_you_mean(name, checks)}")
        if not reason:
            raise ConfigError(f"skip of '{name}' needs a reason")
    for name, function in checks.items():
        yield Check(name, function, part)


def run_checks(part: Part, checks: Mapping[str, Callable[[Part], None]]) -> dict[str, str]:
    """Run all checks of a part.

    Returns:
        dict[str, str]: Name of a check to 'passed' or 'skipped: why'.

    Raises:
        ConformanceError: Lists the checks that fail, each with the reason.
    """
    report, failures = {}, {}
    for check in bound_checks(part, checks):
        try:
            check()
            report[check.name] = 'passed'
        except SkipTest as reason:
            report[check.name] = f'skipped: {reason}'
        except ConformanceError as error:
            failures[check.name] = str(error)
    if failures:
        lines = ''.join(f'\n  {name}: {why}' for name, why in failures.items())
        raise ConformanceError(
            f'{part.name} fails {len(failures)} of {len(checks)} {part.kind} checks:{lines}')
    return report


def expect(condition: Any, message: str) -> None:
    """Raise :class:`ConformanceError` unless ``condition`` holds."""
    if not condition:
        raise ConformanceError(message)


def raised_by(function: Callable[[], Any]) -> Exception | None:
    """The exception that a call raises, or None."""
    try:
        function()
    except Exception as error:
        return error
    return None
