"""The plain last layer."""

from __future__ import annotations

from torch import nn

from ltkit.registry import CLASSIFIERS

from .checks import check_sizes


@CLASSIFIERS.register_module()
class LinearClassifier(nn.Linear):
    """A linear layer, :math:`z = W x + b`, with the initialisation of ``nn.Linear``.

    Args:
        num_classes (int): C.
        in_channels (int): d, the length of a feature.
        bias (bool): Whether there is a bias b. Defaults to True.

    Shape:
        ``(N, d)`` to ``(N, C)``. ``weight`` has shape ``(C, d)``.
    """

    scale = 1.0

    def __init__(self, num_classes: int, in_channels: int, bias: bool = True) -> None:
        check_sizes(num_classes, in_channels)
        super().__init__(in_channels, num_classes, bias=bias)
        self.num_classes = num_classes
        self.in_channels = in_channels
