"""The template of post-hoc rules."""

from __future__ import annotations

from torch import Tensor, nn

from ltkit.distribution_aware import CountsLike, DistributionAware


class PosthocRule(DistributionAware, nn.Module):
    """Changes logits in prediction, never in training; overrides :meth:`forward`.

    Args:
        class_counts (optional): Training samples of each class; normally they
            come with the checkpoint, or from ``ClassDistributionHook``.
    """

    def __init__(self, class_counts: CountsLike | None = None) -> None:
        super().__init__()
        self.init_class_counts(class_counts)

    def set_head(self, head: nn.Module, before: int) -> None:
        """Called by the head that has the rule; a rule that reads the classifier overrides it.

        Args:
            head (nn.Module): It has ``classifier``, or ``classifiers`` for several experts.
            before (int): How many rules are applied to the logits before this one.
        """

    def forward(self, logits: Tensor) -> Tensor:
        """Logits, shape ``(..., C)``, to logits of the same shape."""
        raise NotImplementedError(f'{type(self).__name__} must override forward(logits)')
