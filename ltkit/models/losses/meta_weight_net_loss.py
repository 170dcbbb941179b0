"""Meta-Weight-Net: the weight of a sample is learned from its loss."""

from __future__ import annotations

from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from ltkit.models.meta_learned import meta_learned
from ltkit.registry import LOSSES
from ltkit.utils.dist import mean_with_gradient
from ltkit.utils.errors import ConfigError

from .base import LongTailLoss
from .reduction import Reduction


class WeightNet(nn.Module):
    r"""The weight of a sample as a function of its loss.

    .. math:: V(l) = \sigma(W_2 \, \mathrm{relu}(W_1 l + b_1) + b_2)

    Args:
        hidden_channels (int): Units of the hidden layer.
    """

    def __init__(self, hidden_channels: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(1, hidden_channels)
        self.output = nn.Linear(hidden_channels, 1)

    def forward(self, losses: Tensor) -> Tensor:
        """Losses, shape ``(N,)``, to weights in (0, 1), shape ``(N,)`` of the same dtype."""
        values = F.relu(_linear(self.hidden, losses[:, None]))
        return _linear(self.output, values)[:, 0].sigmoid()


@LOSSES.register_module()
class MetaWeightNetLoss(LongTailLoss):
    r"""The losses of samples, weighted by a net that learns from a balanced meta set.

    .. math:: L = \frac{\sum_i v_i l_i}{\sum_i v_i}, \quad
              v_i = V(l_i) = \sigma(W_2 \, \mathrm{relu}(W_1 l_i + b_1) + b_2)

    with :math:`l_i` of any other loss. The weights are constants for the model:
    no gradient passes through :math:`V` into it. The net is part of the model but
    not of its optimizer (see :func:`~ltkit.models.meta_learned.meta_learned`);
    ``train_cfg=dict(type='MetaTrainLoop', ...)`` trains it, and another loop is
    refused. The divisor is that of the batch of all processes while training.

    Source: Shu et al., *Meta-Weight-Net: Learning an Explicit Mapping For Sample
    Weighting*, NeurIPS 2019, arXiv 1902.07379. The authors' code for class imbalance
    divides by :math:`\sum_i v_i`, theirs for noisy labels by N (``normalise=False``).
    The former lets the gradient of its virtual step pass through the input of
    :math:`V`; here it does not, as in the paper and the latter.

    Args:
        loss (dict or LongTailLoss, optional): What gives :math:`l_i`, its class
            weights included. Defaults to ``dict(type='SoftmaxLoss')``.
        hidden_channels (int): Units of the hidden layer. Defaults to 100.
        normalise (bool): Whether the divisor of the mean is :math:`\sum_i v_i`, or
            the number of samples. Defaults to True.
        reduction (str): ``'mean'``, ``'sum'`` or ``'none'``. Defaults to ``'mean'``.
        loss_weight (float): Factor of the result. Defaults to 1.0.

    Raises:
        ConfigError: An argument is not as above.
    """

    def __init__(self,
                 loss: dict | LongTailLoss | None = None,
                 hidden_channels: int = 100,
                 normalise: bool = True,
                 reduction: str = 'mean',
                 loss_weight: float = 1.0) -> None:
        super().__init__(reduction=reduction, loss_weight=loss_weight)
        if isinstance(hidden_channels, bool) or not isinstance(hidden_channels, int) or hidden_channels < 1:
            raise ConfigError(f'hidden_channels must be a whole number from 1 on, but is {hidden_channels!r}')
        loss = dict(type='SoftmaxLoss') if loss is None else loss
        self.loss = LOSSES.build(loss) if isinstance(loss, dict) else loss
        if not isinstance(self.loss, LongTailLoss):
            raise ConfigError(f'loss of MetaWeightNetLoss must be one of ltkit, but is {type(self.loss).__name__}')
        if self.loss.needs_features:
            raise ConfigError(f'loss of MetaWeightNetLoss must be one of the logits alone, but '
                              f'{type(self.loss).__name__} needs the features')
        self.score_dims = self.loss.score_dims
        self.net = meta_learned(WeightNet(hidden_channels))
        self.normalise = normalise

    @property
    def supports_soft_labels(self) -> bool:  # type: ignore[override]
        """Whether the weighted loss has a form for soft labels."""
        return self.loss.supports_soft_labels

    @property
    def scale_given(self) -> bool:
        """Whether the weighted loss has a scale of its own."""
        return getattr(self.loss, 'scale_given', False)

    def set_scale(self, scale: float) -> None:
        """Hand the scale of the classifier's logits to the weighted loss."""
        if hasattr(self.loss, 'set_scale'):
            self.loss.set_scale(scale)

    def compute(self, cls_score: Tensor, target: Tensor, reduce: Reduction) -> Tensor:
        losses = self.loss(cls_score, target, reduction_override='none')
        weights = self.net(losses.detach())
        if reduce.kind != 'mean' or reduce.avg_factor is not None or not self.normalise:
            return reduce(weights * losses)
        total = Reduction('sum', reduce.weight)(weights * losses)
        divisor = weights.sum()
        divisor = mean_with_gradient(divisor) if reduce.over_processes else divisor
        return total / divisor.clamp(min=1e-30)  # all weights may have underflowed to 0

    def extra_repr(self) -> str:
        return f'normalise={self.normalise}, {super().extra_repr()}'


def _linear(layer: nn.Linear, values: Any) -> Tensor:
    """The layer in the dtype of ``values``."""
    return F.linear(values, layer.weight.to(values.dtype), layer.bias.to(values.dtype))
