"""Post-compensated softmax: from the class prior of training to that of the target."""

from __future__ import annotations

import math

from torch import Tensor

from ltkit.distribution_aware import CountsLike
from ltkit.registry import POSTHOC
from ltkit.utils.errors import ConfigError

from .base import PosthocRule
from .target_prior import PriorLike, log_target_prior


@POSTHOC.register_module()
class PriorCompensation(PosthocRule):
    r"""Replaces the class prior of training by that of the target (PC softmax).

    .. math:: z'_c = z_c - \log \pi^s_c + \log \pi^t_c

    :math:`\pi^s_c = n_c / \sum_k n_k` is the prior of the training set, an empty
    class counted as one sample. By Bayes' rule :math:`\text{softmax}(z')` is the
    posterior under :math:`\pi^t` of a model that has learnt the one under
    :math:`\pi^s`, so it is for a plain softmax loss. With the uniform target the
    probabilities are those of :class:`LogitAdjustment` with :math:`\tau = 1`;
    with the training prior as target nothing changes.

    Source: Hong et al., *Disentangling Label Distribution for Long-tailed Visual
    Recognition*, CVPR 2021, arXiv 2012.00321, its PC softmax.

    Args:
        target_prior (optional): :math:`\pi^t`: probabilities or counts, one a
            class, as a list, an array, a :class:`~ltkit.distribution.ClassDistribution`
            or a file; see :func:`~.target_prior.log_target_prior`. It belongs to
            the config, not to the checkpoint. Defaults to the uniform prior
            :math:`1 / C`.
        class_counts (optional): See :class:`PosthocRule`.

    Shape:
        ``(..., C)`` to the same.

    Raises:
        ConfigError: ``target_prior`` is no prior, or of another number of
            classes than the training set.
    """

    prior_correction = 1.0  # see ltkit.config.compatibility

    def __init__(self, target_prior: PriorLike | None = None, class_counts: CountsLike | None = None) -> None:
        super().__init__(class_counts)
        self.log_target = None if target_prior is None else log_target_prior(type(self).__name__, target_prior)
        self.on_class_counts()

    def on_class_counts(self) -> None:
        """Compare the number of classes as soon as it is known."""
        if self.log_target is not None and self.has_class_counts and len(self.log_target) != len(self.class_counts):
            raise ConfigError(f'{type(self).__name__}: target_prior has {len(self.log_target)} classes, but the '
                              f'training set has {len(self.class_counts)}; give one number a class')

    def log_prior_ratio(self, logits: Tensor) -> Tensor:
        r""":math:`\log \pi^t - \log \pi^s` for ``logits`` of C classes, shape ``(C,)``."""
        log_source = self.log_relative_prior_for(logits)
        if self.log_target is None:
            return -log_source
        log_target = self.log_target + math.log(len(self.log_target))  # relative to the uniform prior as well
        return log_target.to(log_source.dtype).to(log_source.device) - log_source

    def forward(self, logits: Tensor) -> Tensor:
        return logits + self.log_prior_ratio(logits)

    def extra_repr(self) -> str:
        return f'target_prior={"uniform" if self.log_target is None else "given"}'
