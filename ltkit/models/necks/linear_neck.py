"""A linear layer between the pooling and the classifier."""

from __future__ import annotations

from mmengine.model import BaseModule
from torch import Tensor, nn

from ltkit.registry import MODELS
from ltkit.utils.errors import ConfigError


@MODELS.register_module()
class LinearNeck(BaseModule):
    r"""Features of another length, :math:`x' = \max(0, W x + b)`.

    It stands after the pooling, as in the networks of OLTR (Liu et al., CVPR 2019, arXiv
    1904.05160), and acts on the last vector of a tuple; others pass.

    Args:
        in_channels (int): Length of x.
        out_channels (int): Length of :math:`x'`, which the head takes.
        init_cfg (dict, optional): Initialisation of mmengine.

    Shape:
        A tuple, the last ``(N, in_channels)``, to the same with ``(N, out_channels)``.

    Raises:
        ConfigError: A length is no whole number above 0; the vector has another.
    """

    def __init__(self, in_channels: int, out_channels: int, init_cfg: dict | list | None = None) -> None:
        super().__init__(init_cfg)
        for name, value in dict(in_channels=in_channels, out_channels=out_channels).items():
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ConfigError(f'{name} of LinearNeck must be a whole number above 0, but is {value!r}')
        self.linear = nn.Linear(in_channels, out_channels)

    def forward(self, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Map the last vector of a tuple."""
        *others, x = inputs
        if x.dim() != 2 or x.size(1) != self.linear.in_features:
            raise ConfigError(f'LinearNeck takes features (N, {self.linear.in_features}), but gets {tuple(x.shape)}; '
                              'put it after GlobalAveragePooling, and set in_channels')
        return (*others, self.linear(x).relu())
