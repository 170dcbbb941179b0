"""Balanced Softmax."""

from __future__ import annotations

from torch import Tensor

from ltkit.registry import LOSSES

from .base import LongTailLoss


@LOSSES.register_module()
class BalancedSoftmaxLoss(LongTailLoss):
    r"""Cross entropy with the class prior in the softmax.

    .. math:: l_i = -\log \frac{n_{y_i} e^{z_{i y_i}}}{\sum_c n_c e^{z_{ic}}}

    The prior is added in training alone: prediction uses :math:`z`. It is the
    prior of what the sampler draws, so a class-balanced sampler corrects twice.
    With classes of equal size it is the cross entropy to the last bit. An empty
    class counts as one sample.

    Source: Ren et al., *Balanced Meta-Softmax*, NeurIPS 2020, arXiv 2007.10740.

    Args:
        **kwargs: ``class_counts``, ``drw``, ``reduction``, ``loss_weight``; see
            :class:`LongTailLoss`.
    """

    prior_correction: float | str = 1.0  # see ltkit.config.compatibility
    tau: float = 1.0  # exponent of the prior, an argument in LogitAdjustedLoss

    def adjust_logits(self, cls_score: Tensor, target: Tensor) -> Tensor:
        return cls_score + self.tau * self.log_relative_prior_for(cls_score)
