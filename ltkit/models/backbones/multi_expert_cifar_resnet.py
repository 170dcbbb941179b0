"""RIDE's multi-expert networks for small images."""

from __future__ import annotations

from typing import Any

import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from ltkit.registry import MODELS

from .cifar_resnet import blocks_per_stage, check_channels, conv3x3, init_convolutions, make_stage, norm_layer
from .multi_expert import MultiExpertMixin, check_num_experts, reduced


@MODELS.register_module()
class MultiExpertCIFARResNet(MultiExpertMixin, BaseModule):
    """:class:`CIFARResNet` whose second and third stage exist once an expert.

    The stem and the first stage are shared. With ``reduce_dimension`` the
    experts' stages are 24 and 48 channels wide instead of 32 and 64.
    Source: Wang et al., *RIDE*, ICLR 2021, arXiv 2010.01809. ``RIDEResNet8``
    and ``RIDEResNet32`` are it with the depth fixed.

    Args:
        depth (int): Number of layers seen by an image, ``6 n + 2``.
        num_experts (int): E. Defaults to 3.
        reduce_dimension (bool): Whether the experts are narrowed to three
            quarters. Defaults to True.
        in_channels (int): Channels of the images. Defaults to 3.
        base_channels (int): Channels of the stem. Defaults to 16.
        norm_cfg (dict, optional): Normalisation layer. Defaults to batch
            normalisation.
        init_cfg (dict, optional): Initialisation of mmengine.

    Raises:
        ConfigError: ``depth`` or ``num_experts`` is out of range.
    """

    def __init__(self,
                 depth: int,
                 num_experts: int = 3,
                 reduce_dimension: bool = True,
                 in_channels: int = 3,
                 base_channels: int = 16,
                 norm_cfg: dict | None = None,
                 init_cfg: dict | list | None = None) -> None:
        super().__init__(init_cfg)
        num_blocks = blocks_per_stage(depth)
        self.depth = depth
        self.in_channels = in_channels
        self.reduce_dimension = reduce_dimension
        middle = reduced(2 * base_channels, reduce_dimension)
        self.out_channels = reduced(4 * base_channels, reduce_dimension)
        self.conv1 = conv3x3(in_channels, base_channels)
        self.bn1 = norm_layer(norm_cfg, base_channels)
        self.layer1 = make_stage(num_blocks, base_channels, base_channels, 1, norm_cfg)
        self.init_experts([
            nn.Sequential(
                make_stage(num_blocks, base_channels, middle, 2, norm_cfg),
                make_stage(num_blocks, middle, self.out_channels, 2, norm_cfg))
            for _ in range(check_num_experts(num_experts))
        ])
        init_convolutions(self)

    @property
    def feat_dim(self) -> int:
        """Channels of each expert's map; mmpretrain's name for it."""
        return self.out_channels

    def forward_shared(self, x: Tensor) -> Tensor:
        """Images ``(N, in_channels, H, W)`` to ``(N, 16, H, W)``."""
        check_channels(x, self.in_channels)
        return self.layer1(F.relu(self.bn1(self.conv1(x)), inplace=True))


@MODELS.register_module()
class RIDEResNet8(MultiExpertCIFARResNet):
    """:class:`MultiExpertCIFARResNet` of 8 layers; takes its other arguments."""

    def __init__(self, num_experts: int = 3, **kwargs: Any) -> None:
        super().__init__(8, num_experts, **kwargs)


@MODELS.register_module()
class RIDEResNet32(MultiExpertCIFARResNet):
    """:class:`MultiExpertCIFARResNet` of 32 layers; takes its other arguments."""

    def __init__(self, num_experts: int = 3, **kwargs: Any) -> None:
        super().__init__(32, num_experts, **kwargs)
