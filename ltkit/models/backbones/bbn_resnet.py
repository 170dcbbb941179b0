"""BBN's ResNet and ResNeXt of two branches for images of ImageNet size.

Imported only when a config names one of them: mmpretrain is slow to import.
"""

from __future__ import annotations

from typing import Any

from ltkit.registry import MODELS
from ltkit.utils.errors import ConfigError

from .bilateral_branch import BilateralBranchMixin
from .resnet import ResNet, ResNeXt

FIXED = ('num_stages', 'out_indices')
LAST_STAGE = 'layer4'
WHOLE_STAGES = 3  # before the one with the branches


def check_arguments(name: str, arguments: dict[str, Any]) -> None:
    """Refuse what a network of two branches does not have.

    Raises:
        ConfigError: An argument is fixed there, or asks to freeze the stage of the
            branches.
    """
    for argument in FIXED:
        if argument in arguments:
            raise ConfigError(f'{name} takes no {argument}; it always gives the last map of both branches')
    frozen = arguments.get('frozen_stages', -1)
    if frozen > WHOLE_STAGES:
        raise ConfigError(f'frozen_stages of {name} must be at most {WHOLE_STAGES}, the stages before the branches, '
                          f'but is {frozen}')


@MODELS.register_module()
class BBNResNet(BilateralBranchMixin, ResNet):
    """:class:`ResNet` whose last block exists once a branch.

    Each branch gives 2,048 channels (512 up to 34 layers).
    Source: Zhou et al., *BBN*, CVPR 2020, arXiv 1912.02413, section 4.2.

    Args:
        depth (int): 10, 18, 34, 50, 101 or 152.
        **kwargs: As for ``mmpretrain.models.ResNet``, except ``num_stages`` and
            ``out_indices``, which are fixed; ``frozen_stages`` up to 3.

    Raises:
        ConfigError: The depth is not known, or an argument is as above.
    """

    def __init__(self, depth: int, **kwargs: Any) -> None:
        check_arguments(type(self).__name__, kwargs)
        super().__init__(depth, **kwargs)
        self.split_last_block(LAST_STAGE)


@MODELS.register_module()
class BBNResNeXt(BilateralBranchMixin, ResNeXt):
    """:class:`ResNeXt` whose last block exists once a branch.

    Args:
        depth (int): 50, 101 or 152.
        groups (int): Groups of the 3x3 convolutions. Defaults to 32.
        width_per_group (int): Width of a group in the first stage. Defaults to 4.
        **kwargs: As for :class:`BBNResNet`.

    Raises:
        ConfigError: As for :class:`BBNResNet`.
    """

    def __init__(self, depth: int, groups: int = 32, width_per_group: int = 4, **kwargs: Any) -> None:
        check_arguments(type(self).__name__, kwargs)
        super().__init__(depth, groups, width_per_group, **kwargs)
        self.split_last_block(LAST_STAGE)
