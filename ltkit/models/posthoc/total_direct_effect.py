"""The total direct effect of De-confound at another strength."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from ltkit.models.classifiers import CausalNormClassifier
from ltkit.registry import POSTHOC
from ltkit.utils.arguments import checked_number
from ltkit.utils.errors import ConfigError

from .base import PosthocRule


@POSTHOC.register_module()
class TotalDirectEffect(PosthocRule):
    r"""The logits of a ``CausalNormClassifier`` at another :math:`\alpha` than its own.

    The classifier is asked again for the logits of the features, so those at its
    own :math:`\alpha` play no part; see :class:`~ltkit.models.classifiers.CausalNormClassifier`
    for the equation. That its ``alpha`` can be set as well is no matter: this is for
    many values of it with one evaluation of the model,
    ``--posthoc TotalDirectEffect --sweep alpha=0:3:0.5``.

    Source: Tang et al., NeurIPS 2020, arXiv 2009.12991.

    Args:
        alpha (float): :math:`\alpha`, 0 or more; 0 gives the logits of training.
            Defaults to 3.0.
        **kwargs: See :class:`PosthocRule`.

    Raises:
        ConfigError: ``alpha`` is no number from 0 on; the head has another
            classifier, or another rule comes before this one.

    Shape:
        ``(N, C)`` and features ``(N, d)`` to ``(N, C)``.
    """

    needs_features = True

    def __init__(self, alpha: float = 3.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.alpha = checked_number('alpha', alpha)
        self._classifier: tuple[CausalNormClassifier, ...] = ()  # in a tuple: its weights are not this module's as well

    def set_head(self, head: nn.Module, before: int) -> None:
        """Take the classifier of the head."""
        classifier = getattr(head, 'classifier', None)
        if not isinstance(classifier, CausalNormClassifier):
            has = 'several classifiers' if classifier is None else f'a {type(classifier).__name__}'
            raise ConfigError(f'TotalDirectEffect needs one CausalNormClassifier, but {type(head).__name__} has {has}')
        if before:
            raise ConfigError('TotalDirectEffect makes the logits anew, so it must be the first of the post-hoc rules')
        self._classifier = (classifier, )

    def forward(self, logits: Tensor, features: Tensor | None = None) -> Tensor:
        if not self._classifier or features is None:
            raise ConfigError('TotalDirectEffect has no classifier or no features; put it into the posthoc of a head')
        classifier, = self._classifier
        return classifier.logits(features.to(classifier.weight.device), self.alpha).to(logits)

    def extra_repr(self) -> str:
        return f'alpha={self.alpha}'
