"""Recognisers of two branches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from ltkit.registry import MODELS
from ltkit.utils.errors import ConfigError

from .image import ImageRecognizer


@MODELS.register_module()
class BilateralBranchRecognizer(ImageRecognizer):
    """BBN: an :class:`ImageRecognizer` with a conventional and a re-balancing branch.

    It trains on pairs of images, one uniformly drawn for the conventional branch and
    one for the re-balancing branch, from a
    :class:`~ltkit.datasets.samplers.PairedSampler`; the head mixes the features of
    both. In prediction each image goes through both branches.

    Source: Zhou et al., *BBN: Bilateral-Branch Network with Cumulative Learning
    for Long-Tailed Visual Recognition*, CVPR 2020, arXiv 1912.02413.

    Example:
        >>> model = dict(
        ...     type='BilateralBranchRecognizer',
        ...     backbone=dict(type='BBNResNet32'),
        ...     neck=dict(type='GlobalAveragePooling'),
        ...     head=dict(type='BilateralBranchHead', num_classes=100, in_channels=128))
        >>> sampler = dict(type='PairedSampler')

    Args:
        **kwargs: As for :class:`ImageRecognizer`. Batch augments are not taken: they
            would mix the images of the branches with each other.

    Raises:
        ConfigError: Backbone or head has no two branches, or there are batch
            augments.
    """

    group_size = 2

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        for name, part, example in (('backbone', self.backbone, 'BBNResNet32'),
                                    ('head', self.head, 'BilateralBranchHead')):
            if part is not None and getattr(part, 'group_size', 1) != self.group_size:
                raise ConfigError(f'BilateralBranchRecognizer needs a {name} of two branches, but '
                                  f'{type(part).__name__} has one; use {example} or alike')
        if getattr(self.data_preprocessor, 'batch_augments', None) is not None:
            raise ConfigError('BilateralBranchRecognizer takes no batch augments, which would mix the images of both '
                              'branches with each other; leave out model.train_cfg.augments')

    def loss(self, inputs: Tensor, data_samples: Sequence[Any], **kwargs: Any) -> dict[str, Tensor]:
        """The loss terms of a batch of pairs; see the head.

        Args:
            inputs (Tensor): The images of a pair one after the other, ``(2 N, C, H,
                W)``.
            data_samples (Sequence): 2 N samples.
            **kwargs: Handed to the head.

        Raises:
            ConfigError: The number of images is odd.
        """
        if len(inputs) % 2:
            raise ConfigError(f'BilateralBranchRecognizer trains on pairs of images, but gets {len(inputs)} images; '
                              "use train_dataloader.sampler=dict(type='PairedSampler')")
        feats = self.backbone.forward_pairs(inputs)
        if self.with_neck:
            feats = self.neck(feats)
        return self._head_for('loss').loss(feats, data_samples, **kwargs)
