"""What stands in the place of an optimizer in a run without one."""

from __future__ import annotations

from typing import Any, NoReturn

from mmengine.optim import OptimWrapper
from torch import nn

from ltkit.utils.errors import ConfigError


class NoOptimWrapper(OptimWrapper):
    """Holds nothing and takes no step, for a loop whose ``takes_steps`` is False.

    mmengine wants an ``optim_wrapper`` wherever there is a training loop.
    """

    def __init__(self) -> None:
        """Do not take an optimizer, as the base class would."""

    def initialize_count_status(self, model: nn.Module, init_counts: int, max_counts: int) -> None:
        """Nothing is counted."""

    def get_lr(self) -> dict[str, list[float]]:
        """No learning rate."""
        return {}

    def get_momentum(self) -> dict[str, list[float]]:
        """No momentum."""
        return {}

    def state_dict(self) -> dict[str, Any]:
        """No state."""
        return {}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """No state is taken."""

    @property
    def param_groups(self) -> list[dict[str, Any]]:
        """No parameters."""
        return []

    def update_params(self, *args: Any, **kwargs: Any) -> NoReturn:
        """See the class.

        Raises:
            ConfigError: Always.
        """
        raise ConfigError('this run has no optimizer, so nothing can be trained by gradients; give an optim_wrapper '
                          'and train_cfg=dict(by_epoch=True, max_epochs=...)')

    def __repr__(self) -> str:
        return f'{type(self).__name__}()'
