"""The mix-in of every part that needs the class counts of the training set."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from .class_weights import inverse_frequency_weights
from .distribution import ClassDistribution
from .utils.errors import DistributionError

CountsLike = Sequence[int] | np.ndarray | Tensor | ClassDistribution | str | os.PathLike


class DistributionAware:
    """Holds the class counts of the training set.

    A module (a loss, classifier, regulariser, post-hoc rule, batch augment)
    keeps them in the buffer ``class_counts`` (int64, shape ``(C,)``, or ``(0,)``
    until they are known), so that they travel in the checkpoint and a test needs
    no training data. Anything else (a metric) keeps a plain tensor.

    Derive as ``class MyLoss(DistributionAware, nn.Module)`` and call
    :meth:`init_class_counts` after ``nn.Module.__init__``. Read
    :attr:`class_distribution`, or ``self.counts_for(logits)`` in ``forward``.
    """

    class_counts: Tensor

    def init_class_counts(self, class_counts: CountsLike | None = None) -> None:
        """Make the buffer.

        Args:
            class_counts (optional): Counts of the training set: a list, a
                :class:`ClassDistribution`, or the path of a file that
                :meth:`ClassDistribution.from_file` reads. What is given here
                is kept; neither ``ClassDistributionHook`` nor a checkpoint
                overwrites it.
        """
        distribution = None if class_counts is None else as_distribution(class_counts)
        counts = torch.zeros(0, dtype=torch.int64) if distribution is None else _tensor(distribution)
        if isinstance(self, nn.Module):
            self.register_buffer('class_counts', counts)
        else:
            self.class_counts = counts
        self._distribution = distribution
        self.class_counts_given = distribution is not None

    @property
    def has_class_counts(self) -> bool:
        """Whether the counts are known."""
        return self.class_counts.numel() > 0

    @property
    def class_distribution(self) -> ClassDistribution:
        """The distribution; raises :class:`DistributionError` when it is not known."""
        if not self.has_class_counts:
            raise self._missing()
        counts = self.class_counts.tolist()
        if self._distribution is None or self._distribution.counts.tolist() != counts:
            self._distribution = ClassDistribution(counts)
        return self._distribution

    def set_class_distribution(self, distribution: CountsLike) -> None:
        """Take the counts of the training set; ``ClassDistributionHook`` calls this."""
        distribution = as_distribution(distribution)
        counts = _tensor(distribution)
        self.class_counts = counts.to(self.class_counts.device)
        self._distribution = distribution
        self.on_class_counts()

    def on_class_counts(self) -> None:
        """Called when the counts have changed; for parts that keep something derived."""

    def counts_for(self, scores: Tensor, num_classes: int | None = None) -> Tensor:
        """Counts on the device of ``scores``, an empty class counted as one.

        Args:
            scores (Tensor): Shape ``(..., C)``.
            num_classes (int, optional): C. Defaults to ``scores.size(-1)``.

        Returns:
            Tensor: Shape ``(C,)``, float64 for float64 scores, else float32.

        Raises:
            DistributionError: The counts are not known or are of another C.
        """
        num_classes = scores.size(-1) if num_classes is None else num_classes
        if self.class_counts.numel() != num_classes:
            if not self.has_class_counts:
                raise self._missing()
            raise DistributionError(
                f'{type(self).__name__} has counts of {self.class_counts.numel()} classes, but the scores '
                f'are of {num_classes}; num_classes of the head and the data set differ')
        dtype = torch.float64 if scores.dtype == torch.float64 else torch.float32
        return self.class_counts.to(scores.device).clamp(min=1).to(dtype)

    def log_prior_for(self, scores: Tensor) -> Tensor:
        """Natural logarithm of the class prior for ``scores``, shape ``(C,)``."""
        counts = self.counts_for(scores)
        return counts.log() - counts.sum().log()

    def log_relative_prior_for(self, scores: Tensor) -> Tensor:
        r"""Logarithm of the class prior over the uniform one, :math:`\log(C \pi_c)`, for ``scores``, shape ``(C,)``.

        In a softmax it is as good as the logarithm of the prior, from which it
        differs by a constant; but it is exactly 0 when all classes are of one
        size, so that what corrects the prior then changes no bit.
        """
        counts = self.counts_for(scores)
        return inverse_frequency_weights(counts, -1).log().to(counts.dtype)

    def _missing(self) -> DistributionError:
        name = type(self).__name__
        return DistributionError(
            f'{name} needs the class counts of the training set: train with ClassDistributionHook (on by '
            f"default), give class_counts=[...] or class_counts='counts.json' in its config, or call "
            f'set_class_distribution()')

    def _load_from_state_dict(
            self, state_dict: dict[str, Any], prefix: str, *args: Any, **kwargs: Any) -> None:
        key = prefix + 'class_counts'
        loaded = state_dict.get(key)
        if loaded is not None and (self.class_counts_given or loaded.numel() == 0):
            state_dict = {**state_dict, key: self.class_counts}  # given here, or unknown there
        elif loaded is not None and not self.has_class_counts:
            self.class_counts = torch.zeros_like(loaded, device=self.class_counts.device)
        super()._load_from_state_dict(state_dict, prefix, *args, **kwargs)  # type: ignore[misc]
        if loaded is not None and self.has_class_counts:
            self.on_class_counts()


def as_distribution(counts: CountsLike) -> ClassDistribution:
    """Make a :class:`ClassDistribution` of counts, a path, or one that is one."""
    if isinstance(counts, ClassDistribution):
        return counts
    if isinstance(counts, (str, os.PathLike)):
        return ClassDistribution.from_file(counts)
    if isinstance(counts, Tensor):
        counts = counts.detach().cpu().numpy()
    return ClassDistribution(counts)


def distribution_aware_parts(model: nn.Module) -> dict[str, DistributionAware]:
    """All parts of a model that need the class counts, by module path."""
    return {name: part for name, part in model.named_modules() if isinstance(part, DistributionAware)}


def _tensor(distribution: ClassDistribution) -> Tensor:
    return torch.tensor(distribution.counts.tolist(), dtype=torch.int64)
