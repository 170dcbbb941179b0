"""Classifier weights brought to like norms after training."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from ltkit.models.classifiers.tau_norm_classifier import divided_by_norms
from ltkit.registry import POSTHOC
from ltkit.utils.arguments import checked_number
from ltkit.utils.errors import ConfigError

from .base import PosthocRule


@POSTHOC.register_module()
class TauNormalization(PosthocRule):
    r"""Divides the weights of a linear classifier by a power of their norms.

    .. math:: z'_c = \frac{w_c^\top x}{\lVert w_c \rVert^\tau} = \frac{z_c - b_c}{\lVert w_c \rVert^\tau}

    Classes with many images get long weight vectors; :math:`\tau = 1` makes all
    of one length. The bias is left out, as in the official code; with
    ``keep_bias`` it is added again unchanged. The rule acts on logits, so the
    checkpoint stays as it is and a sweep over :math:`\tau` needs one evaluation.
    :math:`\tau` is chosen on a validation set, in the paper from 0 to 2 by 0.1.

    Source: Kang et al., *Decoupling Representation and Classifier*, ICLR 2020,
    arXiv 1910.09217.

    Args:
        tau (float): :math:`\tau`; 0 leaves the bias out and changes nothing
            else. Defaults to 1.0.
        keep_bias (bool): Whether the bias is kept. Defaults to False.
        **kwargs: See :class:`PosthocRule`.

    Raises:
        ConfigError: ``tau`` is no number from 0 on; the head has not one
            linear classifier, or another rule comes before this one.

    Shape:
        ``(..., C)`` to the same.
    """

    def __init__(self, tau: float = 1.0, keep_bias: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.tau = checked_number('tau', tau)
        self.keep_bias = keep_bias
        self._classifier: tuple[nn.Linear, ...] = ()  # in a tuple, so that its weights are not this module's as well

    def set_head(self, head: nn.Module, before: int) -> None:
        """Take the classifier of the head."""
        classifier = getattr(head, 'classifier', None)
        if not isinstance(classifier, nn.Linear):
            has = 'several classifiers' if classifier is None else f'a {type(classifier).__name__}'
            raise ConfigError('TauNormalization needs one linear classifier, whose weights have norms, but '
                              f'{type(head).__name__} has {has}')
        if before:
            raise ConfigError('TauNormalization changes the classifier, so it must be the first of the post-hoc rules')
        self._classifier = (classifier, )

    def forward(self, logits: Tensor) -> Tensor:
        if not self._classifier:
            raise ConfigError('TauNormalization has no classifier; put it into the posthoc of a head')
        classifier, = self._classifier
        bias = 0 if classifier.bias is None else classifier.bias.detach().to(logits)
        scaled = divided_by_norms(logits - bias, classifier.weight.detach(), self.tau)
        return scaled + bias if self.keep_bias else scaled

    def extra_repr(self) -> str:
        return f'tau={self.tau}, keep_bias={self.keep_bias}'
