"""Range loss."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ltkit.registry import REGULARIZERS
from ltkit.utils.arguments import checked_choice, checked_number
from ltkit.utils.errors import ConfigError, DataError

from .base import Regularizer

DISTANCES = ('euclidean', 'squared')
SMALLEST = 1e-12  # of a squared distance: the root has no derivative at 0
EXACT = 'donot_use_mm_for_euclid_dist'


@REGULARIZERS.register_module()
class RangeLoss(Regularizer):
    r"""The largest distances within each class, and the smallest between the centres of two.

    .. math:: L = \alpha \sum_c \frac{k_c}{\sum_{j=1}^{k_c} 1 / D_{cj}} + \beta \max(0, m - D_{centre})

    with the :math:`k_c` largest distances :math:`D_{cj}` of two features of class c
    in the batch, whose harmonic mean is the range of the class, and the smallest
    distance :math:`D_{centre}` of the mean features of two classes. :math:`k_c` is k,
    or less where a class has fewer pairs; a class of one sample has none and adds
    nothing, nor has a batch of one class a distance of centres.

    It is a term beside a loss of the logits, in
    ``head.regularizers=[dict(type='RangeLoss', loss_weight=...)]``, and may be
    called as ``loss(features, target)``. Under distributed training the batch is
    that of each process. Two features in one place have the distance 1e-6 and no
    gradient. There is no form for soft labels.

    Source: Zhang et al., *Range Loss for Deep Face Recognition with Long-Tailed
    Training Data*, ICCV 2017, arXiv 1611.08976. The paper speaks of distances but
    writes squares of them: ``distance='squared'``. The default, like the other
    defaults here, is that of the code in use, also in the survey (arXiv
    2110.04596), in which a class of one sample counts with a distance of 1e-6.

    Args:
        alpha (float): :math:`\alpha`, 0 or more. Defaults to 0.5.
        beta (float): :math:`\beta`, 0 or more. Defaults to 0.5.
        margin (float): m, 0 or more, in units of the distance. Defaults to 0.1.
        k (int): The number of distances, 1 or more. Defaults to 2.
        distance (str): ``'euclidean'`` or ``'squared'``. Defaults to
            ``'euclidean'``.
        **kwargs: ``loss_weight``; see :class:`Regularizer`.

    Raises:
        ConfigError: An argument is out of its range.
    """

    def __init__(self,
                 alpha: float = 0.5,
                 beta: float = 0.5,
                 margin: float = 0.1,
                 k: int = 2,
                 distance: str = 'euclidean',
                 **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.alpha = checked_number('alpha of RangeLoss', alpha)
        self.beta = checked_number('beta of RangeLoss', beta)
        self.margin = checked_number('margin of RangeLoss', margin)
        if isinstance(k, bool) or not isinstance(k, int) or k < 1:
            raise ConfigError(f'k of RangeLoss must be a whole number from 1 on, but is {k!r}')
        self.k = k
        self.distance = checked_choice('distance of RangeLoss', distance, DISTANCES)

    def forward(self, features: Tensor, target: Tensor, logits: Tensor | None = None) -> Tensor:
        """The term, a scalar.

        Args:
            features (Tensor): x, shape ``(N, d)``, of any float dtype.
            target (Tensor): Labels, shape ``(N,)``, of an integer dtype.
            logits (Tensor, optional): Not read.

        Raises:
            DataError: Features or labels of a wrong shape or dtype, or soft labels.
        """
        if features.dim() != 2 or not features.is_floating_point():
            raise DataError('RangeLoss takes features of a float dtype and of shape (N, d), but got '
                            f'{features.dtype} of {tuple(features.shape)}')
        if target.dim() == 2 and len(target) == len(features):
            raise DataError('RangeLoss has no form for soft labels; give class indices of shape (N,), and leave out '
                            'mixup and its like')
        if target.shape != features.shape[:1] or target.is_floating_point() or target.dtype == torch.bool:
            raise DataError(f'target of RangeLoss must be class indices ({len(features)},) of an integer dtype, but '
                            f'is {target.dtype} of {tuple(target.shape)}')
        return super().forward(features, features if logits is None else logits, target)

    def penalty(self, features: Tensor, logits: Tensor, target: Tensor) -> Tensor:
        same = target[:, None] == target
        return self.alpha * self.within(features, same) + self.beta * self.between(features, same)

    def within(self, features: Tensor, same: Tensor) -> Tensor:
        """The ranges of all classes, a scalar.

        Args:
            features (Tensor): Shape ``(N, d)``.
            same (Tensor): Which samples are of one class, shape ``(N, N)``.
        """
        samples = len(features)
        with torch.no_grad():  # which pairs are the farthest; their distances follow, with a gradient
            order = torch.arange(samples, device=features.device)
            distances = torch.cdist(features, features, compute_mode=EXACT)
            distances = distances.masked_fill(~(same & (order < order[:, None])), -1)
            k = min(self.k, samples)
            of_sample, partner = distances.topk(k, dim=1)
            candidates = of_sample.flatten().where(same.repeat_interleave(k, dim=1), -1)
            of_class, position = candidates.topk(min(self.k, samples * k), dim=1)
            exists = of_class >= 0
            first, second = position // k, partner.flatten()[position]
        inverse = (exists / self.measure(features[first] - features[second])).sum(dim=1)
        ranges = exists.sum(dim=1) / inverse.where(exists.any(dim=1), 1)
        return (ranges / same.sum(dim=1)).sum()  # each sample has its share of the range of its class

    def between(self, features: Tensor, same: Tensor) -> Tensor:
        """The margin less the smallest distance of two centres, a scalar; arguments as for :meth:`within`."""
        samples = len(features)
        centres = (same / same.sum(dim=1, keepdim=True)).to(features.dtype) @ features  # of the class of each sample
        with torch.no_grad():
            distances = torch.cdist(centres, centres, compute_mode=EXACT).masked_fill(same, torch.inf)
            nearest = distances.argmin()[None]
        difference = centres.index_select(0, nearest // samples) - centres.index_select(0, nearest % samples)
        hinge = (self.margin - self.measure(difference)).clamp(min=0).sum()
        return hinge.where(~same.all(), 0)

    def measure(self, difference: Tensor) -> Tensor:
        """Lengths of vectors, or their squares; the last dimension is summed."""
        squared = difference.square().sum(dim=-1).clamp(min=SMALLEST)
        return squared if self.distance == 'squared' else squared.sqrt()

    def extra_repr(self) -> str:
        return (f'alpha={self.alpha:g}, beta={self.beta:g}, margin={self.margin:g}, k={self.k}, '
                f'distance={self.distance!r}, {super().extra_repr()}')
