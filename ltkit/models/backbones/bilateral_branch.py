"""What the backbones of two branches share."""

from __future__ import annotations

import copy

from torch import Tensor, nn


class BilateralBranchMixin:
    """A residual network whose last block exists twice, all before it being shared.

    A backbone derives from it and from its plain network, and calls
    :meth:`split_last_block` with the name of the last stage once the network
    stands. The last block of that stage becomes ``conventional_block``, and a copy
    of it with weights of its own ``rebalancing_block``; the rest of the network
    keeps its names, so that the weights of the plain network can be loaded into
    it. A stage of one block is left empty.
    """

    group_size = 2  # images that are trained on together, see BilateralBranchRecognizer
    conventional_block: nn.Module
    rebalancing_block: nn.Module

    def split_last_block(self, stage: str) -> None:
        """Take the last block out of the stage of this name, and make it twice."""
        *shared, last = getattr(self, stage)
        setattr(self, stage, nn.Sequential(*shared))
        self.conventional_block, self.rebalancing_block = last, copy.deepcopy(last)
        for module in self.rebalancing_block.modules():
            if hasattr(module, 'reset_parameters'):
                module.reset_parameters()

    def forward_shared(self, x: Tensor) -> Tensor:
        """Images ``(N, C, H, W)`` to the map that both branches start from."""
        return super().forward(x)[-1]  # type: ignore[misc]

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Images to the maps of the conventional and the re-balancing branch, both of all images.

        Args:
            x (Tensor): Shape ``(N, in_channels, H, W)``.

        Returns:
            tuple[Tensor, Tensor]: Each ``(N, out_channels, H', W')``.
        """
        shared = self.forward_shared(x)
        return self.conventional_block(shared), self.rebalancing_block(shared)

    def forward_pairs(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Pairs of images, one for each branch, to their maps.

        The branches are two passes through the shared part, as in the official
        code, so that batch normalisation takes its statistics of the images of one
        branch at a time.

        Args:
            x (Tensor): The images of a pair one after the other, shape ``(2 N,
                in_channels, H, W)``.

        Returns:
            tuple[Tensor, Tensor]: Each ``(N, out_channels, H', W')``; the first
            images of the pairs in the conventional branch, the second ones in the
            re-balancing branch.
        """
        return (self.conventional_block(self.forward_shared(x[0::2])),
                self.rebalancing_block(self.forward_shared(x[1::2])))
