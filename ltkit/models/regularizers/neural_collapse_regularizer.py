"""The regulariser that induces neural collapse."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ltkit.registry import REGULARIZERS
from ltkit.utils.arguments import checked_choice, checked_epoch, checked_number
from ltkit.utils.dist import sum_over_processes, world_size
from ltkit.utils.errors import ConfigError, DataError

from .base import Regularizer

AVERAGES = ('class', 'squared', 'batch')
SEPARATIONS = ('mean', 'smallest', 'simplex')
LARGEST_COSINE = 0.99999  # arccos has no derivative at 1
EXACT = 'donot_use_mm_for_euclid_dist'


@REGULARIZERS.register_module()
class NeuralCollapseRegularizer(Regularizer):
    r"""Features close to the centre of their class, all classes alike, and centres far apart.

    .. math:: L = \lambda_1 L_1 + \lambda_2 L_2, \qquad
              L_1 = \frac1K \sum_k \frac{1}{b_k} \sum_{i: y_i = k} \lVert h_i - \mu_k \rVert^2, \qquad
              L_2 = -\frac1K \sum_k \arccos \max_{j \ne k} u_k^\top u_j

    with :math:`b_k` samples of class k in the batch, learnable centres :math:`\mu_k`,
    and :math:`u_k` the direction of :math:`\mu_k - \frac1K \sum_j \mu_j`. A class that
    is not in the batch adds 0 to :math:`L_1`, whose divisor stays K. Cosines are
    clamped to :math:`\pm 0.99999`. :math:`L_1` draws features and centres together;
    :math:`L_2` moves the centres alone, and through them the features.

    The centres have a step of their own, plain SGD with the constant rate
    :math:`\alpha` and with the gradient of :math:`L_1 + \frac{\lambda_2}{\lambda_1} L_2`:
    in the gradient of L that is the rate :math:`\alpha / \lambda_1`, which
    ``optimizer_options`` asks the optimizer for.

    Under distributed training :math:`b_k` is that of the batch of all processes:
    gradients averaged over the processes, and the mean of the values, are those of
    one process with the whole batch. With accumulated gradients the batch is that of
    each step of the accumulation. In a ``MultiExpertHead`` each expert has centres of
    its own, and the terms of the experts are added, as RIDE's losses are.

    Soft labels (mixed images) are a form of ours: sample i counts for class k with
    :math:`q_{ik}`, :math:`b_k = \max(1, \sum_i q_{ik})`. So a class that has less than
    one image in the batch pulls with that share of it alone; for hard labels it is
    the equation above.

    Source: Liu et al., *Inducing Neural Collapse in Deep Long-tailed Learning*,
    AISTATS 2023, arXiv 2302.12453; the equations are those of the authors' code. One
    version of it computes the terms before ``begin`` as well, with the first centres;
    here, as in another, there are none.

    Args:
        within (float): :math:`\lambda_1`, above 0. Defaults to 0.01.
        between (float): :math:`\lambda_2`, 0 or more. Defaults to 0.1.
        num_classes (int): K, 2 or more. The head gives it.
        in_channels (int): Channels d of the features. The head gives it.
        begin (int): The 0-based epoch in which the term begins. Defaults to 0.
        centre_lr (float): :math:`\alpha`, 0 or more. Defaults to 0.5.
        average (str): What the distances of a class are divided by: ``'class'`` for
            :math:`K b_k`, and for comparison ``'squared'`` for :math:`K b_k^2`, or
            ``'batch'`` for the size of the batch, which is the centre loss (Wen et
            al., ECCV 2016) and leaves rare classes behind. Defaults to ``'class'``.
        separation (str): :math:`L_2`: the ``'mean'`` over the classes of their
            smallest angles, the one ``'smallest'`` angle of two classes, or
            ``'simplex'``, the root of the sum of :math:`(u_k^\top u_j + \frac{1}{K - 1})^2`
            over all :math:`j \ne k`. (The code of the third is meant to be this, but
            draws the cosines to 0.) Defaults to ``'mean'``.
        centring (float): :math:`\lambda_3`, 0 or more, of a third term
            :math:`\lVert \frac1K \sum_k \mu_k \rVert^2`. (Versions of the code have the
            mean squared length of the features in its place.) Defaults to 0.0.
        **kwargs: ``class_counts`` (not used) and ``loss_weight``; see
            :class:`Regularizer`. The step of the centres does not depend on
            ``loss_weight``.

    Attributes:
        centres (nn.Parameter): :math:`\mu`, shape ``(K, d)``, drawn from a standard
            normal distribution.

    Raises:
        ConfigError: An argument is missing or out of its range.
    """

    per_expert = True
    conformance = dict(
        kwargs=dict(num_classes=5, in_channels=6),
        skip={'permutation_of_classes': 'its centres belong to classes, and would have to be renumbered, too'})

    def __init__(self,
                 within: float = 0.01,
                 between: float = 0.1,
                 num_classes: int | None = None,
                 in_channels: int | None = None,
                 begin: int = 0,
                 centre_lr: float = 0.5,
                 average: str = 'class',
                 separation: str = 'mean',
                 centring: float = 0.0,
                 **kwargs: Any) -> None:
        super().__init__(**kwargs)
        for name, value, least in (('num_classes', num_classes, 2), ('in_channels', in_channels, 1)):
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise ConfigError(f'{name} of NeuralCollapseRegularizer must be a whole number from {least} on, but is '
                                  f'{value!r}; in head.regularizers it is that of the head')
        self.num_classes = num_classes
        self.in_channels = in_channels
        self.within = checked_number('within of NeuralCollapseRegularizer', within)
        if not self.within > 0:
            raise ConfigError(f'within of NeuralCollapseRegularizer must be above 0, but is {within!r}: the '
                              'between-class term reaches the features through the within-class term alone')
        self.between = checked_number('between of NeuralCollapseRegularizer', between)
        self.centring = checked_number('centring of NeuralCollapseRegularizer', centring)
        self.begin = checked_epoch('begin of NeuralCollapseRegularizer', begin)
        self.centre_lr = checked_number('centre_lr of NeuralCollapseRegularizer', centre_lr)
        self.average = checked_choice('average of NeuralCollapseRegularizer', average, AVERAGES)
        self.separation = checked_choice('separation of NeuralCollapseRegularizer', separation, SEPARATIONS)
        self.active = self.begin == 0
        self.centres = nn.Parameter(torch.randn(num_classes, in_channels))
        rate = self.centre_lr / (self.within * (self.loss_weight or 1))
        self.optimizer_options = dict(centres=dict(lr=rate, momentum=0.0, weight_decay=0.0))

    def set_epoch(self, epoch: int, max_epochs: int) -> None:
        """Whether the term has begun; ``EpochHook`` calls this.

        Args:
            epoch (int): 0-based.
            max_epochs (int): Of the whole training; not read.
        """
        self.active = epoch >= self.begin

    def penalty(self, features: Tensor, logits: Tensor, target: Tensor) -> Tensor:
        centres = self.centres.to(features.dtype)
        if not self.active:
            return 0 * centres.sum()  # with a gradient, since DDP waits for one
        value = self.within * self.within_class(features, centres, target)
        if self.between:
            value = value + self.between * self.between_class(centres)
        if self.centring:
            value = value + self.centring * centres.mean(dim=0).square().sum()
        return value

    def within_class(self, features: Tensor, centres: Tensor, target: Tensor) -> Tensor:
        """:math:`L_1`, a scalar; under distributed training the share of this process, times the processes.

        Args:
            features (Tensor): h, shape ``(N, d)``.
            centres (Tensor): Shape ``(K, d)``.
            target (Tensor): Labels ``(N,)``, or soft labels ``(N, K)``.

        Raises:
            DataError: Features or labels do not fit the centres.
        """
        if features.shape[1:] != centres.shape[1:]:
            raise DataError(f'NeuralCollapseRegularizer has in_channels={self.in_channels}, but gets features of shape '
                            f'{tuple(features.shape)}')
        if target.dim() == 1:
            squared = (features - centres[target]).square().sum(dim=1)
            share = torch.zeros(len(centres), dtype=features.dtype, device=features.device)
            weight = self.class_weights(share.index_add(0, target, torch.ones_like(squared)))[target]
        else:
            if target.shape != (len(features), len(centres)):
                raise DataError(f'soft labels for NeuralCollapseRegularizer must be of shape ({len(features)}, '
                                f'{len(centres)}), but are {tuple(target.shape)}')
            target = target.to(features.dtype)
            squared = torch.cdist(features, centres, compute_mode=EXACT).square()
            weight = target * self.class_weights(target.sum(dim=0))
        return world_size() * (weight * squared).sum()

    def class_weights(self, counts: Tensor) -> Tensor:
        """The factor of a distance for each class, from the samples of this process in it; both ``(K,)``."""
        counts = sum_over_processes(counts)
        if self.average == 'batch':
            return counts.new_ones(len(counts)) / counts.sum()
        counts = counts.clamp(min=1)
        return 1 / (len(counts) * (counts if self.average == 'class' else counts.square()))

    def between_class(self, centres: Tensor) -> Tensor:
        """:math:`L_2` of centres ``(K, d)``, a scalar."""
        directions = F.normalize(centres - centres.mean(dim=0), dim=1)
        cosines = directions @ directions.T
        itself = torch.eye(len(centres), dtype=torch.bool, device=centres.device)
        if self.separation == 'simplex':
            return (cosines + 1 / (len(centres) - 1)).masked_fill(itself, 0).norm()
        largest = cosines.masked_fill(itself, -2).amax(dim=1)
        if self.separation == 'smallest':
            largest = largest.amax()
        return -largest.clamp(-LARGEST_COSINE, LARGEST_COSINE).arccos().mean()

    def extra_repr(self) -> str:
        return (f'within={self.within:g}, between={self.between:g}, num_classes={self.num_classes}, '
                f'in_channels={self.in_channels}, begin={self.begin}, centre_lr={self.centre_lr:g}, '
                f'average={self.average!r}, separation={self.separation!r}, centring={self.centring:g}, '
                f'{super().extra_repr()}')
