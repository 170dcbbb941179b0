"""Label distribution disentangling."""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor

from ltkit.registry import LOSSES
from ltkit.utils.arguments import checked_choice, checked_number
from ltkit.utils.dist import sum_over_processes, world_size

from .balanced_softmax_loss import BalancedSoftmaxLoss
from .reduction import Reduction

IMPORTANCES = ('sample', 'class')


@LOSSES.register_module()
class LADELoss(BalancedSoftmaxLoss):
    r"""Balanced Softmax and a regulariser that makes the logits log-likelihood ratios.

    .. math:: L = L_{BS} - \alpha \sum_c \pi_c \left[ A_c - B_c - \lambda B_c^2 \right], \quad
              A_c = \frac{1}{b_c} \sum_{i: y_i = c} z_{ic}, \quad
              B_c = \log \frac1N \sum_{i=1}^{N} \frac{1 / C}{\pi_c} e^{z_{ic}}

    with :math:`L_{BS}` of :class:`BalancedSoftmaxLoss`, the prior :math:`\pi` of the
    training set and the samples :math:`b_c` of class c in the batch. The
    bracket is the regularised Donsker-Varadhan bound, whose optimum is
    :math:`z_c = \log p(x | c) / p_u(x)` with :math:`p_u` of equal classes; it
    has its expectations over the batch, so :math:`B_c` is a log-sum over the N
    samples. A class that is not in the batch has :math:`A_c = 0` and its
    :math:`B_c`. Prediction uses :math:`z`.

    Source: Hong et al., *Disentangling Label Distribution for Long-tailed
    Visual Recognition*, CVPR 2021, arXiv 2012.00321. The equation above is that
    of the official code, from which the survey's (arXiv 2110.04596) comes: it
    weights :math:`e^{z_{ic}}` in :math:`B_c` by the class of the logit. The
    authors' poster weights it by that of the sample, :math:`1 / (C \pi_{y_i})`;
    this is ``importance='sample'``. Both have the same optimum where classes do
    not overlap. The constants 1e-9 and 1e-8 of the code against empty classes
    are left out: in the training set an empty class counts as one sample.

    Under distributed training the batch is that of all processes, so that 1 and
    N processes agree; every step takes one sum over the processes, of 2 C + 1
    numbers for each. (The official code has the batch of all GPUs of one
    machine.) Under gradient accumulation it is the micro-batch.

    The regulariser is one number a batch. The reduction ``'none'`` adds it to
    each sample, and class weights (``drw``) are not for it. Soft labels mix:
    :math:`A_c = \sum_i t_{ic} z_{ic} / \sum_i t_{ic}`, and the weight of a sample
    is :math:`\sum_c t_{ic} / (C \pi_c)`.

    Args:
        remine_lambda (float): :math:`\lambda`, 0 or more. Defaults to 0.1; the
            paper has 0.01 on CIFAR100-LT and 0.5 on ImageNet-LT.
        alpha (float): :math:`\alpha`, 0 or more; 0 is Balanced Softmax. Defaults
            to 0.1; the paper has 0.1 on CIFAR100-LT and 0.05 on ImageNet-LT.
        importance (str): ``'class'``, the official code's weights in
            :math:`B_c`, or ``'sample'``, the poster's. Defaults to ``'class'``.
        **kwargs: ``class_counts``, ``drw``, ``reduction``, ``loss_weight``; see
            :class:`LongTailLoss`.

    Raises:
        ConfigError: An argument is unknown or out of its range.
    """

    def __init__(self,
                 remine_lambda: float = 0.1,
                 alpha: float = 0.1,
                 importance: str = 'class',
                 **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.remine_lambda = checked_number('remine_lambda', remine_lambda)
        self.alpha = checked_number('alpha', alpha)
        self.importance = checked_choice('importance', importance, IMPORTANCES)

    def compute(self, cls_score: Tensor, target: Tensor, reduce: Reduction) -> Tensor:
        if self.alpha == 0:
            return super().compute(cls_score, target, reduce)
        regularizer = self.regularizer(cls_score, target, reduce.over_processes)
        return super().compute(cls_score, target, reduce) + self.alpha * reduce(regularizer.expand(len(cls_score)))

    def regularizer(self, cls_score: Tensor, target: Tensor, over_processes: bool = False) -> Tensor:
        r"""The regulariser, :math:`-\sum_c \pi_c [A_c - B_c - \lambda B_c^2]`.

        Args:
            cls_score (Tensor): z, shape ``(N, C)``, float32 or float64.
            target (Tensor): Shape ``(N,)`` int64, or ``(N, C)`` soft labels.
            over_processes (bool): Whether the batch is that of all processes;
                then their mean is the regulariser. Defaults to False.

        Returns:
            Tensor: A scalar.
        """
        classes = cls_score.size(1)
        labels = F.one_hot(target, classes).to(cls_score.dtype) if target.dim() == 1 else target
        log_prior = self.log_prior_for(cls_score)
        log_weight = -log_prior - math.log(classes)
        if self.importance == 'sample':
            log_weight = (labels * log_weight.exp()).sum(dim=1, keepdim=True).log()
        own = (labels * cls_score).sum(dim=0)
        batch_counts = labels.sum(dim=0)
        samples = labels.new_full((), len(labels))
        log_sum = (cls_score + log_weight).logsumexp(dim=0)
        if over_processes and world_size() > 1:
            own = world_size() * own
            log_sum, batch_counts, samples = _of_all_processes(log_sum, batch_counts, samples)
        first = own / torch.where(batch_counts > 0, batch_counts, 1)
        second = log_sum - samples.log()
        return -(log_prior.exp() * (first - second - self.remine_lambda * second**2)).sum()

    def extra_repr(self) -> str:
        return (f'remine_lambda={self.remine_lambda:g}, alpha={self.alpha:g}, importance={self.importance!r}, '
                f'{super().extra_repr()}')


def _of_all_processes(log_sum: Tensor, batch_counts: Tensor, samples: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The log-sums, class counts and number of samples of the batches of all processes together.

    The log-sum carries the gradient of this process times their number, as DDP averages gradients.
    """
    processes, classes = world_size(), len(log_sum)
    table = log_sum.new_zeros(processes, 2 * classes + 1)
    table[dist.get_rank()] = torch.cat([log_sum.detach(), batch_counts, samples[None]])
    table = sum_over_processes(table)
    total = table[:, :classes].logsumexp(dim=0)
    share = processes * (log_sum - total).exp()
    return total + share - share.detach(), table[:, classes:-1].sum(dim=0), table[:, -1].sum()
