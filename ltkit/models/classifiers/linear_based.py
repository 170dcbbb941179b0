"""What classifiers that change the logits of a linear layer have in common."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from .checks import check_sizes


class LinearBased(nn.Module):
    """The parameters of a linear layer, by the names of :class:`LinearClassifier`.

    So weights are handed over from one and back. It is no ``nn.Linear``, since its
    logits are not those of one.

    Args:
        num_classes (int): C.
        in_channels (int): d, the length of a feature.
        bias (bool): Whether there is a bias b. Defaults to True.

    Shape:
        ``weight`` has shape ``(C, d)``, ``bias`` ``(C,)``; initialised as ``nn.Linear`` does.

    Raises:
        ConfigError: A size is not above 0.
    """

    scale = 1.0
    bias: nn.Parameter | None

    def __init__(self, num_classes: int, in_channels: int, bias: bool = True) -> None:
        check_sizes(num_classes, in_channels)
        super().__init__()
        self.num_classes = num_classes
        self.in_channels = in_channels
        layer = nn.Linear(in_channels, num_classes, bias)
        self.weight = layer.weight
        self.register_parameter('bias', layer.bias)

    def linear(self, features: Tensor) -> Tensor:
        """Logits of the linear layer, ``(N, d)`` to ``(N, C)``."""
        return F.linear(features, self.weight, self.bias)

    def extra_repr(self) -> str:
        return f'num_classes={self.num_classes}, in_channels={self.in_channels}, bias={self.bias is not None}'
