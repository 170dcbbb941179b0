"""The attention of OLTR over a feature map."""

from __future__ import annotations

from mmengine.model import BaseModule
from torch import Tensor, nn

from ltkit.registry import MODELS
from ltkit.utils.errors import ConfigError


@MODELS.register_module()
class ModulatedAttention(BaseModule):
    r"""Self-attention over the places of a map, modulated by how much each place counts.

    .. math:: x'_p = x_p + s_p \, W_m \sum_q \text{softmax}_q(\theta_p^\top \phi_q) \, g_q, \qquad
              s = \text{softmax}(W_s \, \text{vec}(x) + b_s)

    with linear maps :math:`\theta, \phi, g` of the channels (convolutions of size 1) to
    d / r of them, :math:`W_m` back to d, and one weight :math:`s_p` for each of the
    :math:`H \times W` places. :math:`W_m` begins at 0, so that the neck begins as
    the identity. It stands before the pooling,
    ``neck=[dict(type='ModulatedAttention', in_channels=512),
    dict(type='GlobalAveragePooling')]``, and acts on the last map; others pass.

    Source: Liu et al., *Large-Scale Long-Tailed Recognition in an Open World*, CVPR
    2019, arXiv 1904.05160; the form is that of the official code.

    Args:
        in_channels (int): Channels d of the last map.
        size (int or tuple[int, int]): H and W of the last map, which :math:`W_s` is
            made for. Defaults to 7, that of a ResNet on images of 224.
        reduction (int): r, which divides d. Defaults to 2.
        init_cfg (dict, optional): Initialisation of mmengine.

    Shape:
        A tuple of maps, the last ``(N, d, H, W)``, to the same.

    Raises:
        ConfigError: An argument is not as above; the map has another size.
    """

    def __init__(self,
                 in_channels: int,
                 size: int | tuple[int, int] = 7,
                 reduction: int = 2,
                 init_cfg: dict | list | None = None) -> None:
        super().__init__(init_cfg)
        height, width = (size, size) if isinstance(size, int) else size
        for name, value in dict(in_channels=in_channels, size=height, reduction=reduction).items():
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ConfigError(f'{name} of ModulatedAttention must be a whole number above 0, but is {value!r}')
        if in_channels % reduction:
            raise ConfigError(f'reduction of ModulatedAttention is {reduction}, into which the {in_channels} channels '
                              'cannot be divided')
        self.in_channels = in_channels
        self.size = (height, width)
        inner = in_channels // reduction
        self.theta, self.phi, self.g = (nn.Conv2d(in_channels, inner, 1) for _ in range(3))
        for layer in (self.theta, self.phi, self.g):
            nn.init.kaiming_normal_(layer.weight)
            nn.init.zeros_(layer.bias)
        self.mask = nn.Conv2d(inner, in_channels, 1, bias=False)
        nn.init.zeros_(self.mask.weight)
        self.spatial = nn.Linear(in_channels * height * width, height * width)

    def forward(self, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Attend over the last map of a tuple."""
        *others, x = inputs
        if x.shape[1:] != (self.in_channels, *self.size):
            raise ConfigError(f'ModulatedAttention is made for a map of in_channels={self.in_channels} and '
                              f'size={self.size}, but gets {tuple(x.shape)}; set in_channels={x.size(1)} and '
                              f'size={tuple(x.shape[2:])}')
        theta, phi, g = (layer(x).flatten(2) for layer in (self.theta, self.phi, self.g))
        attention = (theta.transpose(1, 2) @ phi).softmax(-1)
        gathered = (g @ attention.transpose(1, 2)).unflatten(2, self.size)
        weights = self.spatial(x.flatten(1)).softmax(-1).unflatten(1, (1, *self.size))
        return (*others, x + weights * self.mask(gathered))
