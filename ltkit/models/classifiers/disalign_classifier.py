"""The linear layer whose logits are aligned with the classes after training."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ltkit.registry import CLASSIFIERS
from ltkit.utils.arguments import checked_choice

from .linear_based import LinearBased

FORMS = ('paper', 'cvpods')
CONFIDENCE_WEIGHT = 0.1


@CLASSIFIERS.register_module()
class DisAlignClassifier(LinearBased):
    r"""Adaptive calibration of the logits of a trained linear layer (DisAlign).

    .. math:: \hat z_c = \sigma(x) (\alpha_c z_c + \beta_c) + (1 - \sigma(x)) z_c, \quad
              z = W x + b, \quad \sigma(x) = \frac{1}{1 + e^{-v^\top x - v_0}}

    with :math:`\alpha` (``alpha``) starting at 1 and :math:`\beta` (``beta``) at 0,
    so that the start is the plain linear layer. ``confidence`` holds v, starting
    at 0.1 in each channel, and :math:`v_0`, drawn as ``nn.Linear`` does. ``weight``
    and ``bias`` have the names that they have in :class:`LinearClassifier`, whose
    weights it continues with. In the paper everything but :math:`\alpha`,
    :math:`\beta`, v and :math:`v_0` is frozen, which is for the config to say (in the
    official code the statistics of batch normalisation go on)::

        frozen = dict(parameters=['backbone', 'head.classifier.weight', 'head.classifier.bias'],
                      statistics=['backbone'])

    and the loss is :class:`~ltkit.models.losses.GeneralizedReweightLoss`. The
    official code for classification (cvpods) computes

    .. math:: \hat z_c = (1 + \sigma(x) \alpha_c) z_c + \sigma(x) \beta_c

    which is the equation above with :math:`\alpha_c + 1` for :math:`\alpha_c`: its
    scale starts at 2. The official code for segmentation has the paper's equation.

    Source: Zhang et al., *Distribution Alignment*, CVPR 2021, arXiv 2103.16370.

    Args:
        num_classes (int): C.
        in_channels (int): d, the length of a feature.
        form (str): ``'paper'`` or ``'cvpods'``, see above. Defaults to ``'paper'``.
        bias (bool): Whether there is a bias b. Defaults to True.

    Shape:
        ``(N, d)`` to ``(N, C)``. ``alpha`` and ``beta`` have shape ``(C,)``,
        ``confidence.weight`` ``(1, d)``, ``confidence.bias`` ``(1,)``.

    Raises:
        ConfigError: A size is not above 0, or ``form`` is unknown.
    """

    conformance = dict(skip=dict(
        gradient_reaches_every_parameter='as long as alpha is 1 and beta 0, the confidence changes nothing'))

    def __init__(self, num_classes: int, in_channels: int, form: str = 'paper', bias: bool = True) -> None:
        super().__init__(num_classes, in_channels, bias)
        self.form = checked_choice('form', form, FORMS)
        self.alpha = nn.Parameter(torch.ones(num_classes))
        self.beta = nn.Parameter(torch.zeros(num_classes))
        self.confidence = nn.Linear(in_channels, 1)
        nn.init.constant_(self.confidence.weight, CONFIDENCE_WEIGHT)

    def forward(self, features: Tensor) -> Tensor:
        """Logits ``(N, C)`` of features ``(N, d)``."""
        logits = self.linear(features)
        sigma = self.confidence(features).sigmoid()
        alpha = self.alpha if self.form == 'paper' else 1 + self.alpha
        return logits + sigma * ((alpha - 1).to(logits.dtype) * logits + self.beta.to(logits.dtype))

    def extra_repr(self) -> str:
        return f'{super().extra_repr()}, form={self.form!r}'
