"""The template of all losses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ltkit.class_weights import effective_number_weights
from ltkit.distribution_aware import CountsLike, DistributionAware
from ltkit.utils.arguments import checked_epoch
from ltkit.utils.errors import ConfigError

from .checks import check_sample_weight, check_scores, checked_target
from .reduction import Reduction, check_reduction


class LongTailLoss(DistributionAware, nn.Module):
    r"""A cross entropy of adjusted logits with class weights; the base of all losses.

    .. math:: L = \frac{\sum_i w_{y_i} l_i}{\sum_i w_{y_i}}, \quad
              l_i = -\log \mathrm{softmax}(\hat z_i)_{y_i}

    A method overrides the least that makes it: :meth:`adjust_logits`
    (:math:`\hat z`), :meth:`class_weight` (:math:`w`), or :meth:`sample_losses`
    (:math:`l`) when it is no cross entropy. The template checks shapes and
    labels, computes in float32 at least (float64 stays) also under autocast,
    applies deferred re-weighting and reduces.

    Soft labels :math:`t_i` (mixup) mix the losses of the classes linearly:
    :math:`w_{y_i} l_i` becomes :math:`\sum_c t_{ic} w_c l_{ic}` and
    :math:`w_{y_i}` becomes :math:`\sum_c t_{ic} w_c`.

    The divisor of the mean is summed over processes while training, so that 1
    and N processes agree; under gradient accumulation it is that of the
    micro-batch.

    Args:
        class_counts (optional): Training samples of each class: a list, a
            ``ClassDistribution`` or a file; normally left to ``ClassDistributionHook``.
        drw (dict, optional): Deferred re-weighting, ``dict(begin=160, beta=0.9999)``:
            from the 0-based epoch ``begin`` on, classes are weighted by their
            effective number (Cao et al., NeurIPS 2019, arXiv 1906.07413).
            Defaults to None, no weights.
        reduction (str): ``'mean'``, ``'sum'`` or ``'none'``. Defaults to ``'mean'``.
        loss_weight (float): Factor of the result. Defaults to 1.0.

    Raises:
        ConfigError: An argument is out of its range.
    """

    supports_soft_labels = True
    """Whether the method has a form for soft labels."""

    score_dims = ('N', 'C')
    """Names of the dimensions of the logits."""

    needs_features = False
    """Whether the head also hands over the features; see :class:`FeatureLoss`."""

    def __init__(self,
                 class_counts: CountsLike | None = None,
                 drw: Mapping[str, Any] | None = None,
                 reduction: str = 'mean',
                 loss_weight: float = 1.0) -> None:
        super().__init__()
        self.init_class_counts(class_counts)
        self.reduction = check_reduction(reduction)
        self.loss_weight = loss_weight
        self.drw: dict[str, Any] | None = None
        self.drw_active = False
        if drw is not None:
            self.set_drw(**_checked_drw(drw))

    # ----------------------------------------------------- what methods override
    def adjust_logits(self, cls_score: Tensor, target: Tensor) -> Tensor:
        """The logits that enter the cross entropy.

        Args:
            cls_score (Tensor): Shape ``(N, C)``, float32 or float64.
            target (Tensor): Shape ``(N,)`` int64, or ``(N, C)`` soft labels.

        Returns:
            Tensor: Shape ``(N, C)``.
        """
        return cls_score

    def class_weight(self, cls_score: Tensor) -> Tensor | None:
        """The method's own class weights, shape ``(C,)``, or None.

        Deferred re-weighting multiplies them; it is not to be applied here.
        """
        return None

    def sample_losses(self, cls_score: Tensor, target: Tensor, class_weight: Tensor | None) -> Tensor:
        """The loss of each sample times its class weight.

        Args:
            cls_score (Tensor): Shape ``(N, C)``, float32 or float64.
            target (Tensor): Shape ``(N,)`` int64, or ``(N, C)`` soft labels.
            class_weight (Tensor, optional): Shape ``(C,)``.

        Returns:
            Tensor: Shape ``(N,)``.
        """
        logits = self.adjust_logits(cls_score, target)
        return F.cross_entropy(logits, target, weight=class_weight, reduction='none')

    def compute(self, cls_score: Tensor, target: Tensor, reduce: Reduction) -> Tensor:
        """The reduced loss of checked input; override when it is no sum over samples."""
        weight = self.weight_of_classes(cls_score)
        return reduce(self.sample_losses(cls_score, target, weight), weight_of_samples(weight, target))

    # ------------------------------------------------------------------ template
    def forward(self,
                cls_score: Tensor,
                target: Tensor,
                weight: Tensor | None = None,
                avg_factor: float | Tensor | None = None,
                reduction_override: str | None = None) -> Tensor:
        """Compute the loss.

        Args:
            cls_score (Tensor): Logits at their final scale, shape ``(N, C)``, of
                any float dtype.
            target (Tensor): Labels, shape ``(N,)`` of an integer dtype, or soft
                labels, shape ``(N, C)``.
            weight (Tensor, optional): A factor for each sample, shape ``(N,)``.
            avg_factor (float or Tensor, optional): Divisor of the mean.
            reduction_override (str, optional): Instead of ``reduction``.

        Returns:
            Tensor: A scalar, or shape ``(N,)`` for the reduction ``'none'``.

        Raises:
            ConfigError: Logits of a wrong shape or dtype, or an unfit reduction.
            DataError: Labels of a wrong shape or dtype, or out of range (labels on
                a GPU are not read for this; a data set checks them beforehand).
            DistributionError: The class counts are missing or of another ``C``.
        """
        return self._checked_compute(cls_score, target, weight, avg_factor, reduction_override)

    def _checked_compute(self, cls_score: Tensor, target: Tensor, weight: Tensor | None,
                         avg_factor: float | Tensor | None, reduction_override: str | None,
                         **inputs: Tensor) -> Tensor:
        """Call :meth:`compute` with checked input; ``inputs`` are what it takes beyond its own."""
        kind = check_reduction(reduction_override or self.reduction)
        if avg_factor is not None and kind == 'sum':
            raise ConfigError("avg_factor cannot be used with reduction='sum'; use 'mean' or 'none'")
        check_scores(self, cls_score)
        target = checked_target(self, cls_score, target)
        check_sample_weight(cls_score, weight)
        with torch.autocast(cls_score.device.type, enabled=False):
            cls_score = at_least_float32(cls_score)
            if target.dim() == 2:
                target = target.to(cls_score.dtype)
            reduce = Reduction(kind, weight, avg_factor, over_processes=self.training)
            inputs = {name: tensor.to(cls_score.dtype) for name, tensor in inputs.items()}
            return self.loss_weight * self.compute(cls_score, target, reduce, **inputs)

    def weight_of_classes(self, cls_score: Tensor) -> Tensor | None:
        """Class weights now in force, the method's and the deferred ones, shape ``(C,)``."""
        own = self.class_weight(cls_score)
        if not self.drw_active:
            return own
        counts = self.counts_for(cls_score)
        deferred = effective_number_weights(counts, self.drw['beta']).to(cls_score.dtype)
        return deferred if own is None else own * deferred

    # ----------------------------------------------------- deferred re-weighting
    def set_drw(self, begin: int, beta: float = 0.9999) -> None:
        """Weight classes by the effective number from the 0-based epoch ``begin`` on.

        Unless ``begin`` is 0, takes effect with the next :meth:`set_epoch`.

        Args:
            begin (int): 0 for weights from the start.
            beta (float): Of the effective number, in [0, 1). Defaults to 0.9999.
        """
        checked_epoch('drw.begin', begin)
        if not 0 <= beta < 1:
            raise ConfigError(f'drw.beta must be in [0, 1), but is {beta}')
        self.drw = dict(begin=begin, beta=beta)
        self.drw_active = begin == 0

    def set_epoch(self, epoch: int, max_epochs: int | None = None) -> None:
        """Take the 0-based epoch that begins; ``EpochHook`` calls this, and gives the number of epochs as well."""
        active = self.drw is not None and epoch >= self.drw['begin']
        if active != self.drw_active:  # torch.compile guards on this bool: written only when it changes
            self.drw_active = active

    def extra_repr(self) -> str:
        parts = [f'reduction={self.reduction!r}', f'loss_weight={self.loss_weight}']
        if self.drw is not None:
            parts.append(f'drw={self.drw}')
        if self.has_class_counts:
            parts.append(f'num_classes={self.class_counts.numel()}')
        return ', '.join(parts)


def at_least_float32(tensor: Tensor) -> Tensor:
    """``tensor`` in float32 when its dtype is narrower."""
    return tensor.float() if tensor.dtype in (torch.float16, torch.bfloat16) else tensor


def weight_of_samples(class_weight: Tensor | None, target: Tensor) -> Tensor | None:
    r"""Class weight of each sample, :math:`w_{y_i}` or :math:`\sum_c t_{ic} w_c`, shape ``(N,)``.

    Args:
        class_weight (Tensor, optional): Shape ``(C,)``.
        target (Tensor): Shape ``(N,)`` int64, or ``(N, C)`` soft labels.
    """
    if class_weight is None:
        return None
    return class_weight[target] if target.dim() == 1 else (target * class_weight).sum(dim=1)


def losses_of_samples(class_losses: Tensor, target: Tensor, class_weight: Tensor | None = None) -> Tensor:
    r"""The loss of each sample from those of every class as its label.

    :math:`w_{y_i} l_{i y_i}` or :math:`\sum_c t_{ic} w_c l_{ic}`, shape ``(N,)``.

    Args:
        class_losses (Tensor): :math:`l_{ic}`, shape ``(N, C)``.
        target (Tensor): Shape ``(N,)`` int64, or ``(N, C)`` soft labels.
        class_weight (Tensor, optional): Shape ``(C,)``.
    """
    if class_weight is not None:
        class_losses = class_losses * class_weight
    if target.dim() == 1:
        return class_losses.gather(1, target[:, None])[:, 0]
    return (target * class_losses).sum(dim=1)


def _checked_drw(drw: Mapping[str, Any]) -> dict[str, Any]:
    if not isinstance(drw, Mapping) or 'begin' not in drw:
        raise ConfigError(f'drw must be a dict with the key begin, as dict(begin=160), but is {drw}')
    for key in drw:
        if key not in ('begin', 'beta'):
            raise ConfigError(f"drw has the unknown key '{key}'; it takes begin and beta")
    return dict(drw)
