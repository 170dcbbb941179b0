"""Parts of a config that correct the class prior more than once.

A model trained on classes of n images learns the prior n / sum(n); most methods
of the field take it out again: a sampler draws classes evenly, a loss weights
or shifts the logits, a rule does so after training. Two full corrections leave
n^-1: the rare classes are favoured as much as the frequent ones were.

A part declares what it takes out by the class attribute ``prior_correction``,
the exponent c of the factor n^-c: 1.0 for a full correction, 0.5 for half of
it; or the name of the argument that holds it (``prior_correction = 'tau'``), or
a table over the values of one (``{'weighting': {'inverse': 1.0, ...}}``), or the
arguments whose parts it uses equally often (``('first', 'second')``), of which
it has the mean.
The argument ``drw`` (deferred re-weighting) counts as one more.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

from mmengine.config import Config

from .lookup import find_part

TOLERANCE = 1e-6
Correction = tuple[str, str, float]  # key, name, exponent
# After what the model was trained with; the rest acts during training.
AFTER = ('posthoc',)


def implied_prior_warnings(config: Config | dict) -> list[str]:
    """Find sampler, loss and post-hoc rules that together correct the prior too much.

    Args:
        config (Config): A resolved config whose plugins are imported.

    Returns:
        list[str]: One line for each finding, with the prior that the
        combination implies; empty for a sound config.
    """
    scope = config.get('default_scope') or 'ltkit'
    loader = config.get('train_dataloader') or {}
    common = [
        *_corrections(loader.get('sampler'), 'train_dataloader.sampler', 'DATA_SAMPLERS', scope),
        *_corrections(loader.get('batch_sampler'), 'train_dataloader.batch_sampler', 'DATA_SAMPLERS', scope),
        *_corrections(config.get('custom_hooks'), 'custom_hooks', 'HOOKS', scope),
    ]
    losses: dict[str, list[Correction]] = {}
    for part in _corrections(config.get('model'), 'model', 'MODELS', scope):
        if any(key in part[0].split('.') for key in AFTER):
            common.append(part)
        else:
            losses.setdefault(part[0].removesuffix('.drw'), []).append(part)
    warnings = []
    for own in losses.values() or [[]]:  # each loss by itself: several are alternatives, or parts of one
        total = sum(amount for _, _, amount in (*own, *common))
        if len(own) + len(common) > 1 and total > 1 + TOLERANCE:
            warnings.append(_describe([*own, *common], total))
    return warnings


def _corrections(value: Any, path: str, kind: str, scope: str) -> Iterator[Correction]:
    """Every part at or below ``value`` that takes out the prior."""
    if isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            yield from _corrections(item, f'{path}.{index}', kind, scope)
    elif isinstance(value, dict):
        name = value.get('type')
        part = find_part(name, kind, scope) if isinstance(name, str) else name
        mixed: tuple[str, ...] = ()
        if callable(part):
            declared = getattr(part, 'prior_correction', 0.0)
            mixed = declared if isinstance(declared, tuple) else ()
            amount = prior_correction(part, value)
            for argument in mixed:
                inner = _corrections(_value(part, value, argument), f'{path}.{argument}', kind, scope)
                amount += sum(one for _, _, one in inner) / len(mixed)
            if amount:
                yield path, getattr(part, '__name__', str(name)), amount
            if _value(part, value, 'drw'):
                yield f'{path}.drw', 'deferred re-weighting', 1.0
        for key, item in value.items():
            if key != 'type' and key not in mixed:
                yield from _corrections(item, f'{path}.{key}', kind, scope)


def prior_correction(part: Any, arguments: dict) -> float:
    """The exponent of the class size that a part by itself takes out of the prior, ``drw`` aside.

    Args:
        part (class): A registered class.
        arguments (dict): What the config gives it.
    """
    declared = getattr(part, 'prior_correction', 0.0)
    if isinstance(declared, str):
        declared = _value(part, arguments, declared)
    elif isinstance(declared, dict):
        ((argument, amounts),) = declared.items()
        declared = amounts.get(_value(part, arguments, argument), 0.0)
    return float(declared) if isinstance(declared, (int, float)) else 0.0


def _value(part: Any, arguments: dict, name: str) -> Any:
    """The argument of a part: as the config gives it, or its default."""
    if name in arguments:
        return arguments[name]
    parameter = inspect.signature(part).parameters.get(name)
    return None if parameter is None or parameter.default is parameter.empty else parameter.default


def _describe(parts: list[Correction], total: float) -> str:
    listed = ' and '.join(f'{name} ({key}, n^-{amount:g})' for key, name, amount in parts)
    exponent = 1 - total
    return (
        f'{listed} correct the class prior {"twice" if len(parts) == 2 else f"{len(parts)} times"}: the '
        f'scores then fit a test set with classes as frequent as n^{exponent:g} (n images in training); this '
        'favours the rare ones; a balanced test set is n^0, for which one is enough'
    )
