"""RIDE's multi-expert ResNet and ResNeXt for images of ImageNet size.

Imported only when a config names it: mmpretrain is slow to import.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from ltkit.registry import MODELS
from ltkit.utils.errors import ConfigError
from ltkit.utils.quiet_import import quiet_import

from .multi_expert import MultiExpertMixin, check_num_experts, drop_path_rates, reduced
from .resnet import ResNet, check_depth

with quiet_import():
    from mmpretrain.models.backbones.resnet import BasicBlock
    from mmpretrain.models.backbones.resnext import Bottleneck as GroupedBottleneck

SHARED_STAGES = 2


@MODELS.register_module()
class RIDEResNet(MultiExpertMixin, ResNet):
    """ResNet or ResNeXt whose third and fourth stage exist once an expert.

    The stem and the first two stages are shared. With ``reduce_dimension`` the
    experts' planes are 192 and 384 instead of 256 and 512, so their features
    have 1,536 channels (384 for basic blocks).
    Source: Wang et al., *RIDE*, ICLR 2021, arXiv 2010.01809.

    Args:
        depth (int): 10, 18, 34, 50, 101 or 152.
        num_experts (int): E. Defaults to 3.
        reduce_dimension (bool): Whether the experts are narrowed to three
            quarters. Defaults to True.
        groups (int): Groups of the 3x3 convolutions; ``32`` with
            ``width_per_group=4`` is ResNeXt 32x4d. Defaults to 1.
        width_per_group (int): Width of a group in the first stage; used with
            ``groups`` above 1. Defaults to 4.
        strides (Sequence[int]): Of the four stages. Defaults to (1, 2, 2, 2).
        dilations (Sequence[int]): Of the four stages. Defaults to (1, 1, 1, 1).
        drop_path_rate (float): Stochastic depth of the last block, in [0, 1).
            Defaults to 0.
        frozen_stages (int): Stages frozen from the stem (0) on, up to 2; -1
            for none. Defaults to -1.
        **kwargs: As for ``mmpretrain.models.ResNet``, except ``num_stages``
            and ``out_indices``, which are fixed.

    Raises:
        ConfigError: An argument is out of range, or groups are given to a depth
            of basic blocks.
    """

    def __init__(self,
                 depth: int,
                 num_experts: int = 3,
                 reduce_dimension: bool = True,
                 groups: int = 1,
                 width_per_group: int = 4,
                 strides: Sequence[int] = (1, 2, 2, 2),
                 dilations: Sequence[int] = (1, 1, 1, 1),
                 drop_path_rate: float = 0.0,
                 frozen_stages: int = -1,
                 **kwargs: Any) -> None:
        self.groups = groups
        self.width_per_group = width_per_group
        self._check(depth, strides, dilations, frozen_stages, kwargs)
        super().__init__(
            depth,
            num_stages=SHARED_STAGES,
            out_indices=(SHARED_STAGES - 1, ),
            strides=strides[:SHARED_STAGES],
            dilations=dilations[:SHARED_STAGES],
            drop_path_rate=drop_path_rate,
            frozen_stages=frozen_stages,
            **kwargs)
        self.reduce_dimension = reduce_dimension
        self.strides, self.dilations = tuple(strides), tuple(dilations)
        self.stage_blocks = self.arch_settings[depth][1]
        rates = drop_path_rates(drop_path_rate, sum(self.stage_blocks))
        self.init_experts([self._make_expert(rates) for _ in range(check_num_experts(num_experts))])
        self.out_channels = self.feat_dim = self._stage_channels(3)

    def _check(self, depth: int, strides: Sequence[int], dilations: Sequence[int], frozen_stages: int,
               others: dict[str, Any]) -> None:
        check_depth(depth, self.arch_settings, 'RIDEResNet')
        for name in ('num_stages', 'out_indices'):
            if name in others:
                raise ConfigError(f'RIDEResNet takes no {name}; it always gives the last map of each expert')
        for name, values in (('strides', strides), ('dilations', dilations)):
            if len(values) != 4:
                raise ConfigError(
                    f'{name} of RIDEResNet must have 4 numbers, one a stage, but is {tuple(values)}')
        if frozen_stages > SHARED_STAGES:
            raise ConfigError(
                f'frozen_stages of RIDEResNet must be at most {SHARED_STAGES}, its shared stages, but is '
                f'{frozen_stages}')
        if self.groups > 1 and self.arch_settings[depth][0] is BasicBlock:
            raise ConfigError(
                f'groups={self.groups} needs bottleneck blocks (depth 50, 101, 152), but depth is {depth}')

    def make_res_layer(self, **kwargs: Any) -> nn.Module:
        """One stage; of ResNeXt's blocks when there are groups."""
        if self.groups > 1:
            kwargs.update(
                block=GroupedBottleneck,
                groups=self.groups,
                width_per_group=self.width_per_group,
                base_channels=self.base_channels)
        return super().make_res_layer(**kwargs)

    def _stage_channels(self, stage: int) -> int:
        """Output channels of stage 0 .. 3."""
        planes = self.base_channels * 2**stage
        return reduced(planes, self.reduce_dimension and stage >= SHARED_STAGES) * self.expansion

    def _make_expert(self, rates: list[float]) -> nn.Sequential:
        """The third and fourth stage of one expert."""
        layers = OrderedDict()
        for stage in range(SHARED_STAGES, len(self.stage_blocks)):
            begin = sum(self.stage_blocks[:stage])
            layers[f'layer{stage + 1}'] = self.make_res_layer(
                block=self.block,
                num_blocks=self.stage_blocks[stage],
                in_channels=self._stage_channels(stage - 1),
                out_channels=self._stage_channels(stage),
                expansion=self.expansion,
                stride=self.strides[stage],
                dilation=self.dilations[stage],
                style=self.style,
                avg_down=self.avg_down,
                with_cp=self.with_cp,
                conv_cfg=self.conv_cfg,
                norm_cfg=self.norm_cfg,
                drop_path_rate=rates[begin:begin + self.stage_blocks[stage]])
        return nn.Sequential(layers)

    def forward_shared(self, x: Tensor) -> Tensor:
        """Images ``(N, 3, H, W)`` to the map of the second stage, ``(N, 512, H / 8, W / 8)``."""
        return ResNet.forward(self, x)[-1]


@MODELS.register_module()
class RIDEResNeXt(RIDEResNet):
    """:class:`RIDEResNet` with the groups of ResNeXt.

    Args:
        depth (int): 50, 101 or 152.
        num_experts (int): E. Defaults to 3.
        groups (int): Groups of the 3x3 convolutions. Defaults to 32.
        width_per_group (int): Width of a group in the first stage. Defaults to 4.
        **kwargs: As for :class:`RIDEResNet`.
    """

    def __init__(self,
                 depth: int,
                 num_experts: int = 3,
                 groups: int = 32,
                 width_per_group: int = 4,
                 **kwargs: Any) -> None:
        super().__init__(depth, num_experts, groups=groups, width_per_group=width_per_group, **kwargs)
