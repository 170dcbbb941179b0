"""The loss of OLTR's memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ltkit.models.classifiers import OLTRClassifier
from ltkit.registry import REGULARIZERS
from ltkit.utils.arguments import checked_number
from ltkit.utils.dist import mean_with_gradient, sum_over_processes
from ltkit.utils.errors import ConfigError

from .base import Regularizer

SMALL_MEMORY = [[float(row == column) for column in range(6)] for row in range(5)]  # of the conformance kit


@REGULARIZERS.register_module()
class DiscriminativeCentroidLoss(Regularizer):
    r"""Draws each feature and the centroid of its class together, and pushes the others away.

    .. math:: L = \frac{\lambda_1}{2N} \sum_i \lVert h_i - c_{y_i} \rVert^2 + \lambda_2 \max\left(0, m -
              \frac{1}{NK} \sum_i \sum_{k \ne y_i} \lVert h_i - c_k \rVert^2 \right)

    for N features of K classes. The centroids are those of the ``OLTRClassifier`` of
    the head, which learn by this term alone. The mean in the maximum is over the batch
    of all processes, and over all K entries of a sample, the one of its own class
    counting as 0. With soft labels q, :math:`c_{y_i}` stands for each class in
    proportion to :math:`q_{ik}`, and :math:`k \ne y_i` for :math:`1 - q_{ik}`.

    Source: Liu et al., CVPR 2019, arXiv 1904.05160; weights and means are those of the
    official code.

    Args:
        attract (float): :math:`\lambda_1`, 0 or more. Defaults to 0.01.
        repel (float): :math:`\lambda_2`, 0 or more. Defaults to 0.0001.
        margin (float): m, 0 or more. Defaults to 10.
        average_step (bool): Whether the first term moves a centroid of :math:`b_k`
            samples in the batch by its gradient divided by :math:`1 + b_k`, and not
            multiplied by :math:`\lambda_1`, as the official code has it. Features are
            moved by the gradient. Defaults to False.
        centroids (optional): Constants, shape ``(K, d)``, for a head with another
            classifier.
        **kwargs: ``class_counts`` (not used) and ``loss_weight``; see :class:`Regularizer`.

    Raises:
        ConfigError: An argument is out of its range, or there are no centroids.
    """

    conformance = dict(kwargs=dict(centroids=SMALL_MEMORY),
                       skip=dict(permutation_of_classes='the centroids are not renumbered with them'))

    def __init__(self,
                 attract: float = 0.01,
                 repel: float = 0.0001,
                 margin: float = 10.0,
                 average_step: bool = False,
                 centroids: Sequence[Sequence[float]] | Tensor | None = None,
                 **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.attract = checked_number('attract of DiscriminativeCentroidLoss', attract)
        self.repel = checked_number('repel of DiscriminativeCentroidLoss', repel)
        self.margin = checked_number('margin of DiscriminativeCentroidLoss', margin)
        self.average_step = average_step
        self.register_buffer('centroids', None if centroids is None else torch.as_tensor(centroids))
        self._classifier: tuple[OLTRClassifier, ...] = ()  # in a tuple: its weights are not this module's as well

    def set_head(self, head: nn.Module) -> None:
        """Take the centroids of the head's classifier, and let them learn."""
        if self.centroids is not None:
            return
        classifier = getattr(head, 'classifier', None)
        if not isinstance(classifier, OLTRClassifier):
            has = 'several classifiers' if classifier is None else f'a {type(classifier).__name__}'
            raise ConfigError(f'DiscriminativeCentroidLoss needs the centroids of one OLTRClassifier, but '
                              f'{type(head).__name__} has {has}; give centroids=... of shape (C, d)')
        classifier.centroids.requires_grad_()
        self._classifier = (classifier, )

    def penalty(self, features: Tensor, logits: Tensor, target: Tensor) -> Tensor:
        if self.centroids is None and not self._classifier:
            raise ConfigError('DiscriminativeCentroidLoss has no centroids; put it into the regularizers of a head '
                              'with an OLTRClassifier, or give centroids=... of shape (C, d)')
        centroids = (self._classifier[0].centroids if self.centroids is None else self.centroids).to(features)
        samples, classes = len(features), len(centroids)
        own = self.squared_distances(features, centroids, target).sum()
        total = (classes * features.square().sum() + samples * centroids.square().sum()
                 - 2 * features.sum(0) @ centroids.sum(0))
        spread = mean_with_gradient((total - own) / max(samples * classes, 1))
        held = centroids.detach() if self.average_step else centroids
        near = self.squared_distances(features, held, target).sum() / max(samples, 1) / 2
        value = self.attract * near + self.repel * (self.margin - spread).clamp(min=0)
        if not self.average_step:
            return value
        step = self.squared_distances(features.detach(), self.stepped(centroids, target), target).sum()
        step = step / max(samples, 1) / 2
        return value + (step - step.detach())

    @staticmethod
    def squared_distances(features: Tensor, centroids: Tensor, target: Tensor) -> Tensor:
        """Of each feature ``(N, d)`` to the centroid of its class, ``(N,)``; the mean over classes of soft labels."""
        if target.dim() == 1:
            return (features - centroids[target]).square().sum(1)
        share = target.to(features.dtype)
        lengths = share.sum(1) * features.square().sum(1) + share @ centroids.square().sum(1)
        return lengths - 2 * (features * (share @ centroids)).sum(1)

    def stepped(self, centroids: Tensor, target: Tensor) -> Tensor:
        """The centroids ``(K, d)``, their gradient divided by 1 + the samples of the class."""
        share = F.one_hot(target, len(centroids)) if target.dim() == 1 else target
        factor = 1 / (1 + sum_over_processes(share.sum(0).to(centroids)))[:, None]
        return factor * centroids + ((1 - factor) * centroids).detach()

    def extra_repr(self) -> str:
        return (f'attract={self.attract:g}, repel={self.repel:g}, margin={self.margin:g}, '
                f'average_step={self.average_step}, {super().extra_repr()}')
