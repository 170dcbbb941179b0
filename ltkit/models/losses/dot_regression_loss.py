"""The regression of cosines on 1 that belongs to a fixed classifier."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ltkit.class_weights import inverse_frequency_weights
from ltkit.registry import LOSSES
from ltkit.utils.arguments import checked_choice
from ltkit.utils.dist import mean_over_processes

from .base import LongTailLoss, losses_of_samples
from .ldam_loss import checked_scale

LENGTHS = ('equal', 'batch', 'dataset')


@LOSSES.register_module()
class DotRegressionLoss(LongTailLoss):
    r"""Half the squared distance from 1 of the cosine of a feature with the vector of its class.

    .. math:: L = \frac{1}{2N} \sum_i \left(m_{y_i}^\top h_i - \sqrt{E_W E_H}\right)^2 / \sqrt{E_W E_H},
              \quad E_W = E_H = 1

    It pulls a feature to the vector of its own class alone: with a fixed classifier,
    ``ETFClassifier``, nothing is gained by pushing it from the others, and it is that
    push which moves the rare classes when the images are mostly of the frequent
    ones. :math:`m_c^\top h` is the logit over the scale of the classifier, which
    has to give cosines.

    With ``lengths`` the class vectors in the loss have the length :math:`\ell_c`
    (which the code calls given :math:`E_W`), so that each term is multiplied by
    :math:`\ell_{y_i}^2`:

    =========== ===========================================================================
    ``equal``   1
    ``batch``   :math:`\sqrt{\bar b / b_c}` by the samples :math:`b_c` of each class in the
                batch of all processes, and their mean over the classes that are there
    ``dataset`` :math:`\sqrt{\bar n / n_c}` by the training samples of each class
    =========== ===========================================================================

    Soft labels mix the losses of the classes, :math:`\sum_c t_{ic} l_{ic}`, and count
    in :math:`b_c` by their parts. The paper trains with mixup.

    Source: Yang et al., *Inducing Neural Collapse in Imbalanced Learning*, NeurIPS
    2022, arXiv 2203.09081, and its code, which agree for unit features and
    ``equal``. The code trains with ``batch``, its ``GivenEw``, of each process there;
    ``dataset`` it can compute, but does not use.

    Args:
        lengths (str): See above. Defaults to ``'equal'``.
        scale (float, optional): Of the logits, above 0. Defaults to that of the
            classifier, which the head hands over, or 1 without a head.
        **kwargs: ``class_counts``, ``drw``, ``reduction``, ``loss_weight``; see
            :class:`LongTailLoss`.

    Raises:
        ConfigError: ``lengths`` is unknown, or the scale not above 0.
    """

    prior_correction = {'lengths': {'batch': 1.0, 'dataset': 1.0}}  # see ltkit.config.compatibility
    conformance = dict(skip={'uniform_counts': 'a regression is no cross entropy'})

    def __init__(self, lengths: str = 'equal', scale: float | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.lengths = checked_choice('lengths', lengths, LENGTHS)
        self.scale_given = scale is not None
        self.scale = checked_scale(1.0 if scale is None else scale)

    def set_scale(self, scale: float) -> None:
        """Take the scale of the classifier's logits, unless one was given in the config."""
        if not self.scale_given:
            self.scale = checked_scale(scale)

    def sample_losses(self, cls_score: Tensor, target: Tensor, class_weight: Tensor | None) -> Tensor:
        losses = (cls_score / self.scale - 1).square() / 2
        squares = self.squared_lengths(cls_score, target)
        return losses_of_samples(losses if squares is None else squares * losses, target, class_weight)

    @torch.no_grad()
    def squared_lengths(self, cls_score: Tensor, target: Tensor) -> Tensor | None:
        r""":math:`\ell_c^2`, shape ``(C,)``, 1 for a class that is not in the batch; None where all are 1."""
        if self.lengths == 'equal':
            return None
        if self.lengths == 'dataset':
            counts = self.counts_for(cls_score)
            return (counts.mean() * inverse_frequency_weights(counts, normalise=None)).to(cls_score.dtype)
        if target.dim() == 1:
            target = F.one_hot(target, cls_score.size(1)).to(cls_score.dtype)
        counts = target.sum(dim=0)
        if self.training:
            counts = mean_over_processes(counts)
        present = counts > 0
        mean = counts.sum() / present.sum().clamp(min=1)
        return torch.where(present, mean / counts.where(present, 1), 1)

    def extra_repr(self) -> str:
        return f'lengths={self.lengths!r}, scale={self.scale:g}, {super().extra_repr()}'
