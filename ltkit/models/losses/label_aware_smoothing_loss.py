"""Label smoothing by class size."""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ltkit.registry import LOSSES
from ltkit.utils.arguments import checked_choice, checked_number
from ltkit.utils.errors import ConfigError

from .base import LongTailLoss

SHAPES = ('concave', 'linear', 'convex', 'exp')
SMOOTHED = ('others', 'all')


@LOSSES.register_module()
class LabelAwareSmoothingLoss(LongTailLoss):
    r"""Cross entropy with labels that are smoothed more for larger classes.

    .. math:: l_i = -(1 - \varepsilon_{y_i}) \log p_{i y_i}
              - \frac{\varepsilon_{y_i}}{C} \sum_c \log p_{ic}, \quad p_i = \mathrm{softmax}(z_i)

    with :math:`\varepsilon_c` from :math:`\varepsilon_1` of the largest class to
    :math:`\varepsilon_K` of the smallest, by ``shape`` and the relative size
    :math:`u_c = (n_c - n_{min}) / (n_{max} - n_{min})`:

    =========== ==============================================================================
    ``concave`` :math:`\varepsilon_K + (\varepsilon_1 - \varepsilon_K) \sin(\pi u_c / 2)`
    ``linear``  :math:`\varepsilon_K + (\varepsilon_1 - \varepsilon_K) u_c`
    ``convex``  :math:`\varepsilon_1 + (\varepsilon_1 - \varepsilon_K) \sin(3\pi/2 + \pi u_c / 2)`
    ``exp``     :math:`\varepsilon_K + (\varepsilon_1 - \varepsilon_K) u_c^p`
    =========== ==============================================================================

    The loss is that of the second stage of MiSLAS, which trains the classifier
    on classes drawn evenly; it takes no prior out. Classes of equal size are all
    the smallest (:math:`u_c = 0`), and an empty class counts as one sample. Soft
    labels mix the losses of the classes, :math:`\sum_c t_{ic} l_{ic}`.

    Source: Zhong et al., *Improving Calibration for Long-Tailed Recognition*
    (MiSLAS), CVPR 2021, arXiv 2104.00466. The equation above is that of the official
    code, which spreads :math:`\varepsilon` over all classes, the target among
    them. The paper spreads it over the C - 1 others; this is
    ``smoothed='others'``, and equals the above with
    :math:`\varepsilon C / (C - 1)` in place of :math:`\varepsilon`.

    Args:
        smooth_head (float): :math:`\varepsilon_1`, in [0, 1). Defaults to 0.3,
            the paper's on ImageNet-LT; 0.4 on CIFAR100-LT at imbalance 100.
        smooth_tail (float): :math:`\varepsilon_K`, in [0, 1), not above
            ``smooth_head``. Defaults to 0.0; 0.1 on CIFAR100-LT at imbalance 100.
        shape (str): See above. Defaults to ``'concave'``.
        power (float, optional): p of the shape ``exp`` and of no other, above 0.
            Defaults to None.
        smoothed (str): The classes that share :math:`\varepsilon`: ``'all'``, as
            in the official code, or the ``'others'`` than the target, as in the
            paper. Defaults to ``'all'``.
        **kwargs: ``class_counts``, ``drw``, ``reduction``, ``loss_weight``; see
            :class:`LongTailLoss`.

    Raises:
        ConfigError: An argument is unknown or out of its range.
    """

    def __init__(self,
                 smooth_head: float = 0.3,
                 smooth_tail: float = 0.0,
                 shape: str = 'concave',
                 power: float | None = None,
                 smoothed: str = 'all',
                 **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.smooth_head = checked_number('smooth_head', smooth_head, below=1)
        self.smooth_tail = checked_number('smooth_tail', smooth_tail, below=1)
        if self.smooth_tail > self.smooth_head:
            raise ConfigError(f'smooth_tail must not be above smooth_head ({smooth_head}), but is {smooth_tail}; '
                              'large classes are smoothed more')
        self.shape = checked_choice('shape', shape, SHAPES)
        self.power = _checked_power(power, shape)
        self.smoothed = checked_choice('smoothed', smoothed, SMOOTHED)

    def sample_losses(self, cls_score: Tensor, target: Tensor, class_weight: Tensor | None) -> Tensor:
        classes = cls_score.size(1)
        if target.dim() == 1:
            target = F.one_hot(target, classes).to(cls_score.dtype)
        if class_weight is not None:
            target = target * class_weight
        moved = target * self.smoothing(cls_score)
        total = moved.sum(dim=1, keepdim=True)
        spread = total / classes if self.smoothed == 'all' else (total - moved) / max(classes - 1, 1)
        return F.cross_entropy(cls_score, target - moved + spread, reduction='none')

    def smoothing(self, cls_score: Tensor) -> Tensor:
        r""":math:`\varepsilon_c` of each class for logits ``(N, C)``, shape ``(C,)``."""
        counts = self.counts_for(cls_score)
        size = (counts - counts.min()) / (counts.max() - counts.min()).clamp(min=1)
        if self.shape == 'concave':
            size = torch.sin(math.pi / 2 * size)
        elif self.shape == 'convex':
            size = 1 - torch.cos(math.pi / 2 * size)
        elif self.power is not None:
            size = size**self.power
        return self.smooth_tail + (self.smooth_head - self.smooth_tail) * size

    def extra_repr(self) -> str:
        power = '' if self.power is None else f'power={self.power:g}, '
        return (f'smooth_head={self.smooth_head:g}, smooth_tail={self.smooth_tail:g}, shape={self.shape!r}, '
                f'{power}smoothed={self.smoothed!r}, {super().extra_repr()}')


def _checked_power(power: float | None, shape: str) -> float | None:
    if shape != 'exp':
        if power is not None:
            raise ConfigError(f"power is that of shape='exp' alone, but is {power} with shape={shape!r}")
        return None
    if power is None or not checked_number('power', power) > 0:
        raise ConfigError(f"power must be a number above 0 for shape='exp', but is {power}")
    return float(power)
