"""BBN's networks of two branches for small images."""

from __future__ import annotations

from typing import Any

from ltkit.registry import MODELS

from .bilateral_branch import BilateralBranchMixin
from .cifar_resnet import CIFARResNet, init_convolutions


@MODELS.register_module()
class BilateralBranchCIFARResNet(BilateralBranchMixin, CIFARResNet):
    """:class:`CIFARResNet` whose last block exists once a branch.

    Source: Zhou et al., *BBN*, CVPR 2020, arXiv 1912.02413, section 4.2.
    ``BBNResNet8`` and ``BBNResNet32`` are it with the depth fixed.

    Args:
        depth (int): Number of layers seen by an image, ``6 n + 2``.
        in_channels (int): Channels of the images. Defaults to 3.
        base_channels (int): Channels of the stem; each branch gives four times as
            many. Defaults to 16.
        norm_cfg (dict, optional): Normalisation layer. Defaults to batch
            normalisation.
        init_cfg (dict, optional): Initialisation of mmengine.

    Raises:
        ConfigError: ``depth`` is out of range.
    """

    def __init__(self,
                 depth: int,
                 in_channels: int = 3,
                 base_channels: int = 16,
                 norm_cfg: dict | None = None,
                 init_cfg: dict | list | None = None) -> None:
        super().__init__(depth, in_channels, base_channels, norm_cfg=norm_cfg, init_cfg=init_cfg)
        self.split_last_block('layer3')
        init_convolutions(self.rebalancing_block)


@MODELS.register_module()
class BBNResNet8(BilateralBranchCIFARResNet):
    """:class:`BilateralBranchCIFARResNet` of 8 layers; takes its other arguments."""

    def __init__(self, in_channels: int = 3, base_channels: int = 16, **kwargs: Any) -> None:
        super().__init__(8, in_channels, base_channels, **kwargs)


@MODELS.register_module()
class BBNResNet32(BilateralBranchCIFARResNet):
    """:class:`BilateralBranchCIFARResNet` of 32 layers; takes its other arguments."""

    def __init__(self, in_channels: int = 3, base_channels: int = 16, **kwargs: Any) -> None:
        super().__init__(32, in_channels, base_channels, **kwargs)
