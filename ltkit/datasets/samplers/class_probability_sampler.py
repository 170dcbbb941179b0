"""The family of samplers that choose a class first, then an image of it."""

from __future__ import annotations

from collections.abc import Sized

import numpy as np

from ...class_weights import inverse_frequency_weights
from ...utils.errors import ConfigError
from .cycles import ClassIndex
from .labels import single_labels
from .long_tail_sampler import LongTailSampler


class ClassLabelSampler(LongTailSampler):
    """A sampler that knows which sample is of which class.

    Labels come from :func:`ltkit.distribution.labels_of`, through any wrapper.
    ``self.class_index`` says where the samples of each class are, and
    ``self.class_counts`` how many there are, int64, shape ``(C,)``.

    Args:
        dataset (Sized): The data set, of N > 0 samples, which tells its labels.
        seed (int, optional): Seed, >= 0. Defaults to one that all processes
            share.
        num_samples (int, optional): Samples an epoch over all processes, > 0.
            Defaults to N.
        round_up (bool): Whether the order is filled from its start so that each
            process gets the same number. Defaults to True.

    Raises:
        DistributionError: The data set does not tell its labels.
        DataError: It is empty, or its labels are negative or not N in number.
    """

    def __init__(self, dataset: Sized, seed: int | None = None, num_samples: int | None = None,
                 round_up: bool = True) -> None:
        super().__init__(dataset, seed, num_samples, round_up)
        self.class_index = ClassIndex(single_labels(type(self).__name__, dataset))

    @property
    def class_counts(self) -> np.ndarray:
        """Samples of each class up to the largest label, int64, shape ``(C,)``."""
        return self.class_index.counts


class ClassProbabilitySampler(ClassLabelSampler):
    r"""Draw the class of each position from :math:`p_c`, then one of its images.

    The classes are drawn independently, as the definition says. The images of a
    class are, by default, drawn from a shuffled cycle: within an epoch each comes
    up before any of its class comes up again, so the few images of a tail class
    are used as evenly as can be (their numbers of uses differ by one at most);
    each is as likely as another all the same. ``replacement=True`` draws the
    images independently too, as the official code does.

    Override :meth:`class_probabilities` for a sampler of your own.

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
    """

    def __init__(self, dataset: Sized, seed: int | None = None, num_samples: int | None = None,
                 round_up: bool = True, replacement: bool = False) -> None:
        super().__init__(dataset, seed, num_samples, round_up)
        self.replacement = replacement

    def class_probabilities(self) -> np.ndarray:
        """Class probabilities of the current epoch, shape ``(C,)``; 0 for a class without a sample."""
        raise NotImplementedError(f'{type(self).__name__} must override class_probabilities()')

    def draw(self, rng: np.random.Generator) -> np.ndarray:
        """The order of one epoch; see :meth:`LongTailSampler.draw`."""
        probabilities = np.asarray(self.class_probabilities(), dtype=np.float64)
        empty = self.class_counts == 0
        if probabilities.shape != empty.shape or not (probabilities >= 0).all() or probabilities[empty].any():
            raise ConfigError(
                f'{type(self).__name__}.class_probabilities() must be {len(empty)} numbers >= 0, with 0 for '
                'each class without a sample')
        if not probabilities.any():
            raise ConfigError(f'{type(self).__name__}.class_probabilities() are all 0')
        classes = classes_at(rng.random(self.num_samples), probabilities)
        return self.class_index.draw(classes, rng, self.replacement)

    def power_probabilities(self, power: float) -> np.ndarray:
        r"""The family :math:`p_c = n_c^q / \sum_k n_k^q` over the classes with samples.

        Source: Kang et al., ICLR 2020, arXiv 1910.09217, equation (1).

        Args:
            power (float): q; 1 instance-balanced, 0.5 square root, 0
                class-balanced, -1 reversed.
        """
        present = self.class_counts > 0
        probabilities = np.zeros(len(present))
        probabilities[present] = inverse_frequency_weights(self.class_counts[present], -power, 'sum')
        return probabilities


def classes_at(uniform: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The classes at given points of the cumulated weights.

    Args:
        uniform (ndarray): Numbers in [0, 1), shape ``(n,)``.
        weights (ndarray): In proportion to the class probabilities, not all 0,
            shape ``(C,)``.

    Returns:
        ndarray: int64, shape ``(n,)``; never a class of the weight 0.
    """
    possible = np.flatnonzero(weights)  # among these alone, so that rounding never meets an empty class
    bounds = np.cumsum(weights[possible])
    drawn = np.searchsorted(bounds, uniform * bounds[-1], side='right')
    return possible[np.minimum(drawn, len(possible) - 1)]
