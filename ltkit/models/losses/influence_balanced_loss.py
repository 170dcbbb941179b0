"""Influence-balanced loss."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ltkit.class_weights import class_weights
from ltkit.registry import LOSSES
from ltkit.utils.arguments import checked_choice, checked_epoch, checked_number
from ltkit.utils.errors import ConfigError

from .feature_loss import FeatureLoss
from .reduction import Reduction

WEIGHTINGS = ('inverse', 'effective_number', 'none')


@LOSSES.register_module()
class InfluenceBalancedLoss(FeatureLoss):
    r"""Cross entropy over the influence of each sample on the decision boundary.

    .. math:: L = \frac1N \sum_i w_{y_i} \frac{\alpha}{g_i + \epsilon} l_i, \quad
              g_i = \| p_i - e_{y_i} \|_1 \, \| x_i \|_1, \quad l_i = -\log p_{i y_i}

    with :math:`p_i = \mathrm{softmax}(z_i)` and the features :math:`x_i` that the
    linear classifier sees: :math:`g_i` is the L1 norm of the gradient of
    :math:`l_i` with respect to its weights. It is
    :math:`2 (1 - p_{i y_i}) \| x_i \|_1`. Before the epoch ``begin`` the loss is the
    ordinary cross entropy, without weights. :math:`\alpha` scales the loss, and with
    it the learning rate: the authors divide theirs by 100 at ``begin``.

    The paper balances by the factor as a weight, so no gradient is taken of it;
    the gradient of a sample with respect to the weights of the classifier is then
    at most :math:`w_{y_i} \alpha` in the L1 norm. The authors' code differentiates
    the factor, in the logits and the features: ``detach=False``.

    The mean is over the samples, not over their class weights. An empty class
    counts as one sample. Soft labels :math:`t_i` enter where the labels do:
    :math:`\sum_c t_{ic} w_c l_{ic}` and :math:`\| p_i - t_i \|_1`, of which the
    gradient is made for them as well. With ``gamma`` the loss of IB + Focal,
    :math:`u_i = w_{y_i} l_i` times :math:`(1 - e^{-u_i})^\gamma` and the factor, where
    the class weight is in the modulator as well, as in the authors' code.

    Source: Park et al., ICCV 2021, arXiv 2110.02444.

    Args:
        alpha (float): :math:`\alpha`, above 0. Defaults to 1000.0, as in the
            authors' training.
        begin (int): The 0-based epoch from which influence is balanced; 0 for all.
            Unless it is 0, takes effect with :meth:`set_epoch`. Defaults to 0; the
            authors have 100 of 200.
        epsilon (float): :math:`\epsilon`, above 0. Defaults to 1e-3.
        weighting (str): :math:`w_c`: ``'inverse'``, :math:`\propto 1 / n_c`;
            ``'effective_number'``, IB + CB of the paper, both with
            :math:`\sum_c w_c = C`; or ``'none'``, all 1. Defaults to ``'inverse'``.
        beta (float): Of the effective number, in [0, 1). Defaults to 0.9999.
        gamma (float): :math:`\gamma` of IB + Focal, 0 or more; the authors have 1.
            Defaults to 0.0, none.
        detach (bool): Whether the factor is a constant for the gradient.
            Defaults to True, as in the paper.
        **kwargs: ``class_counts``, ``drw`` (its weights multiply the others),
            ``reduction``, ``loss_weight``; see :class:`LongTailLoss`.

    Shape:
        ``features``: ``(N, d)``; also ``(N, 1)``, the L1 norms themselves.

    Raises:
        ConfigError: An argument is out of its range, or the features are missing.
    """

    prior_correction = {'weighting': {'inverse': 1.0, 'effective_number': 1.0}}  # see ltkit.config.compatibility
    conformance = dict(skip=dict(
        uniform_counts='influence is balanced whatever the class counts',
        gradient_is_right='the factor is a weight without a gradient, unless detach=False'))

    def __init__(self,
                 alpha: float = 1000.0,
                 begin: int = 0,
                 epsilon: float = 1e-3,
                 weighting: str = 'inverse',
                 beta: float = 0.9999,
                 gamma: float = 0.0,
                 detach: bool = True,
                 **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.alpha = _above_zero('alpha', alpha)
        self.epsilon = _above_zero('epsilon', epsilon)
        self.begin = checked_epoch('begin', begin)
        self.active = begin == 0
        self.weighting = checked_choice('weighting', weighting, WEIGHTINGS)
        self.beta = checked_number('beta', beta, below=1)
        self.gamma = checked_number('gamma', 0.0 if gamma is None else gamma)
        self.detach = detach

    def set_epoch(self, epoch: int, max_epochs: int | None = None) -> None:
        super().set_epoch(epoch, max_epochs)
        active = epoch >= self.begin
        if active != self.active:  # torch.compile guards on this bool: written only when it changes
            self.active = active

    def class_weight(self, cls_score: Tensor) -> Tensor | None:
        if not self.active or self.weighting == 'none':
            return None
        return class_weights(self.counts_for(cls_score), self.weighting, self.beta).to(cls_score.dtype)

    def compute(self, cls_score: Tensor, target: Tensor, reduce: Reduction, features: Tensor) -> Tensor:
        if not self.active:
            return super().compute(cls_score, target, reduce, features)
        losses = self.sample_losses(cls_score, target, self.weight_of_classes(cls_score))
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.detach):
            factor = self.alpha / (influence(cls_score, target, features) + self.epsilon)
        if self.gamma:
            # Above 0, where the power has a derivative for gamma < 1 too.
            factor = factor * (-(-losses.clamp(min=torch.finfo(losses.dtype).tiny)).expm1()) ** self.gamma
        return reduce(losses * factor)

    def extra_repr(self) -> str:
        beta = f', beta={self.beta:g}' if self.weighting == 'effective_number' else ''
        return (f'alpha={self.alpha:g}, begin={self.begin}, epsilon={self.epsilon:g}, weighting={self.weighting!r}'
                f'{beta}, gamma={self.gamma:g}, detach={self.detach}, {super().extra_repr()}')


def influence(cls_score: Tensor, target: Tensor, features: Tensor) -> Tensor:
    r"""L1 norm of the gradient of the cross entropy by the weights of the linear classifier.

    .. math:: g_i = \| \mathrm{softmax}(z_i) - t_i \|_1 \, \| x_i \|_1

    Args:
        cls_score (Tensor): z, shape ``(N, C)``.
        target (Tensor): Labels of shape ``(N,)`` int64, whose t is one-hot, or t itself, ``(N, C)``.
        features (Tensor): x, shape ``(N, d)``.

    Returns:
        Tensor: Shape ``(N,)``.
    """
    prob = cls_score.softmax(dim=1)
    if target.dim() == 1:
        distance = 2 * (1 - prob.gather(1, target[:, None])[:, 0])
    else:
        distance = (prob - target).abs().sum(dim=1)
    return distance * features.abs().sum(dim=1)


def _above_zero(name: str, value: Any) -> float:
    value = checked_number(name, value)
    if value == 0:
        raise ConfigError(f'{name} must be above 0, but is {value:g}')
    return value
