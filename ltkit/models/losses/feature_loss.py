"""The template of losses that need the features as well."""

from __future__ import annotations

from torch import Tensor

from ltkit.utils.errors import ConfigError

from .base import LongTailLoss, weight_of_samples
from .reduction import Reduction


class FeatureLoss(LongTailLoss):
    """A loss that also takes the features that the classifier saw.

    A head of ltkit reads the class attribute ``needs_features`` and calls
    ``loss(cls_score, target, features=features)``. A method overrides
    :meth:`compute`; the features it gets are of the dtype of the logits.
    Arguments as for :class:`LongTailLoss`.
    """

    needs_features = True

    def forward(self,
                cls_score: Tensor,
                target: Tensor,
                weight: Tensor | None = None,
                avg_factor: float | Tensor | None = None,
                reduction_override: str | None = None,
                features: Tensor | None = None) -> Tensor:
        """Compute the loss; the other arguments, and what is raised, as for :class:`LongTailLoss`.

        Args:
            features (Tensor): Input of the classifier, shape ``(N, d)``, of any
                float dtype; of several experts ``(E, N, d)``.

        Raises:
            ConfigError: There are no features, or not one row of them a sample.
        """
        if features is None:
            raise ConfigError(f'{type(self).__name__} needs the features: LongTailClsHead and MultiExpertHead hand '
                              'them over; elsewhere call loss(cls_score, target, features=features) with what the '
                              'classifier saw, shape (N, d)')
        if features.shape[:-1] != cls_score.shape[:-1] or not features.is_floating_point():
            dims = ', '.join(self.score_dims)
            raise ConfigError(f'{type(self).__name__} takes features of a float dtype, of shape ({dims[:-1]}d) for '
                              f'cls_score ({dims}), but got {features.dtype} of {tuple(features.shape)} for '
                              f'{tuple(cls_score.shape)}')
        return self._checked_compute(cls_score, target, weight, avg_factor, reduction_override, features=features)

    def compute(self, cls_score: Tensor, target: Tensor, reduce: Reduction, features: Tensor) -> Tensor:
        """The reduced loss of checked input.

        Args:
            cls_score (Tensor): Shape ``(N, C)``, float32 or float64.
            target (Tensor): Shape ``(N,)`` int64, or ``(N, C)`` soft labels.
            reduce (Reduction): From the losses of the samples to one number.
            features (Tensor): Shape ``(N, d)``, of the dtype of ``cls_score``.
        """
        weight = self.weight_of_classes(cls_score)
        return reduce(self.sample_losses(cls_score, target, weight), weight_of_samples(weight, target))
