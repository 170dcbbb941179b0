"""Cross entropy weighted by how hard each class is."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import torch
from mmengine.logging import print_log
from torch import Tensor

from ltkit.registry import LOSSES
from ltkit.utils.arguments import checked_choice, checked_number
from ltkit.utils.errors import ConfigError, DistributionError

from .base import LongTailLoss, weight_of_samples
from .reduction import Reduction

DYNAMIC = ('imagenet', 'cifar')
AVERAGES = ('batch', 'weights')
EPSILON = 0.01


@LOSSES.register_module()
class ClassDifficultyBalancedLoss(LongTailLoss):
    r"""Cross entropy weighted by the errors on the class of each sample (CDB-CE).

    .. math:: L = \frac1N \sum_i w_{y_i} l_i, \quad w_c \propto d_c^\tau, \quad \sum_c w_c = C, \quad
              l_i = -\log \mathrm{softmax}(z_i)_{y_i}

    The difficulty :math:`d_c` is 1 - the accuracy of class c on held-out images.
    ``ClassDifficultyHook`` measures it after each epoch; until then all are 1 and
    the loss is the cross entropy. A class without an error has the weight 0
    unless :math:`\tau = 0`; when no class has one, all have 1. The difficulty is a
    buffer, so that it travels in the checkpoint; no class counts are needed.

    A large :math:`\tau` weights the hard classes more. ``tau='dynamic'`` takes it from
    the spread of the difficulties, in one of two forms:

    ============ ============================================================================
    ``imagenet`` :math:`\tau = 2 \sigma\left(\frac{1 - \min_c d_c}{1.01 - \max_c d_c} - 1\right)`
    ``cifar``    :math:`\tau = \sigma\left(\frac{1 - \min_c d_c}{1.01 - \max_c d_c}\right)`
    ============ ============================================================================

    with the logistic function :math:`\sigma`: from about 0.5 and 0.73 while all
    classes are as hard, to 2 and 1.

    Source: Sinha et al., *Class-Wise Difficulty-Balanced Loss for Solving
    Class-Imbalance*, ACCV 2020, arXiv 2010.01824. The folders of its code differ:
    that for ImageNet-LT has ``dynamic='imagenet'`` and divides by the sum of the
    weights (``average='weights'``), that for CIFAR-LT has ``dynamic='cifar'`` and
    the mean over the batch of the equation above.

    Args:
        tau (float or str): :math:`\tau`, 0 or more, or ``'dynamic'``. Defaults to
            ``'dynamic'``, as in the code; the authors also try 0.5, 1, 1.5, 2, 5.
        dynamic (str): The form of the dynamic :math:`\tau`. Defaults to
            ``'imagenet'``.
        average (str): What the sum is divided by: the size of the ``'batch'``, or
            the sum of its ``'weights'``; a batch of weights that are all 0 gives
            0. Defaults to ``'batch'``.
        **kwargs: ``class_counts`` (which fix C alone), ``drw`` (its weights
            multiply these), ``reduction``, ``loss_weight``; see
            :class:`LongTailLoss`.

    Attributes:
        difficulty (Tensor): :math:`d_c`, float32, shape ``(C,)``; ``(0,)`` while C
            is not known.

    Raises:
        ConfigError: An argument is unknown or out of its range.
        DistributionError: Difficulties of another C than the logits.
    """

    difficulty: Tensor

    def __init__(self,
                 tau: float | str = 'dynamic',
                 dynamic: str = 'imagenet',
                 average: str = 'batch',
                 **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if isinstance(tau, str) and tau != 'dynamic':
            raise ConfigError(f"tau must be a number 0 or more, or 'dynamic', but is {tau!r}")
        self.tau = tau if isinstance(tau, str) else checked_number('tau', tau)
        self.dynamic = checked_choice('dynamic', dynamic, DYNAMIC)
        self.average = checked_choice('average', average, AVERAGES)
        self.measured = False
        self.register_buffer('difficulty', torch.zeros(0))
        self.on_class_counts()

    def set_difficulty(self, difficulty: Sequence[float] | Tensor) -> None:
        """Take the difficulties; ``ClassDifficultyHook`` calls this after each epoch.

        Args:
            difficulty (Sequence[float] or Tensor): Each in [0, 1], shape ``(C,)``.
        """
        values = torch.as_tensor(difficulty, dtype=self.difficulty.dtype, device=self.difficulty.device)
        if values.dim() != 1 or not values.numel() or not ((values >= 0) & (values <= 1)).all():
            raise ConfigError('difficulty must be one number in [0, 1] a class, 1 - its accuracy, but is '
                              f'{values.tolist()}')
        if self.difficulty.numel() not in (0, values.numel()):
            raise ConfigError(f'difficulty must be of {self.difficulty.numel()} classes, but is of {values.numel()}')
        if self.difficulty.numel():
            self.difficulty.copy_(values)
        else:
            self.difficulty = values
        self.measured = True

    def on_class_counts(self) -> None:
        """All classes are as hard at first."""
        if self.has_class_counts and self.difficulty.numel() != self.class_counts.numel():
            self.difficulty = self.difficulty.new_ones(self.class_counts.numel())

    def set_epoch(self, epoch: int, max_epochs: int | None = None) -> None:
        """See :class:`LongTailLoss`; from the second epoch on, difficulties should have been measured."""
        super().set_epoch(epoch, max_epochs)
        if epoch > 0 and not self.measured:
            self.measured = True  # said once
            print_log('ClassDifficultyBalancedLoss is the plain cross entropy: nobody has measured how hard the '
                      "classes are; add custom_hooks=[dict(type='ClassDifficultyHook')]", 'current', logging.WARNING)

    def exponent(self, difficulty: Tensor) -> float | Tensor:
        r""":math:`\tau` for difficulties ``(C,)``."""
        if not isinstance(self.tau, str):
            return self.tau
        ratio = (1 - difficulty.min()) / (1 - difficulty.max() + EPSILON)
        return ratio.sigmoid() if self.dynamic == 'cifar' else 2 * (ratio - 1).sigmoid()

    def class_weight(self, cls_score: Tensor) -> Tensor | None:
        classes = self.difficulty.numel()
        if classes == 0:
            return None
        if classes != cls_score.size(-1):
            raise DistributionError(f'ClassDifficultyBalancedLoss has difficulties of {classes} classes, but the '
                                    f'scores are of {cls_score.size(-1)}')
        difficulty = self.difficulty.to(cls_score)
        hardest = difficulty.max()
        relative = torch.where(hardest > 0, difficulty / hardest, torch.ones_like(difficulty))
        weights = relative ** self.exponent(difficulty)
        return weights * (classes / weights.sum())

    def compute(self, cls_score: Tensor, target: Tensor, reduce: Reduction) -> Tensor:
        weight = self.weight_of_classes(cls_score)
        losses = self.sample_losses(cls_score, target, weight)
        if weight is None or self.average == 'batch':
            return reduce(losses)
        of_samples = weight_of_samples(weight, target)
        return reduce(losses, of_samples.clamp(min=torch.finfo(of_samples.dtype).tiny))  # so that 0 / 0 is 0

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *args: Any, **kwargs: Any) -> None:
        loaded = state_dict.get(prefix + 'difficulty')
        if loaded is not None:
            self.measured = bool((loaded != 1).any())
            if loaded.shape != self.difficulty.shape:
                self.difficulty = torch.ones_like(loaded, device=self.difficulty.device)
        super()._load_from_state_dict(state_dict, prefix, *args, **kwargs)

    def extra_repr(self) -> str:
        dynamic = f', dynamic={self.dynamic!r}' if self.tau == 'dynamic' else ''
        return f'tau={self.tau!r}{dynamic}, average={self.average!r}, {super().extra_repr()}'
