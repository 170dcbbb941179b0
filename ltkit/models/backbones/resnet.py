"""mmpretrain's residual networks under names of ltkit, with the 10-layer one.

Imported only when a config names one of them: mmpretrain is slow to import.
"""

from __future__ import annotations

from typing import Any

from torch import nn

from ltkit.registry import MODELS
from ltkit.utils.errors import ConfigError
from ltkit.utils.quiet_import import quiet_import

with quiet_import():
    from mmpretrain.models.backbones.resnet import BasicBlock
    from mmpretrain.models.backbones.resnet import ResNet as _ResNet
    from mmpretrain.models.backbones.resnext import ResNeXt as _ResNeXt


def check_depth(depth: int, settings: dict[int, Any], name: str) -> None:
    """Refuse a depth that ``settings`` does not know.

    Raises:
        ConfigError: It does not.
    """
    if depth not in settings:
        known = ', '.join(str(d) for d in sorted(settings))
        raise ConfigError(f'depth of {name} must be one of {known}, but is {depth}')


class _TrainReturnsSelf:
    """``net.train()`` and ``net.eval()`` give the network back, as torch's do."""

    def train(self, mode: bool = True) -> nn.Module:
        super().train(mode)
        return self


@MODELS.register_module()
class ResNet(_TrainReturnsSelf, _ResNet):
    """ResNet for images of ImageNet size, of 10, 18, 34, 50, 101 or 152 layers.

    mmpretrain's, and the ResNet-10 (one basic block a stage) that ImageNet-LT
    and Places-LT were introduced with (Liu et al., CVPR 2019, arXiv
    1904.05160). Features: 512 channels up to 34 layers, 2,048 from 50 on, times
    ``last_stage_width``.

    Args:
        depth (int): Number of layers.
        last_stage_width (int): Factor of the channels of the last stage. 2 with 50
            layers gives the 4,096 features that fixed classifiers were tried with on
            ImageNet-LT (arXiv 2203.09081). Defaults to 1.
        **kwargs: As for ``mmpretrain.models.ResNet``.

    Raises:
        ConfigError: The depth is not known, or the width no whole number above 0.
    """

    arch_settings = {10: (BasicBlock, (1, 1, 1, 1)), **_ResNet.arch_settings}

    def __init__(self, depth: int, last_stage_width: int = 1, **kwargs: Any) -> None:
        check_depth(depth, self.arch_settings, 'ResNet')
        if isinstance(last_stage_width, bool) or not isinstance(last_stage_width, int) or last_stage_width < 1:
            raise ConfigError(f'last_stage_width must be a whole number above 0, but is {last_stage_width!r}')
        self.last_stage_width = last_stage_width  # read while the stages are made
        super().__init__(depth, **kwargs)

    def make_res_layer(self, **kwargs: Any) -> nn.Module:
        """Make the next stage; see mmpretrain."""
        if len(self.res_layers) == self.num_stages - 1:
            kwargs['out_channels'] *= self.last_stage_width
        return super().make_res_layer(**kwargs)


@MODELS.register_module()
class ResNeXt(_TrainReturnsSelf, _ResNeXt):
    """ResNeXt of 50, 101 or 152 layers: mmpretrain's under its own name.

    Args:
        depth (int): Number of layers.
        groups (int): Groups of the 3x3 convolutions. Defaults to 32.
        width_per_group (int): Width of a group in the first stage. Defaults to 4.
        **kwargs: As for ``mmpretrain.models.ResNeXt``.

    Raises:
        ConfigError: The depth is not known.
    """

    def __init__(self, depth: int, groups: int = 32, width_per_group: int = 4, **kwargs: Any) -> None:
        check_depth(depth, self.arch_settings, 'ResNeXt')
        super().__init__(depth, groups, width_per_group, **kwargs)
