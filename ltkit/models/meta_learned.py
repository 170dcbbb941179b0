"""Parts of a model that a meta step trains, not the optimizer of the model."""

from __future__ import annotations

from typing import TypeVar

from torch import nn

ModuleT = TypeVar('ModuleT', bound=nn.Module)


def meta_learned(module: ModuleT) -> ModuleT:
    """Leave the parameters of a part to :class:`~ltkit.engine.loops.MetaTrainLoop`.

    They no longer ask for a gradient, so that neither an optimizer (with its weight
    decay) nor the all-reduce of several processes touches them. They stay in the
    model, and so in its checkpoints.

    Args:
        module (nn.Module): With the parameters to be learned.

    Returns:
        nn.Module: The same.

    Example:
        >>> self.net = meta_learned(nn.Linear(1, 1))
    """
    module.requires_grad_(False)
    module.is_meta_learned = True
    return module


def meta_learned_parameters(model: nn.Module) -> dict[str, nn.Parameter]:
    """The parameters of all parts that :func:`meta_learned` has marked, by their names in ``model``."""
    return {f'{prefix}.{name}' if prefix else name: parameter
            for prefix, part in model.named_modules() if getattr(part, 'is_meta_learned', False)
            for name, parameter in part.named_parameters()}
