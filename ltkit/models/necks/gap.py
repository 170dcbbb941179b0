"""Global average pooling."""

from __future__ import annotations

from mmengine.model import BaseModule
from torch import Tensor

from ltkit.registry import MODELS
from ltkit.utils.errors import ConfigError


@MODELS.register_module()
class GlobalAveragePooling(BaseModule):
    """Mean over the pixels of each feature map.

    Args:
        init_cfg (dict, optional): Unused; the neck has no parameters.
    """

    def __init__(self, init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)

    def forward(self, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """``(N, C, H, W)`` to ``(N, C)``, for each map of the tuple.

        Raises:
            ConfigError: A map is not four-dimensional.
        """
        for x in inputs:
            if x.dim() != 4:
                raise ConfigError(
                    'GlobalAveragePooling takes feature maps (N, C, H, W), but the backbone gives '
                    f'{tuple(x.shape)}; leave the neck out')
        return tuple(x.mean((2, 3)) for x in inputs)
