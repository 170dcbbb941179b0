"""The template of regularisers."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ltkit.distribution_aware import CountsLike, DistributionAware


class Regularizer(DistributionAware, nn.Module):
    """A term that a head adds to its loss; overrides :meth:`penalty`.

    It may read ``self.counts_for(logits)``, and may have ``set_epoch(epoch,
    max_epochs)``, which is called before each training epoch. One that takes
    ``num_classes`` or ``in_channels`` gets them from the head. One that learns
    something of the features sets ``per_expert = True``: each expert of a
    ``MultiExpertHead`` then has one of its own, and their terms are added; of any
    other the mean over the experts is taken.

    One that reads the weights of the classifier has ``set_head(head)``. One that
    constrains them has ``project()``, which ``ProjectionHook`` calls after each step of
    the optimizer; if that is all it does, ``has_penalty = False`` keeps it out of the loss.

    Args:
        class_counts (optional): Training samples of each class; normally left to
            ``ClassDistributionHook``.
        loss_weight (float): Factor of the term. Defaults to 1.0.
    """

    per_expert = False
    has_penalty = True

    def __init__(self, class_counts: CountsLike | None = None, loss_weight: float = 1.0) -> None:
        super().__init__()
        self.init_class_counts(class_counts)
        self.loss_weight = loss_weight

    def penalty(self, features: Tensor, logits: Tensor, target: Tensor) -> Tensor:
        """The term before its factor; arguments as for :meth:`forward`, float32 at least."""
        raise NotImplementedError(f'{type(self).__name__} must override penalty(features, logits, target)')

    def forward(self, features: Tensor, logits: Tensor, target: Tensor) -> Tensor:
        """The term, a scalar.

        Args:
            features (Tensor): Input of the classifier, shape ``(N, d)``.
            logits (Tensor): Its output, shape ``(N, C)``.
            target (Tensor): Labels ``(N,)`` int64, or soft labels ``(N, C)``.
        """
        with torch.autocast(logits.device.type, enabled=False):
            features = features.to(torch.promote_types(features.dtype, torch.float32))
            logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
            return self.loss_weight * self.penalty(features, logits, target)

    def extra_repr(self) -> str:
        return f'loss_weight={self.loss_weight}'
