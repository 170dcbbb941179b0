"""Parts of a model that training leaves as they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from ltkit.utils.errors import ConfigError, did_you_mean
from ltkit.utils.patterns import as_patterns, select

KEYS = ('parameters', 'statistics')


def freeze(model: nn.Module, frozen: Mapping[str, Any] | None) -> list[str]:
    """Freeze what the key ``frozen`` of a config names.

    ``frozen = dict(parameters=['backbone'], statistics=['backbone'])`` keeps the
    parameters below ``backbone``: they ask for no gradient, so that a frozen
    backbone is not run backwards and the optimizer holds nothing for it. Its
    batch normalisation is another matter. Without ``statistics`` it normalises by
    the batch and its running mean and variance go on (as in the official code of
    cRT and LWS, and in the shifted batch normalisation of MiSLAS); with it, it
    normalises by its running statistics, which stay as they are (as the configs of
    cRT and LWS have it).

    Args:
        model (nn.Module): Not wrapped.
        frozen (Mapping, optional): ``parameters`` and ``statistics``, each a name
            of a part, or a list of names or patterns (``backbone.layer[12]``).

    Returns:
        list[str]: Names of the frozen parameters and running statistics.

    Raises:
        ConfigError: Another key, a pattern that matches nothing, or nothing is
            left to train.
    """
    if not frozen_patterns(frozen):
        return []
    parameters = dict(model.named_parameters())
    names = _names(parameters, frozen, 'parameters', 'parameter')
    if names and not any(parameter.requires_grad for name, parameter in parameters.items() if name not in set(names)):
        raise ConfigError('frozen.parameters leaves nothing to train; leave out the part that this stage is to train')
    modules = {name: module for name, module in model.named_modules() if isinstance(module, _BatchNorm)}
    kept = _names(modules, frozen, 'statistics', 'batch normalisation')
    for name in names:
        parameters[name].requires_grad_(False)
    for name in kept:
        modules[name].statistics_frozen = True
    return names + [f'{name}.{buffer}' if name else buffer for name in kept
                    for buffer in ('running_mean', 'running_var') if getattr(modules[name], buffer) is not None]


def frozen_patterns(frozen: Mapping[str, Any] | None) -> list[str]:
    """All patterns of the key ``frozen`` of a config.

    Raises:
        ConfigError: It is no such dict.
    """
    if not frozen:
        return []
    if not isinstance(frozen, Mapping):
        raise ConfigError(f"frozen must be dict(parameters=[...], statistics=[...]), but is {frozen!r}")
    for key in frozen:
        if key not in KEYS:
            raise ConfigError(f"frozen has no key '{key}'{did_you_mean(str(key), KEYS)}; it has {', '.join(KEYS)}")
    return list(dict.fromkeys(pattern for key in KEYS for pattern in _patterns(frozen, key)))


def frozen_statistics(model: nn.Module) -> list[nn.Module]:
    """The batch normalisations whose running statistics are frozen."""
    return [module for module in model.modules() if getattr(module, 'statistics_frozen', False)]


def _names(known: Mapping[str, Any], frozen: Mapping[str, Any], key: str, what: str) -> list[str]:
    return select(known, _patterns(frozen, key), f'frozen.{key}', what)


def _patterns(frozen: Mapping[str, Any], key: str) -> tuple[str, ...]:
    return as_patterns(frozen.get(key, ()), f'frozen.{key}')
