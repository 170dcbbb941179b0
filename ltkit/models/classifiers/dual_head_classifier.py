"""An original classifier for frequent classes, and a calibrated one for rare ones."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ltkit.distribution_aware import CountsLike, DistributionAware
from ltkit.registry import CLASSIFIERS
from ltkit.utils.arguments import checked_number

from .linear_based import LinearBased


@CLASSIFIERS.register_module()
class DualHeadClassifier(DistributionAware, LinearBased):
    r"""A linear classifier that is calibrated on balanced batches, beside the one it began as.

    .. math:: p_c \propto \begin{cases} \mathrm{softmax}(z^{cal})_c & n_c < t \\
              \mathrm{softmax}(z^{orig})_c & n_c \ge t \end{cases}

    In training its logits are :math:`z^{cal} = W x + b`, which learn; in prediction
    :math:`\log p_c`, with the probabilities of the calibrated head for the classes
    of fewer than t training images and those of the original head for the others.
    The calibration on balanced batches (``BiLevelSampler``) raises the rare classes;
    the frequent ones keep their accuracy.

    The parameters have the names of :class:`LinearClassifier`. A stage that gets its
    weights from one that had a linear classifier has them in both heads, by name: the
    original one, the buffers ``original_weight`` and ``original_bias``, stays as it
    is handed over, though the report of the hand-over counts it as newly made. So
    the head is not to be among what a config makes anew, ``reinitialize``, and
    without a hand-over the original head is what was drawn at random.

    Source: Wang et al., *The Devil is in Classification: A Simple Framework for
    Long-tail Instance Segmentation* (SimCal), ECCV 2020, arXiv 2007.11978: the dual
    head inference there, without the class of the background, and with a head of
    one layer that begins as the original one.

    Args:
        num_classes (int): C.
        in_channels (int): d, the length of a feature.
        bias (bool): Whether there is a bias b. Defaults to True.
        threshold (float): t, 0 or more. Defaults to 100, that of the official code
            on LVIS; it has 400 on COCO-LT.
        class_counts (optional): Training samples of each class; normally left to
            ``ClassDistributionHook``.

    Shape:
        ``(N, d)`` to ``(N, C)``.

    Raises:
        ConfigError: A size is not above 0, or the threshold below 0.
    """

    def __init__(self,
                 num_classes: int,
                 in_channels: int,
                 bias: bool = True,
                 threshold: float = 100,
                 class_counts: CountsLike | None = None) -> None:
        super().__init__(num_classes, in_channels, bias)
        self.init_class_counts(class_counts)
        self.threshold = checked_number('threshold of DualHeadClassifier', threshold)
        self.register_buffer('original_weight', self.weight.detach().clone())
        self.register_buffer('original_bias', None if self.bias is None else self.bias.detach().clone())

    def forward(self, features: Tensor) -> Tensor:
        """Logits in training, the logarithms of probabilities in prediction; ``(N, d)`` to ``(N, C)``."""
        calibrated = self.linear(features)
        if self.training:
            return calibrated
        original = F.linear(features, self.original_weight, self.original_bias)
        rare = self.counts_for(calibrated) < self.threshold
        return torch.where(rare, calibrated.log_softmax(dim=-1), original.log_softmax(dim=-1))

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *args: Any, **kwargs: Any) -> None:
        for name in ('weight', 'bias'):
            own, original = f'{prefix}{name}', f'{prefix}original_{name}'
            if own in state_dict and original not in state_dict and getattr(self, name) is not None:
                state_dict = {**state_dict, original: state_dict[own]}  # of a linear classifier, for both heads
        super()._load_from_state_dict(state_dict, prefix, *args, **kwargs)

    def extra_repr(self) -> str:
        return f'{super().extra_repr()}, threshold={self.threshold:g}'
