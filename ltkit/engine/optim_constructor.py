"""Which parameters an optimizer gets, and in which groups."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Mapping
from typing import Any

import torch
from mmengine.logging import MMLogger, print_log
from mmengine.optim import DefaultOptimWrapperConstructor, OptimWrapper
from torch import nn
from torch.optim import SGD, Optimizer

from ltkit.registry import OPTIM_WRAPPER_CONSTRUCTORS, OPTIM_WRAPPERS, OPTIMIZERS
from ltkit.utils.errors import ConfigError


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class LTOptimWrapperConstructor(DefaultOptimWrapperConstructor):
    """mmengine's constructor; what differs:

    * The optimizer gets nothing that is frozen.
    * A module may state the options of its own parameters,
      ``module.optimizer_options = {'centres': dict(lr=0.5, momentum=0.0,
      weight_decay=0.0)}``, for a step of their own as some papers have it for
      class centres. Each gets a group with these options; a rate among them is
      constant, no schedule changes it, unless the options have ``scheduled=True``.
      Options with ``momentum=0.0`` ask for steps of plain SGD, and get them beside
      another optimizer, such as AdamW, too.

    The Runner takes it where a config names no other constructor.

    Args:
        optim_wrapper_cfg (dict): As of mmengine's.
        paramwise_cfg (dict, optional): As of mmengine's; says nothing of
            parameters whose module states their options.

    Raises:
        ConfigError: Nothing is to be trained, or a module states options of a
            parameter that it does not have.
    """

    def __call__(self, model: nn.Module) -> OptimWrapper:
        model = getattr(model, 'module', model)
        own = own_options(model)
        frozen = [parameter for parameter in model.parameters() if not parameter.requires_grad]
        if not own and not frozen:
            return super().__call__(model)
        groups = self._groups(model, {id(parameter) for parameter, _ in own.values()})
        if not groups and not own:
            raise ConfigError('no parameter of the model asks for a gradient, so there is nothing to train')
        groups += [self._own_group(name, parameter, options) for name, (parameter, options) in own.items()]
        if frozen:
            print_log(f'the optimizer leaves out {len(frozen)} frozen parameters '
                      f'({sum(parameter.numel() for parameter in frozen):,} numbers)', 'current')
        wrapper = self._build(groups)
        wrapper.optimizer.register_step_pre_hook(_own_steps)
        return wrapper

    def _groups(self, model: nn.Module, taken: set[int]) -> list[dict[str, Any]]:
        """The groups of what trains as the config says."""
        if not self.paramwise_cfg:
            rest = [parameter for parameter in model.parameters()
                    if parameter.requires_grad and id(parameter) not in taken]
            return [dict(params=rest)] if rest else []
        groups: list[dict[str, Any]] = []
        skipped = _SkippedParameters()
        logger = MMLogger.get_current_instance()
        logger.addFilter(skipped)
        try:
            self.add_params(groups, model)
        finally:
            logger.removeFilter(skipped)
        return [group for group in groups if id(group['params'][0]) not in taken]

    def _own_group(self, name: str, parameter: nn.Parameter, options: Mapping[str, Any]) -> dict[str, Any]:
        kind = self._optimizer_class()
        plain = options.get('momentum') == 0 and not issubclass(kind, SGD) and not self.optimizer_cfg.get('fused')
        known = {'lr', 'weight_decay'} if plain else set(inspect.signature(kind).parameters)
        unknown = [key for key in options if key not in known | {'scheduled', *(['momentum'] if plain else ())}]
        if unknown:
            print_log(f"{name} is stepped by {kind.__name__}, which has no {' and no '.join(unknown)}: its step is not "
                      'the one that its module states, of SGD', 'current', logging.WARNING)
        group = dict(params=[parameter], **{key: value for key, value in options.items() if key in known})
        if plain:
            group['plain_sgd'] = True
        if 'lr' in group and not options.get('scheduled', False):
            group['constant_lr'] = group['lr']
        return group

    def _optimizer_class(self) -> type[Optimizer]:
        kind = self.optimizer_cfg['type']
        if not isinstance(kind, str):
            return kind
        with OPTIMIZERS.switch_scope_and_registry(None) as registry:
            return registry.get(kind)

    def _build(self, groups: list[dict[str, Any]]) -> OptimWrapper:
        """mmengine's wrapper around an optimizer of these groups."""
        first = next(iter(inspect.signature(self._optimizer_class()).parameters))
        optimizer = OPTIMIZERS.build({**self.optimizer_cfg, first: groups})
        return OPTIM_WRAPPERS.build({'type': 'OptimWrapper', **self.optim_wrapper_cfg, 'optimizer': optimizer})


class _SkippedParameters(logging.Filter):
    """Drops a warning of mmengine for each frozen parameter."""

    def filter(self, record: logging.LogRecord) -> bool:
        return 'is skipped since its requires_grad' not in record.getMessage()


def own_options(model: nn.Module) -> dict[str, tuple[nn.Parameter, dict[str, Any]]]:
    """The parameters that train by options of their own: name = (parameter, options).

    Raises:
        ConfigError: A module states options of a parameter that it does not have.
    """
    found = {}
    for prefix, module in model.named_modules():
        for name, options in (getattr(module, 'optimizer_options', None) or {}).items():
            parameter = dict(module.named_parameters(recurse=False)).get(name)
            if parameter is None:
                raise ConfigError(f"{type(module).__name__}.optimizer_options names '{name}', which is none of its own "
                                  'parameters')
            if parameter.requires_grad:
                found[f'{prefix}.{name}' if prefix else name] = parameter, dict(options)
    return found


@torch.no_grad()
def _own_steps(optimizer: Optimizer, args: Any, kwargs: Any) -> None:
    """Before a step: rates that no schedule changes, and what the optimizer itself cannot step so."""
    for group in optimizer.param_groups:
        if 'constant_lr' in group:
            group['lr'] = group['constant_lr']
        if not group.get('plain_sgd', False):
            continue
        for parameter in group['params']:
            if parameter.grad is not None:
                decay = group.get('weight_decay', 0)
                parameter.sub_(group['lr'] * (parameter.grad + decay * parameter))
                parameter.grad = None  # nothing is left to the optimizer
