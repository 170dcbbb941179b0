"""Sampling between instance-balanced and class-balanced."""

from __future__ import annotations

from collections.abc import Sized
from typing import Any

import numpy as np

from ltkit.datasets.samplers import LongTailSampler
from ltkit.distribution import labels_of
from ltkit.registry import SAMPLERS
from ltkit.utils.errors import ConfigError


@SAMPLERS.register_module()
class PowerSampler(LongTailSampler):
    r"""Draw class c with the probability :math:`p_c \propto n_c^{1 - q}`, with replacement.

    :math:`q = 0` draws images evenly, :math:`q = 1` classes. The family is that of
    Kang et al., *Decoupling*, ICLR 2020, arXiv 1910.09217, equation (1).

    Args:
        dataset (Sized): The data set; tells its labels.
        correction (float): q, in [0, 1]. Defaults to 0.5.
        **kwargs: ``seed``, ``num_samples``, ``round_up``; see
            :class:`~ltkit.datasets.samplers.LongTailSampler`.

    Raises:
        ConfigError: ``correction`` is not in [0, 1].
    """

    prior_correction = 'correction'  # read by the compatibility checker

    def __init__(self, dataset: Sized, correction: float = 0.5, **kwargs: Any) -> None:
        super().__init__(dataset, **kwargs)
        if not 0 <= correction <= 1:
            raise ConfigError(f'PowerSampler: correction must be in [0, 1], but is {correction}')
        labels = labels_of(dataset)
        weights = np.bincount(labels)[labels] ** -float(correction)  # n_c images share the class's part
        self.probabilities = weights / weights.sum()

    def draw(self, rng: np.random.Generator) -> np.ndarray:
        return rng.choice(self.dataset_size, size=self.num_samples, p=self.probabilities)
