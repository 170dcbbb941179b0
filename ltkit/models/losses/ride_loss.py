"""RIDE, first stage."""

from __future__ import annotations

from typing import Any

import torch.nn.functional as F
from torch import Tensor

from ltkit.class_weights import inverse_frequency_weights
from ltkit.registry import LOSSES
from ltkit.utils.errors import ConfigError

from .base import weight_of_samples
from .ldam_loss import LDAMLoss
from .reduction import Reduction


@LOSSES.register_module()
class RIDELoss(LDAMLoss):
    r"""Individual losses of the experts and a diversity term with class-wise temperatures.

    .. math:: L = \sum_{e=1}^{E} \left[ \mathrm{LDAM}(z^{(e)}, y) + \lambda \bar T^2 \frac1N \sum_i
              \mathrm{KL}\left(\sigma(\bar z_i / T) \,\|\, \sigma(z^{(e)}_i / T)\right) \right]

    with the softmax :math:`\sigma`, the mean :math:`\bar z` of the experts' logits,
    whose distribution is a target without gradient, and :math:`\lambda < 0`, which drives the experts
    apart. Before ``drw['begin']`` all temperatures are :math:`T_0`. From then on
    the LDAM loss has its effective-number weights and class c its own
    temperature, by which its column of logits is divided:

    .. math:: T_c = T_0 \frac{\rho C \pi_c + 1 - \rho}{\max_k (\rho C \pi_k + 1 - \rho)},
              \quad \bar T = \frac1C \sum_c T_c

    With :math:`\lambda = 0` the experts learn together: each individual loss is
    that of :math:`\bar z`. Prediction is by :math:`\bar z`.

    Source: Wang et al., ICLR 2021, arXiv 2010.01809; the temperatures and the
    collaborative case follow the authors' code, whose ``reweight_epoch`` counts
    from 1 and is to be exceeded, so that it equals ``begin`` here.

    Args:
        max_margin (float): Margin of the smallest class. Defaults to 0.5.
        scale (float, optional): Scale of the logits, as for :class:`LDAMLoss`.
        diversity_weight (float): :math:`\lambda`. Defaults to -0.2, the paper's
            on ImageNet-LT; -0.45 on CIFAR.
        reweight_factor (float): :math:`\rho` in [0, 1]; 0 gives every class one
            temperature. Defaults to 0.05; 0.02 on ImageNet-LT.
        base_temperature (float): :math:`T_0`, above 0. Defaults to 1.0.
        **kwargs: ``class_counts``, ``drw``, ``reduction``, ``loss_weight``; see
            :class:`LongTailLoss`.

    Shape:
        ``cls_score`` is ``(E, N, C)``; the target is ``(N,)`` or ``(N, C)``.

    Raises:
        ConfigError: An argument is out of its range, or the logits are of two
            dimensions.
    """

    score_dims = ('E', 'N', 'C')

    def __init__(self,
                 max_margin: float = 0.5,
                 scale: float | None = None,
                 diversity_weight: float = -0.2,
                 reweight_factor: float = 0.05,
                 base_temperature: float = 1.0,
                 **kwargs: Any) -> None:
        super().__init__(max_margin, scale, **kwargs)
        if not 0 <= reweight_factor <= 1:
            raise ConfigError(f'reweight_factor must be in [0, 1], but is {reweight_factor}')
        if not base_temperature > 0:
            raise ConfigError(f'base_temperature must be above 0, but is {base_temperature}')
        self.diversity_weight = diversity_weight
        self.reweight_factor = reweight_factor
        self.base_temperature = base_temperature

    def compute(self, cls_score: Tensor, target: Tensor, reduce: Reduction) -> Tensor:
        weight = self.weight_of_classes(cls_score)
        divisor = weight_of_samples(weight, target)
        mean = cls_score.mean(dim=0)
        if self.diversity_weight == 0:
            return len(cls_score) * reduce(self.sample_losses(mean, target, weight), divisor)
        individual = sum(self.sample_losses(logits, target, weight) for logits in cls_score)
        temperature = self.temperature(cls_score)
        diversity = temperature.mean()**2 * ride_divergence(cls_score, temperature)
        return reduce(individual, divisor) + self.diversity_weight * reduce(diversity)

    def temperature(self, cls_score: Tensor) -> Tensor:
        """Temperature of each class in this epoch, shape ``(C,)``."""
        rho = self.reweight_factor if self.drw_active else 0.0
        return ride_temperatures(self.counts_for(cls_score), rho, self.base_temperature)

    def extra_repr(self) -> str:
        return (f'diversity_weight={self.diversity_weight}, reweight_factor={self.reweight_factor}, '
                f'base_temperature={self.base_temperature}, {super().extra_repr()}')


def ride_temperatures(counts: Tensor, reweight_factor: float, base_temperature: float = 1.0) -> Tensor:
    r"""Class-wise temperatures :math:`T_c`; see :class:`RIDELoss`.

    Args:
        counts (Tensor): :math:`n_c`, above 0, shape ``(C,)``, of a float dtype.
        reweight_factor (float): :math:`\rho`.
        base_temperature (float): :math:`T_0`, of the largest class.

    Returns:
        Tensor: Shape ``(C,)``.
    """
    relative_size = inverse_frequency_weights(counts, -1).to(counts.dtype)  # C pi_c
    weights = reweight_factor * relative_size + (1 - reweight_factor)
    return base_temperature * weights / weights.max()


def ride_divergence(cls_score: Tensor, temperature: Tensor) -> Tensor:
    r"""Divergence of the experts from their mean, summed over the experts.

    .. math:: \sum_e \mathrm{KL}(\mathrm{softmax}(\bar z / T) \,\|\, \mathrm{softmax}(z^{(e)} / T))

    Args:
        cls_score (Tensor): Logits of the experts, shape ``(E, N, C)``.
        temperature (Tensor): T, shape ``(C,)``.

    Returns:
        Tensor: Shape ``(N,)``. The mean distribution is left out of the gradient,
        where its part would cancel in the sum over the experts.
    """
    mean = (cls_score.detach().mean(dim=0) / temperature).log_softmax(dim=-1)
    experts = (cls_score / temperature).log_softmax(dim=-1)
    return F.kl_div(experts, mean.expand_as(experts), reduction='none', log_target=True).sum(dim=(0, -1))
