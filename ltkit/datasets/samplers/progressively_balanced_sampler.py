"""Progressively balanced sampling: from instance- to class-balanced."""

from __future__ import annotations

from collections.abc import Sized

import numpy as np

from ...registry import SAMPLERS
from ...utils.errors import ConfigError
from .class_probability_sampler import ClassProbabilitySampler


@SAMPLERS.register_module()
class ProgressivelyBalancedSampler(ClassProbabilitySampler):
    r"""A class with a probability that moves from :math:`n_c / n` to :math:`1 / C`.

    .. math:: p_c(e) = (1 - t) \frac{n_c}{n} + t \frac{1}{C},
              \quad t = \min\left(\frac{e}{E - 1}, 1\right)

    e is the 0-based epoch of E, so the first epoch is instance-balanced and the
    last one class-balanced, as in the official code (t = 0 when E = 1). C counts
    the classes that have a sample; a class without one is skipped. Source: Kang
    et al., *Decoupling Representation and Classifier for Long-Tailed
    Recognition*, ICLR 2020, arXiv 1910.09217, equation (2).

    Args:
        dataset (Sized): The data set, of N > 0 samples, which tells its labels.
        seed (int, optional): Seed, >= 0. Defaults to one that all processes
            share.
        num_samples (int, optional): Samples an epoch over all processes, > 0.
            Defaults to N.
        round_up (bool): Whether the order is filled from its start so that each
            process gets the same number. Defaults to True.
        replacement (bool): Whether the images of a class are drawn independently
            of each other. Defaults to False.
        max_epochs (int, optional): E > 0. Defaults to that of the training loop,
            which the engine tells by :meth:`set_max_epochs`.

    Raises:
        ConfigError: ``max_epochs`` is not as above, or not known when an epoch is
            drawn.
    """

    prior_correction = 1.0  # see ltkit.config.compatibility

    def __init__(self, dataset: Sized, seed: int | None = None, num_samples: int | None = None,
                 round_up: bool = True, replacement: bool = False, max_epochs: int | None = None) -> None:
        super().__init__(dataset, seed, num_samples, round_up, replacement)
        self.max_epochs_given = max_epochs is not None
        self.max_epochs = max_epochs if max_epochs is None else _checked(max_epochs)

    def set_max_epochs(self, max_epochs: int) -> None:
        """Take the length of the training; the argument ``max_epochs`` takes precedence."""
        if not self.max_epochs_given:
            self.max_epochs = _checked(max_epochs)

    def class_probabilities(self) -> np.ndarray:
        """:math:`p_c` of the current epoch; see :meth:`ClassProbabilitySampler.class_probabilities`."""
        if self.max_epochs is None:
            raise ConfigError('ProgressivelyBalancedSampler does not know the number of epochs; give '
                              'max_epochs=... in its config, or call set_max_epochs()')
        t = min(self.epoch / max(self.max_epochs - 1, 1), 1.0)
        return (1 - t) * self.power_probabilities(1.0) + t * self.power_probabilities(0.0)


def _checked(max_epochs: int) -> int:
    if isinstance(max_epochs, bool) or not isinstance(max_epochs, int) or max_epochs < 1:
        raise ConfigError('ProgressivelyBalancedSampler: max_epochs must be a whole number >= 1, but is '
                          f'{max_epochs!r}')
    return max_epochs
