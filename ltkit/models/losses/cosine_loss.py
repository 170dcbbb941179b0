"""The base of losses of cosines that have a scale of their own."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from .base import LongTailLoss
from .ldam_loss import checked_scale


class CosineLoss(LongTailLoss):
    """A loss of the cosines u of a classifier, multiplied by a scale s.

    The logits z arrive at the scale of the classifier, ``CosineClassifier(scale=t)``
    gives :math:`z = t u`, and the head tells t to the loss (:meth:`set_scale`).
    The loss works on :math:`s u = (s / t) z`, where s is that of the classifier
    unless ``scale`` is given; s alters the training, not the prediction. A loss
    without a head takes the logits to be at its own scale, t = s.

    Args:
        scale (float, optional): s, above 0. Defaults to that of the classifier,
            or ``default_scale`` without a head.
        **kwargs: ``class_counts``, ``drw``, ``reduction``, ``loss_weight``; see
            :class:`LongTailLoss`.

    Raises:
        ConfigError: The scale is not above 0.
    """

    default_scale = 30.0
    """s of a loss that is given none, and has no classifier."""

    scale_given = False
    """The head tells the scale of the classifier even to a loss with its own; see :meth:`set_scale`."""

    def __init__(self, scale: float | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.own_scale = None if scale is None else checked_scale(scale)
        self.logit_scale: float | None = None

    def set_scale(self, scale: float) -> None:
        """Take t, the scale of the classifier's logits."""
        self.logit_scale = checked_scale(scale)

    @property
    def scale(self) -> float:
        """s, by which the cosines are multiplied."""
        return self.own_scale or self.logit_scale or self.default_scale

    def rescaled(self, cls_score: Tensor) -> Tensor:
        """s u for the logits t u."""
        if self.logit_scale is None or self.logit_scale == self.scale:
            return cls_score
        return cls_score * (self.scale / self.logit_scale)

    def extra_repr(self) -> str:
        return f'scale={self.scale:g}, {super().extra_repr()}'
