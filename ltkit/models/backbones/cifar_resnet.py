"""The residual networks for small images that the long-tailed field trains."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from ltkit.registry import MODELS
from ltkit.utils.errors import ConfigError


class OptionAShortcut(nn.Module):
    r"""The parameter-free shortcut: every ``stride``-th pixel, new channels zero.

    Channel :math:`c` of the input becomes channel :math:`c + \lfloor (out - in)
    / 2 \rfloor` of the output; the channels before and after it are zero. So
    widths need not double, which RIDE's reduced experts rely on.
    Source: He et al., CVPR 2016, arXiv 1512.03385, section 4.2, option A.

    Args:
        in_channels (int): Channels of the input.
        out_channels (int): Channels of the output, not fewer.
        stride (int): Step of the subsampling.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        if out_channels < in_channels:
            raise ConfigError(
                f'an option-A shortcut cannot reduce {in_channels} channels to {out_channels}; let each '
                'stage be at least as wide as the one before')
        self.stride = stride
        before = (out_channels - in_channels) // 2
        self.padding = (before, out_channels - in_channels - before)

    def forward(self, x: Tensor) -> Tensor:
        """``(N, in, H, W)`` to ``(N, out, ceil(H / stride), ceil(W / stride))``."""
        return F.pad(x[:, :, ::self.stride, ::self.stride], (0, 0, 0, 0, *self.padding))

    def extra_repr(self) -> str:
        return f'stride={self.stride}, padding={self.padding}'


class BasicBlock(nn.Module):
    """Two 3x3 convolutions and an option-A shortcut.

    Args:
        in_channels (int): Channels of the input.
        out_channels (int): Channels of the output.
        stride (int): Stride of the first convolution. Defaults to 1.
        norm_cfg (dict, optional): See :class:`CIFARResNet`.
    """

    def __init__(self,
                 in_channels: int,
                 out_channels: int,
                 stride: int = 1,
                 norm_cfg: dict | None = None) -> None:
        super().__init__()
        self.conv1 = conv3x3(in_channels, out_channels, stride)
        self.bn1 = norm_layer(norm_cfg, out_channels)
        self.conv2 = conv3x3(out_channels, out_channels)
        self.bn2 = norm_layer(norm_cfg, out_channels)
        if stride == 1 and in_channels == out_channels:
            self.shortcut: nn.Module = nn.Identity()
        else:
            self.shortcut = OptionAShortcut(in_channels, out_channels, stride)

    def forward(self, x: Tensor) -> Tensor:
        """``(N, in, H, W)`` to ``(N, out, H / stride, W / stride)``."""
        out = F.relu(self.bn1(self.conv1(x)), inplace=True)
        return F.relu(self.bn2(self.conv2(out)) + self.shortcut(x), inplace=True)


def conv3x3(in_channels: int, out_channels: int, stride: int = 1) -> nn.Conv2d:
    """A 3x3 convolution with padding and no bias."""
    return nn.Conv2d(in_channels, out_channels, 3, stride, padding=1, bias=False)


def check_channels(images: Tensor, in_channels: int) -> None:
    """Raise :class:`ConfigError` unless the images ``(N, C, H, W)`` have as many channels as the network takes."""
    if images.size(1) != in_channels:
        raise ConfigError(f'backbone.in_channels is {in_channels}, but the images have {images.size(1)} channels; set '
                          f'in_channels={images.size(1)}')


def norm_layer(norm_cfg: dict | None, channels: int) -> nn.Module:
    """Batch normalisation, or what ``norm_cfg`` names (through mmcv)."""
    if norm_cfg is None:
        return nn.BatchNorm2d(channels)
    from mmcv.cnn import build_norm_layer
    return build_norm_layer(norm_cfg, channels)[1]


def make_stage(num_blocks: int,
               in_channels: int,
               out_channels: int,
               stride: int,
               norm_cfg: dict | None = None) -> nn.Sequential:
    """``num_blocks`` blocks of one width; the first has the stride."""
    first = BasicBlock(in_channels, out_channels, stride, norm_cfg)
    rest = [BasicBlock(out_channels, out_channels, 1, norm_cfg) for _ in range(num_blocks - 1)]
    return nn.Sequential(first, *rest)


def blocks_per_stage(depth: int) -> int:
    """``n`` of a network of ``6 n + 2`` layers.

    Raises:
        ConfigError: ``depth`` is not ``6 n + 2``.
    """
    if depth < 8 or (depth - 2) % 6:
        raise ConfigError(f'depth of a CIFAR ResNet must be 6 n + 2 (8, 20, 32, 44, 56, 110), but is {depth}')
    return (depth - 2) // 6


def init_convolutions(module: nn.Module) -> None:
    """He's normal initialisation (fan in) of every convolution; biases none."""
    for part in module.modules():
        if isinstance(part, nn.Conv2d):
            nn.init.kaiming_normal_(part.weight)


@MODELS.register_module()
class CIFARResNet(BaseModule):
    """ResNet for small images: a 3x3 stem and three stages of 16, 32, 64 channels.

    The network of He et al. (arXiv 1512.03385, section 4.2) with option-A
    shortcuts and He initialisation, as every CIFAR-LT paper since LDAM (Cao et
    al., NeurIPS 2019, arXiv 1906.07413) trains it. ``ResNet8``, ``ResNet20``,
    ``ResNet32``, ``ResNet44`` and ``ResNet56`` are it with the depth fixed.

    Args:
        depth (int): Number of layers, ``6 n + 2`` for ``n`` blocks a stage.
        in_channels (int): Channels of the images. Defaults to 3.
        base_channels (int): Channels of the stem and first stage; the next two
            stages have twice and four times as many. Defaults to 16.
        out_indices (Sequence[int]): Stages whose maps are returned, from
            0, 1, 2. Defaults to ``(2,)``.
        norm_cfg (dict, optional): Normalisation layer, for example
            ``dict(type='GN', num_groups=8)``. Defaults to batch normalisation.
        init_cfg (dict, optional): Initialisation of mmengine, for example
            ``dict(type='Pretrained', checkpoint=...)``.

    Raises:
        ConfigError: ``depth`` or ``out_indices`` is out of range.
    """

    def __init__(self,
                 depth: int,
                 in_channels: int = 3,
                 base_channels: int = 16,
                 out_indices: Sequence[int] = (2, ),
                 norm_cfg: dict | None = None,
                 init_cfg: dict | list | None = None) -> None:
        super().__init__(init_cfg)
        num_blocks = blocks_per_stage(depth)
        if not out_indices or any(i not in (0, 1, 2) for i in out_indices):
            raise ConfigError(f'out_indices must be stages from 0, 1, 2, but is {tuple(out_indices)}')
        self.depth = depth
        self.in_channels = in_channels
        self.out_indices = tuple(out_indices)
        widths = (base_channels, 2 * base_channels, 4 * base_channels)
        self.conv1 = conv3x3(in_channels, widths[0])
        self.bn1 = norm_layer(norm_cfg, widths[0])
        self.layer1 = make_stage(num_blocks, widths[0], widths[0], 1, norm_cfg)
        self.layer2 = make_stage(num_blocks, widths[0], widths[1], 2, norm_cfg)
        self.layer3 = make_stage(num_blocks, widths[1], widths[2], 2, norm_cfg)
        self.out_channels = widths[max(self.out_indices)]
        init_convolutions(self)

    @property
    def feat_dim(self) -> int:
        """Channels of the last map returned; mmpretrain's name for it."""
        return self.out_channels

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Images to feature maps.

        Args:
            x (Tensor): Shape ``(N, in_channels, H, W)``.

        Returns:
            tuple[Tensor]: The maps of ``out_indices``, in the order of the
            stages; the last stage's has shape ``(N, 64, H / 4, W / 4)``.
        """
        check_channels(x, self.in_channels)
        x = F.relu(self.bn1(self.conv1(x)), inplace=True)
        outs = []
        for i, stage in enumerate((self.layer1, self.layer2, self.layer3)):
            x = stage(x)
            if i in self.out_indices:
                outs.append(x)
        return tuple(outs)


@MODELS.register_module()
class ResNet8(CIFARResNet):
    """:class:`CIFARResNet` of 8 layers; takes its other arguments."""

    def __init__(self, in_channels: int = 3, base_channels: int = 16, **kwargs: Any) -> None:
        super().__init__(8, in_channels, base_channels, **kwargs)


@MODELS.register_module()
class ResNet20(CIFARResNet):
    """:class:`CIFARResNet` of 20 layers; takes its other arguments."""

    def __init__(self, in_channels: int = 3, base_channels: int = 16, **kwargs: Any) -> None:
        super().__init__(20, in_channels, base_channels, **kwargs)


@MODELS.register_module()
class ResNet32(CIFARResNet):
    """:class:`CIFARResNet` of 32 layers, the field's standard; takes its other arguments."""

    def __init__(self, in_channels: int = 3, base_channels: int = 16, **kwargs: Any) -> None:
        super().__init__(32, in_channels, base_channels, **kwargs)


@MODELS.register_module()
class ResNet44(CIFARResNet):
    """:class:`CIFARResNet` of 44 layers; takes its other arguments."""

    def __init__(self, in_channels: int = 3, base_channels: int = 16, **kwargs: Any) -> None:
        super().__init__(44, in_channels, base_channels, **kwargs)


@MODELS.register_module()
class ResNet56(CIFARResNet):
    """:class:`CIFARResNet` of 56 layers; takes its other arguments."""

    def __init__(self, in_channels: int = 3, base_channels: int = 16, **kwargs: Any) -> None:
        super().__init__(56, in_channels, base_channels, **kwargs)
