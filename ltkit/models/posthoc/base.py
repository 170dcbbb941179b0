"""The template of post-hoc rules."""

from __future__ import annotations

from collections.abc import Iterable

from torch import Tensor, nn

from ltkit.distribution_aware import CountsLike, DistributionAware


class PosthocRule(DistributionAware, nn.Module):
    """Changes logits in prediction, never in training; overrides :meth:`forward`.

    A rule may have arguments that are fitted to held-out samples: it names them in
    ``fitted_arguments``, says in :attr:`needs_fit` whether they are unknown, and
    finds them in :meth:`fit`, after which it has them as attributes. They are best
    kept in buffers, which a checkpoint holds. Until then ``forward`` gives the
    logits as they are, since a validation during training comes first.
    ``tools/test.py`` fits what needs it.

    A rule that reads the input of the classifier as well sets ``needs_features =
    True`` and is called as ``rule(logits, features=features)``, ``(N, C)`` and ``(N, d)``.

    Args:
        class_counts (optional): Training samples of each class; normally they
            come with the checkpoint, or from ``ClassDistributionHook``.
    """

    fitted_arguments: tuple[str, ...] = ()
    needs_features = False

    def __init__(self, class_counts: CountsLike | None = None) -> None:
        super().__init__()
        self.init_class_counts(class_counts)

    def set_head(self, head: nn.Module, before: int) -> None:
        """Called by the head that has the rule; a rule that reads the classifier overrides it.

        Args:
            head (nn.Module): It has ``classifier``, or ``classifiers`` for several experts.
            before (int): How many rules are applied to the logits before this one.
        """

    @property
    def needs_fit(self) -> bool:
        """Whether :meth:`fit` has to be called first."""
        return False

    def fit(self, logits: Tensor, labels: Tensor) -> None:
        """Fit the rule to held-out samples.

        Args:
            logits (Tensor): As :meth:`forward` gets them, shape ``(N, C)``.
            labels (Tensor): True classes, int64, shape ``(N,)``.
        """
        raise NotImplementedError(f'{type(self).__name__} has nothing to fit')

    def forward(self, logits: Tensor) -> Tensor:
        """Logits, shape ``(..., C)``, to logits of the same shape."""
        raise NotImplementedError(f'{type(self).__name__} must override forward(logits)')


def need_features(rules: Iterable[nn.Module]) -> bool:
    """Whether one of some rules reads the features."""
    return any(getattr(rule, 'needs_features', False) for rule in rules)


def apply_rules(rules: Iterable[nn.Module], logits: Tensor, features: Tensor | None = None) -> Tensor:
    """Logits after some rules, one after the other.

    Args:
        rules (Iterable[nn.Module]): The rules.
        logits (Tensor): Of the classifier, shape ``(N, C)``.
        features (Tensor, optional): Its input, shape ``(N, d)``, for rules that need it.
    """
    for rule in rules:
        logits = rule(logits, features=features) if need_features([rule]) else rule(logits)
    return logits
