"""Gaussian clouded logits."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ltkit.class_weights import log_ratio_weights
from ltkit.registry import LOSSES
from ltkit.utils.arguments import checked_number

from .base import losses_of_samples
from .cosine_loss import CosineLoss
from .ldam_loss import margin_losses
from .uniform_rows import uniform_rows


@LOSSES.register_module()
class GaussianCloudedLogitLoss(CosineLoss):
    r"""Cross entropy of cosines that noise lowers, the more the rarer the class.

    .. math:: L = \frac1N \sum_i -(1 - p_{i y_i})^\gamma \log p_{i y_i}, \quad
              p_i = \mathrm{softmax}(s \hat u_i), \quad
              \hat u_{ic} = u_{ic} - a |\varepsilon_{ic}| \frac{\delta_c}{\delta_{max}} - m \, [c = y_i]

    with the size of the cloud :math:`\delta_c = \log n_{max} - \log n_c` and the
    noise :math:`\varepsilon_{ic} \sim \mathcal N(0, \sigma^2)`, cut to [-1, 1]; no
    gradient is taken of the modulator :math:`(1 - p)^\gamma`. The logits
    of a class are lowered for all samples, its own and those of others: on
    average by :math:`0.27 s a \delta_c / \delta_{max}`. With equal class counts
    there is no cloud, and without margin and modulator it is the cross entropy.
    An empty class counts as one sample. Soft labels mix the losses of the classes,
    :math:`\sum_c t_{ic} l_{ic}`, under one draw of the noise.

    The noise is drawn anew in each call in training, by :meth:`draw_noise`, from
    torch's generator of the device, which ``IterationSeedHook`` seeds: it
    depends on the seed of the run, the iteration and the place of the sample in
    the whole batch, not on the number of processes. In evaluation there is none
    (the authors' code has it in the validation loss as well); prediction does
    not call the loss.

    The method has two stages: the network with a = 0.5, m = 0 and s = 30, then the
    classifier alone with classes drawn evenly, ``margin=0.1, scale=20, gamma=1``.

    Source: Li et al., *Long-tailed Visual Recognition via Gaussian Clouded Logit
    Adjustment*, CVPR 2022, arXiv 2305.11733; the division by
    :math:`\delta_{max}`, the cut and the defaults as in the authors' code for the
    first stage.

    Args:
        noise_mul (float): a, the strength of the noise in units of the cosine, 0
            or more. Defaults to 0.5.
        margin (float): m, in units of the cosine, 0 or more. Defaults to 0.0.
        scale (float, optional): s, above 0; see :class:`CosineLoss`. Defaults to
            that of the classifier, or 30 without a head.
        gamma (float): :math:`\gamma`, 0 or more; 0 leaves the modulator out.
            Defaults to 0.0.
        noise_std (float): :math:`\sigma`, the standard deviation, 0 or more.
            Defaults to 1/3.
        **kwargs: ``class_counts``, ``drw`` (its weights stay out of the
            modulator), ``reduction``, ``loss_weight``; see :class:`LongTailLoss`.

    Raises:
        ConfigError: An argument is out of its range.
    """

    conformance = dict(skip=dict(
        permutation_of_samples='the place of a sample in the batch decides which noise it gets',
        permutation_of_classes='the place of a class decides which noise it gets'))

    def __init__(self,
                 noise_mul: float = 0.5,
                 margin: float = 0.0,
                 scale: float | None = None,
                 gamma: float = 0.0,
                 noise_std: float = 1 / 3,
                 **kwargs: Any) -> None:
        super().__init__(scale, **kwargs)
        self.noise_mul = checked_number('noise_mul', noise_mul)
        self.margin = checked_number('margin', margin)
        self.gamma = checked_number('gamma', gamma)
        self.noise_std = checked_number('noise_std', noise_std)

    def adjust_logits(self, cls_score: Tensor, target: Tensor) -> Tensor:
        logits = self.clouded(cls_score)
        if self.margin == 0:
            return logits
        return logits - self.scale * self.margin * F.one_hot(target, logits.size(1))

    def sample_losses(self, cls_score: Tensor, target: Tensor, class_weight: Tensor | None) -> Tensor:
        if self.gamma == 0 and (self.margin == 0 or target.dim() == 1):
            return super().sample_losses(cls_score, target, class_weight)
        margins = cls_score.new_full((cls_score.size(1), ), self.scale * self.margin)
        losses = margin_losses(self.clouded(cls_score), margins)
        if self.gamma > 0:
            losses = losses * (-torch.expm1(-losses.detach()))**self.gamma
        return losses_of_samples(losses, target, class_weight)

    def clouded(self, cls_score: Tensor) -> Tensor:
        """The logits at scale s, under a new draw of the noise in training, shape ``(N, C)``."""
        logits = self.rescaled(cls_score)
        if not self.training or self.noise_mul == 0:
            return logits
        size = self.scale * self.noise_mul * cloud_sizes(self.counts_for(logits))
        return logits - size * self.draw_noise(logits).abs()

    def draw_noise(self, cls_score: Tensor) -> Tensor:
        r"""Draw :math:`\varepsilon` for logits ``(N, C)``; override it for noise of another kind, or stored noise.

        Returns:
            Tensor: Shape ``(N, C)``, in [-1, 1].
        """
        uniform = uniform_rows(cls_score).clamp(min=torch.finfo(torch.float32).tiny)
        noise = self.noise_std * torch.special.ndtri(uniform)
        return noise.clamp(-1, 1).to(cls_score.dtype)

    def extra_repr(self) -> str:
        return (f'noise_mul={self.noise_mul:g}, margin={self.margin:g}, gamma={self.gamma:g}, '
                f'noise_std={self.noise_std:.3g}, {super().extra_repr()}')


def cloud_sizes(counts: Tensor) -> Tensor:
    r"""Relative sizes :math:`\delta_c / \delta_{max}`: 0 for the largest class, 1 for the smallest.

    Args:
        counts (Tensor): :math:`n_c`, above 0, shape ``(C,)``, of a float dtype.

    Returns:
        Tensor: Shape ``(C,)``; zeros when all classes are equally large.
    """
    sizes = log_ratio_weights(counts) - 1
    return (sizes / sizes.max().clamp(min=torch.finfo(sizes.dtype).tiny)).to(counts.dtype)
