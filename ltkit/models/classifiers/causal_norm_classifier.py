"""The classifier of De-confound, with the total direct effect at test."""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ltkit.registry import CLASSIFIERS
from ltkit.utils.arguments import checked_number
from ltkit.utils.errors import ConfigError

from .checks import check_sizes
from .cosine_classifier import unit_rows


@CLASSIFIERS.register_module()
class CausalNormClassifier(nn.Module):
    r"""Normalised classifier of several heads; at test without the direction that momentum has favoured.

    Feature x and class weight :math:`w_c` are cut into K parts, the heads. In training

    .. math:: z_c = \frac{\tau}{K} \sum_{k=1}^{K}
              \frac{x_k^\top w_{ck}}{\lVert x_k \rVert \, (\lVert w_{ck} \rVert + \gamma)}

    and the moving feature is :math:`m \leftarrow \mu m + \bar x`, with the mean
    :math:`\bar x` of the batch; only its direction is used. At test the part of x
    along it is taken out, which leaves the total direct effect:

    .. math:: z_c = \frac{\tau}{K} \sum_{k=1}^{K} \frac{(\hat x_k - \alpha \cos(x_k, m_k) \, \hat m_k)^\top w_{ck}}
              {\lVert w_{ck} \rVert + \gamma}

    with unit vectors :math:`\hat x_k`, :math:`\hat m_k`. With :math:`\alpha = 0`, and
    while m is 0 since nothing was trained, these are the logits of training.
    :math:`\alpha` may be changed on a trained model; for many values with one
    evaluation see :class:`~ltkit.models.posthoc.TotalDirectEffect`. Without data to
    choose it on, the authors take the one that makes :math:`\alpha \cos(x, m)` about
    1 on average.

    m is that of whole batches on any number of processes and accumulated
    micro-batches; ``SyncStatisticsHook`` sees to it, by which the checkpoint holds it,
    too. Computed in float32 at least, also under autocast. A part of a feature that
    is shorter than 1e-6 counts as zeros.

    Source: Tang et al., *Long-Tailed Classification by Keeping the Good and Removing
    the Bad Momentum Causal Effect*, NeurIPS 2020, arXiv 2009.12991. With
    ``lr_factor=50``, :math:`\mu` is that of the official code on all but CIFAR.

    Args:
        num_classes (int): C.
        in_channels (int): d, a multiple of K.
        tau (float): :math:`\tau`, above 0, the largest logit of training. Defaults to
            16.
        num_heads (int): K, 1 or more. Defaults to 2.
        gamma (float): :math:`\gamma`, 0 or more. Defaults to 1/32.
        alpha (float): :math:`\alpha`, 0 or more. Defaults to 3.0, that of ImageNet-LT;
            on CIFAR100-LT the authors have 1.5.
        momentum (float): :math:`\mu`, in [0, 1). Defaults to 0.9.
        lr_factor (float, optional): f, 0 or more; :math:`\mu` then follows the learning
            rate :math:`\eta` of the classifier, :math:`1 - (1 - \mu) \min(f \eta, 1)`,
            so that more batches are averaged where it is small. Defaults to None, a
            constant :math:`\mu`.

    Shape:
        ``(N, d)`` to ``(N, C)``. ``weight`` has shape ``(C, d)``, drawn from
        :math:`U(-1 / \sqrt d, 1 / \sqrt d)`; the buffer ``moving_feature`` ``(d,)``.

    Raises:
        ConfigError: An argument is out of its range, or K does not divide d.
    """

    averaged_buffers = ('moving_feature', )  # see SyncStatisticsHook
    conformance = dict(skip={'one_class': 'one channel cannot be divided into two heads'})

    def __init__(self,
                 num_classes: int,
                 in_channels: int,
                 tau: float = 16.0,
                 num_heads: int = 2,
                 gamma: float = 1 / 32,
                 alpha: float = 3.0,
                 momentum: float = 0.9,
                 lr_factor: float | None = None) -> None:
        super().__init__()
        check_sizes(num_classes, in_channels)
        if isinstance(num_heads, bool) or not isinstance(num_heads, int) or num_heads < 1:
            raise ConfigError(f'num_heads of CausalNormClassifier must be a whole number from 1 on, but is '
                              f'{num_heads!r}')
        if in_channels % num_heads:
            fitting = [str(heads) for heads in range(1, min(in_channels, 16) + 1) if in_channels % heads == 0]
            raise ConfigError(f'num_heads of CausalNormClassifier is {num_heads}, into which the {in_channels} '
                              f'channels cannot be divided; use for example {" or ".join(fitting)}')
        self.num_classes = num_classes
        self.in_channels = in_channels
        self.num_heads = num_heads
        self.tau = self.scale = checked_number('tau of CausalNormClassifier', tau)
        if not self.tau > 0:
            raise ConfigError(f'tau of CausalNormClassifier must be above 0, but is {tau!r}')
        self.gamma = checked_number('gamma of CausalNormClassifier', gamma)
        self.alpha = checked_number('alpha of CausalNormClassifier', alpha)
        self.momentum = checked_number('momentum of CausalNormClassifier', momentum, below=1)
        self.lr_factor = None if lr_factor is None else checked_number('lr_factor of CausalNormClassifier', lr_factor)
        self.weight = nn.Parameter(torch.empty(num_classes, in_channels))
        self.register_buffer('moving_feature', torch.zeros(in_channels))
        # What m and the mean of a batch are multiplied by: a buffer, since a compiled model has numbers built in.
        self._factors = (self.momentum, 1.0)
        self.register_buffer('_factors_here', torch.tensor(self._factors), persistent=False)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the weight anew, and forget the moving feature."""
        bound = 1 / math.sqrt(self.in_channels)
        nn.init.uniform_(self.weight, -bound, bound)
        self.moving_feature.zero_()

    def begin_batch(self, learning_rate: float, position: int, batches: int) -> None:
        """What the next batch of training is; called by ``SyncStatisticsHook``.

        Args:
            learning_rate (float): Of the weight.
            position (int): Which of the micro-batches of an optimiser step, from 0.
            batches (int): How many a step has.
        """
        momentum = self.momentum
        if self.lr_factor is not None:
            momentum = 1 - (1 - momentum) * min(self.lr_factor * learning_rate, 1.0)
        factors = (momentum if position == 0 else 1.0, 1 / batches)
        if factors != self._factors:
            self._factors = factors
            self._write_factors()

    def forward(self, features: Tensor) -> Tensor:
        """Logits ``(N, C)`` of features ``(N, d)``, float32 or float64."""
        if not self.training:
            return self.logits(features, self.alpha)
        self.update(features)
        return self.logits(features, 0.0)

    def logits(self, features: Tensor, alpha: float) -> Tensor:
        r"""Logits ``(N, C)`` of features ``(N, d)`` at a given :math:`\alpha`; 0 gives those of training."""
        with torch.autocast(features.device.type, enabled=False):
            dtype = torch.promote_types(features.dtype, torch.float32)
            x, weight = unit_rows(self.heads(features.to(dtype))), self.heads(self.weight.to(dtype))
            weight = weight / (torch.linalg.vector_norm(weight, dim=-1, keepdim=True) + self.gamma)
            if alpha:
                moving = unit_rows(self.heads(self.moving_feature.to(dtype)))
                x = x - alpha * (x * moving).sum(-1, keepdim=True) * moving
            return self.tau / self.num_heads * F.linear(x.flatten(-2), weight.flatten(-2))

    @torch.no_grad()
    def update(self, features: Tensor) -> None:
        """Take a batch of training, features ``(N, d)``, into the moving feature."""
        mean = features.detach().to(torch.promote_types(features.dtype, torch.float32)).sum(0) / max(len(features), 1)
        self.moving_feature.mul_(self._factors_here[0]).add_(mean * self._factors_here[1])

    def heads(self, rows: Tensor) -> Tensor:
        """``(..., d)`` to ``(..., K, d / K)``."""
        return rows.unflatten(-1, (self.num_heads, self.in_channels // self.num_heads))

    def _write_factors(self) -> None:
        for place, factor in zip(self._factors_here, self._factors):
            place.fill_(factor)

    def _apply(self, *args: Any, **kwargs: Any) -> CausalNormClassifier:
        super()._apply(*args, **kwargs)
        self._write_factors()  # with all digits of the new dtype
        return self

    def extra_repr(self) -> str:
        return (f'num_classes={self.num_classes}, in_channels={self.in_channels}, tau={self.tau:g}, '
                f'num_heads={self.num_heads}, gamma={self.gamma:g}, alpha={self.alpha:g}, momentum={self.momentum:g}, '
                f'lr_factor={self.lr_factor}')
