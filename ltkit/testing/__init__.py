"""The conformance kit: what ltkit promises of a part, as checks that anyone can run.

In a test of your own::

    from ltkit.testing import check_loss, parametrize_with_checks

    def test_my_loss():
        check_loss(MyLoss, margin=0.5)          # all at once

    @parametrize_with_checks('loss', MyLoss)    # or one test a check
    def test_each(check):
        check()

A part declares its legitimate exceptions with a reason, in ``skip={...}`` or in
a class attribute ``conformance``; see :class:`~ltkit.testing.conformance.Part`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from .commands import run_command
from .conformance import Check, ConformanceError, NotApplicable, Part, bound_checks, run_checks
from .distributed import run_distributed

Checks = dict[str, Callable[[Part], None]]
Skip = Mapping[str, str] | None
Options = Mapping[str, Any] | None
KINDS = ('loss', 'regularizer', 'sampler', 'classifier', 'metric', 'dataset')


def checks_of(kind: str) -> Checks:
    """The checks of a kind ('loss', 'sampler', ...), by name; a docstring says what each proves."""
    Part(kind, object)
    return dict(import_module(f'{__name__}.{kind}_checks').CHECKS)


def check_loss(what: Any, *, skip: Skip = None, options: Options = None, **kwargs: Any) -> dict[str, str]:
    """Run all checks of a loss.

    Args:
        what: A class, a factory, a config ``dict(type=...)`` or a registered name.
        skip (Mapping, optional): Name of a check to the reason to leave it out.
        options (Mapping, optional): ``num_experts`` (3) of a multi-expert loss.
        **kwargs: Constructor arguments.

    Returns:
        dict[str, str]: Name of a check to 'passed' or 'skipped: why'.

    Raises:
        ConformanceError: Lists the checks that fail, each with the reason.
    """
    return _run('loss', what, kwargs, skip, options)


def check_regularizer(what: Any, *, skip: Skip = None, options: Options = None, **kwargs: Any) -> dict[str, str]:
    """Run all checks of a regulariser; arguments as of :func:`check_loss`, without options."""
    return _run('regularizer', what, kwargs, skip, options)


def check_sampler(what: Any, *, skip: Skip = None, options: Options = None, **kwargs: Any) -> dict[str, str]:
    """Run all checks of a sampler; arguments as of :func:`check_loss`, without options."""
    return _run('sampler', what, kwargs, skip, options)


def check_classifier(what: Any, *, skip: Skip = None, options: Options = None,
                     **kwargs: Any) -> dict[str, str]:
    """Run all checks of a classifier; arguments as of :func:`check_loss`.

    Options: ``num_classes`` (5), ``in_channels`` (8).
    """
    return _run('classifier', what, kwargs, skip, options)


def check_metric(what: Any, *, skip: Skip = None, options: Options = None, **kwargs: Any) -> dict[str, str]:
    """Run all checks of a metric; arguments as of :func:`check_loss`.

    Options: ``make_samples``, a function of (number, classes, seed) that gives
    the data samples, if ``pred_score`` and ``gt_label`` are not what it reads.
    """
    return _run('metric', what, kwargs, skip, options)


def check_dataset(what: Any, *, skip: Skip = None, options: Options = None, **kwargs: Any) -> dict[str, str]:
    """Run all checks of a data set; arguments as of :func:`check_loss`.

    :mod:`ltkit.testing.stand_ins` makes small data for ``data_root``. Options:
    ``pipeline`` that makes an item of ltkit, if ``PackInputs`` alone does not.
    """
    return _run('dataset', what, kwargs, skip, options)


def parametrize_with_checks(kind: str, *parts: Any, skip: Skip = None, options: Options = None) -> Any:
    """A decorator that makes one test of each check of each part.

    Args:
        kind (str): 'loss', 'sampler', 'classifier', 'metric' or 'dataset'.
        *parts: Classes, factories, configs ``dict(type=..., ...)`` or names.
        skip (Mapping, optional): Name of a check to the reason to leave it out.
        options (Mapping, optional): As of the ``check_`` function of the kind.

    Example:
        >>> @parametrize_with_checks('loss', MyLoss, dict(type='LDAMLoss', max_margin=0.3))
        ... def test_loss(check):
        ...     check()
    """
    import pytest
    checks = checks_of(kind)
    bound = [check for part in parts
             for check in bound_checks(Part(kind, part, skip=skip, options=options), checks)]
    return pytest.mark.parametrize('check', bound, ids=repr)


def _run(kind: str, what: Any, kwargs: Mapping[str, Any], skip: Skip,
         options: Options) -> dict[str, str]:
    return run_checks(Part(kind, what, kwargs, skip, options), checks_of(kind))


__all__ = [
    'Check',
    'ConformanceError',
    'NotApplicable',
    'check_classifier',
    'check_dataset',
    'check_loss',
    'check_metric',
    'check_regularizer',
    'check_sampler',
    'checks_of',
    'parametrize_with_checks',
    'run_command',
    'run_distributed',
]
