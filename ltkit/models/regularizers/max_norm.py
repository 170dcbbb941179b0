"""Class vectors of a bounded length."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from ltkit.registry import REGULARIZERS
from ltkit.utils.arguments import checked_choice, checked_number
from ltkit.utils.errors import ConfigError

from .base import Regularizer

FORMS = ('max_norm', 'l2')
TIMES = ('step', 'epoch')
UNKNOWN = -1.0


@REGULARIZERS.register_module()
class MaxNorm(Regularizer):
    r"""Projects the class vectors of the classifier on a ball, after each step of the optimizer.

    .. math:: w_c \leftarrow \min\left(1, \frac{\delta}{\|w_c\|}\right) w_c, \quad
              \delta = \min_k \|w_k\| + t \left(\max_k \|w_k\| - \min_k \|w_k\|\right)

    The vectors of frequent classes grow longer than those of rare ones, which are
    so disfavoured; below the bound they are free to grow. The radius
    :math:`\delta` is measured on the class vectors that training begins with, and
    kept in the checkpoint; ``radius`` gives it as a number. The form ``'l2'`` gives
    each class vector the length :math:`\delta`, also those that are shorter. The
    bias is left alone. It is no term of the loss.

    It belongs to a second stage in which the classifier alone is trained, with
    weight decay and a class-balanced loss; :class:`WeightBalancing` has the decay.
    Where the model learns from the beginning on, give ``radius``: the class vectors
    that are drawn at random say nothing.

    Source: Alshammari et al., *Long-Tailed Recognition via Weight Balancing*, CVPR
    2022, arXiv 2203.14197. :math:`\delta` by t is that of the official code, with
    t = 0.1. There the projection comes after each epoch, ``every='epoch'``; the
    paper has it after each step.

    Args:
        threshold (float): t, in [0, 1]. Defaults to 0.1.
        radius (float, optional): :math:`\delta`, above 0, in place of t. Defaults to
            None, for the form ``'l2'`` 1.
        form (str): ``'max_norm'`` or ``'l2'``. Defaults to ``'max_norm'``.
        every (str): ``'step'`` of the optimizer, or ``'epoch'``. Defaults to
            ``'step'``.
        **kwargs: See :class:`Regularizer`.

    Raises:
        ConfigError: An argument is out of its range, or the classifier has no class
            vectors, a parameter ``weight`` of shape ``(C, d)``.
    """

    has_penalty = False
    conformance = dict(skip={'gradient_reaches_the_model': 'it projects the weights, and is no term of the loss'})

    def __init__(self,
                 threshold: float = 0.1,
                 radius: float | None = None,
                 form: str = 'max_norm',
                 every: str = 'step',
                 **kwargs: Any) -> None:
        super().__init__(**kwargs)
        name = type(self).__name__
        self.threshold = checked_number(f'threshold of {name}', threshold, at_most=1)
        self.form = checked_choice(f'form of {name}', form, FORMS)
        self.every = checked_choice(f'every of {name}', every, TIMES)
        if radius is None and form == 'l2':
            radius = 1.0
        if radius is not None and not checked_number(f'radius of {name}', radius) > 0:
            raise ConfigError(f'radius of {name} must be above 0, but is {radius}')
        self.radius = radius
        self.register_buffer('bounds', torch.full((1, ), UNKNOWN if radius is None else float(radius)))
        self._classifiers: tuple[nn.Module, ...] = ()  # in a tuple, so that its weights are not this module's as well

    def set_head(self, head: nn.Module) -> None:
        """Take the classifier of a head, or those of its experts, each of which has a bound of its own."""
        classifiers = tuple(getattr(head, 'classifiers', None) or (head.classifier, ))
        for classifier in classifiers:
            weight = getattr(classifier, 'weight', None)
            if not isinstance(weight, nn.Parameter) or weight.dim() != 2:
                raise ConfigError(
                    f'{type(self).__name__} constrains class vectors, a parameter weight of shape (C, d), which '
                    f'{type(classifier).__name__} does not have; use LinearClassifier')
        self._classifiers = classifiers
        self.bounds = self.bounds[:1].repeat(len(classifiers))

    @property
    def classifiers(self) -> tuple[nn.Module, ...]:
        """The classifiers whose weights are meant.

        Raises:
            ConfigError: There is no head.
        """
        if not self._classifiers:
            raise ConfigError(f'{type(self).__name__} has no classifier; put it into the regularizers of a head')
        return self._classifiers

    @torch.no_grad()
    def begin_projection(self) -> None:
        """Measure the radius, unless it was given; ``ProjectionHook`` calls this before the first step."""
        if self.radius is not None:
            return
        for bound, classifier in zip(self.bounds, self.classifiers):
            lengths = row_lengths(classifier.weight)
            bound.copy_(lengths.min() + self.threshold * (lengths.max() - lengths.min()))

    @torch.no_grad()
    def project(self) -> None:
        """Shorten what is too long; ``ProjectionHook`` calls this after each step, or each epoch."""
        for bound, classifier in zip(self.bounds, self.classifiers):
            weight = classifier.weight
            lengths = row_lengths(weight)
            factors = bound.to(lengths) / lengths.where(lengths > 0, 1)
            if self.form == 'max_norm':
                factors = factors.clamp(max=1).where(bound >= 0, 1)  # not measured yet
            weight.mul_(factors.to(weight.dtype)[:, None])

    def penalty(self, features: Tensor, logits: Tensor, target: Tensor) -> Tensor:
        return features.new_zeros((), requires_grad=True)

    def extra_repr(self) -> str:
        size = f'threshold={self.threshold:g}' if self.radius is None else f'radius={self.radius:g}'
        return f'{size}, form={self.form!r}, every={self.every!r}'


def row_lengths(weight: Tensor) -> Tensor:
    """Lengths of the rows of ``weight``, float32 at least, shape ``(C,)``."""
    return torch.linalg.vector_norm(weight, dim=1, dtype=torch.promote_types(weight.dtype, torch.float32))
