"""The class-balanced loss."""

from __future__ import annotations

from typing import Any

import torch.nn.functional as F
from torch import Tensor

from ltkit.class_weights import effective_number_weights
from ltkit.registry import LOSSES
from ltkit.utils.arguments import checked_choice, checked_number

from .base import LongTailLoss
from .log_complement import log_complement
from .reduction import Reduction

BASES = ('softmax', 'sigmoid', 'focal', 'softmax_bce')


@LOSSES.register_module()
class ClassBalancedLoss(LongTailLoss):
    r"""A loss weighted by the inverse effective number of the class of each sample.

    .. math:: L = \frac1N \sum_i w_{y_i} l_i, \quad w_c \propto \frac{1 - \beta}{1 - \beta^{n_c}}, \quad
              \sum_c w_c = C

    with :math:`l_i` by ``base``, where :math:`p_{ic}` is the sigmoid of
    :math:`z_{ic}` for the class of the sample, and of :math:`-z_{ic}` for the
    others, and :math:`q_{ic}` the softmax for the class of the sample, and 1 minus it
    for the others:

    =============== =======================================================
    ``softmax``     :math:`-\log \mathrm{softmax}(z_i)_{y_i}`
    ``sigmoid``     :math:`-\sum_c \log p_{ic}`
    ``focal``       :math:`-\sum_c (1 - p_{ic})^\gamma \log p_{ic}`
    ``softmax_bce`` :math:`-\frac1C \sum_c \log q_{ic}`
    =============== =======================================================

    The mean is over the batch, as in the paper, so that the size of the weights
    matters. Divided by the sum of the weights instead, the softmax form is
    ``WeightedSoftmaxLoss(weighting='effective_number')``. An empty class counts
    as one sample. Soft labels mix the losses of the classes,
    :math:`\sum_c t_{ic} w_c l_{ic}`.

    For the binary bases the paper starts the bias of the last layer at
    :math:`-\log(C - 1)` and does not decay it; that is up to the config.

    Source: Cui et al., CVPR 2019, arXiv 1901.05555, and its code, which agree on
    the first three. ``softmax_bce`` is what a port of it computes that others took
    over, among them the code of the survey (arXiv 2110.04596) and that of weight
    balancing (arXiv 2203.14197), whose weight decay goes with this loss: it is
    about C times smaller. There a logarithm is no lower than -100.

    Args:
        beta (float): :math:`\beta` in [0, 1); 0 gives no weights. Defaults to
            0.9999.
        base (str): See above. Defaults to ``'softmax'``.
        gamma (float): :math:`\gamma` of ``focal``, 0 or more; the other bases
            have none. Defaults to 1.0, of the paper's scripts; the paper
            searches 0.5, 1 and 2.
        **kwargs: ``class_counts``, ``drw`` (its weights multiply these),
            ``reduction``, ``loss_weight``; see :class:`LongTailLoss`.

    Raises:
        ConfigError: An unknown ``base``, ``beta`` or ``gamma`` out of range.
    """

    prior_correction = 1.0  # see ltkit.config.compatibility; less for a small beta

    def __init__(self, beta: float = 0.9999, base: str = 'softmax', gamma: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.beta = checked_number('beta', beta, below=1)
        self.base = checked_choice('base', base, BASES)
        self.gamma = checked_number('gamma', gamma)

    def class_weight(self, cls_score: Tensor) -> Tensor:
        return effective_number_weights(self.counts_for(cls_score), self.beta).to(cls_score.dtype)

    def compute(self, cls_score: Tensor, target: Tensor, reduce: Reduction) -> Tensor:
        return reduce(self.sample_losses(cls_score, target, self.weight_of_classes(cls_score)))

    def sample_losses(self, cls_score: Tensor, target: Tensor, class_weight: Tensor) -> Tensor:
        if self.base == 'softmax':
            return super().sample_losses(cls_score, target, class_weight)
        if self.base == 'softmax_bce':
            log_prob = cls_score.log_softmax(dim=1)
            positive, negative = -log_prob / cls_score.size(1), -log_complement(log_prob) / cls_score.size(1)
        else:
            positive, negative = binary_losses(cls_score, self.gamma if self.base == 'focal' else 0.0)
        mix = F.one_hot(target, cls_score.size(1)) if target.dim() == 1 else target
        weight = mix * class_weight
        return (weight * positive + (weight.sum(dim=1, keepdim=True) - weight) * negative).sum(dim=1)

    def extra_repr(self) -> str:
        gamma = f', gamma={self.gamma}' if self.base == 'focal' else ''
        return f'beta={self.beta}, base={self.base!r}{gamma}, {super().extra_repr()}'


def binary_losses(cls_score: Tensor, gamma: float = 0.0) -> tuple[Tensor, Tensor]:
    r"""Focal losses of binary labels, :math:`-(1 - p)^\gamma \log p`.

    The modulator is a part of the gradient. :math:`\gamma = 0` gives the binary
    cross entropy.

    Args:
        cls_score (Tensor): z, shape ``(N, C)``.
        gamma (float): :math:`\gamma`, 0 or more. Defaults to 0.0.

    Returns:
        tuple[Tensor, Tensor]: For the label 1, where p is the sigmoid of z, and
        for the label 0, where p is that of -z; shape ``(N, C)`` each.
    """
    on, off = F.logsigmoid(cls_score), F.logsigmoid(-cls_score)
    if gamma == 0:
        return -on, -off
    return -(gamma * off).exp() * on, -(gamma * on).exp() * off
