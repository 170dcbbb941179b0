"""The softmax equalization loss."""

from __future__ import annotations

import logging
from typing import Any

import torch
from mmengine.logging import print_log
from torch import Tensor

from ltkit.registry import LOSSES
from ltkit.utils.arguments import checked_number

from .base import LongTailLoss, losses_of_samples
from .uniform_rows import uniform_rows


@LOSSES.register_module()
class SoftmaxEqualizationLoss(LongTailLoss):
    r"""Cross entropy that mostly leaves rare classes out of the softmax of other classes' samples.

    .. math:: L = \frac1N \sum_i -\log \frac{e^{z_{i y_i}}}{\sum_c \tilde w_{ic} e^{z_{ic}}}, \quad
              \tilde w_{ic} = 1 - \beta_{ic} \, [\pi_c < \lambda] \, [c \ne y_i], \quad
              \beta_{ic} \sim \mathrm{Bernoulli}(\gamma)

    with the class prior :math:`\pi`. So a rare class is pushed down by the
    samples of others with the probability :math:`1 - \gamma` alone. Soft labels
    mix the losses of the classes, :math:`\sum_c t_{ic} l_{ic}`.

    :math:`\beta` is drawn in training, for each sample and class, from torch's
    generator of the device, which ``IterationSeedHook`` seeds: it depends on the
    seed of the run, the iteration and the place of the sample in the whole
    batch, not on the number of processes, and a resumed run draws it again. In
    evaluation nothing is left out: the loss is the plain cross entropy, as
    prediction is the plain softmax. An empty class counts as one sample.

    Source: Tan et al., *Equalization Loss for Long-Tailed Object Recognition*,
    CVPR 2020, arXiv 2003.05176, its softmax form; ESQL in the survey (arXiv
    2110.04596). The survey's code, and what the authors gave (issue 9 of
    tztztztztz/eql.detectron2), differ for a class of exactly :math:`\lambda`: it
    is rare there, and not here, as in the paper.

    Args:
        gamma (float): :math:`\gamma` in [0, 1], the probability to leave a rare
            negative out. Defaults to 0.9.
        lambda_ (float): :math:`\lambda` in [0, 1]; a class is rare if it has
            less than this part of the training set. Defaults to 4.3e-4, for
            ImageNet-LT (fewer than 50 images); fit it to the data set.
        **kwargs: ``class_counts``, ``drw``, ``reduction``, ``loss_weight``; see
            :class:`LongTailLoss`.

    Raises:
        ConfigError: An argument is out of its range.
    """

    def __init__(self, gamma: float = 0.9, lambda_: float = 4.3e-4, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.gamma = checked_number('gamma', gamma, at_most=1)
        self.lambda_ = checked_number('lambda_', lambda_, at_most=1)

    def sample_losses(self, cls_score: Tensor, target: Tensor, class_weight: Tensor | None) -> Tensor:
        if not self.training:
            return super().sample_losses(cls_score, target, class_weight)
        return losses_of_samples(self.class_losses(cls_score), target, class_weight)

    def class_losses(self, cls_score: Tensor) -> Tensor:
        """The loss of each sample with every class as its label, shape ``(N, C)``."""
        kept = self.kept(cls_score)
        masked = cls_score.masked_fill(~kept, torch.finfo(cls_score.dtype).min)
        total = masked.logsumexp(dim=1, keepdim=True)
        return torch.where(kept, -masked.log_softmax(dim=1), torch.logaddexp(total, cls_score) - cls_score)

    def kept(self, cls_score: Tensor) -> Tensor:
        """What stays in the softmax when it is not the label, bool, shape ``(N, C)``; drawn anew in each call."""
        counts = self.counts_for(cls_score).double()
        return (counts >= self.lambda_ * counts.sum()) | (self.draw(cls_score) >= self.gamma)

    def draw(self, cls_score: Tensor) -> Tensor:
        """Uniform numbers in [0, 1), float32, shape ``(N, C)``: this process's rows of those of the whole batch."""
        return uniform_rows(cls_score)

    def on_class_counts(self) -> None:
        counts = self.class_distribution.floored_counts
        rarest = counts.min() / counts.sum()
        if self.gamma > 0 and rarest >= self.lambda_:
            print_log(f'{type(self).__name__}: no class is rarer than lambda_={self.lambda_:g}, so this is the plain '
                      f'cross entropy; the rarest has {rarest:.3g} of the training set', 'current', logging.WARNING)

    def extra_repr(self) -> str:
        return f'gamma={self.gamma}, lambda_={self.lambda_}, {super().extra_repr()}'
