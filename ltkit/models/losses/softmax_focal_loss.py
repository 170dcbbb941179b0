"""The focal loss of the softmax."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from ltkit.registry import LOSSES
from ltkit.utils.arguments import checked_number

from .base import LongTailLoss, losses_of_samples
from .log_complement import log_complement


@LOSSES.register_module()
class SoftmaxFocalLoss(LongTailLoss):
    r"""Cross entropy that counts easy samples less.

    .. math:: L = \frac1N \sum_i -(1 - p_{i y_i})^\gamma \log p_{i y_i}, \quad p_i = \mathrm{softmax}(z_i)

    The paper has it for binary labels; this is its softmax form, which is
    common in long-tailed classification. It looks at no class counts, unless
    ``drw`` is given, whose weights multiply the loss and stay out of the
    modulator :math:`(1 - p)^\gamma`. Soft labels mix the losses of the classes,
    :math:`\sum_c t_{ic} l_{ic}`, each with its own modulator.

    Source: Lin et al., ICCV 2017, arXiv 1708.02002. The survey (arXiv
    2110.04596) takes no gradient of the modulator and has
    :math:`\gamma = 3`: ``SoftmaxFocalLoss(3.0, detach_modulator=True)``.

    Args:
        gamma (float): :math:`\gamma`, 0 or more; 0 gives the cross entropy.
            Defaults to 2.0.
        detach_modulator (bool): Whether the modulator is a constant for the
            gradient, as in the survey's code. Defaults to False, as in the paper.
        **kwargs: ``class_counts``, ``drw``, ``reduction``, ``loss_weight``; see
            :class:`LongTailLoss`.

    Raises:
        ConfigError: ``gamma`` is out of range.
    """

    conformance = dict(skip=dict(uniform_counts='easy samples count less whatever the class counts'))

    def __init__(self, gamma: float = 2.0, detach_modulator: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.gamma = checked_number('gamma', gamma)
        self.detach_modulator = detach_modulator

    def sample_losses(self, cls_score: Tensor, target: Tensor, class_weight: Tensor | None) -> Tensor:
        if self.gamma == 0:
            return super().sample_losses(cls_score, target, class_weight)
        log_prob = cls_score.log_softmax(dim=1)
        modulator = (self.gamma * log_complement(log_prob)).exp()
        if self.detach_modulator:
            modulator = modulator.detach()
        return losses_of_samples(-modulator * log_prob, target, class_weight)

    def extra_repr(self) -> str:
        return f'gamma={self.gamma}, detach_modulator={self.detach_modulator}, {super().extra_repr()}'
