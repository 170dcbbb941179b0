"""Weight decay of the classifier, and class vectors of a bounded length."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from ltkit.registry import REGULARIZERS
from ltkit.utils.arguments import checked_number

from .max_norm import MaxNorm


@REGULARIZERS.register_module()
class WeightBalancing(MaxNorm):
    r"""Weight decay of the classifier alone, together with :class:`MaxNorm`.

    .. math:: L = \frac{\lambda}{2} \sum_c \left(\|w_c\|^2 + b_c^2\right)

    Its gradient is that of the weight decay :math:`\lambda` of an optimizer without
    decoupling (SGD, Adam), which is to be 0 for the classifier, then: decay pulls
    the longest class vectors most, the bound keeps them from growing again. It is
    for the second stage of the paper, in which the classifier alone is trained.

    The decay 0.1 goes with the loss of the official code,
    ``ClassBalancedLoss(beta=0.9999, base='softmax_bce')``, which is about C times
    smaller than a cross entropy. With a cross entropy take about C times less.

    Source: Alshammari et al., *Long-Tailed Recognition via Weight Balancing*, CVPR
    2022, arXiv 2203.14197, with the numbers of the official code on CIFAR100-LT.

    Args:
        weight_decay (float): :math:`\lambda`, 0 or more. Defaults to 0.1.
        **kwargs: ``threshold``, ``radius``, ``form``, ``every``, ``loss_weight`` (of
            the decay); see :class:`MaxNorm`.

    Raises:
        ConfigError: As of :class:`MaxNorm`.
    """

    has_penalty = True
    conformance = dict(skip={
        'gradient_reaches_the_model': 'its gradient is that of the classifier',
        'follows_the_device': 'the classifier is moved by its head'})

    def __init__(self, weight_decay: float = 0.1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.weight_decay = checked_number('weight_decay of WeightBalancing', weight_decay)

    def penalty(self, features: Tensor, logits: Tensor, target: Tensor) -> Tensor:
        parameters = [parameter for classifier in self.classifiers
                      for parameter in (classifier.weight, getattr(classifier, 'bias', None)) if parameter is not None]
        return self.weight_decay / 2 * sum(parameter.to(logits.dtype).square().sum() for parameter in parameters)

    def extra_repr(self) -> str:
        return f'weight_decay={self.weight_decay:g}, {super().extra_repr()}'
