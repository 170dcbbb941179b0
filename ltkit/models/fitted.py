"""Parts of a model that are estimated from features, not learned by gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable

from torch import Tensor, nn


@runtime_checkable
class Fitted(Protocol):
    """What :class:`~ltkit.engine.loops.FitLoop` calls of a classifier.

    Once for each of the ``fit_passes`` over the training set :meth:`begin_fit`,
    :meth:`fit` for each batch and :meth:`end_fit`, all without gradients and with
    the model in evaluation. What is found belongs into buffers, which a checkpoint
    holds.

    A part that is trained as well, from what was fitted on, has the class attribute
    ``fit_begins_training = True`` and the attribute ``fitted``, whether it has its values,
    by a fit or from a checkpoint; :class:`~ltkit.engine.hooks.FitHook` fits it before the
    first step.
    """

    fit_passes: int
    """How many passes over the training set it takes."""

    def begin_fit(self, pass_index: int) -> None:
        """A pass begins, the first of which is 0."""

    def fit(self, features: Tensor, labels: Tensor) -> None:
        """Take in a batch.

        Args:
            features (Tensor): What the classifier sees, shape ``(N, d)``.
            labels (Tensor): Classes, int64, shape ``(N,)``.
        """

    def end_fit(self, pass_index: int, reduce: Callable[[Tensor], Tensor]) -> None:
        """A pass is over.

        Args:
            pass_index (int): Which.
            reduce (Callable): Gives the sum of a tensor over all processes; each
                of them has seen a part of the training set.
        """


def begins_training(part: Any) -> bool:
    """Whether what is fitted of a part is where its training begins."""
    return isinstance(part, Fitted) and getattr(part, 'fit_begins_training', False)


def fitted_parts(model: nn.Module) -> dict[str, nn.Module]:
    """The parts of a model that are fitted and not trained, by their names."""
    return {name: part for name, part in model.named_modules()
            if isinstance(part, Fitted) and not begins_training(part)}
